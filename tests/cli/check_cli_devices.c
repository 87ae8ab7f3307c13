/*
 * Which devices the items of gpu.devices choose on the machines of tests/machines, and what the
 * command devices shows of them.
 */
#include "support/sandboxed.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The machine of this name; "mig-all" is that of mig with a driver that lists all instances, of
   "mig-blind" and "mig-all-blind" NVML tells nothing, and "new" has GPUs whose compute capabilities
   have two digits. */
static void make_machine(const char *name)
{
    char text[1024], relative[64];
    bool all = strstr(name, "-all") != NULL, blind = strstr(name, "-blind") != NULL;

    snprintf(relative, sizeof relative, "machines/%.*s", (int)strcspn(name, "-"), name);
    char *path = tests_path(relative);
    if (strcmp(name, "new") == 0)
        snprintf(
            text, sizeof text,
            "driver 13.0\n"
            "gpu GPU-00000000-0000-0000-0000-000000000001 0000:01:00.0 24GiB 9.0 \"Old\"\n"
            "gpu GPU-00000000-0000-0000-0000-000000000002 0000:02:00.0 32GiB 10.0 \"New\"\n"
            "gpu GPU-00000000-0000-0000-0000-000000000003 0000:03:00.0 96GiB 12.1 \"Newer\"\n");
    else
        snprintf(text, sizeof text, "include %s\n%s%s", path, all ? "driver 12.8\n" : "",
                 blind ? "fault nvmlInit_v2 9\n" : "");
    sandbox_write(&box, "machine", text);
    free(path);
}

/* Applies these devices there. */
static struct outcome apply(const char *machine, const char *devices, const char *further)
{
    char text[1024];

    make_machine(machine);
    snprintf(text, sizeof text, "gpu:\n  devices: %s\n%s", devices, further);
    sandbox_write(&box, "environment.yml", text);
    return conda_gpu(&box, NULL, "apply", "-p", "envs/pt", NULL);
}

/* What CUDA_VISIBLE_DEVICES becomes; all of it is confirmed by the simulated driver, which follows
   CUDA's own rules. */

#define FOUR_0  "GPU-3b2cf2d4-6a1f-8e54-70c9-5d0e2a9b1c47"
#define FOUR_1  "GPU-8932f937-d72c-4106-c12f-20bd9faed9f6"
#define FOUR_3  "GPU-5e8f4a10-33f1-9c1d-8d4a-0a3b7c1f2e55"
#define MIG_07  "GPU-3c8010c5-1d16-4ef9-a335-ccf3e12183f6"
#define MIG_0F  "GPU-7bfbb064-2eb9-48b1-9aca-460dde070d84"
#define MIG_47  "GPU-8483ae6d-95b3-4bbd-8c3d-86ff302ce24b"
#define MIG_3G  "MIG-73785c32-055c-467d-a997-2f87700d0f40"
#define MIG_2G  "MIG-f6bf72f1-a743-4745-b353-95e6e23d0ad7"
#define MIG_1GA "MIG-a441a7b3-d4b1-426f-b106-3c8d2bf6e87a"
#define MIG_1G  "MIG-995da99b-d448-4d00-bd64-76299d1391dd"
#define MIG_1GB "MIG-a737907c-0a67-4e45-8426-bf6364b67f8e"

static const struct choice {
    const char *machine, *devices, *further, *visible;
} choices[] = {
    {"four", "1", "", "1"},
    {"four", "01", "", "1"},
    {"four", "'1'", "", "1"},
    {"four", "[3, 1]", "", "3,1"},
    {"four", "0-3", "", "0,1,2,3"},
    {"four", "2-2", "", "2"},
    {"four", "[2-3, 0]", "", "2,3,0"},
    {"four", "\n  - 1\n  - 0", "", "1,0"},
    {"four", FOUR_1, "", "1"},
    {"four", "GPU-8932f937", "", "1"},
    {"four", "GPU-8", "", "1"},
    {"four", "GPU-8932F937-D", "", "1"},
    {"four", "[" FOUR_3 ", 0]", "", "3,0"},
    {"four", "0000:0f:00.0", "", "1"},
    {"four", "00000000:0F:00.0", "", "1"},
    {"four", "0f:00.0", "", "1"},
    {"four", "47:00.0", "", "3"},
    {"four", "none", "", "-1"},
    {"four", "[none]", "", "-1"},
    {"four", "{count: 2}", "", "0,1"},
    {"four", "{name: '*A100*'}", "", "0,1,2,3"},
    {"four", "[{name: 'NVIDIA A100-SXM4-80GB', count: 1}, 3]", "", "0,3"},
    {"four", "{min_memory: 80GiB}", "", "0,1,2,3"},
    {"four", "{min_memory: 85.8 GB, count: 3}", "", "0,1,2"},
    {"four", "{min_compute: '8.0', count: 1}", "", "0"},
    {"four", "[3, 1]", "  ids: uuid\n", FOUR_3 "," FOUR_1},
    {"four", "GPU-3", "  ids: uuid\n", FOUR_0},
    {"four", "none", "  ids: uuid\n", "-1"},
    {"four", "1", "  ids: index\n", "1"},
    {"one", "0", "", "0"},
    {"mixed", "0", "", "0"},
    {"mixed", "[3, 1]", "", "3,1"},
    {"mixed", "{name: '*4090*'}", "", "2,3"},
    {"mixed", "{name: '*RTX*', count: 1}", "", "2"},
    {"mixed", "{min_memory: 30GiB}", "", "1"},
    {"mixed", "{min_memory: 24GB}", "", "1,2,3"},
    {"mixed", "{min_compute: '8.9'}", "", "2,3"},
    {"mixed", "{min_compute: 8}", "", "1,2,3"},
    {"mixed", "{min_compute: '8.0', min_memory: 40GiB, name: '*A100*'}", "", "1"},
    {"mixed", "[{name: '*4090*'}, {name: '*A100*'}]", "", "2,3,1"},
    {"mixed", "61:00.0", "", "3"},
    {"eight", "{min_memory: 80GB}", "", "0,1,2,3,4,5,6,7"},
    {"eight", "[7, 0-6]", "", "7,0,1,2,3,4,5,6"},
    {"sixteen", "8-15", "", "8,9,10,11,12,13,14,15"},
    {"sixteen", "[10, 9, 2]", "", "10,9,2"},
    {"new", "{min_compute: '10.0'}", "", "1,2"},
    {"new", "{min_compute: '9.5'}", "", "1,2"},
    {"new", "{min_compute: '12.1'}", "", "2"},
    {"domain", "0001:00:00.0", "", "0"},
    {"domain", "00010000:01:00.0", "", "1"},
    {"domain", "2ab3c4d5:00:00.0", "", "2"},
    {"domain", "2AB3C4D5:00:00.0", "", "2"},
    {"mig", MIG_3G, "", MIG_3G},
    {"mig", MIG_1G, "", MIG_1G},
    {"mig", "MIG-995DA99B-D448-4D00-BD64-76299D1391DD", "", MIG_1G},
    {"mig", MIG_07, "", MIG_07},
    {"mig", "none", "", "-1"},
    {"mig-all", MIG_3G, "", MIG_3G},
    {"mig-all", "[" MIG_1G ", " MIG_3G "]", "", MIG_1G "," MIG_3G},
    {"mig-all", MIG_07, "", MIG_07},
    {"mig-all", "GPU-3c80", "", MIG_07},
    {"mig-all", MIG_47, "", MIG_47},
    {"mig-all", "0000:47:00.0", "", MIG_47},
    {"mig-blind", MIG_3G, "", MIG_3G},
    {"mig-blind", MIG_1G, "", MIG_1G},
    {"mig-blind", "MIG-995DA99B-D448-4D00-BD64-76299D1391DD", "", MIG_1G},
    {"mig-blind", MIG_07, "", MIG_07},
    {"mig-all-blind", "[" MIG_1G ", " MIG_3G "]", "", MIG_1G "," MIG_3G},
    {"mig-all-blind", "GPU-3c80", "", MIG_07},
    {"mig-all-blind", "0000:47:00.0", "", MIG_47},
    {"mig", "0", "", MIG_07},
    {"mig", "[3, 0]", "", MIG_47 "," MIG_07},
    {"mig", "GPU-3c80", "", MIG_07},
    {"mig", "0000:47:00.0", "", MIG_47},
    {"mig", "{count: 1}", "", MIG_07},
    {"mig", "{min_compute: '8.0'}", "", MIG_07 "," MIG_47},
    {"mig-all", "3", "", MIG_47},
    {"mig-all", "{name: '*A100*'}", "", MIG_07 "," MIG_47},
    {"mig", "{mig: 3g.40gb, count: 1}", "", MIG_3G},
    {"mig", "{mig: '1g.*', count: 1}", "", MIG_1GA},
    {"mig-all", "{mig: 1g.10gb}", "", MIG_1GA "," MIG_1G "," MIG_1GB},
    {"mig-all", "{mig: 1g.10gb, count: 2}", "", MIG_1GA "," MIG_1G},
    {"mig-all", "{mig: '*', min_memory: 19GiB}", "", MIG_3G "," MIG_2G},
    {"mig-all", "{mig: '*', name: '*A100*', min_compute: '8.0', count: 1}", "", MIG_3G},
    {"mig-all", "[{mig: 2g.20gb}, " MIG_3G "]", "", MIG_2G "," MIG_3G},
};

