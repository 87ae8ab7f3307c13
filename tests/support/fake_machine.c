/*
 * The machine that the simulated libraries show, fake_cuda.c, fake_nvml.c and fake_egl.c, and their
 * faults. It is all static: each of the three includes it.
 *
 * FAKE_CUDA_MACHINE names a machine file; without it there are four GPUs, those of machines/four.
 * A file that cannot be read, or with a mistake in it, gives one line, FILE:LINE: WHAT, on stderr
 * and abort(), so that no test passes by accident. A library that lacks a function is a build of
 * its own: -DcuDeviceGetUuid_v2=fake_absent gives that function another name, and dlsym() fails.
 *
 * Machine file: one statement a line, words apart by blanks, # begins a comment. "Quoted words"
 * know \n \t \r \e \\ \" and \xHH.
 *
 *   driver 12.4          CUDA version of the driver; the last such line holds
 *   gpu UUID PCI MEMORY CC "NAME" [mig] [rank=N] [smi=N] [egl=N]
 *                        a GPU, in any order: GPU-8-4-4-4-12 lower-case digits, 0000:0f:00.0,
 *                        memory in bytes, MiB or GiB, compute capability 8.0. mig: its MIG mode is
 *                        on. rank: its place in FASTEST_FIRST order; those without follow, by
 *                        compute capability, memory and PCI address. smi: its number in NVML;
 *                        without that, its place in PCI order. egl: its place among EGL's devices,
 *                        also as in PCI order without that; -1: it is none of them
 *   mig UUID MEMORY "1g.10gb"
 *                        an instance of the gpu above, MIG-8-4-4-4-12: one GPU instance with one
 *                        compute instance
 *   used MEMORY          memory in use on the gpu or mig above
 *   process PID MEMORY   a process that computes on it; MEMORY may be ?, which NVML does not tell
 *   busy PERCENT         utilisation of the gpu above; without this line 0
 *   heat DEGREES         its temperature; without this line 30
 *   persistent           its persistence mode is on
 *   software             the first of EGL's devices is Mesa's, which is no GPU
 *   include FILE         the statements of FILE; relative to the folder of the file that says so
 *   empty-ok             where no device is visible, cuInit succeeds and the count is 0
 *   swap A B             exchanges two ordinals of the list that CUDA_VISIBLE_DEVICES gave
 *   drop A               leaves one out
 *   require NAME VALUE   cuInit returns 999, and says why on stderr, unless the environment has
 *   forbid NAME          that variable so, or has it not, at that time
 *   delay MS             as `fault cuInit delay MS`
 *   fault CALL [ORDINAL] WHAT
 *                        whenever CALL is called, for that device or for any. WHAT is one of
 *     CODE               returns that error code and writes nothing
 *     says VALUE         answers VALUE: a number, a "text" or a UUID, whichever CALL answers
 *     fill               fills the whole text buffer that it is given, with no NUL
 *     hang, segv, abort, exit N
 *                        never returns; hang ignores SIGTERM
 *     grow               takes memory until malloc() fails, then returns 2: set a limit first
 *     stdout "TEXT", stderr "TEXT", delay MS
 *                        does that, then goes on
 *     grandchild SECONDS forks a process that holds the open descriptors so long; goes on
 *     daemon SECONDS     the same, with a session of its own and a parent that has ended
 *     descriptors        returns 999 unless 0 to 2 are /dev/null, 3 is a socket, and none else is
 *                        open
 *
 * `when-visible` before a statement makes it hold only where CUDA_VISIBLE_DEVICES is set, and
 * `unless-visible` only where it is not: so the answer changes between the program's two questions.
 * Environment and file are read in cuInit or nvmlInit, once; the file also in a call before it, for
 * its faults.
 */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define EXPORT       __attribute__((visibility("default")))
#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

typedef int CUresult;
typedef int CUdevice;
typedef struct {
    char bytes[16];
} CUuuid;

enum { OK = 0, INVALID_VALUE = 1, OUT_OF_MEMORY = 2, NOT_INITIALIZED = 3 };
enum { NO_DEVICE = 100, INVALID_DEVICE = 101, UNKNOWN = 999 };
enum { MAX_COUNT = 128, MAX_WORDS = 12, MAX_DEPTH = 8, MAX_TEXT = 256 };
enum { ANY = -1, R570 = 12080 };

