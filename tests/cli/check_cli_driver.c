/*
 * What the program makes of its driver: every error code with its remedy, every way to fail, what
 * the driver is told through its environment, and the confirmation before anything is written. In
 * the tables, @ stands for the sandbox's folder.
 */
#include "support/sandboxed.h"

#include "base/scope.h"
#include "base/strbuf.h"

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void set_up(void)
{
    sandbox_write(&box, "environment.yml", "gpu:\n  devices: [1, 3]\n");
}

/* The machine with four A100, and further statements. */
static void make_machine(const char *statements)
{
    char text[2048], *four = tests_path("machines/four");

    snprintf(text, sizeof text, "include %s\n%s\n", four, statements);
    sandbox_write(&box, "machine", text);
    free(four);
}

static void check_text(const char *got, const char *wanted)
{
    check_rooted(got, wanted, box.root);
}

/* Takes the outcome of a run that must have failed with this message and written nothing. */
static void check_failed(struct outcome got, const char *message)
{
    check_text(got.err, message);
    ck_assert_str_eq(got.out, "");
    ck_assert_int_eq(got.status, 3);
    ck_assert(!sandbox_has(&box, "envs/pt/etc"));
    outcome_free(&got);
}

/* With --json the errors are in the object as well. */
static void check_failed_json(struct outcome got, const char *message)
{
    ck_assert_msg(strstr(got.out, "\"status\": 3,") != NULL, "%s", got.out);
    got.out[0] = '\0';
    check_failed(got, message);
}

static struct outcome apply(const char *option, const char *value)
{
    return conda_gpu(&box, NULL, "apply", "-p", "envs/pt", option, value, NULL);
}

/* Whether a process of this number has the sandbox in its environment, as all that run in it have.
 */
static bool is_of_sandbox(const char *number)
{
    scope(free_text) char *path = format_text("/proc/%s/environ", number);
    char environment[65536];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, environment, sizeof environment);

    if (fd >= 0)
        close(fd);
    return length > 0 && memmem(environment, (size_t)length, box.root, strlen(box.root));
}

static int count_of_sandbox(void)
{
    DIR *folder = opendir("/proc");
    int count = 0;

    ck_assert_ptr_nonnull(folder);
    for (struct dirent *entry; (entry = readdir(folder));)
        count += entry->d_name[0] >= '1' && entry->d_name[0] <= '9' && is_of_sandbox(entry->d_name);
    closedir(folder);
    return count;
}

/* No process that has to do with this sandbox stays: the last may still be about to end. */
static void check_nobody_left(void)
{
    for (int tries = 0; count_of_sandbox() > 0; tries++) {
        ck_assert_msg(tries < 3000, "a process that was started in %s does not end", box.root);
        usleep(10 * 1000);
    }
}

/* What apply adds where there is no driver or no GPU. */
#define GO_ON                                                                                      \
    "to go on where there is no GPU, write 'if_no_gpu: cpu' (then none is shown) or 'if_no_gpu: "  \
    "unconfirmed' (then 'devices' is taken as written) into the gpu: section of environment.yml\n"

/* Faults: the same message from apply and from devices. Those of a machine without a GPU are among
   the absences below. */

#define GAVE(call, code, text) "the CUDA driver failed: " call " gave " code " (CUDA_" text "); "
#define UNSAID                 "see NVIDIA's CUDA Driver API reference, CUresult\n"
#define MPS                                                                                        \
    "the GPUs are shared through NVIDIA MPS and its server does not answer as it should: see "     \
    "/var/log/nvidia-mps, and restart it with 'echo quit | nvidia-cuda-mps-control; "              \
    "nvidia-cuda-mps-control -d'\n"
#define NONSENSE "the CUDA driver's answer makes no sense: "
#define LOOK     "; see whether nvidia-smi works\n"