START_TEST(a_choice)
{
    const struct choice *choice = &choices[_i];
    char hook[512], said[256];

    struct outcome got = apply(choice->machine, choice->devices, choice->further);
    ck_assert_str_eq(got.err, "");
    ck_assert_int_eq(got.status, 0);
    snprintf(said, sizeof said, ": CUDA_VISIBLE_DEVICES=%s\n", choice->visible);
    ck_assert_msg(strstr(got.out, said) != NULL, "%s: %s: %s", choice->machine, choice->devices,
                  got.out);
    char *text = sandbox_read(&box, "envs/pt/etc/conda/activate.d/env_vars.sh", NULL);
    snprintf(hook, sizeof hook, "\n__gpu_set CUDA_VISIBLE_DEVICES :'%s' ", choice->visible);
    ck_assert_ptr_nonnull(strstr(text, hook));
    ck_assert_ptr_nonnull(strstr(text, "\n__gpu_set CUDA_DEVICE_ORDER :'PCI_BUS_ID' "));
    free(text);
    outcome_free(&got);
}
END_TEST

/* Items that choose nothing, or wrongly. After the message stands the table of the machine. */

#define AT(column) "environment.yml:2:" column ": gpu.devices: "
#define COUNTS                                                                                     \
    " counts GPUs, but this machine has one in MIG mode, and CUDA then counts differently from "   \
    "nvidia-smi; write the UUIDs that 'nvidia-smi -L' shows\n"
#define NAMES(item, other)                                                                         \
    "'" item "' names the device that '" other "' names already; remove one of the two\n"

#define SPLIT(item, number)                                                                        \
    "'" item "' is GPU " number                                                                    \
    ", which CUDA does not show: it is in MIG mode; name its instances, by UUID or as {mig: "      \
    "PROFILE}\n"
#define IN_MIG_MODE                                                                                \
    "the GPU at PCI bus ID 0000:0f:00.0 is in MIG mode; name one of its instances by the UUID "    \
    "that 'nvidia-smi -L' shows\n"