/* A GPU, or (parent is set) a MIG instance. */
struct device {
    const struct device *parent;
    char uuid[64];
    CUuuid id;
    unsigned int domain, bus, slot, function;
    unsigned long long memory;
    int major, minor;
    char name[MAX_TEXT];
    bool mig_mode, persistent;
    long rank, smi, egl, busy, heat;
    unsigned long long used;
    struct process {
        unsigned int pid;
        unsigned long long memory;
    } processes[MAX_COUNT];
    int process_count;
};

enum argument { NOTHING, NUMBER, TEXT, A_UUID, ANSWER };
enum { BEFORE_INIT = 1, OF_DEVICE = 2 };

static const struct call {
    const char *name;
    int traits;
    enum argument answer;
} calls[] = {
    {"cuInit", BEFORE_INIT, NOTHING},
    {"cuDriverGetVersion", BEFORE_INIT, NUMBER},
    {"cuDeviceGetCount", 0, NUMBER},
    {"cuDeviceGet", OF_DEVICE, NUMBER},
    {"cuDeviceGetName", OF_DEVICE, TEXT},
    {"cuDeviceGetUuid", OF_DEVICE, A_UUID},
    {"cuDeviceGetUuid_v2", OF_DEVICE, A_UUID},
    {"cuDeviceGetPCIBusId", OF_DEVICE, TEXT},
    {"cuDeviceTotalMem_v2", OF_DEVICE, NUMBER},
    {"cuDeviceGetAttribute", OF_DEVICE, NUMBER},
    {"cuGetErrorName", BEFORE_INIT, NOTHING},
    {"cuGetErrorString", BEFORE_INIT, NOTHING},
    {"nvmlInit_v2", BEFORE_INIT, NOTHING},
    {"nvmlErrorString", BEFORE_INIT, NOTHING},
    {"nvmlSystemGetDriverVersion", 0, TEXT},
    {"nvmlDeviceGetCount_v2", 0, NUMBER},
    {"nvmlDeviceGetHandleByIndex_v2", OF_DEVICE, NOTHING},
    {"nvmlDeviceGetName", OF_DEVICE, TEXT},
    {"nvmlDeviceGetUUID", OF_DEVICE, TEXT},
    {"nvmlDeviceGetPciInfo_v3", OF_DEVICE, NOTHING},
    {"nvmlDeviceGetMemoryInfo_v2", OF_DEVICE, NOTHING},
    {"nvmlDeviceGetUtilizationRates", OF_DEVICE, NUMBER},
    {"nvmlDeviceGetTemperature", OF_DEVICE, NUMBER},
    {"nvmlDeviceGetPersistenceMode", OF_DEVICE, NUMBER},
    {"nvmlDeviceGetComputeRunningProcesses_v3", OF_DEVICE, NUMBER},
    {"nvmlDeviceGetMigMode", OF_DEVICE, NUMBER},
    {"nvmlDeviceGetMaxMigDeviceCount", OF_DEVICE, NUMBER},
    {"nvmlDeviceGetMigDeviceHandleByIndex", OF_DEVICE, NOTHING},
    {"nvmlDeviceGetAttributes_v2", OF_DEVICE, NOTHING},
    {"nvmlDeviceGetCudaComputeCapability", OF_DEVICE, NOTHING},
    {"eglGetProcAddress", BEFORE_INIT, NOTHING},
    {"eglQueryString", BEFORE_INIT, TEXT},
    {"eglQueryDevicesEXT", BEFORE_INIT, NUMBER},
    {"eglQueryDeviceAttribEXT", OF_DEVICE, NUMBER},
    {"eglQueryDeviceStringEXT", OF_DEVICE, TEXT},
};
enum { INIT, VERSION, DEVICES, DEVICE, NAME, UUID, UUID_V2, PCI, MEMORY, ATTRIBUTE, ERROR, STRING };
enum {
    ML_INIT = STRING + 1,
    ML_ERROR,
    ML_VERSION,
    ML_COUNT,
    ML_HANDLE,
    ML_NAME,
    ML_UUID,
    ML_PCI,
    ML_MEMORY,
    ML_BUSY,
    ML_HEAT,
    ML_PERSISTENCE,
    ML_PROCESSES,
    ML_MIG_MODE,
    ML_MOST,
    ML_INSTANCE,
    ML_ATTRIBUTES,
    ML_COMPUTE,
    E_FIND,
    E_STRING,
    E_DEVICES,
    E_ATTRIBUTE,
    E_DEVICE_STRING
};