static const struct fault {
    const char *statements, *message;
} faults[] = {
    {"fault cuDeviceGetCount 3",
     GAVE("cuDeviceGetCount", "3",
          "ERROR_NOT_INITIALIZED, initialization error") "the driver did not initialise: see "
                                                         "whether nvidia-smi works; if not, "
                                                         "reinstall the driver or reboot\n"},
    {"fault cuInit 34",
     GAVE("cuInit", "34",
          "ERROR_STUB_LIBRARY, CUDA driver is a stub library") "this libcuda is the toolkit's "
                                                               "stub, which is only for linking: "
                                                               "take its 'stubs' folder out of "
                                                               "LD_LIBRARY_PATH, or name the "
                                                               "driver's own library with "
                                                               "--driver\n"},
    {"fault cuInit 46",
     GAVE("cuInit", "46",
          "ERROR_DEVICE_UNAVAILABLE, CUDA-capable device(s) is/are busy or "
          "unavailable") "every GPU is taken by a process in exclusive mode: see "
                         "'nvidia-smi -q -d COMPUTE', and wait or ask its owner\n"},
    {"fault cuInit 101",
     GAVE("cuInit", "101",
          "ERROR_INVALID_DEVICE, invalid device ordinal") "CUDA_VISIBLE_DEVICES names a device "
                                                          "twice, or CUDA_DEVICE_ORDER is neither "
                                                          "PCI_BUS_ID nor FASTEST_FIRST; else a "
                                                          "GPU has failed: see 'nvidia-smi' and "
                                                          "'dmesg | grep NVRM'\n"},
    {"fault cuDeviceGetCount 304",
     GAVE("cuDeviceGetCount", "304",
          "ERROR_OPERATING_SYSTEM, OS call failed or operation not supported on this "
          "OS") "a call to the kernel failed: see whether you may open /dev/nvidia* ('ls -l "
                "/dev/nvidia*'; groups video or render) and whether 'nvidia-modprobe -u' helps\n"},
    {"fault cuInit 802",
     GAVE("cuInit", "802",
          "ERROR_SYSTEM_NOT_READY, system not yet initialized") "the NVSwitch fabric is not up: "
                                                                "start it with 'sudo systemctl "
                                                                "start nvidia-fabricmanager', in "
                                                                "the driver's own version\n"},
    {"fault cuInit 803",
     GAVE("cuInit", "803",
          "ERROR_SYSTEM_DRIVER_MISMATCH, system has unsupported display driver / cuda driver "
          "combination") "the driver was updated and the old one still runs in the kernel: "
                         "reboot\n"},
    {"fault cuInit 804",
     GAVE("cuInit", "804",
          "ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE, forward compatibility was attempted on non "
          "supported HW") "a forward compatibility library (cuda-compat) is loaded that this GPU "
                          "does not support: take it out of LD_LIBRARY_PATH, often "
                          "/usr/local/cuda/compat\n"},
    {"fault cuInit 805",
     GAVE("cuInit", "805",
          "ERROR_MPS_CONNECTION_FAILED, MPS client failed to connect to the MPS control daemon or "
          "the MPS server") MPS},
    {"fault cuInit 806",
     GAVE("cuInit", "806",
          "ERROR_MPS_RPC_FAILURE, the remote procedural call between the MPS server and the MPS "
          "client failed") MPS},
    {"fault cuInit 807",
     GAVE("cuInit", "807",
          "ERROR_MPS_SERVER_NOT_READY, MPS server is not ready to accept new MPS client "
          "requests") MPS},
    {"fault cuInit 808",
     GAVE("cuInit", "808",
          "ERROR_MPS_MAX_CLIENTS_REACHED, the hardware resources required to create MPS client "
          "have been exhausted") MPS},
    {"fault cuInit 809",
     GAVE("cuInit", "809",
          "ERROR_MPS_MAX_CONNECTIONS_REACHED, the hardware resources required to support device "
          "connections have been exhausted") MPS},
    {"fault cuInit 810",
     GAVE("cuInit", "810",
          "ERROR_MPS_CLIENT_TERMINATED, the MPS client has been terminated by the server") MPS},
    {"fault cuDeviceGetCount 999",
     GAVE("cuDeviceGetCount", "999",
          "ERROR_UNKNOWN, unknown error") "the driver failed without a reason: see 'dmesg | grep "
                                          "NVRM'; after a suspend 'sudo rmmod nvidia_uvm && sudo "
                                          "modprobe nvidia_uvm' or a reboot helps\n"},
    {"fault cuInit 801",
     GAVE("cuInit", "801", "ERROR_NOT_SUPPORTED, operation not supported") UNSAID},
    {"fault cuInit 12345", "the CUDA driver failed: cuInit gave 12345 (unknown code); " UNSAID},
    {"fault cuInit 801\nfault cuGetErrorName 1\nfault cuGetErrorString 1",
     "the CUDA driver failed: cuInit gave 801 (unknown code); " UNSAID},
    {"fault cuInit 1", GAVE("cuInit", "1", "ERROR_INVALID_VALUE, invalid argument") UNSAID},
    {"fault cuDriverGetVersion 1",
     GAVE("cuDriverGetVersion", "1", "ERROR_INVALID_VALUE, invalid argument") UNSAID},
    {"fault cuDeviceGetCount 1",
     GAVE("cuDeviceGetCount", "1", "ERROR_INVALID_VALUE, invalid argument") UNSAID},
    {"fault cuDeviceGet 2 1",
     GAVE("cuDeviceGet", "1", "ERROR_INVALID_VALUE, invalid argument") UNSAID},
    {"fault cuDeviceGetName 3 1",
     GAVE("cuDeviceGetName", "1", "ERROR_INVALID_VALUE, invalid argument") UNSAID},
    {"fault cuDeviceGetUuid 1",
     GAVE("cuDeviceGetUuid", "1", "ERROR_INVALID_VALUE, invalid argument") UNSAID},
    {"fault cuDeviceGetUuid_v2 1",
     GAVE("cuDeviceGetUuid_v2", "1", "ERROR_INVALID_VALUE, invalid argument") UNSAID},
    {"fault cuDeviceGetPCIBusId 1",
     GAVE("cuDeviceGetPCIBusId", "1", "ERROR_INVALID_VALUE, invalid argument") UNSAID},
    {"fault cuDeviceTotalMem_v2 1",
     GAVE("cuDeviceTotalMem_v2", "1", "ERROR_INVALID_VALUE, invalid argument") UNSAID},
    {"fault cuDeviceGetAttribute 0 1",
     GAVE("cuDeviceGetAttribute", "1", "ERROR_INVALID_VALUE, invalid argument") UNSAID},
    {"fault cuInit segv",
     "the CUDA driver crashed (signal 11, Segmentation fault); see whether nvidia-smi works\n"},
    {"fault cuDeviceGetName 2 segv",
     "the CUDA driver crashed (signal 11, Segmentation fault); see whether nvidia-smi works\n"},
    {"fault cuInit abort",
     "the CUDA driver crashed (signal 6, Aborted); see whether nvidia-smi works\n"},
    {"fault cuInit exit 0",
     "the CUDA driver ended its process (exit status 0) without an answer" LOOK},
    {"fault cuDeviceTotalMem_v2 exit 3",
     "the CUDA driver ended its process (exit status 3) without an answer" LOOK},
    {"fault cuInit grandchild 30\nfault cuDeviceGetCount exit 4",
     "the CUDA driver ended its process (exit status 4) without an answer" LOOK},
    {"fault cuDeviceGetUuid 2 says GPU-8932f937-d72c-4106-c12f-20bd9faed9f6\n"
     "fault cuDeviceGetUuid_v2 2 says GPU-8932f937-d72c-4106-c12f-20bd9faed9f6",
     NONSENSE "device 2 has the UUID of another one" LOOK},
    {"fault cuDeviceGetUuid 0 says GPU-00000000-0000-0000-0000-000000000000\n"
     "fault cuDeviceGetUuid_v2 0 says GPU-00000000-0000-0000-0000-000000000000",
     NONSENSE "device 0 has no UUID" LOOK},
    {"fault cuDeviceGetAttribute 1 says -7",
     NONSENSE "device 1 has a negative compute capability" LOOK},
    {"fault cuDriverGetVersion says -1",
     "the CUDA driver's answer makes no sense; see whether nvidia-smi works\n"},
    {"fault cuDeviceGetPCIBusId 3 says \"somewhere\"", NONSENSE "device 3 has no PCI bus ID" LOOK},
    {"fault cuDeviceGetPCIBusId 1 says \"\"", NONSENSE "device 1 has no PCI bus ID" LOOK},
    {"fault cuDeviceGetPCIBusId fill", NONSENSE "device 0 has no PCI bus ID" LOOK},
    {"fault cuDeviceGetCount says -1", NONSENSE "the number of devices is -1" LOOK},
    {"fault cuDeviceGetCount says 1025", NONSENSE "the number of devices is 1025" LOOK},
    {"fault cuDeviceGetCount says 2147483647", NONSENSE "the number of devices is 2147483647" LOOK},
    {"fault cuDeviceGetCount says 5",
     GAVE("cuDeviceGet", "101",
          "ERROR_INVALID_DEVICE, invalid device ordinal") "CUDA_VISIBLE_DEVICES names a device "
                                                          "twice, or CUDA_DEVICE_ORDER is neither "
                                                          "PCI_BUS_ID nor FASTEST_FIRST; else a "
                                                          "GPU has failed: see 'nvidia-smi' and "
                                                          "'dmesg | grep NVRM'\n"},
};