static const struct refusal {
    const char *machine, *devices;
    int status;
    const char *message;
} refusals[] = {
    {"four", "9", 3, AT("12") "no GPU 9; this machine has GPUs 0 to 3\n"},
    {"four", "4", 3, AT("12") "no GPU 4; this machine has GPUs 0 to 3\n"},
    {"four", "2-5", 3, AT("12") "no GPU 4; this machine has GPUs 0 to 3\n"},
    {"four", "7-999999999", 3, AT("12") "no GPU 7; this machine has GPUs 0 to 3\n"},
    {"four", "[0, 9, 1, 12-15]", 3,
     AT("16") "no GPU 9; this machine has GPUs 0 to 3\n" AT(
         "22") "no GPU 12; this machine has GPUs 0 to 3\n"},
    {"one", "1", 3, AT("12") "no GPU 1; this machine has only GPU 0\n"},
    {"four", "GPU-9", 3, AT("12") "no GPU with UUID 'GPU-9'; this machine has GPUs 0 to 3\n"},
    {"four", "GPU-8932f937-d72c-4106-c12f-20bd9faed9f7", 3,
     AT("12") "no GPU with UUID 'GPU-8932f937-d72c-4106-c12f-20bd9faed9f7'; this machine has "
              "GPUs 0 to 3\n"},
    {"eight", "GPU-d", 2, AT("12") "'GPU-d' fits the UUIDs of 2 GPUs; write more of it\n"},
    {"four", "0000:0e:00.0", 3,
     AT("12") "no GPU at PCI bus ID 0000:0e:00.0; this machine has GPUs 0 to 3\n"},
    {"four", "0001:0f:00.0", 3,
     AT("12") "no GPU at PCI bus ID 0001:0f:00.0; this machine has GPUs 0 to 3\n"},
    {"four", "0f:00.1", 3, AT("12") "no GPU at PCI bus ID 0f:00.1; this machine has GPUs 0 to 3\n"},
    {"four", "[1, 1]", 2, AT("16") NAMES("1", "1")},
    {"four", "[1, 01]", 2, AT("16") NAMES("01", "1")},
    {"four", "[1, 0-2]", 2, AT("16") NAMES("0-2", "1")},
    {"four", "[1, GPU-8932f937]", 2, AT("16") NAMES("GPU-8932f937", "1")},
    {"four", "[GPU-8932f937, GPU-8932]", 2, AT("27") NAMES("GPU-8932", "GPU-8932f937")},
    {"four", "[1, '0F:00.0']", 2, AT("16") NAMES("0F:00.0", "1")},
    {"four", "[0, {count: 1}]", 2, AT("16") NAMES("{count: 1}", "0")},
    {"four", "{count: 5}", 3,
     AT("12") "only 4 GPUs match {count: 5}; this machine has GPUs 0 to 3\n"},
    {"four", "{name: '*H100*'}", 3,
     AT("12") "no GPU matches {name: '*H100*'}; this machine has GPUs 0 to 3\n"},
    {"four", "{name: 'A100'}", 3,
     AT("12") "no GPU matches {name: 'A100'}; this machine has GPUs 0 to 3\n  the whole name must "
              "match; for a part of it write name: \"*A100*\"\n"},
    {"four", "{min_memory: 81GiB}", 3,
     AT("12") "no GPU matches {min_memory: 81GiB}; this machine has GPUs 0 to 3\n"},
    {"eight", "{min_memory: 80GiB}", 3,
     AT("12") "no GPU matches {min_memory: 80GiB}; this machine has GPUs 0 to 7\n"},
    {"four", "{min_compute: '10.0'}", 3,
     AT("12") "no GPU matches {min_compute: '10.0'}; this machine has GPUs 0 to 3\n"},
    {"mixed", "{name: '*4090*', count: 3}", 3,
     AT("12") "only 2 GPUs match {name: '*4090*', count: 3}; this machine has GPUs 0 to 3\n"},
    {"mixed", "{name: '*H100*', count: 3}", 3,
     AT("12") "no GPU matches {name: '*H100*', count: 3}; this machine has GPUs 0 to 3\n"},
    {"mixed", "{count: 2, name: \"*T400*\"}", 3,
     AT("12") "only 1 GPU matches {count: 2, name: '*T400*'}; this machine has GPUs 0 to 3\n"},
    {"mixed", "{name: NVIDIA T400 4GB, min_memory: 90 GiB}", 3,
     AT("12") "no GPU matches {name: NVIDIA T400 4GB, min_memory: 90 GiB}; this machine has "
              "GPUs 0 to 3\n  GPU 0"},
    {"mig-blind", "1", 2, AT("12") "'1'" COUNTS},
    {"mig-blind", "0-1", 2, AT("12") "'0-1'" COUNTS},
    {"mig-blind", "{count: 1}", 2, AT("12") "'{count: 1}'" COUNTS},
    {"mig-all-blind", "0", 2, AT("12") "'0'" COUNTS},
    {"mig-all-blind", "{mig: 1g.10gb}", 3,
     AT("12") "only NVML can say which MIG instances {mig: 1g.10gb} is; NVML failed: nvmlInit gave "
              "9 (Driver Not Loaded); see whether nvidia-smi works; without it, write the UUIDs "
              "that 'nvidia-smi -L' shows\n"},
    {"mig", "1", 3, AT("12") SPLIT("1", "1")},
    {"mig-all", "[3, 1-2]", 3, AT("16") SPLIT("1-2", "1")},
    {"mig", "4", 3, AT("12") "no GPU 4; this machine has the devices below\n"},
    {"mig", "{count: 3}", 3,
     AT("12") "only 2 GPUs match {count: 3}; this machine has the devices below\n"},
    {"mig", "{mig: 1g.10gb, count: 4}", 3,
     AT("12") "only 3 MIG instances match {mig: 1g.10gb, count: 4}; this machine has the devices "
              "below\n"},
    {"mig-all", "{mig: 4g.40gb}", 3,
     AT("12") "no MIG instance matches {mig: 4g.40gb}; this machine has the devices below\n"},
    {"mig-all", "{mig: 1g.10gb, name: '*H100*'}", 3,
     AT("12") "no MIG instance matches {mig: 1g.10gb, name: '*H100*'}; this machine has the "
              "devices below\n"},
    {"four", "{mig: '*'}", 3,
     AT("12") "no MIG instance matches {mig: '*'}; this machine has GPUs 0 to 3\n"},
    {"mig-all", "[{mig: 3g.40gb}, " MIG_3G "]", 2, AT("29") NAMES(MIG_3G, "{mig: 3g.40gb}")},
    {"mig-all", "[{mig: 3g.40gb}, 0]", 2,
     AT("29") "of '{mig: 3g.40gb}' and '0' one is a MIG instance and one a whole GPU, and CUDA "
              "shows a process only one kind; leave one of them out\n"},
    {"mig", "{mig: 1g.10gb, count: 2}", 3,
     "with CUDA_VISIBLE_DEVICES=" MIG_1GA "," MIG_1G " the driver does not show"},
    {"mig", "[" MIG_1G ", MIG-995DA99B-d448-4d00-bd64-76299d1391dd]", 2,
     AT("55") NAMES("MIG-995DA99B-d448-4d00-bd64-76299d1391dd", MIG_1G)},
    {"mig-blind", "0000:0f:00.0", 2, AT("12") IN_MIG_MODE},
    {"mig-all-blind", "0000:0f:00.0", 2, AT("12") IN_MIG_MODE},
    {"mig", "0000:0f:00.0", 3, AT("12") SPLIT("0000:0f:00.0", "1")},
    {"mig-all", "[" MIG_07 ", " MIG_3G "]", 2,
     AT("55") "of '" MIG_07 "' and '" MIG_3G
              "' one is a MIG instance and one a whole GPU, and CUDA "
              "shows a process only one kind; leave one of them out\n"},
    {"mig", "MIG-00000000-0000-0000-0000-000000000001", 3, "with CUDA_VISIBLE_DEVICES=MIG-0000"},
    {"mig-blind", MIG_0F, 3, "with CUDA_VISIBLE_DEVICES=" MIG_0F " the driver does not show"},
    {"mig", MIG_0F, 3, AT("12") SPLIT(MIG_0F, "1")},
    {"four", MIG_3G, 3, "with CUDA_VISIBLE_DEVICES=" MIG_3G " the driver does not show"},
};

/* A line of the table that belongs to every message. */
static const char *last_device(const char *machine)
{
    static const char *const devices[][2] = {
        {"four", "  GPU 3  NVIDIA A100-SXM4-80GB  80 GiB  47:00.0  GPU-5e8f4a10\n"},
        {"one", "  GPU 0  NVIDIA A100-SXM4-80GB  80 GiB  0f:00.0  GPU-8932f937\n"},
        {"mixed", "  GPU 3  NVIDIA GeForce RTX 4090  23.9 GiB  61:00.0  "
                  "GPU-4723a60b\n"},
        {"eight", "  GPU 7  NVIDIA H100 80GB HBM3  79.6 GiB  df:00.0  "
                  "GPU-aeacde81\n"},
        {"mig-blind", "  MIG  NVIDIA A100-SXM4-80GB MIG 3g.40gb  39.2 GiB  0f:00.0  " MIG_3G "\n"},
        {"mig-all-blind", "47:00.0  GPU-8483ae6d\n"},
        {"mig", "47:00.0  GPU-8483ae6d\n"},
        {"mig-all", "47:00.0  GPU-8483ae6d\n"},
    };

    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++)
        if (strcmp(devices[i][0], machine) == 0)
            return devices[i][1];
    ck_abort_msg("%s: no such machine", machine);
}

START_TEST(a_refusal)
{
    const struct refusal *refusal = &refusals[_i];
    const char *last = last_device(refusal->machine);

    struct outcome got = apply(refusal->machine, refusal->devices, "");
    ck_assert_msg(got.status == refusal->status, "%s: %s: %d: %s", refusal->machine,
                  refusal->devices, got.status, got.err);
    ck_assert_str_eq(got.out, "");
    ck_assert_msg(strncmp(got.err, refusal->message, strlen(refusal->message)) == 0,
                  "%s: wanted: %s", got.err, refusal->message);
    ck_assert_uint_gt(got.err_length, strlen(last));
    ck_assert_str_eq(got.err + got.err_length - strlen(last), last);
    ck_assert(!sandbox_has(&box, "envs/pt/etc"));
    outcome_free(&got);
}
END_TEST