struct fault {
    const struct call *call;
    long ordinal;
    void (*act)(const struct fault *fault);
    long long number;
    char text[MAX_TEXT];
    CUuuid id;
};

struct edit {
    bool drop;
    long a, b;
};

static struct machine {
    bool loaded, in_init, empty_ok, software;
    CUresult refusal;
    int version;
    struct device gpus[MAX_COUNT], instances[MAX_COUNT];
    struct fault faults[MAX_COUNT];
    struct edit edits[MAX_COUNT];
    int gpu_count, instance_count, fault_count, edit_count;
    struct device *last; /* the gpu or mig above */
} machine;

struct list {
    const struct device *at[MAX_COUNT];
    int count;
};

/* What the faults made of the call under way. */
static struct {
    CUresult code;
    const struct fault *lie;
} verdict;

#define A100 " 80GiB 8.0 \"NVIDIA A100-SXM4-80GB\"\n"
static char default_machine[] = "driver 12.4\n"
                                "gpu GPU-3b2cf2d4-6a1f-8e54-70c9-5d0e2a9b1c47 0000:07:00.0" A100
                                "gpu GPU-8932f937-d72c-4106-c12f-20bd9faed9f6 0000:0f:00.0" A100
                                "gpu GPU-c70a5e91-12bd-47f3-9a08-e4d6f1b38a2c 0000:41:00.0" A100
                                "gpu GPU-5e8f4a10-33f1-9c1d-8d4a-0a3b7c1f2e55 0000:47:00.0" A100;

/* Reading the machine file */

struct line {
    const char *file;
    int number, depth, words;
    char *word[MAX_WORDS];
};

static _Noreturn void die(const struct line *at, const char *format, ...)
{
    char message[MAX_TEXT];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    fprintf(stderr, "%s:%d: %s\n", at->file, at->number, message);
    abort();
}

static long long number(const struct line *at, const char *text, long long least, long long most)
{
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || value < least || value > most)
        die(at, "'%s' is no number from %lld to %lld", text, least, most);
    return value;
}

static bool is_number(const char *text)
{
    text += *text == '-';
    return *text != '\0' && text[strspn(text, "0123456789")] == '\0';
}

static void copy_text(const struct line *at, char *to, size_t size, const char *from)
{
    if (strlen(from) >= size)
        die(at, "longer than %zu bytes: '%.40s...'", size - 1, from);
    strcpy(to, from);
}

static int hex(char digit)
{
    static const char digits[] = "0123456789abcdef";
    const char *found = digit == '\0' ? NULL : strchr(digits, digit);
    return found == NULL ? -1 : (int)(found - digits);
}