START_TEST(a_fault)
{
    make_machine(faults[_i].statements);
    check_failed(apply(NULL, NULL), faults[_i].message);
    check_failed(conda_gpu(&box, NULL, "devices", NULL), faults[_i].message);
    check_failed_json(conda_gpu(&box, NULL, "devices", "--json", NULL), faults[_i].message);
}
END_TEST

/* At cuInit these codes mean, where the kernel has no driver, just that. */
START_TEST(no_kernel_module)
{
    static const struct fault codes[] = {
        {"fault cuInit 3", "3 (CUDA_ERROR_NOT_INITIALIZED, initialization error)"},
        {"fault cuInit 304", "304 (CUDA_ERROR_OPERATING_SYSTEM, OS call failed or operation not "
                             "supported on this OS)"},
        {"fault cuInit 999", "999 (CUDA_ERROR_UNKNOWN, unknown error)"},
    };
    char message[512];

    if (access("/proc/driver/nvidia/version", F_OK) == 0 || access("/dev/dxg", F_OK) == 0) {
        test_skip(false, "no kernel module: this machine has one");
        return;
    }
    make_machine(codes[_i].statements);
    snprintf(message, sizeof message,
             "the CUDA driver failed: cuInit gave %s; NVIDIA's kernel module is not loaded: "
             "install the driver, or load it with 'sudo modprobe nvidia'\n" GO_ON,
             codes[_i].message);
    check_failed(apply(NULL, NULL), message);
}
END_TEST

static void check_hang(const char *command, const char *prefix)
{
    struct timespec start, end;

    clock_gettime(CLOCK_MONOTONIC, &start);
    check_failed(
        conda_gpu(&box, NULL, command, "--timeout", "1", prefix ? "-p" : NULL, prefix, NULL),
        "the CUDA driver did not answer within 1 seconds; see whether nvidia-smi works, "
        "and give it longer with --timeout SECONDS\n");
    clock_gettime(CLOCK_MONOTONIC, &end);
    ck_assert_int_le(end.tv_sec - start.tv_sec, 3);
    check_nobody_left();
}

START_TEST(hang)
{
    make_machine(_i ? "fault cuDeviceGetName 3 hang" : "fault cuInit hang");
    check_hang("apply", "envs/pt");
    if (!_i)
        check_hang("devices", NULL);
}
END_TEST

/* What the driver started ends as well, also a process that took leave of it. */
START_TEST(hang_with_daemon)
{
    if (access("/proc/thread-self/children", F_OK) < 0) {
        test_skip(false, "daemons of the driver: this kernel does not list a process's children");
        return;
    }
    make_machine("fault cuInit daemon 30\nfault cuInit grandchild 30\n"
                 "fault cuDeviceGetCount daemon 30\nfault cuDeviceGetCount hang");
    check_hang("apply", "envs/pt");
}
END_TEST

START_TEST(slow_driver)
{
    make_machine("delay 300");
    struct outcome got = apply("--timeout", "10");
    ck_assert_str_eq(got.err, "");
    ck_assert_int_eq(got.status, 0);
    outcome_free(&got);
}
END_TEST

/* Faults that are none of our business. */

#define GPU_1                                                                                      \
    "cuda:0  GPU 1  NVIDIA A100-SXM4-80GB  80 GiB  0f:00.0  "                                      \
    "GPU-8932f937\n"
#define GPU_3                                                                                      \
    "cuda:1  GPU 3  NVIDIA A100-SXM4-80GB  80 GiB  47:00.0  "                                      \
    "GPU-5e8f4a10\n"

static const char *const harmless[] = {
    "fault cuInit stdout \"NOISE\\n\"",
    "fault cuInit stderr \"NOISE\\n\"",
    "fault cuDeviceGetName stdout \"NOISE\"\nfault cuDeviceGetUuid stderr \"NOISE\"",
    "fault cuInit grandchild 30",
    "fault cuDeviceGetAttribute grandchild 30",
    "fault cuInit delay 20",
};

START_TEST(harmless_fault)
{
    struct timespec start, end;

    make_machine(harmless[_i]);
    clock_gettime(CLOCK_MONOTONIC, &start);
    struct outcome got = apply(NULL, NULL);
    clock_gettime(CLOCK_MONOTONIC, &end);
    ck_assert_str_eq(got.err, "");
    ck_assert_int_eq(got.status, 0);
    ck_assert_ptr_nonnull(strstr(got.out, "\n" GPU_1 GPU_3 "confirmed by the driver (CUDA 12.4): "
                                          "CUDA_VISIBLE_DEVICES=1,3\n"));
    ck_assert_ptr_null(strstr(got.out, "NOISE"));
    ck_assert_int_le(end.tv_sec - start.tv_sec, 10);
    check_nobody_left();
    outcome_free(&got);
}
END_TEST

/* Answers that are odd but can be lived with: what the line of the device shows. */
static const struct fault odd_answers[] = {
    {"fault cuDeviceGetName 1 says \"\\e[31mred\\n\\t\\xff\\x07\"",
     "  \\x1b[31mred\\n\\t\\xff\\x07  "},
    {"fault cuDeviceGetName 1 says \"\\xe2\\x80\\xaeGPU\"", "  \\xe2\\x80\\xaeGPU  "},
    {"fault cuDeviceGetName 1 says \"@version@ @end devices@ $(id) `id`\"",
     "  @version@ @end devices@ $(id) `id`  "},
    {"fault cuDeviceGetName 1 says \"\"", "cuda:0  GPU 1                         80 GiB  "},
    {"fault cuDeviceGetName 1 fill", "  AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA...  80 GiB"},
    {"fault cuDeviceTotalMem_v2 1 says 0", "  0 GiB  "},
    {"fault cuDeviceTotalMem_v2 1 says 85899345919", "  79.9 GiB  "},
    {"fault cuDeviceTotalMem_v2 1 says -1", "  17179869183.9 GiB  "},
    {"fault cuDeviceGetPCIBusId 1 says \"00000000:0F:00.0\"", "  0f:00.0  "},
    {"fault cuDeviceGetPCIBusId 1 says \"00012345:0F:1f.7\"", "00012345:0f:1f.7  "},
    {"fault cuDeviceGetPCIBusId 1 says \"10000:01:00.0\"", "00010000:01:00.0  "},
    {"fault cuDriverGetVersion says 13010", "confirmed by the driver (CUDA 13.1): "},
};