/* The whole of a message with its table, once. */
START_TEST(table_in_error)
{
    struct outcome got = apply("mixed", "7", "");

    ck_assert_str_eq(got.err,
                     "environment.yml:2:12: gpu.devices: no GPU 7; this machine has GPUs 0 to 3\n"
                     "  GPU 0  NVIDIA T400 4GB          4 GiB     01:00.0  "
                     "GPU-dfbc6a92\n"
                     "  GPU 1  NVIDIA A100-PCIE-40GB    40 GiB    25:00.0  "
                     "GPU-fe45c702\n"
                     "  GPU 2  NVIDIA GeForce RTX 4090  23.9 GiB  41:00.0  "
                     "GPU-a11ae4a8\n"
                     "  GPU 3  NVIDIA GeForce RTX 4090  23.9 GiB  61:00.0  "
                     "GPU-4723a60b\n");
    outcome_free(&got);
}
END_TEST

/* In a job, the machine may have more than the driver shows. */
START_TEST(job_hides)
{
    const char *const job[] = {"PBS_JOBID=7", NULL};

    make_machine("four");
    sandbox_write(&box, "environment.yml", "gpu: {devices: 9}\n");
    struct outcome got = conda_gpu(&box, job, "apply", "-p", "envs/pt", NULL);
    ck_assert_ptr_nonnull(strstr(got.err,
                                 "\nthis shell is in a scheduler's job, which may hide the "
                                 "machine's other GPUs; if so, run conda-gpu outside of one\n"));
    ck_assert_int_eq(got.status, 3);
    outcome_free(&got);
}
END_TEST

/* nvidia-smi has four GPUs here, and the driver's numbers are not its own. */
START_TEST(message_on_mig_speaks_of_no_numbers)
{
    struct outcome got = apply(_i ? "mig-all-blind" : "mig-blind", "GPU-00", "");

    ck_assert_int_eq(got.status, 3);
    ck_assert_int_eq(strncmp(got.err,
                             AT("12") "no GPU with UUID 'GPU-00'; this machine has the devices "
                                      "below\n",
                             strcspn(got.err, "\n") + 1),
                     0);
    ck_assert_msg(!strstr(got.err, "\n  GPU 6"), "nvidia-smi calls it 3: %s", got.err);
    outcome_free(&got);
}
END_TEST

/* What is not to be numbered by guess: nvidia-smi calls the GPU at 41:00.0 number 2, and so on. */
static const struct number {
    const char *machine, *devices, *wrong;
} numbers[] = {
    {"mig", MIG_3G, "GPU 0  "},
    {"mig", MIG_07, "GPU 1  "},
    {"mig-blind", MIG_1G, "GPU 0  "},
    {"mig-all", MIG_1G, "GPU 4  "},
    {"mig-all-blind", MIG_1GB, "GPU 4  "},
    {"mig-all-blind", MIG_47, "GPU 6  "},
};

START_TEST(number_of_gpu)
{
    struct outcome got = apply(numbers[_i].machine, numbers[_i].devices, "");

    ck_assert_int_eq(got.status, 0);
    ck_assert_ptr_nonnull(strstr(got.out, "\ncuda:0  GPU "));
    ck_assert_msg(!strstr(got.out, numbers[_i].wrong), "not nvidia-smi's number: %s", got.out);
    outcome_free(&got);
}
END_TEST

/* Machines without a GPU. */

#define REMEDY                                                                                     \
    "see whether nvidia-smi lists one; start a container with --gpus all, ask Slurm for "          \
    "--gres=gpu:1\n"

static const struct {
    const char *machine, *message;
} nothing[] = {
    {"none", "the CUDA driver failed: cuInit gave 100 (CUDA_ERROR_NO_DEVICE, no CUDA-capable "
             "device is detected); the driver sees no GPU: " REMEDY},
    {"empty", "the CUDA driver sees no GPU: " REMEDY},
};

START_TEST(no_gpu)
{
    size_t length = strlen(nothing[_i].message);

    struct outcome got = apply(nothing[_i].machine, "0", "");
    ck_assert_int_eq(strncmp(got.err, nothing[_i].message, length), 0);
    ck_assert_int_eq(strncmp(got.err + length, "to go on where there is", 23), 0);
    ck_assert_int_eq(got.status, 3);
    outcome_free(&got);
    got = conda_gpu(&box, NULL, "devices", NULL);
    ck_assert_str_eq(got.err, nothing[_i].message);
    ck_assert_str_eq(got.out, "");
    ck_assert_int_eq(got.status, 3);
    outcome_free(&got);
    got = apply(nothing[_i].machine, "3", "  if_no_gpu: cpu\n");
    ck_assert_int_eq(got.status, 0);
    ck_assert_ptr_nonnull(strstr(got.out, "\nno GPU: CUDA_VISIBLE_DEVICES=-1\n"));
    outcome_free(&got);
}
END_TEST

/* `all` freezes nothing: the variable is unset, whatever the driver shows, and without one. */

static const struct {
    const char *machine, *devices, *shown;
} alls[] = {
    {"four", "all", "\ncuda:3  GPU 3  NVIDIA A100-SXM4-80GB  80 GiB  47:00.0  GPU-5e8f4a10\n"},
    {"four", "[all]", "\ncuda:0  GPU 0  "},
    {"one", "all", "\ncuda:0  GPU 0  "},
    {"mig", "all", "\ncuda:0  GPU -  NVIDIA A100-SXM4-80GB MIG 3g.40gb"},
    {"none", "all", "/envs/pt\nall GPUs: "},
    {"empty", "all", "/envs/pt\nall GPUs: "},
};

START_TEST(all_devices)
{
    struct outcome got = apply(alls[_i].machine, alls[_i].devices, "");

    ck_assert_str_eq(got.err, "");
    ck_assert_int_eq(got.status, 0);
    ck_assert_msg(strstr(got.out, alls[_i].shown) != NULL, "%s", got.out);
    ck_assert_ptr_nonnull(strstr(got.out, "\nall GPUs: CUDA_VISIBLE_DEVICES is unset\n"));
    char *hook = sandbox_read(&box, "envs/pt/etc/conda/activate.d/env_vars.sh", NULL);
    ck_assert_ptr_nonnull(
        strstr(hook, "\n#   all GPUs of this machine: CUDA_VISIBLE_DEVICES is unset.\n"));
    ck_assert_ptr_nonnull(strstr(hook, "CUDA_DEVICE_ORDER :'PCI_BUS_ID' "));
    ck_assert_ptr_nonnull(strstr(hook, "\n__gpu_set CUDA_VISIBLE_DEVICES '' "));
    ck_assert_ptr_null(strstr(hook, "GPU-"));
    free(hook);
    outcome_free(&got);
}
END_TEST