static CUuuid read_uuid(const struct line *at, const char *text, const char *prefix)
{
    static const char shape[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    CUuuid id = {{0}};
    size_t skip = strlen(prefix), nibbles = 0;
    bool good = strlen(text) == skip + strlen(shape) && strncmp(text, prefix, skip) == 0;
    for (size_t i = 0; good && shape[i] != '\0'; i++) {
        int digit = hex(text[skip + i]);
        good = shape[i] == '-' ? text[skip + i] == '-' : digit >= 0;
        if (good && shape[i] == 'x') {
            char *byte = &id.bytes[nibbles++ / 2];
            *byte = (char)(*byte << 4 | digit);
        }
    }
    if (!good)
        die(at, "'%s' is not %s and a UUID in lower case", text, prefix);
    return id;
}

static unsigned long long read_memory(const struct line *at, const char *text)
{
    static const struct {
        const char *unit;
        int shift;
    } units[] = {{"", 0}, {"MiB", 20}, {"GiB", 30}};
    char *end;
    unsigned long long value = strtoull(text, &end, 10);
    for (int i = 0; i < COUNT(units) && end != text; i++)
        if (strcmp(end, units[i].unit) == 0)
            return value << units[i].shift;
    die(at, "'%s' is no number of bytes, MiB or GiB", text);
}

static void read_pair(const struct line *at, const char *text, int *major, int *minor)
{
    int used = 0;
    if (sscanf(text, "%d.%d%n", major, minor, &used) != 2 || text[used] != '\0')
        die(at, "'%s' is no version such as 8.0", text);
}

/* The index of a new element in an array of the machine. */
static int claim(const struct line *at, int *count)
{
    if (*count == MAX_COUNT)
        die(at, "more than %d of '%s'", MAX_COUNT, at->word[0]);
    return (*count)++;
}

static void read_driver(const struct line *at)
{
    int major, minor;
    read_pair(at, at->word[1], &major, &minor);
    machine.version = major * 1000 + minor * 10;
}

static void read_gpu(const struct line *at)
{
    struct device *gpu = &machine.gpus[claim(at, &machine.gpu_count)];
    *gpu = (struct device){.rank = LONG_MAX,
                           .smi = LONG_MAX,
                           .egl = LONG_MAX,
                           .heat = 30,
                           .id = read_uuid(at, at->word[1], "GPU-")};
    machine.last = gpu;
    copy_text(at, gpu->uuid, sizeof gpu->uuid, at->word[1]);
    int used = 0;
    const char *pci = at->word[2];
    int parts = sscanf(pci, "%8x:%2x:%2x.%1x%n", &gpu->domain, &gpu->bus, &gpu->slot,
                       &gpu->function, &used);
    if (parts != 4 || pci[used] != '\0' || gpu->slot > 0x1f || gpu->function > 7)
        die(at, "'%s' is no PCI address such as 0000:0f:00.0", pci);
    gpu->memory = read_memory(at, at->word[3]);
    read_pair(at, at->word[4], &gpu->major, &gpu->minor);
    copy_text(at, gpu->name, sizeof gpu->name, at->word[5]);
    for (int i = 6; i < at->words; i++) {
        if (strcmp(at->word[i], "mig") == 0)
            gpu->mig_mode = true;
        else if (strncmp(at->word[i], "rank=", 5) == 0)
            gpu->rank = (long)number(at, at->word[i] + 5, 0, LONG_MAX);
        else if (strncmp(at->word[i], "smi=", 4) == 0)
            gpu->smi = (long)number(at, at->word[i] + 4, 0, MAX_COUNT);
        else if (strncmp(at->word[i], "egl=", 4) == 0)
            gpu->egl = (long)number(at, at->word[i] + 4, -1, MAX_COUNT);
        else
            die(at, "'%s' is neither mig, rank=N, smi=N nor egl=N", at->word[i]);
    }
}

static void read_mig(const struct line *at)
{
    if (machine.gpu_count == 0 || !machine.gpus[machine.gpu_count - 1].mig_mode)
        die(at, "the line above is no gpu with the word 'mig'");
    const struct device *gpu = &machine.gpus[machine.gpu_count - 1];
    struct device *mig = &machine.instances[claim(at, &machine.instance_count)];
    *mig = *gpu;
    mig->parent = gpu;
    mig->used = 0;
    mig->process_count = 0;
    machine.last = mig;
    mig->id = read_uuid(at, at->word[1], "MIG-");
    copy_text(at, mig->uuid, sizeof mig->uuid, at->word[1]);
    mig->memory = read_memory(at, at->word[2]);
    size_t used = strlen(gpu->name);
    copy_text(at, mig->name + used, sizeof mig->name - used, " MIG ");
    copy_text(at, mig->name + used + 5, sizeof mig->name - used - 5, at->word[3]);
}

static struct device *last_device(const struct line *at)
{
    if (machine.last == NULL)
        die(at, "no gpu stands above");
    return machine.last;
}

static void read_used(const struct line *at)
{
    last_device(at)->used = read_memory(at, at->word[1]);
}

static void read_process(const struct line *at)
{
    struct device *device = last_device(at);
    struct process *process = &device->processes[claim(at, &device->process_count)];
    process->pid = (unsigned int)number(at, at->word[1], 1, INT_MAX);
    bool told = strcmp(at->word[2], "?") != 0;
    process->memory = told ? read_memory(at, at->word[2]) : ULLONG_MAX;
}

static void read_busy(const struct line *at)
{
    last_device(at)->busy = (long)number(at, at->word[1], 0, 100);
}

static void read_heat(const struct line *at)
{
    last_device(at)->heat = (long)number(at, at->word[1], 0, 200);
}

static void read_persistent(const struct line *at)
{
    last_device(at)->persistent = true;
}

static void read_empty_ok(const struct line *at)
{
    (void)at;
    machine.empty_ok = true;
}

static void read_software(const struct line *at)
{
    (void)at;
    machine.software = true;
}

/* swap A B, drop A */
static void read_edit(const struct line *at)
{
    struct edit *edit = &machine.edits[claim(at, &machine.edit_count)];
    edit->drop = at->words == 2;
    edit->a = (long)number(at, at->word[1], 0, MAX_COUNT);
    edit->b = (long)number(at, at->word[at->words - 1], 0, MAX_COUNT);
}

/* require VARIABLE VALUE, forbid VARIABLE */
static void read_variable(const struct line *at)
{
    const char *wanted = at->words == 3 ? at->word[2] : NULL, *found = getenv(at->word[1]);
    if (found == NULL ? wanted == NULL : wanted != NULL && strcmp(found, wanted) == 0)
        return;
    machine.refusal = UNKNOWN;
    if (machine.in_init)
        fprintf(stderr, "%s:%d: %s is %s\n", at->file, at->number, at->word[1],
                found ? found : "not set");
}

/* Faults */

static void act_code(const struct fault *fault)
{
    verdict.code = (CUresult)fault->number;
}

static void act_says(const struct fault *fault)
{
    verdict.lie = fault;
}

static void act_hang(const struct fault *fault)
{
    (void)fault;
    signal(SIGTERM, SIG_IGN);
    for (;;)
        pause();
}

/* The plain end by that signal, also where a sanitizer has a handler for it. */
static void act_signal(const struct fault *fault)
{
    signal((int)fault->number, SIG_DFL);
    raise((int)fault->number);
}

static void act_exit(const struct fault *fault)
{
    exit((int)fault->number);
}

static void act_grow(const struct fault *fault)
{
    (void)fault;
    const size_t step = (size_t)16 << 20;
    for (volatile char *block = malloc(step); block != NULL; block = malloc(step))
        for (size_t i = 0; i < step; i += 4096)
            block[i] = 1;
    verdict.code = OUT_OF_MEMORY;
}

static void act_print(const struct fault *fault)
{
    dprintf((int)fault->number, "%s", fault->text);
}

static void act_delay(const struct fault *fault)
{
    struct timespec left = {.tv_sec = fault->number / 1000,
                            .tv_nsec = fault->number % 1000 * 1000000};
    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        continue;
}

static void act_grandchild(const struct fault *fault)
{
    if (fork() != 0)
        return;
    sleep((unsigned int)fault->number);
    _exit(0);
}

static void act_daemon(const struct fault *fault)
{
    pid_t between = fork();
    if (between > 0)
        waitpid(between, NULL, 0);
    if (between != 0)
        return;
    setsid();
    act_grandchild(fault);
    _exit(0);
}

static void act_descriptors(const struct fault *fault)
{
    struct stat null, is;
    bool good = stat("/dev/null", &null) == 0;
    (void)fault;
    for (int fd = 0; fd < 4096; fd++) {
        bool open = fstat(fd, &is) == 0;
        good = good && open == (fd <= 3);
        if (fd < 3)
            good = good && is.st_rdev == null.st_rdev;
        if (fd == 3)
            good = good && S_ISSOCK(is.st_mode);
    }
    if (!good)
        verdict.code = UNKNOWN;
}

static const struct action {
    const char *name;
    void (*act)(const struct fault *fault);
    enum argument argument;
    long long preset;
} actions[] = {
    {"says", act_says, ANSWER, 0},
    {"fill", act_says, NOTHING, 1},
    {"hang", act_hang, NOTHING, 0},
    {"segv", act_signal, NOTHING, SIGSEGV},
    {"abort", act_signal, NOTHING, SIGABRT},
    {"exit", act_exit, NUMBER, 0},
    {"grow", act_grow, NOTHING, 0},
    {"stdout", act_print, TEXT, STDOUT_FILENO},
    {"stderr", act_print, TEXT, STDERR_FILENO},
    {"delay", act_delay, NUMBER, 0},
    {"grandchild", act_grandchild, NUMBER, 0},
    {"daemon", act_daemon, NUMBER, 0},
    {"descriptors", act_descriptors, NOTHING, 0},
};

static const struct call *find_call(const struct line *at, const char *name)
{
    for (int i = 0; i < COUNT(calls); i++)
        if (strcmp(calls[i].name, name) == 0)
            return &calls[i];
    die(at, "no such call: '%s'", name);
}

static const struct action *find_action(const struct line *at, const char *name)
{
    for (int i = 0; i < COUNT(actions); i++)
        if (strcmp(actions[i].name, name) == 0)
            return &actions[i];
    die(at, "no such fault: '%s'", name);
}

static void read_argument(const struct line *at, struct fault *fault, enum argument kind,
                          const char *text)
{
    if (kind == NUMBER)
        fault->number = number(at, text, LLONG_MIN, LLONG_MAX);
    else if (kind == A_UUID)
        fault->id = read_uuid(at, text, strncmp(text, "MIG-", 4) == 0 ? "MIG-" : "GPU-");
    else
        copy_text(at, fault->text, sizeof fault->text, text);
}

/* The words from `first` on are the WHAT. */
static void add_fault(const struct line *at, const struct call *call, long ordinal, int first)
{
    struct fault *fault = &machine.faults[claim(at, &machine.fault_count)];
    *fault = (struct fault){.call = call, .ordinal = ordinal, .act = act_code};
    if (is_number(at->word[first]) && at->words == first + 1) {
        fault->number = number(at, at->word[first], 1, INT_MAX);
        return;
    }
    const struct action *action = find_action(at, at->word[first]);
    enum argument kind = action->argument == ANSWER ? call->answer : action->argument;
    fault->act = action->act;
    fault->number = action->preset;
    if (action->act == act_says && (action->preset ? call->answer != TEXT : kind == NOTHING))
        die(at, "%s has no answer for '%s'", call->name, action->name);
    if (at->words != first + (kind == NOTHING ? 1 : 2))
        die(at, "'%s' with the wrong number of words", action->name);
    if (kind != NOTHING)
        read_argument(at, fault, kind, at->word[first + 1]);
}

static void read_fault(const struct line *at)
{
    const struct call *call = find_call(at, at->word[1]);
    bool one_device = at->words > 3 && is_number(at->word[2]);
    if (one_device && (call->traits & OF_DEVICE) == 0)
        die(at, "%s is not asked about a device", call->name);
    long ordinal = one_device ? (long)number(at, at->word[2], 0, INT_MAX) : ANY;
    add_fault(at, call, ordinal, one_device ? 3 : 2);
}

static void read_delay(const struct line *at)
{
    add_fault(at, &calls[INIT], ANY, 0);
}

static void read_include(const struct line *at);

static const struct statement {
    const char *name;
    int least, most;
    void (*read)(const struct line *at);
} statements[] = {
    {"driver", 2, 2, read_driver},
    {"gpu", 6, 9, read_gpu},
    {"used", 2, 2, read_used},
    {"process", 3, 3, read_process},
    {"busy", 2, 2, read_busy},
    {"heat", 2, 2, read_heat},
    {"persistent", 1, 1, read_persistent},
    {"mig", 4, 4, read_mig},
    {"include", 2, 2, read_include},
    {"empty-ok", 1, 1, read_empty_ok},
    {"software", 1, 1, read_software},
    {"swap", 3, 3, read_edit},
    {"drop", 2, 2, read_edit},
    {"require", 3, 3, read_variable},
    {"forbid", 2, 2, read_variable},
    {"delay", 2, 2, read_delay},
    {"fault", 3, 5, read_fault},
};

static char unescape(const struct line *at, char **cursor)
{
    static const char names[] = "ntre\\\"", values[] = "\n\t\r\x1b\\\"";
    char *c = *cursor + 1;
    const char *found = *c == '\0' ? NULL : strchr(names, *c);
    bool byte = *c == 'x' && hex(c[1]) >= 0 && hex(c[2]) >= 0 && hex(c[1]) + hex(c[2]) > 0;
    if (found == NULL && !byte)
        die(at, "unknown escape in a quoted word");
    *cursor = c + (byte ? 3 : 1);
    if (byte)
        return (char)(hex(c[1]) << 4 | hex(c[2]));
    return values[found - names];
}

/* Decodes in place: what is written never passes what is read. */
static char *quoted_word(const struct line *at, char **cursor)
{
    char *word = *cursor, *from = word + 1, *to = word;
    while (*from != '"') {
        if (*from == '\0' || *from == '\n')
            die(at, "the quote is not closed");
        *to++ = *from == '\\' ? unescape(at, &from) : *from++;
    }
    *to = '\0';
    *cursor = from + 1;
    return word;
}

static char *next_word(const struct line *at, char **cursor)
{
    *cursor += strspn(*cursor, " \t\r\n");
    if (**cursor == '\0' || **cursor == '#')
        return NULL;
    if (**cursor == '"')
        return quoted_word(at, cursor);
    char *word = *cursor, *end = word + strcspn(word, " \t\r\n");
    *cursor = end + (*end != '\0');
    *end = '\0';
    return word;
}

static bool applies(struct line *at)
{
    bool when = strcmp(at->word[0], "when-visible") == 0;
    if (!when && strcmp(at->word[0], "unless-visible") != 0)
        return true;
    if (--at->words == 0)
        die(at, "'%s' and nothing after it", at->word[0]);
    memmove(at->word, at->word + 1, (size_t)at->words * sizeof at->word[0]);
    return when == (getenv("CUDA_VISIBLE_DEVICES") != NULL);
}

static void read_statement(struct line *at, char *text)
{
    at->words = 0;
    for (char *word = next_word(at, &text); word != NULL; word = next_word(at, &text)) {
        if (at->words == MAX_WORDS)
            die(at, "more than %d words", MAX_WORDS);
        at->word[at->words++] = word;
    }
    if (at->words == 0)
        return;
    bool wanted = applies(at);
    for (int i = 0; i < COUNT(statements); i++) {
        const struct statement *statement = &statements[i];
        if (strcmp(statement->name, at->word[0]) != 0)
            continue;
        if (at->words < statement->least || at->words > statement->most)
            die(at, "'%s' with the wrong number of words", at->word[0]);
        if (wanted)
            statement->read(at);
        return;
    }
    die(at, "no such statement: '%s'", at->word[0]);
}

static void read_stream(FILE *stream, const char *name, int depth)
{
    struct line at = {.file = name, .depth = depth};
    char *text = NULL;
    size_t size = 0;
    if (stream == NULL)
        die(&at, "%s", strerror(errno));
    while (getline(&text, &size, stream) >= 0) {
        at.number++;
        read_statement(&at, text);
    }
    if (ferror(stream))
        die(&at, "%s", strerror(errno));
    free(text);
    fclose(stream);
}

static void read_include(const struct line *at)
{
    char path[PATH_MAX];
    const char *slash = strrchr(at->file, '/'), *name = at->word[1];
    int folder = slash == NULL || *name == '/' ? 0 : (int)(slash + 1 - at->file);
    if (at->depth == MAX_DEPTH)
        die(at, "more than %d files deep", MAX_DEPTH);
    if (snprintf(path, sizeof path, "%.*s%s", folder, at->file, name) >= (int)sizeof path)
        die(at, "the path is too long");
    read_stream(fopen(path, "re"), path, at->depth + 1);
}

static void load_machine(bool in_init)
{
    const char *path = getenv("FAKE_CUDA_MACHINE");
    memset(&machine, 0, sizeof machine);
    machine.loaded = true;
    machine.in_init = in_init;
    if (path != NULL)
        read_stream(fopen(path, "re"), path, 0);
    else
        read_stream(fmemopen(default_machine, strlen(default_machine), "r"), "default machine", 0);
}

/* What a library does with it */

static int compare_pci(const void *left, const void *right)
{
    const struct device *a = *(const struct device *const *)left;
    const struct device *b = *(const struct device *const *)right;
    const unsigned int key_a[] = {a->domain, a->bus, a->slot, a->function};
    const unsigned int key_b[] = {b->domain, b->bus, b->slot, b->function};
    for (int i = 0; i < COUNT(key_a); i++)
        if (key_a[i] != key_b[i])
            return key_a[i] < key_b[i] ? -1 : 1;
    return 0;
}

static void append(struct list *list, const struct device *device)
{
    if (list->count < MAX_COUNT)
        list->at[list->count++] = device;
}

/* What the faults of this call make of it is in the verdict. */
static void run_faults(const struct call *call, long ordinal)
{
    verdict.code = OK;
    verdict.lie = NULL;
    if (!machine.loaded)
        load_machine(false);
    for (int i = 0; i < machine.fault_count && verdict.code == OK; i++) {
        const struct fault *fault = &machine.faults[i];
        if (fault->call == call && (fault->ordinal == ANY || fault->ordinal == ordinal))
            fault->act(fault);
    }
}

static long long said(long long truth)
{
    return verdict.lie == NULL ? truth : verdict.lie->number;
}