START_TEST(odd_answer)
{
    make_machine(odd_answers[_i].statements);
    struct outcome got = apply(NULL, NULL);
    ck_assert_str_eq(got.err, "");
    ck_assert_int_eq(got.status, 0);
    ck_assert_msg(strstr(got.out, odd_answers[_i].message) != NULL, "%s", got.out);
    for (size_t i = 0; i < got.out_length; i++)
        ck_assert(got.out[i] == '\n' || (got.out[i] >= ' ' && got.out[i] <= '~'));
    outcome_free(&got);
}
END_TEST

/* The name stands in a comment of every hook, and must not end it. */
START_TEST(odd_name_in_hooks)
{
    static const char *const hooks[] = {"sh", "fish", "csh"};
    char path[64];

    make_machine("fault cuDeviceGetName 1 says \"x\\n\\rtouch \\e[31m\"");
    struct outcome got = apply(NULL, NULL);
    ck_assert_int_eq(got.status, 0);
    for (size_t i = 0; i < sizeof hooks / sizeof *hooks; i++) {
        snprintf(path, sizeof path, "envs/pt/etc/conda/activate.d/env_vars.%s", hooks[i]);
        char *text = sandbox_read(&box, path, NULL);
        ck_assert_ptr_nonnull(strstr(text, "#   cuda:0  GPU 1  x\\n\\x0dtouch \\x1b[31m  80 GiB"));
        free(text);
    }
    outcome_free(&got);
}
END_TEST

/* What the driver finds in its environment. */

static const char *const users[] = {"CUDA_VISIBLE_DEVICES=2",
                                    "CUDA_DEVICE_ORDER=FASTEST_FIRST",
                                    "CUDA_FORCE_PRELOAD_LIBRARIES=1",
                                    "CUDA_DISABLE_JIT=0",
                                    "KEPT=as it is",
                                    NULL};

static const struct demand {
    const char *statements;
    int status;
} demands[] = {
    {"require CUDA_DEVICE_ORDER PCI_BUS_ID", 0},
    {"require CUDA_FORCE_PRELOAD_LIBRARIES 0", 0},
    {"require CUDA_DISABLE_JIT 1", 0},
    {"when-visible require CUDA_VISIBLE_DEVICES 1,3", 0},
    {"require KEPT \"as it is\"", 0},
    {"require KEPT otherwise", 3},
    {"forbid CUDA_VISIBLE_DEVICES", 3},                            /* the second question has it */
    {"unless-visible require CUDA_DEVICE_ORDER FASTEST_FIRST", 3}, /* and there is a first one */
};

START_TEST(environment_of_driver)
{
    for (int with = 0; with < 2; with++) {
        make_machine(demands[_i].statements);
        struct outcome got =
            conda_gpu(&box, with ? users : users + 4, "apply", "--check", "-p", "envs/pt", NULL);
        ck_assert_int_eq(got.status, demands[_i].status ? demands[_i].status : 1);
        outcome_free(&got);
    }
}
END_TEST

/* devices asks for the view of this shell as well, with its own variables. */
START_TEST(environment_for_devices)
{
    static const char *const both[] = {"CUDA_VISIBLE_DEVICES=2", "CUDA_DEVICE_ORDER=FASTEST_FIRST",
                                       "CUDA_DISABLE_JIT=0", NULL};

    make_machine("when-visible require CUDA_VISIBLE_DEVICES 2\n"
                 "when-visible require CUDA_DEVICE_ORDER FASTEST_FIRST\n"
                 "require CUDA_FORCE_PRELOAD_LIBRARIES 0\nrequire CUDA_DISABLE_JIT 1\n");
    struct outcome got = conda_gpu(&box, both, "devices", NULL);
    ck_assert_str_eq(got.err, "");
    ck_assert_int_eq(got.status, 0);
    outcome_free(&got);
}
END_TEST

/* The confirmation: what the second child sees is not what was planned. */

#define PLANNED                                                                                    \
    "  planned: GPU-8932f937-d72c-4106-c12f-20bd9faed9f6, "                                        \
    "GPU-5e8f4a10-33f1-9c1d-8d4a-0a3b7c1f2e55\n"
#define UNCONFIRMED                                                                                \
    "with CUDA_VISIBLE_DEVICES=1,3 the driver does not show what was planned; nothing was "        \
    "written. Is a GPU in MIG mode, or did one fail? See nvidia-smi -L\n" PLANNED
#define A100 "  NVIDIA A100-SXM4-80GB  80 GiB  "
#define TABLE                                                                                      \
    "  GPU 0" A100 "07:00.0  GPU-3b2cf2d4\n"                                                       \
    "  GPU 1" A100 "0f:00.0  GPU-8932f937\n"                                                       \
    "  GPU 2" A100 "41:00.0  GPU-c70a5e91\n"                                                       \
    "  GPU 3" A100 "47:00.0  GPU-5e8f4a10\n"
#define AGAIN "asked again, with CUDA_VISIBLE_DEVICES=1,3, to confirm it:\n"

static const struct fault changes[] = {
    {"when-visible swap 0 1",
     UNCONFIRMED "  the driver shows: GPU-5e8f4a10-33f1-9c1d-8d4a-0a3b7c1f2e55, "
                 "GPU-8932f937-d72c-4106-c12f-20bd9faed9f6\n" TABLE},
    {"when-visible drop 0",
     UNCONFIRMED "  the driver shows: GPU-5e8f4a10-33f1-9c1d-8d4a-0a3b7c1f2e55\n" TABLE},
    {"when-visible drop 1",
     UNCONFIRMED "  the driver shows: GPU-8932f937-d72c-4106-c12f-20bd9faed9f6\n" TABLE},
    {"when-visible fault cuDeviceGetUuid 1 says GPU-11111111-2222-3333-4444-555555555555\n"
     "when-visible fault cuDeviceGetUuid_v2 1 says GPU-11111111-2222-3333-4444-555555555555",
     UNCONFIRMED "  the driver shows: GPU-8932f937-d72c-4106-c12f-20bd9faed9f6, "
                 "GPU-11111111-2222-3333-4444-555555555555\n" TABLE},
    {"when-visible fault cuInit 100", UNCONFIRMED "  the driver shows: nothing\n" TABLE},
    {"when-visible fault cuDeviceGetCount says 0",
     UNCONFIRMED "  the driver shows: nothing\n" TABLE},
    {"when-visible fault cuInit segv",
     AGAIN "the CUDA driver crashed (signal 11, Segmentation fault)" LOOK},
    {"when-visible fault cuInit 802",
     AGAIN GAVE("cuInit", "802",
                "ERROR_SYSTEM_NOT_READY, system not yet initialized") "the NVSwitch fabric is not "
                                                                      "up: start it with 'sudo "
                                                                      "systemctl start "
                                                                      "nvidia-fabricmanager', in "
                                                                      "the driver's own version\n"},
    {"when-visible fault cuDeviceGetUuid 1 says GPU-8932f937-d72c-4106-c12f-20bd9faed9f6\n"
     "when-visible fault cuDeviceGetUuid_v2 1 says GPU-8932f937-d72c-4106-c12f-20bd9faed9f6",
     AGAIN NONSENSE "device 1 has the UUID of another one" LOOK},
};