/* Without `devices` no driver is asked, and CUDA's variables are not in the hooks. */
START_TEST(no_devices)
{
    sandbox_write(&box, "environment.yml", "gpu: {variables: {OMP_NUM_THREADS: 8}}\n");
    struct outcome got =
        conda_gpu(&box, NULL, "apply", "-p", "envs/pt", "--driver", "/none.so", NULL);
    ck_assert_str_eq(got.err, "");
    ck_assert_int_eq(got.status, 0);
    ck_assert_ptr_nonnull(
        strstr(got.out, "\nGPUs are left alone, since environment.yml has no 'devices'\n"));
    char *hook = sandbox_read(&box, "envs/pt/etc/conda/activate.d/env_vars.sh", NULL);
    ck_assert_ptr_nonnull(strstr(hook, "OMP_NUM_THREADS :'8' "));
    ck_assert_ptr_null(strstr(hook, "CUDA_VISIBLE_DEVICES"));
    ck_assert_ptr_null(strstr(hook, "CUDA_DEVICE_ORDER"));
    free(hook);
    outcome_free(&got);
}
END_TEST

/* if_no_gpu: unconfirmed, where there is no GPU: as written, or what only a driver can say. */

#define NEEDS(item)                                                                                \
    "only a driver can say which GPU '" item "' is, and there is none here; 'if_no_gpu: "          \
    "unconfirmed' takes numbers, ranges and whole UUIDs\n"

static const struct {
    const char *devices, *further, *visible, *message;
    int status;
} unseen[] = {
    {"[1, 3]", "", "1,3", NULL, 0},
    {"[2-4, 0]", "", "2,3,4,0", NULL, 0},
    {"[" FOUR_3 ", GPU-8932F937-D72C-4106-C12F-20BD9FAED9F6]", "", FOUR_3 "," FOUR_1, NULL, 0},
    {MIG_3G, "  ids: uuid\n", MIG_3G, NULL, 0},
    {"none", "", "-1", NULL, 0},
    {"[GPU-8932, 1]", "", NULL, AT("13") NEEDS("GPU-8932"), 3},
    {"0f:00.0", "", NULL, AT("12") NEEDS("0f:00.0"), 3},
    {"[1, {count: 1}]", "", NULL, AT("16") NEEDS("{count: 1}"), 3},
    {"[1, 0-2]", "", NULL, AT("16") NAMES("0-2", "1"), 2},
    {"0-4000000", "", NULL, AT("12") "'0-4000000' is more than 1024 GPUs; no machine has so many\n",
     2},
    {"[1, " FOUR_3 "]", "", NULL,
     AT("16") "'" FOUR_3 "' must be a number without a driver, since CUDA reads no list of both\n",
     2},
    {"[" FOUR_3 ", 1-2]", "", NULL,
     AT("55") "'1-2' must be a whole UUID without a driver, since CUDA reads no list of both\n", 2},
    {"1", "  ids: uuid\n", NULL,
     AT("12") "'1' must be a whole UUID without a driver, since CUDA reads no list of both, and "
              "'ids: uuid' asks for UUIDs\n",
     2},
};

START_TEST(unconfirmed)
{
    char further[64], line[256];

    snprintf(further, sizeof further, "%s  if_no_gpu: unconfirmed\n", unseen[_i].further);
    struct outcome got = apply("none", unseen[_i].devices, further);
    ck_assert_msg(got.status == unseen[_i].status, "%s", got.err);
    if (unseen[_i].message)
        ck_assert_msg(strncmp(got.err, unseen[_i].message, strlen(unseen[_i].message)) == 0, "%s",
                      got.err);
    else if (strcmp(unseen[_i].visible, "-1") != 0) {
        ck_assert_ptr_nonnull(strstr(got.err, "as if_no_gpu: unconfirmed asks, 'devices' is taken "
                                              "as written: the CUDA driver failed"));
        snprintf(line, sizeof line, "\nnot confirmed by a driver: CUDA_VISIBLE_DEVICES=%s\n",
                 unseen[_i].visible);
        ck_assert_msg(strstr(got.out, line) != NULL, "%s", got.out);
        snprintf(line, sizeof line,
                 "\n#   CUDA_VISIBLE_DEVICES=%s, which no driver has confirmed: there was none.\n",
                 unseen[_i].visible);
        char *hook = sandbox_read(&box, "envs/pt/etc/conda/activate.d/env_vars.sh", NULL);
        ck_assert_ptr_nonnull(strstr(hook, line));
        free(hook);
    }
    outcome_free(&got);
}
END_TEST

/* Where there is a driver, it is asked as ever. */
START_TEST(confirmed_all_the_same)
{
    struct outcome got = apply("four", "9", "  if_no_gpu: unconfirmed\n");

    ck_assert_int_eq(got.status, 3);
    outcome_free(&got);
}
END_TEST

/* The command devices: both numbers, and the marks of what this shell sees. */

#define MIXED(a, b, c, d)                                                                          \
    "   GPU  CUDA  name                     memory    compute  PCI bus  UUID\n" a                  \
    "  0    3     NVIDIA T400 4GB          4 GiB     7.5      01:00.0  GPU-dfbc6a92\n" b           \
    "  1    2     NVIDIA A100-PCIE-40GB    40 GiB    8.0      25:00.0  GPU-fe45c702\n" c           \
    "  2    0     NVIDIA GeForce RTX 4090  23.9 GiB  8.9      41:00.0  GPU-a11ae4a8\n" d           \
    "  3    1     NVIDIA GeForce RTX 4090  23.9 GiB  8.9      61:00.0  GPU-4723a60b\n"
#define NO_FURTHER   ", which names no device here, or in another way than the first\n"
#define VERSION_LINE "the driver supports CUDA 12.4\n"