START_TEST(a_change)
{
    make_machine(changes[_i].statements);
    check_failed(apply(NULL, NULL), changes[_i].message);
    check_failed(apply("--dry-run", NULL), changes[_i].message);
}
END_TEST

/* if_no_gpu: cpu, for a machine that has no library, no device or no driver in the kernel; and
   nothing else. */

#define NO_LIBRARY                                                                                 \
    "no CUDA driver library (@/none.so: cannot open shared object file: No such file or "          \
    "directory); install NVIDIA's driver (on Debian libcuda1), start a container with --gpus "     \
    "all, or name the library with --driver PATH\n"
#define CPU "note: no GPU here, so as if_no_gpu: cpu asks, none is shown: "

static const struct absence {
    const char *machine;
    bool library; /* it is there */
    const char *message;
} absences[] = {
    {"", false, NO_LIBRARY},
    {"fault cuInit 100", true,
     GAVE("cuInit", "100",
          "ERROR_NO_DEVICE, no CUDA-capable device is "
          "detected") "the driver sees no GPU: see whether nvidia-smi lists one; start a container "
                      "with --gpus all, ask Slurm for --gres=gpu:1\n"},
    {"fault cuDeviceGetCount says 0", true,
     "the CUDA driver sees no GPU: see whether nvidia-smi lists one; start a container with --gpus "
     "all, ask Slurm for --gres=gpu:1\n"},
};

static void check_hidden(const struct outcome *got)
{
    ck_assert_int_eq(got->status, 0);
    ck_assert_ptr_nonnull(strstr(got->out, "\nno GPU: CUDA_VISIBLE_DEVICES=-1\n"));
    ck_assert_ptr_null(strstr(got->out, "cuda:0"));
    char *text = sandbox_read(&box, "envs/pt/etc/conda/activate.d/env_vars.sh", NULL);
    ck_assert_ptr_nonnull(strstr(text, "\n__gpu_set CUDA_VISIBLE_DEVICES :'-1' "));
    free(text);
}

START_TEST(an_absence)
{
    const struct absence *absence = &absences[_i];
    char note[600], error[800];

    make_machine(absence->machine);
    char *driver = absence->library ? fake_driver() : sandbox_path(&box, "none.so");
    snprintf(error, sizeof error, "%s" GO_ON, absence->message);
    check_failed(apply("--driver", driver), error);
    check_failed(conda_gpu(&box, NULL, "devices", "--driver", driver, NULL), absence->message);
    check_failed_json(conda_gpu(&box, NULL, "devices", "--json", "--driver", driver, NULL),
                      absence->message);
    sandbox_write(&box, "environment.yml", "gpu:\n  devices: [1, 3]\n  if_no_gpu: cpu\n");
    struct outcome got = apply("--driver", driver);
    snprintf(note, sizeof note, CPU "%s", absence->message);
    check_text(got.err, note);
    check_hidden(&got);
    outcome_free(&got);
    free(driver);
}
END_TEST

START_TEST(absent_kernel_module)
{
    if (access("/proc/driver/nvidia/version", F_OK) == 0 || access("/dev/dxg", F_OK) == 0) {
        test_skip(false, "if_no_gpu without a kernel module: this machine has one");
        return;
    }
    make_machine("fault cuInit 999");
    sandbox_write(&box, "environment.yml", "gpu: {devices: 0, if_no_gpu: cpu}\n");
    struct outcome got = apply(NULL, NULL);
    ck_assert_ptr_nonnull(strstr(got.err, CPU "the CUDA driver failed: cuInit gave 999 "));
    check_hidden(&got);
    outcome_free(&got);
}
END_TEST

static const struct fault not_absent[] = {
    {"fault cuInit 803",
     GAVE("cuInit", "803",
          "ERROR_SYSTEM_DRIVER_MISMATCH, system has unsupported display driver / cuda driver "
          "combination") "the driver was updated and the old one still runs in the kernel: "
                         "reboot\n"},
    {"fault cuInit segv",
     "the CUDA driver crashed (signal 11, Segmentation fault); see whether nvidia-smi works\n"},
    {"fault cuDeviceGetCount 999",
     GAVE("cuDeviceGetCount", "999",
          "ERROR_UNKNOWN, unknown error") "the driver failed without a reason: see 'dmesg | grep "
                                          "NVRM'; after a suspend 'sudo rmmod nvidia_uvm && sudo "
                                          "modprobe nvidia_uvm' or a reboot helps\n"},
    {"", "environment.yml:1:17: gpu.devices: no GPU 9; this machine has GPUs 0 to 3\n" TABLE},
};

START_TEST(cpu_is_no_excuse)
{
    make_machine(not_absent[_i].statements);
    sandbox_write(&box, "environment.yml", "gpu: {devices: [9], if_no_gpu: cpu}\n");
    check_failed(apply(NULL, NULL), not_absent[_i].message);
}
END_TEST

/* devices: none needs no driver, and asks none. */
START_TEST(none_needs_no_driver)
{
    char *driver = sandbox_path(&box, "none.so");

    make_machine("fault cuInit segv");
    sandbox_write(&box, "environment.yml", "gpu: {devices: none}\n");
    struct outcome got = apply(_i ? "--driver" : NULL, driver);
    ck_assert_str_eq(got.err, "");
    check_hidden(&got);
    outcome_free(&got);
    free(driver);
}
END_TEST

/* In a scheduler's job that has set CUDA_VISIBLE_DEVICES, what was written does not show. */
#define JOB                                                                                        \
    "note: this shell is in a scheduler's job with CUDA_VISIBLE_DEVICES=%s, which stays so here "  \
    "(in_job: keep); in_job: override in environment.yml changes that\n"