static const struct view {
    const char *variables[3];
    const char *out;
    bool seen[4];
} views[] = {
    {{NULL},
     MIXED("*", "*", "*",
           "*") "* visible in this shell, where CUDA_VISIBLE_DEVICES is not set\n" VERSION_LINE,
     {true, true, true, true}},
    {{"CUDA_VISIBLE_DEVICES=0,2", "CUDA_DEVICE_ORDER=PCI_BUS_ID"},
     MIXED("*", " ", "*",
           " ") "* visible in this shell, where CUDA_VISIBLE_DEVICES=0,2\n" VERSION_LINE,
     {true, false, true, false}},
    {{"CUDA_VISIBLE_DEVICES=0,2"},
     MIXED(" ", "*", "*",
           " ") "* visible in this shell, where CUDA_VISIBLE_DEVICES=0,2\n" VERSION_LINE,
     {false, true, true, false}},
    {{"CUDA_VISIBLE_DEVICES=GPU-4723a60b"},
     MIXED(" ", " ", " ",
           "*") "* visible in this shell, where CUDA_VISIBLE_DEVICES=GPU-4723a60b\n" VERSION_LINE,
     {false, false, false, true}},
    {{"CUDA_VISIBLE_DEVICES="},
     MIXED(" ", " ", " ",
           " ") "none is visible in this shell, where CUDA_VISIBLE_DEVICES=\n" VERSION_LINE,
     {false}},
    {{"CUDA_VISIBLE_DEVICES=-1"},
     MIXED(" ", " ", " ",
           " ") "none is visible in this shell, where CUDA_VISIBLE_DEVICES=-1\n" VERSION_LINE,
     {false}},
    {{"CUDA_VISIBLE_DEVICES=2,9,1", "CUDA_DEVICE_ORDER=PCI_BUS_ID"},
     MIXED(" ", " ", "*", " ") "* visible in this shell, where CUDA_VISIBLE_DEVICES=2,9,1\n"
                               "CUDA reads the list no further than '9'" NO_FURTHER VERSION_LINE,
     {false, false, true, false}},
    {{"CUDA_VISIBLE_DEVICES=GPU-4723a60b,0"},
     MIXED(" ", " ", " ",
           "*") "* visible in this shell, where CUDA_VISIBLE_DEVICES=GPU-4723a60b,0\n"
                "CUDA reads the list no further than '0'" NO_FURTHER VERSION_LINE,
     {false, false, false, true}},
    {{"CUDA_DEVICE_ORDER=pci_bus_id"},
     MIXED(" ", " ", " ",
           " ") "none is visible in this shell, where CUDA_VISIBLE_DEVICES is not set\n"
                "CUDA_DEVICE_ORDER=pci_bus_id means nothing to CUDA, which then shows no device; "
                "it may be PCI_BUS_ID or FASTEST_FIRST\n" VERSION_LINE,
     {false}},
    {{"CUDA_VISIBLE_DEVICES=9,1"},
     MIXED(" ", " ", " ", " ") "none is visible in this shell, where CUDA_VISIBLE_DEVICES=9,1\n"
                               "'9' names no device here\n" VERSION_LINE,
     {false}},
    {{"CUDA_VISIBLE_DEVICES=\033[31m\n"},
     MIXED(" ", " ", " ", " ") "none is visible in this shell, where "
                               "CUDA_VISIBLE_DEVICES=\\x1b[31m\\n\n"
                               "'\\x1b[31m\\n' names no device here\n" VERSION_LINE,
     {false}},
};

START_TEST(table_of_devices)
{
    make_machine("mixed");
    struct outcome got = conda_gpu(&box, views[_i].variables, "devices", NULL);
    ck_assert_str_eq(got.err, "");
    ck_assert_str_eq(got.out, views[_i].out);
    ck_assert_int_eq(got.status, 0);
    outcome_free(&got);
}
END_TEST

/* What there is no room for in 80 columns. */
START_TEST(whole_table)
{
    make_machine("mixed");
    struct outcome got = conda_gpu(&box, NULL, "devices", "-v", NULL);
    ck_assert_int_eq(got.status, 0);
    ck_assert_ptr_nonnull(strstr(got.out, "  compute  PCI bus ID    UUID\n"));
    ck_assert_ptr_nonnull(
        strstr(got.out, "  8.0      0000:25:00.0  GPU-fe45c702-0359-4422-bd11-1b3b5737b946\n"));
    outcome_free(&got);
}
END_TEST

/* Machines without MIG, of which CUDA takes UUIDs only whole. */
static const char *const narrow[] = {"four", "mixed", "eight", "sixteen", "domain"};

START_TEST(table_is_narrow)
{
    make_machine(narrow[_i]);
    struct outcome got = conda_gpu(&box, NULL, "devices", NULL);
    for (const char *line = got.out; *line; line += strcspn(line, "\n") + 1)
        ck_assert_msg(strcspn(line, "\n") <= 80, "%s", line);
    outcome_free(&got);
}
END_TEST

/* A driver that fails under the shell's variables has all the same a machine to show. */
START_TEST(blind_shell)
{
    static const char *const variables[] = {"CUDA_VISIBLE_DEVICES=0,0", NULL};

    sandbox_write(&box, "machine",
                  "when-visible fault cuInit 101\n"
                  "gpu GPU-00000000-0000-0000-0000-000000000001 0000:01:00.0 24GiB 9.0 \"One\"\n");
    struct outcome got = conda_gpu(&box, variables, "devices", NULL);
    ck_assert_str_eq(got.err, "");
    ck_assert_int_eq(got.status, 0);
    ck_assert_ptr_nonnull(strstr(got.out, "\n   0    0     One"));
    ck_assert_ptr_nonnull(
        strstr(got.out, "\nnone is visible in this shell, where CUDA_VISIBLE_DEVICES=0,0\n"
                        "programs get an error: the CUDA driver failed: cuInit gave 101 ("));
    outcome_free(&got);
}
END_TEST

/* The number, number in CUDA's order, name, memory, capability, address and UUID of an object. */
static void check_object(const json_t *device, const char *wanted)
{
    char shown[512];
    json_t *number = json_object_get(device, "number");

    snprintf(shown, sizeof shown, "%lld %lld %s|%lld|%s|%s|%s|%d|%d",
             json_is_integer(number) ? json_integer_value(number) : -1,
             json_integer_value(json_object_get(device, "cuda_default_number")),
             json_string_value(json_object_get(device, "name")),
             json_integer_value(json_object_get(device, "memory")),
             json_string_value(json_object_get(device, "compute_capability")),
             json_string_value(json_object_get(device, "pci_bus_id")),
             json_string_value(json_object_get(device, "uuid")),
             json_is_true(json_object_get(device, "mig")),
             json_is_true(json_object_get(device, "visible")));
    ck_assert_str_eq(shown, wanted);
    ck_assert_uint_eq(json_object_size(device), 11);
}

/* What devices --json prints on this machine. */
static json_t *devices_json(const char *machine, const char *const *variables, int version)
{
    make_machine(machine);
    struct outcome got = conda_gpu(&box, variables, "devices", "--json", NULL);
    ck_assert_str_eq(got.err, "");
    ck_assert_int_eq(got.status, 0);
    json_error_t error;
    json_t *root = json_loads(got.out, JSON_REJECT_DUPLICATES, &error);
    ck_assert_msg(root != NULL, "%s: %s", error.text, got.out);
    ck_assert_int_eq(json_integer_value(json_object_get(root, "driver_cuda_version")), version);
    outcome_free(&got);
    return root;
}

START_TEST(json_of_devices)
{
    static const char *const wanted[] = {
        "0 3 NVIDIA T400 4GB|4294967296|7.5|0000:01:00.0|GPU-dfbc6a92-1a16-45f4-8b20-8e32144aad76"
        "|0|1",
        "1 2 NVIDIA A100-PCIE-40GB|42949672960|8.0|0000:25:00.0|"
        "GPU-fe45c702-0359-4422-bd11-1b3b5737b946|0|1",
        "2 0 NVIDIA GeForce RTX 4090|25757220864|8.9|0000:41:00.0|"
        "GPU-a11ae4a8-63ca-47b3-8e63-20569daee904|0|1",
        "3 1 NVIDIA GeForce RTX 4090|25757220864|8.9|0000:61:00.0|"
        "GPU-4723a60b-e6ac-43c3-b549-40750229d439|0|1",
    };
    json_t *root = devices_json("mixed", NULL, 12040);
    json_t *devices = json_object_get(root, "devices");

    ck_assert_uint_eq(json_array_size(devices), 4);
    for (size_t i = 0; i < 4; i++)
        check_object(json_array_get(devices, i), wanted[i]);
    json_decref(root);
}
END_TEST