static const struct in_job {
    const char *variables[4], *further, *stays; /* NULL: no note */
} in_jobs[] = {
    {{"SLURM_JOB_ID=7", "CUDA_VISIBLE_DEVICES=0"}, "", "0"},
    {{"PBS_JOBID=7", "CUDA_VISIBLE_DEVICES="}, "in_job: keep", ""},
    {{"LSB_JOBID=7", "CUDA_VISIBLE_DEVICES=GPU-1"}, "", "GPU-1"},
    {{"FLUX_JOB_ID=7", "CUDA_VISIBLE_DEVICES=0"}, "", "0"},
    {{"OAR_JOB_ID=7", "CUDA_VISIBLE_DEVICES=0"}, "", "0"},
    {{"PJM_JOBID=7", "CUDA_VISIBLE_DEVICES=0"}, "", "0"},
    {{"_CONDOR_JOB_AD=/x", "CUDA_VISIBLE_DEVICES=0"}, "", "0"},
    {{"SLURM_JOB_ID=7", "CUDA_VISIBLE_DEVICES=0"}, "in_job: override", NULL},
    {{"SLURM_JOB_ID=7", "CUDA_VISIBLE_DEVICES=1,3"}, "", NULL},
    {{"SLURM_JOB_ID=7", "CUDA_VISIBLE_DEVICES=0", "__CONDA_GPU_VISIBLE=7..:0"}, "", NULL},
    {{"SLURM_JOB_ID=7", "CUDA_VISIBLE_DEVICES=0", "__CONDA_GPU_VISIBLE=:0"}, "", "0"},
    {{"SLURM_JOB_ID=7", "CUDA_VISIBLE_DEVICES=0", "__CONDA_GPU_VISIBLE=7..:1"}, "", "0"},
    {{"SLURM_JOB_ID=", "CUDA_VISIBLE_DEVICES=0"}, "", NULL},
    {{"SLURM_STEP_ID=7", "CUDA_VISIBLE_DEVICES=0"}, "", NULL},
    {{"JOB_ID=7", "CUDA_VISIBLE_DEVICES=0"}, "", NULL},
    {{"JOB_ID=7", "CUDA_VISIBLE_DEVICES=0", "SGE_TASK_ID=undefined"}, "", "0"},
    {{"SLURM_JOB_ID=7"}, "", NULL},
    {{"CUDA_VISIBLE_DEVICES=0"}, "", NULL},
};

START_TEST(note_in_job)
{
    const struct in_job *job = &in_jobs[_i];
    char text[128], note[256] = "";

    snprintf(text, sizeof text, "gpu:\n  devices: [1, 3]\n  %s\n", job->further);
    sandbox_write(&box, "environment.yml", text);
    if (job->stays)
        snprintf(note, sizeof note, JOB, job->stays);
    struct outcome got = conda_gpu(&box, job->variables, "apply", "-p", "envs/pt", NULL);
    ck_assert_str_eq(got.err, note);
    ck_assert_int_eq(got.status, 0);
    outcome_free(&got);
}
END_TEST

/* A number is nvidia-smi's: where NVML is there, the one that it gives, and not the place in PCI
   order. An NVML that fails is passed over. */
#define NVML_ORDER                                                                                 \
    "gpu GPU-3b2cf2d4-6a1f-8e54-70c9-5d0e2a9b1c47 0000:07:00.0 80GiB 8.0 \"A100 at 07\" smi=1\n"   \
    "gpu GPU-8932f937-d72c-4106-c12f-20bd9faed9f6 0000:0f:00.0 80GiB 8.0 \"A100 at 0f\" smi=0\n"

static const struct {
    const char *statements, *device, *visible, *note;
} numberings[] = {
    {NVML_ORDER, "GPU 0  A100 at 0f", "CUDA_VISIBLE_DEVICES :'1' ",
     "nvidia-smi does not number these GPUs in the order of their PCI bus IDs"},
    {NVML_ORDER "fault nvmlInit_v2 segv\n", "GPU 0  A100 at 07", "CUDA_VISIBLE_DEVICES :'0' ",
     NULL},
};

#define ORDER_NOTE                                                                                 \
    "note: nvidia-smi does not number the GPUs of this machine in the order of their PCI bus "     \
    "IDs, in "                                                                                     \
    "which CUDA counts; 'devices' in environment.yml counts as nvidia-smi does\n"

START_TEST(numbers_of_nvml)
{
    sandbox_write(&box, "machine", numberings[_i].statements);
    sandbox_write(&box, "environment.yml", "gpu: {devices: 0}\n");
    struct outcome got = apply(NULL, NULL);
    ck_assert_str_eq(got.err, numberings[_i].note ? ORDER_NOTE : "");
    ck_assert_ptr_nonnull(strstr(got.out, numberings[_i].device));
    outcome_free(&got);
    char *hook = sandbox_read(&box, "envs/pt/etc/conda/activate.d/env_vars.sh", NULL);
    ck_assert_ptr_nonnull(strstr(hook, numberings[_i].visible));
    free(hook);
    got = conda_gpu(&box, NULL, "devices", NULL);
    ck_assert_int_eq(got.status, 0);
    if (numberings[_i].note)
        ck_assert_ptr_nonnull(strstr(got.out, numberings[_i].note));
    ck_assert_int_eq(strstr(got.out, "nvidia-smi") != NULL, numberings[_i].note != NULL);
    outcome_free(&got);
}
END_TEST

/* Which card a number means cannot be told where NVML fails on one that CUDA shows. */
START_TEST(number_of_no_card)
{
    sandbox_write(&box, "machine", NVML_ORDER "fault nvmlDeviceGetHandleByIndex_v2 1 15\n");
    sandbox_write(&box, "environment.yml", "gpu: {devices: 0}\n");
    struct outcome got = apply(NULL, NULL);
    ck_assert_ptr_nonnull(strstr(got.err, "'0' counts GPUs, but NVML cannot describe GPU 1, and so "
                                          "does not tell which is which; write UUIDs\n"));
    ck_assert_int_eq(got.status, 2);
    outcome_free(&got);
}
END_TEST

/* CUDA shows parts of one card as devices, which nvidia-smi does not number. */
START_TEST(a_divided_card)
{
    sandbox_write(
        &box, "machine",
        "gpu GPU-00000000-0000-0000-0000-000000000001 0000:01:00.0 90GiB 10.0 \"B200\"\n"
        "gpu GPU-00000000-0000-0000-0000-000000000002 0000:01:00.0 90GiB 10.0 \"B200\"\n");
    sandbox_write(&box, "environment.yml", "gpu: {devices: 0}\n");
    struct outcome got = apply(NULL, NULL);
    ck_assert_ptr_nonnull(strstr(got.err, "'0' counts GPUs, but CUDA shows the one at 0000:01:00.0 "
                                          "as several devices, as MPS makes them of its locality "
                                          "domains; write their UUIDs\n"));
    ck_assert_int_eq(got.status, 2);
    outcome_free(&got);
    got = conda_gpu(&box, NULL, "devices", NULL);
    ck_assert_ptr_nonnull(
        strstr(got.out, "\nCUDA shows the GPU at 0000:01:00.0 as several devices"));
    outcome_free(&got);
}
END_TEST