START_TEST(json_of_views)
{
    json_t *root = devices_json("mixed", views[_i].variables, 12040);
    json_t *devices = json_object_get(root, "devices");

    for (size_t i = 0; i < 4; i++)
        ck_assert_int_eq(json_is_true(json_object_get(json_array_get(devices, i), "visible")),
                         views[_i].seen[i]);
    json_decref(root);
}
END_TEST

/* A driver before R570 shows one MIG instance, and in CUDA's own order it may be another. */
START_TEST(json_of_another)
{
    sandbox_write(&box, "machine",
                  "driver 12.4\n"
                  "gpu GPU-00000000-0000-0000-0000-000000000001 0000:01:00.0 24GiB 8.0 \"A\" mig\n"
                  "mig MIG-00000000-0000-0000-0000-000000000011 10GiB \"1g.10gb\"\n"
                  "gpu GPU-00000000-0000-0000-0000-000000000002 0000:02:00.0 24GiB 9.0 \"B\" mig\n"
                  "mig MIG-00000000-0000-0000-0000-000000000021 10GiB \"1g.10gb\"\n");
    struct outcome got = conda_gpu(&box, NULL, "devices", "--json", NULL);
    ck_assert_int_eq(got.status, 0);
    json_t *root = json_loads(got.out, JSON_REJECT_DUPLICATES, NULL);
    json_t *device = json_array_get(json_object_get(root, "devices"), 1);
    ck_assert_str_eq(json_string_value(json_object_get(device, "uuid")),
                     "MIG-00000000-0000-0000-0000-000000000011");
    ck_assert(json_is_null(json_object_get(device, "cuda_default_number")));
    json_decref(root);
    outcome_free(&got);
}
END_TEST

START_TEST(json_on_mig)
{
    json_t *root = devices_json("mig-all", NULL, 12080);
    json_t *devices = json_object_get(root, "devices");

    ck_assert_uint_eq(json_array_size(devices), 9);
    check_object(json_array_get(devices, 6),
                 "-1 4 NVIDIA A100-SXM4-80GB MIG 1g.10gb|10200547328|8.0|0000:41:00.0|" MIG_1G
                 "|1|1");
    for (size_t i = 0; i < 9; i++) {
        json_t *device = json_array_get(devices, i);
        bool mig = json_is_true(json_object_get(device, "mig"));
        ck_assert_int_eq(json_is_null(json_object_get(device, "number")), mig);
        ck_assert_int_eq(json_is_null(json_object_get(device, "profile")), !mig);
        ck_assert_int_eq(json_is_null(json_object_get(device, "hidden")), i != 1 && i != 5);
    }
    ck_assert_str_eq(json_string_value(json_object_get(json_array_get(devices, 2), "profile")),
                     "3g.40gb");
    json_decref(root);
}
END_TEST

START_TEST(table_on_mig)
{
    make_machine("mig");
    struct outcome got = conda_gpu(&box, NULL, "devices", NULL);
    ck_assert_str_eq(
        got.out,
        "   GPU  CUDA  name                   memory    compute  PCI bus  UUID\n"
        "   0    -     NVIDIA A100-SXM4-80GB  80 GiB    8.0      07:00.0  GPU-3c8010c5\n"
        "   1    -     NVIDIA A100-SXM4-80GB  80 GiB    8.0      0f:00.0  GPU-7bfbb064\n"
        "*  -    0       MIG 3g.40gb          39.2 GiB  8.0      0f:00.0  " MIG_3G "\n"
        "   -    -       MIG 2g.20gb          19.5 GiB  8.0      0f:00.0  " MIG_2G "\n"
        "   -    -       MIG 1g.10gb          9.5 GiB   8.0      0f:00.0  " MIG_1GA "\n"
        "   2    -     NVIDIA A100-SXM4-80GB  80 GiB    8.0      41:00.0  GPU-16a5e2c1\n"
        "   -    -       MIG 1g.10gb          9.5 GiB   8.0      41:00.0  " MIG_1G "\n"
        "   -    -       MIG 1g.10gb          9.5 GiB   8.0      41:00.0  " MIG_1GB "\n"
        "   3    -     NVIDIA A100-SXM4-80GB  80 GiB    8.0      47:00.0  GPU-8483ae6d\n"
        "* visible in this shell, where CUDA_VISIBLE_DEVICES is not set\n" VERSION_LINE
        "CUDA does not show GPU 0, 3: a driver before R570 shows one MIG instance and nothing "
        "beside it; name it by its number or UUID\n");
    outcome_free(&got);
}
END_TEST

START_TEST(table_on_mig_without_nvml)
{
    make_machine("mig-blind");
    struct outcome got = conda_gpu(&box, NULL, "devices", NULL);
    ck_assert_str_eq(
        got.out,
        "   GPU  CUDA  name                               memory    compute  PCI bus  UUID\n"
        "*  -    0     NVIDIA A100-SXM4-80GB MIG 3g.40gb  39.2 GiB  8.0      0f:00.0  " MIG_3G "\n"
        "* visible in this shell, where CUDA_VISIBLE_DEVICES is not set\n" VERSION_LINE
        "a GPU is in MIG mode: the driver lists instances, and maybe not all; 'nvidia-smi -L' "
        "shows every UUID\n");
    outcome_free(&got);
}
END_TEST

/* exec --gpus knows profiles as well, from what apply wrote down. */
START_TEST(narrowed_by_profile)
{
    struct outcome got = apply("mig-all", "[{mig: '*'}]", "");
    ck_assert_msg(got.status == 0, "%s", got.err);
    outcome_free(&got);
    got = conda_gpu(&box, NULL, "exec", "-p", "envs/pt", "--gpus", "{mig: 1g.*, count: 2}", "--",
                    "sh", "-c", "echo $CUDA_VISIBLE_DEVICES", NULL);
    ck_assert_str_eq(got.out, MIG_1GA "," MIG_1G "\n");
    ck_assert_int_eq(got.status, 0);
    outcome_free(&got);
}
END_TEST

/* Cards that NVML lists and CUDA does not show: their lines and the reason, and the error where one
   of them is named. */
#define PLAIN                                                                                      \
    "gpu GPU-00000000-0000-0000-0000-000000000001 0000:01:00.0 24GiB 9.0 \"A\"\n"                  \
    "gpu GPU-00000000-0000-0000-0000-000000000002 0000:02:00.0 24GiB 9.0 \"B\"%s\n"                \
    "gpu GPU-00000000-0000-0000-0000-000000000003 0000:03:00.0 24GiB 9.0 \"C\"\n"
#define NO_CARD "   1    -     -     -       -        -        -\n"
#define CARD_B  "   1    -     B     24 GiB  9.0      02:00.0  GPU-00000000\n"

static const struct {
    const char *mig, *fault, *row, *why;
} hidden[] = {
    {" mig", "", CARD_B,
     "it is in MIG mode and has no instance; its administrator makes them with 'nvidia-smi mig'"},
    {"", "drop 1\nfault nvmlDeviceGetHandleByIndex_v2 1 15\n", NO_CARD,
     "NVML cannot describe it (GPU is lost); see 'dmesg | grep NVRM'"},
    {"", "drop 1\n", CARD_B,
     "only NVML lists it; see 'dmesg | grep NVRM', and whether this driver still supports it"},
};