/* Which library. */

#define UNUSABLE "the CUDA driver library cannot be used: "
#define EMPTY(path)                                                                                \
    "the CUDA driver library is an empty file (" path                                              \
    ": file too short), as the image of a container has it that was once started with GPUs; "      \
    "start this one with --gpus all, or name another library with --driver PATH\n"
#define REINSTALL "; reinstall NVIDIA's driver, or name another library with --driver PATH\n"

START_TEST(no_library_at_all)
{
    static const struct fault libraries[] = {
        {"empty", EMPTY("@/empty")},
        {"text", UNUSABLE "@/text: invalid ELF header" REINSTALL},
        {"envs", UNUSABLE "@/envs: cannot read file data: Is a directory" REINSTALL},
        {"none.so", NO_LIBRARY GO_ON},
    };
    char *path = sandbox_path(&box, libraries[_i].statements);
    char text[5000];

    memset(text, '#', sizeof text);
    sandbox_write(&box, "empty", "");
    sandbox_write_bytes(&box, "text", text, sizeof text);
    check_failed(apply("--driver", path), libraries[_i].message);
    free(path);
}
END_TEST

/* A libcuda.so.1 that is there and broken is no machine without a GPU: nothing is written, though
   the file has if_no_gpu: cpu. */

struct bytes {
    char *text;
    size_t length;
};

static void cut_to_nothing(struct bytes *library)
{
    library->length = 0;
}

static void cut_off(struct bytes *library)
{
    library->length = 500;
}

static void make_text(struct bytes *library)
{
    memset(library->text, '#', library->length);
}

static void make_32_bits(struct bytes *library)
{
    library->text[4] = 1; /* EI_CLASS: ELFCLASS32 */
}

static void need_another_file(struct bytes *library)
{
    static const char needed[] = "libc.so.6", other[] = "none.so.6";

    for (char *at; (at = memmem(library->text, library->length, needed, sizeof needed));)
        memcpy(at, other, sizeof other);
}

static const struct {
    void (*spoil)(struct bytes *library);
    const char *message;
} broken[] = {
    {cut_to_nothing, EMPTY("@/lib/libcuda.so.1")},
    {cut_off, UNUSABLE "@/lib/libcuda.so.1: cannot read file data" REINSTALL},
    {make_text, UNUSABLE "@/lib/libcuda.so.1: invalid ELF header" REINSTALL},
    {make_32_bits, UNUSABLE "libcuda.so.1: wrong ELF class: ELFCLASS32" REINSTALL},
    {need_another_file, UNUSABLE "none.so.6: cannot open shared object file: No such file or "
                                 "directory" REINSTALL},
};

START_TEST(broken_library)
{
    char search[128], *folder = sandbox_path(&box, "lib"), *driver = fake_driver();
    const char *const env[] = {"CONDA_GPU_DRIVER=", search, NULL};
    struct bytes library = {0};

    snprintf(search, sizeof search, "LD_LIBRARY_PATH=%s", folder);
    library.text = sandbox_read(&(struct sandbox){""}, driver, &library.length);
    broken[_i].spoil(&library);
    sandbox_write_bytes(&box, "lib/libcuda.so.1", library.text, library.length);
    sandbox_write(&box, "environment.yml", "gpu: {devices: 1, if_no_gpu: cpu}\n");
    check_failed(conda_gpu(&box, env, "apply", "-p", "envs/pt", NULL), broken[_i].message);
    ck_assert(!sandbox_has(&box, "envs/pt/etc"));
    free(library.text);
    free(folder);
    free(driver);
}
END_TEST

/* Every call that a driver may lack. */
static const struct lack {
    const char *call;
    bool optional;
} lacks[] = {
    {"cuInit", false},
    {"cuDriverGetVersion", false},
    {"cuDeviceGetCount", false},
    {"cuDeviceGet", false},
    {"cuDeviceGetName", false},
    {"cuDeviceGetUuid", false},
    {"cuDeviceGetUuid_v2", true},
    {"cuDeviceGetPCIBusId", false},
    {"cuDeviceTotalMem_v2", false},
    {"cuDeviceGetAttribute", false},
    {"cuGetErrorName", true},
    {"cuGetErrorString", true},
};

/* The simulated driver without this call, in a folder NAME or no-NAME. */
static char *driver_without(const char *call)
{
    static const char *const folders[] = {"", "no-"};
    const char *variants = getenv("FAKE_CUDA_VARIANTS");
    char *path = NULL;

    ck_assert_ptr_nonnull(variants);
    for (size_t i = 0; i < 2; i++) {
        free(path);
        ck_assert_int_ge(asprintf(&path, "%s/%s%s/libcuda.so.1", variants, folders[i], call), 0);
        if (access(path, R_OK) == 0)
            return path;
    }
    ck_abort_msg("%s: no driver without %s", variants, call);
}

START_TEST(a_lack)
{
    const struct lack *lack = &lacks[_i];
    char message[256], *driver = driver_without(lack->call);

    snprintf(message, sizeof message, UNUSABLE "it has no %s" REINSTALL, lack->call);
    if (lack->optional) {
        struct outcome got = apply("--driver", driver);
        ck_assert_str_eq(got.err, "");
        ck_assert_int_eq(got.status, 0);
        ck_assert_ptr_nonnull(strstr(got.out, "\n" GPU_1 GPU_3));
        outcome_free(&got);
    } else {
        check_failed(apply("--driver", driver), message);
    }
    free(driver);
}
END_TEST

START_TEST(code_without_name)
{
    static const struct fault messages[] = {
        {"cuGetErrorName", "the CUDA driver failed: cuInit gave 801 (unknown code, operation not "
                           "supported); " UNSAID},
        {"cuGetErrorString",
         "the CUDA driver failed: cuInit gave 801 (CUDA_ERROR_NOT_SUPPORTED); " UNSAID},
    };
    char *driver = driver_without(messages[_i].statements);

    make_machine("fault cuInit 801");
    check_failed(apply("--driver", driver), messages[_i].message);
    free(driver);
}
END_TEST