static void make_hidden(int which)
{
    char text[1024], *end = text;

    end += snprintf(text, 512, PLAIN, hidden[which].mig);
    /* the shell's own order is asked for as well, and is the same */
    snprintf(end, 512, "%s", hidden[which].fault);
    sandbox_write(&box, "machine", text);
}

START_TEST(table_of_hidden)
{
    char wanted[1024];

    make_hidden(_i);
    struct outcome got = conda_gpu(&box, NULL, "devices", NULL);
    snprintf(wanted, sizeof wanted, "\nCUDA does not show GPU 1: %s\n", hidden[_i].why);
    ck_assert_str_eq(got.err, "");
    ck_assert_int_eq(got.status, 0);
    ck_assert_msg(strstr(got.out, wanted) != NULL, "%s", got.out);
    ck_assert_msg(strstr(got.out, hidden[_i].row) != NULL, "%s", got.out);
    outcome_free(&got);
}
END_TEST

/* The others keep their numbers, and are written by UUID, since CUDA may count without it. */
START_TEST(a_hidden_card)
{
    char wanted[1024];

    make_hidden(_i);
    sandbox_write(&box, "environment.yml", "gpu: {devices: 1}\n");
    struct outcome got = conda_gpu(&box, NULL, "apply", "-p", "envs/pt", NULL);
    snprintf(wanted, sizeof wanted,
             "environment.yml:1:16: gpu.devices: '1' is GPU 1, which CUDA does not show: %s\n",
             hidden[_i].why);
    ck_assert_msg(strncmp(got.err, wanted, strlen(wanted)) == 0, "%s", got.err);
    ck_assert_int_eq(got.status, 3);
    outcome_free(&got);
}
END_TEST

/* Every machine has its table, and every address in it can be written into a file. */
START_TEST(addresses_read_back)
{
    static const char *const machines[] = {"one", "four", "mixed", "eight", "sixteen", "domain"};
    json_t *root = devices_json(machines[_i], NULL, 12040);
    json_t *devices = json_object_get(root, "devices");
    char visible[64];

    for (size_t i = 0; i < json_array_size(devices); i += 5) {
        json_t *device = json_array_get(devices, i);
        const char *address = json_string_value(json_object_get(device, "pci_bus_id"));
        struct outcome got = apply(machines[_i], address, "");
        snprintf(visible, sizeof visible, ": CUDA_VISIBLE_DEVICES=%zu\n", i);
        ck_assert_msg(strstr(got.out, visible) != NULL, "%s: %s%s", address, got.out, got.err);
        outcome_free(&got);
    }
    json_decref(root);
}
END_TEST

/* A file without a section: apply prints one for this machine, which does when it is pasted. */
static const struct {
    const char *machine, *section, *visible;
} offers[] = {
    {"one", "gpu:\n  devices: 0  # NVIDIA A100-SXM4-80GB, 80 GiB\n", "0"},
    {"mixed",
     "gpu:\n"
     "  devices:\n"
     "    - 0  # NVIDIA T400 4GB, 4 GiB\n"
     "    - 1  # NVIDIA A100-PCIE-40GB, 40 GiB\n"
     "    - 2  # NVIDIA GeForce RTX 4090, 23.9 GiB\n"
     "    - 3  # NVIDIA GeForce RTX 4090, 23.9 GiB\n",
     "0,1,2,3"},
    {"mig", "gpu:\n  devices: " MIG_3G "  # NVIDIA A100-SXM4-80GB MIG 3g.40gb, 39.2 GiB\n", MIG_3G},
    {"none", "", NULL},
};

START_TEST(a_section_is_offered)
{
    char text[1024];

    make_machine(offers[_i].machine);
    sandbox_write(&box, "environment.yml", "name: pt\n");
    struct outcome got = conda_gpu(&box, NULL, "apply", "-p", "envs/pt", NULL);
    ck_assert_int_eq(got.status, 2);
    ck_assert_str_eq(got.out, offers[_i].section);
    snprintf(text, sizeof text, "name: pt\n%s", got.out);
    outcome_free(&got);
    sandbox_write(&box, "environment.yml", text);
    got = conda_gpu(&box, NULL, "apply", "-p", "envs/pt", NULL);
    ck_assert_int_eq(got.status, offers[_i].visible ? 0 : 2);
    snprintf(text, sizeof text, ": CUDA_VISIBLE_DEVICES=%s\n",
             offers[_i].visible ? offers[_i].visible : "");
    ck_assert(!offers[_i].visible || strstr(got.out, text));
    outcome_free(&got);
}
END_TEST

/* Bytes of the driver's that are no UTF-8 still give JSON. */
START_TEST(json_of_odd_name)
{
    char text[512], *path = tests_path("machines/one");

    snprintf(text, sizeof text, "include %s\nfault cuDeviceGetName says \"\\xff\\\"\\e\\n\"\n",
             path);
    sandbox_write(&box, "machine", text);
    struct outcome got = conda_gpu(&box, NULL, "devices", "--json", NULL);
    json_t *root = json_loads(got.out, 0, NULL);
    ck_assert_ptr_nonnull(root);
    json_t *device = json_array_get(json_object_get(root, "devices"), 0);
    ck_assert_str_eq(json_string_value(json_object_get(device, "name")), "\\xff\"\\x1b\\n");
    json_decref(root);
    outcome_free(&got);
    free(path);
}
END_TEST

#define LOOP(tests, test, table) tcase_add_loop_test(tests, test, 0, sizeof table / sizeof *table)

static Suite *suite(void)
{
    Suite *suite = suite_create("command line: devices");
    TCase *tests = tcase_create("");

    sandboxed_with_environment(tests);
    LOOP(tests, a_choice, choices);
    LOOP(tests, a_refusal, refusals);
    tcase_add_test(tests, table_in_error);
    tcase_add_test(tests, job_hides);
    tcase_add_loop_test(tests, all_devices, 0, sizeof alls / sizeof *alls);
    tcase_add_test(tests, no_devices);
    tcase_add_loop_test(tests, unconfirmed, 0, sizeof unseen / sizeof *unseen);
    tcase_add_test(tests, confirmed_all_the_same);
    tcase_add_loop_test(tests, message_on_mig_speaks_of_no_numbers, 0, 2);
    LOOP(tests, number_of_gpu, numbers);
    LOOP(tests, no_gpu, nothing);
    LOOP(tests, table_of_devices, views);
    tcase_add_test(tests, whole_table);
    LOOP(tests, table_is_narrow, narrow);
    tcase_add_test(tests, blind_shell);
    tcase_add_test(tests, json_of_devices);
    LOOP(tests, json_of_views, views);
    tcase_add_test(tests, json_of_another);
    tcase_add_test(tests, json_on_mig);
    tcase_add_test(tests, table_on_mig);
    tcase_add_test(tests, table_on_mig_without_nvml);
    tcase_add_test(tests, narrowed_by_profile);
    LOOP(tests, table_of_hidden, hidden);
    LOOP(tests, a_hidden_card, hidden);
    tcase_add_loop_test(tests, addresses_read_back, 0, 6);
    LOOP(tests, a_section_is_offered, offers);
    tcase_add_test(tests, json_of_odd_name);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return test_main(suite());
}