START_TEST(option_over_variable)
{
    static const char *const env[] = {"CONDA_GPU_DRIVER=/none.so", NULL};
    char *driver = fake_driver();

    struct outcome got =
        conda_gpu(&box, env, "apply", "--check", "-p", "envs/pt", "--driver", driver, NULL);
    ck_assert_int_eq(got.status, 1);
    outcome_free(&got);
    check_failed(conda_gpu(&box, env, "apply", "-p", "envs/pt", NULL),
                 "no CUDA driver library (/none.so: cannot open shared object file: No such file "
                 "or directory); install NVIDIA's driver (on Debian libcuda1), start a container "
                 "with --gpus all, or name the library with --driver PATH\n" GO_ON);
    free(driver);
}
END_TEST

/* Runs a script as nobody, in whose sandbox bin/NAME are copies of programs, set-uid for root. */
static struct outcome run_as_nobody(const char *script)
{
    const char *const argv[] = {
        "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "sh", "-c", script, NULL};
    const char *const env[] = {"PATH=/usr/bin:/bin", "CONDA_GPU_DRIVER=/none.so", NULL};

    return sandbox_run(&box, argv, env, NULL);
}

/* Copies the program and id(1), and tells whether set-uid has any effect here. */
static bool can_set_uid(void)
{
    char script[4096];

    snprintf(script, sizeof script,
             "chmod 755 . && mkdir bin && cp /usr/bin/id '%s' bin && cp bin/%s bin/plain && "
             "mv bin/%s bin/suid && chmod 755 bin bin/* && chmod u+s bin/id bin/suid",
             getenv("CONDA_GPU"), basename(getenv("CONDA_GPU")), basename(getenv("CONDA_GPU")));
    const char *const argv[] = {"sh", "-c", script, NULL}, *const env[] = {"PATH=/usr/bin:/bin",
                                                                           NULL};
    struct outcome copied = sandbox_run(&box, argv, env, NULL);
    ck_assert_str_eq(copied.err, "");
    struct outcome got = run_as_nobody("bin/id -u");
    bool can = strcmp(got.out, "0\n") == 0;
    outcome_free(&copied);
    outcome_free(&got);
    return can;
}

/* Somebody who may run the program as another user must not choose what that one loads or reads. */
START_TEST(set_uid)
{
    static const char *const commands[] = {"%s devices 2>&1", "%s devices --driver /none.so 2>&1",
                                           "%s apply -p envs/pt --check --template-dir /none 2>&1"};
    char script[128];

    if (geteuid() != 0 || !can_set_uid()) {
        test_skip(false, "set-uid: it takes root and a /tmp without nosuid to try");
        return;
    }
    sandbox_write(&box, "environment.yml", "gpu: {devices: none}\n");
    for (int suid = 0; suid < 2; suid++) {
        snprintf(script, sizeof script, commands[_i], suid ? "bin/suid" : "bin/plain");
        struct outcome got = run_as_nobody(script);
        ck_assert_uint_gt(got.out_length, 20);
        ck_assert_msg((strstr(got.out, "/none") != NULL) == !suid, "%s", got.out);
        outcome_free(&got);
    }
}
END_TEST

/* Without a name it is libcuda.so.1 by the linker's search, and never libcuda.so. */
START_TEST(default_library)
{
    char search[128], *driver = fake_driver(), *folder = sandbox_path(&box, "lib");
    char *versioned = sandbox_path(&box, "lib/libcuda.so.1");
    char *plain = sandbox_path(&box, "lib/libcuda.so");
    const char *const env[] = {"CONDA_GPU_DRIVER=", search, NULL};

    snprintf(search, sizeof search, "LD_LIBRARY_PATH=%s", folder);
    sandbox_write(&box, "lib/.keep", "");
    ck_assert_int_eq(symlink(driver, versioned), 0);
    struct outcome got = conda_gpu(&box, env, "apply", "--check", "-p", "envs/pt", NULL);
    ck_assert_str_eq(got.err, "");
    ck_assert_int_eq(got.status, 1);
    outcome_free(&got);
    ck_assert_int_eq(rename(versioned, plain), 0);
    if (dlopen("libcuda.so.1", RTLD_LAZY)) {
        test_skip(false, "libcuda.so is not taken: this machine has a libcuda.so.1 of its own");
    } else {
        check_failed(conda_gpu(&box, env, "apply", "-p", "envs/pt", NULL),
                     "no CUDA driver library (libcuda.so.1: cannot open shared object file: No "
                     "such file or directory); install NVIDIA's driver (on Debian libcuda1), start "
                     "a container with --gpus all, or name the library with --driver PATH\n" GO_ON);
    }
    free(driver);
    free(folder);
    free(versioned);
    free(plain);
}
END_TEST

#define LOOP(tests, test, table) tcase_add_loop_test(tests, test, 0, sizeof table / sizeof *table)

static Suite *suite(void)
{
    Suite *suite = suite_create("command line: the driver");
    TCase *tests = tcase_create("");

    sandboxed_with_environment(tests);
    tcase_add_checked_fixture(tests, set_up, NULL);
    LOOP(tests, a_fault, faults);
    tcase_add_loop_test(tests, no_kernel_module, 0, 3);
    tcase_add_loop_test(tests, hang, 0, 2);
    tcase_add_test(tests, hang_with_daemon);
    tcase_add_test(tests, slow_driver);
    LOOP(tests, harmless_fault, harmless);
    LOOP(tests, odd_answer, odd_answers);
    tcase_add_test(tests, odd_name_in_hooks);
    LOOP(tests, environment_of_driver, demands);
    tcase_add_test(tests, environment_for_devices);
    LOOP(tests, a_change, changes);
    LOOP(tests, an_absence, absences);
    tcase_add_test(tests, absent_kernel_module);
    LOOP(tests, cpu_is_no_excuse, not_absent);
    tcase_add_loop_test(tests, none_needs_no_driver, 0, 2);
    tcase_add_loop_test(tests, note_in_job, 0, sizeof in_jobs / sizeof *in_jobs);
    tcase_add_loop_test(tests, no_library_at_all, 0, 4);
    LOOP(tests, numbers_of_nvml, numberings);
    tcase_add_test(tests, number_of_no_card);
    tcase_add_test(tests, a_divided_card);
    LOOP(tests, broken_library, broken);
    LOOP(tests, a_lack, lacks);
    tcase_add_loop_test(tests, code_without_name, 0, 2);
    tcase_add_test(tests, option_over_variable);
    tcase_add_loop_test(tests, set_uid, 0, 3);
    tcase_add_test(tests, default_library);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return test_main(suite());
}
