/*
 * A simulated CUDA driver: build it as libcuda.so.1, load it in place of NVIDIA's.
 *
 *   cc -std=c11 -shared -fPIC -fvisibility=hidden -o DIR/libcuda.so.1 tests/support/fake_cuda.c
 *   FAKE_CUDA_MACHINE=tests/machines/mixed LD_LIBRARY_PATH=DIR conda-gpu devices
 *
 * FAKE_CUDA_MACHINE names a machine file; without it there are four GPUs, those of machines/four.
 * A file that cannot be read, or with a mistake in it, gives one line, FILE:LINE: WHAT, on stderr
 * and abort(), so that no test passes by accident. A driver that lacks a function is a build of its
 * own: -DcuDeviceGetUuid_v2=fake_cuda_absent gives that function another name, and dlsym() fails.
 *
 * Machine file: one statement a line, words apart by blanks, # begins a comment. "Quoted words"
 * know \n \t \r \e \\ \" and \xHH.
 *
 *   driver 12.4          CUDA version of the driver; the last such line holds
 *   gpu UUID PCI MEMORY CC "NAME" [mig] [rank=N]
 *                        a GPU, in any order: GPU-8-4-4-4-12 lower-case digits, 0000:0f:00.0,
 *                        memory in bytes, MiB or GiB, compute capability 8.0. mig: its MIG mode is
 *                        on. rank: its place in FASTEST_FIRST order; those without follow, by
 *                        compute capability, memory and PCI address
 *   mig UUID MEMORY "1g.10gb"
 *                        an instance of the gpu above, MIG-8-4-4-4-12: one GPU instance with one
 *                        compute instance
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
 *     descriptors        returns 999 unless 0 to 2 are /dev/null, 3 is a socket and no other is
 * open
 *
 * `when-visible` before a statement makes it hold only where CUDA_VISIBLE_DEVICES is set, and
 * `unless-visible` only where it is not: so the answer changes between the program's two questions.
 * Environment and file are read in cuInit, once; the file also in a call before it, for its faults.
 *
 * What is simulated, and after what:
 * - CUDA_VISIBLE_DEVICES: as driver 580.159.04 took 42 forms of it on a machine with one H200;
 *   gpu/facts.json has them, and check_facts.c holds this against them. An index is read as by
 *   strtol(); GPU- in upper case, then one or more digits in either case; a device named twice
 *   makes cuInit return 101; the first entry says which kind the others must be.
 * - A prefix that fits two GPUs fits none: CUDA Programming Guide, 5.2.1.1. Of a MIG instance only
 *   the whole UUID, in lower case: not seen on hardware.
 * - CUDA_DEVICE_ORDER: its two values, exactly so; any other, an empty one too, shows no device
 * (the same H200). What is fastest the Programming Guide, 5.2.1.2, calls only "a simple heuristic";
 *   the one here is made up.
 * - MIG: MIG User Guide, "CUDA Device Enumeration". Before R570 (CUDA 12.8) a process sees the
 *   first MIG instance and then nothing else, no GPU without MIG either; from R570 on, one compute
 *   instance of each GPU instance, and GPUs without MIG. Without CUDA_VISIBLE_DEVICES too: one GPU
 *   without MIG and three with, R510, gave a count of 1 (github.com/XuehaiPan/nvitop, pull request
 *   8). An index or GPU-UUID of a GPU in MIG mode is taken for its instances: not documented.
 * - UUIDs: Driver API, 6.5: cuDeviceGetUuid has the GPU's, cuDeviceGetUuid_v2 the MIG instance's.
 * - Addresses in upper case: XLA's GetPCIBusID lowers them "to match sysfs".
 * - Checks in this order: faults, 3 before cuInit, 1 for NULL, 101 for a bad ordinal.
 */
#define _POSIX_C_SOURCE 200809L
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

EXPORT CUresult cuInit(unsigned int flags);
EXPORT CUresult cuDriverGetVersion(int *version);
EXPORT CUresult cuDeviceGetCount(int *count);
EXPORT CUresult cuDeviceGet(CUdevice *device, int ordinal);
EXPORT CUresult cuDeviceGetName(char *name, int length, CUdevice device);
EXPORT CUresult cuDeviceGetUuid(CUuuid *uuid, CUdevice device);
EXPORT CUresult cuDeviceGetUuid_v2(CUuuid *uuid, CUdevice device);
EXPORT CUresult cuDeviceGetPCIBusId(char *id, int length, CUdevice device);
EXPORT CUresult cuDeviceTotalMem_v2(size_t *bytes, CUdevice device);
EXPORT CUresult cuDeviceGetAttribute(int *value, int attribute, CUdevice device);
EXPORT CUresult cuGetErrorName(CUresult error, const char **name);
EXPORT CUresult cuGetErrorString(CUresult error, const char **text);

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
    bool mig_mode;
    long rank;
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
};
enum { INIT, VERSION, DEVICES, DEVICE, NAME, UUID, UUID_V2, PCI, MEMORY, ATTRIBUTE, ERROR, STRING };

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
    bool loaded, in_init, empty_ok;
    CUresult refusal;
    int version;
    struct device gpus[MAX_COUNT], instances[MAX_COUNT];
    struct fault faults[MAX_COUNT];
    struct edit edits[MAX_COUNT];
    int gpu_count, instance_count, fault_count, edit_count;
} machine;

struct list {
    const struct device *at[MAX_COUNT];
    int count;
};

static struct list visible;
static bool initialized;

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
    *gpu = (struct device){.rank = LONG_MAX, .id = read_uuid(at, at->word[1], "GPU-")};
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
        else
            die(at, "'%s' is neither mig nor rank=N", at->word[i]);
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
    mig->id = read_uuid(at, at->word[1], "MIG-");
    copy_text(at, mig->uuid, sizeof mig->uuid, at->word[1]);
    mig->memory = read_memory(at, at->word[2]);
    size_t used = strlen(gpu->name);
    copy_text(at, mig->name + used, sizeof mig->name - used, " MIG ");
    copy_text(at, mig->name + used + 5, sizeof mig->name - used - 5, at->word[3]);
}

static void read_empty_ok(const struct line *at)
{
    (void)at;
    machine.empty_ok = true;
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
    {"driver", 2, 2, read_driver},     {"gpu", 6, 8, read_gpu},
    {"mig", 4, 4, read_mig},           {"include", 2, 2, read_include},
    {"empty-ok", 1, 1, read_empty_ok}, {"swap", 3, 3, read_edit},
    {"drop", 2, 2, read_edit},         {"require", 3, 3, read_variable},
    {"forbid", 2, 2, read_variable},   {"delay", 2, 2, read_delay},
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

/* Which devices are visible, and in what order */

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

static int compare_speed(const void *left, const void *right)
{
    const struct device *a = *(const struct device *const *)left;
    const struct device *b = *(const struct device *const *)right;
    if (a->rank != b->rank)
        return a->rank < b->rank ? -1 : 1;
    int cc_a = a->major * 100 + a->minor, cc_b = b->major * 100 + b->minor;
    if (cc_a != cc_b)
        return cc_a > cc_b ? -1 : 1;
    if (a->memory != b->memory)
        return a->memory > b->memory ? -1 : 1;
    return compare_pci(left, right);
}

static void append(struct list *list, const struct device *device)
{
    if (list->count < MAX_COUNT)
        list->at[list->count++] = device;
}

static const struct device *find_index(const struct list *gpus, const char *text)
{
    char *end;
    long index = strtol(text, &end, 10);
    return end == text || index < 0 || index >= gpus->count ? NULL : gpus->at[index];
}

/* What follows a whole UUID is not looked at; "GPU-" alone names none. */
static const struct device *find_prefix(const struct list *gpus, const char *text)
{
    const struct device *found = NULL;
    size_t length = strlen(text), whole = strlen("GPU-8932f937-d72c-4106-c12f-20bd9faed9f6");
    for (int i = 0; i < gpus->count && length > strlen("GPU-"); i++) {
        if (strncasecmp(gpus->at[i]->uuid, text, length < whole ? length : whole) != 0)
            continue;
        if (found != NULL)
            return NULL;
        found = gpus->at[i];
    }
    return found;
}

static const struct device *find_instance(const struct list *gpus, const char *text)
{
    (void)gpus;
    for (int i = 0; i < machine.instance_count; i++)
        if (strcmp(machine.instances[i].uuid, text) == 0)
            return &machine.instances[i];
    return NULL;
}

static const struct kind {
    const char *prefix;
    const struct device *(*find)(const struct list *gpus, const char *text);
} kinds[] = {{"GPU-", find_prefix}, {"MIG-", find_instance}, {"", find_index}};

static const struct kind *kind_of(const char *text)
{
    const struct kind *kind = kinds;
    while (strncmp(text, kind->prefix, strlen(kind->prefix)) != 0)
        kind++;
    return kind;
}

static bool contains(const struct list *list, const struct device *device)
{
    for (int i = 0; i < list->count; i++)
        if (list->at[i] == device)
            return true;
    return false;
}

/* What fits no device, or is of another kind than the first, ends the list. False where one is
   named twice. */
static bool select_devices(const struct list *gpus, const char *wanted, struct list *chosen)
{
    const struct kind *kind = kind_of(wanted);
    for (;;) {
        char entry[MAX_TEXT];
        size_t length = strcspn(wanted, ",");
        snprintf(entry, sizeof entry, "%.*s", length < sizeof entry ? (int)length : 0, wanted);
        const struct device *found = kind_of(entry) == kind ? kind->find(gpus, entry) : NULL;
        if (found == NULL)
            return true;
        if (contains(chosen, found))
            return false;
        append(chosen, found);
        if (wanted[length] == '\0')
            return true;
        wanted += length + 1;
    }
}

/* Shows a GPU in MIG mode as its instances. */
static void show(const struct device *device)
{
    if (device->parent != NULL || !device->mig_mode)
        append(&visible, device);
    for (int i = 0; i < machine.instance_count && device->parent == NULL; i++)
        if (machine.instances[i].parent == device)
            append(&visible, &machine.instances[i]);
}

/* Before R570 the first MIG instance hides everything else. */
static void hide_beside_mig(void)
{
    for (int i = 0; i < visible.count && machine.version < R570; i++)
        if (visible.at[i]->parent != NULL) {
            visible.at[0] = visible.at[i];
            visible.count = 1;
        }
}

static void edit_visible(const struct edit *edit)
{
    if (edit->a >= visible.count || edit->b >= visible.count) {
        fprintf(stderr, "FAKE_CUDA_MACHINE: swap or drop of a device that is not visible\n");
        abort();
    }
    const struct device *kept = visible.at[edit->a];
    visible.at[edit->a] = visible.at[edit->b];
    visible.at[edit->b] = kept;
    if (!edit->drop)
        return;
    visible.count--;
    for (long i = edit->a; i < visible.count; i++)
        visible.at[i] = visible.at[i + 1];
}

static CUresult enumerate(void)
{
    const char *order = getenv("CUDA_DEVICE_ORDER"), *wanted = getenv("CUDA_VISIBLE_DEVICES");
    bool by_pci = order != NULL && strcmp(order, "PCI_BUS_ID") == 0;
    bool known = order == NULL || by_pci || strcmp(order, "FASTEST_FIRST") == 0;
    struct list gpus = {.count = 0}, chosen = {.count = 0};
    for (int i = 0; i < machine.gpu_count && known; i++)
        append(&gpus, &machine.gpus[i]);
    qsort(gpus.at, (size_t)gpus.count, sizeof gpus.at[0], by_pci ? compare_pci : compare_speed);
    if (wanted == NULL)
        chosen = gpus;
    else if (!select_devices(&gpus, wanted, &chosen))
        return INVALID_DEVICE;
    visible.count = 0;
    for (int i = 0; i < chosen.count; i++)
        show(chosen.at[i]);
    hide_beside_mig();
    for (int i = 0; i < machine.edit_count; i++)
        edit_visible(&machine.edits[i]);
    return visible.count > 0 || machine.empty_ok ? OK : NO_DEVICE;
}

/* The driver's functions */

/* What every call begins with: its faults, then the checks that all calls share. */
static CUresult enter(int number, const void *out, long ordinal)
{
    const struct call *call = &calls[number];
    verdict.code = OK;
    verdict.lie = NULL;
    if (!machine.loaded)
        load_machine(false);
    for (int i = 0; i < machine.fault_count && verdict.code == OK; i++) {
        const struct fault *fault = &machine.faults[i];
        if (fault->call == call && (fault->ordinal == ANY || fault->ordinal == ordinal))
            fault->act(fault);
    }
    if (verdict.code != OK)
        return verdict.code;
    if (!initialized && (call->traits & BEFORE_INIT) == 0)
        return NOT_INITIALIZED;
    if (out == NULL)
        return INVALID_VALUE;
    bool bad_ordinal = ordinal < 0 || ordinal >= visible.count;
    return bad_ordinal && (call->traits & OF_DEVICE) != 0 ? INVALID_DEVICE : OK;
}

static long long said(long long truth)
{
    return verdict.lie == NULL ? truth : verdict.lie->number;
}

static CUresult put_text(char *out, int length, const char *truth)
{
    if (length <= 0)
        return INVALID_VALUE;
    if (verdict.lie != NULL && verdict.lie->number != 0)
        memset(out, 'A', (size_t)length);
    else
        snprintf(out, (size_t)length, "%s", verdict.lie == NULL ? truth : verdict.lie->text);
    return OK;
}

CUresult cuInit(unsigned int flags)
{
    if (!initialized)
        load_machine(true);
    CUresult result = enter(INIT, &flags, ANY);
    if (result == OK && flags != 0)
        result = INVALID_VALUE;
    if (result == OK)
        result = machine.refusal;
    if (result != OK || initialized)
        return result;
    result = enumerate();
    initialized = result == OK;
    return result;
}

CUresult cuDriverGetVersion(int *version)
{
    CUresult result = enter(VERSION, version, ANY);
    if (result == OK)
        *version = (int)said(machine.version);
    return result;
}

CUresult cuDeviceGetCount(int *count)
{
    CUresult result = enter(DEVICES, count, ANY);
    if (result == OK)
        *count = (int)said(visible.count);
    return result;
}

CUresult cuDeviceGet(CUdevice *device, int ordinal)
{
    CUresult result = enter(DEVICE, device, ordinal);
    if (result == OK)
        *device = (CUdevice)said(ordinal);
    return result;
}

CUresult cuDeviceGetName(char *name, int length, CUdevice device)
{
    CUresult result = enter(NAME, name, device);
    return result == OK ? put_text(name, length, visible.at[device]->name) : result;
}

CUresult cuDeviceGetUuid(CUuuid *uuid, CUdevice device)
{
    CUresult result = enter(UUID, uuid, device);
    if (result != OK)
        return result;
    const struct device *shown = visible.at[device];
    const struct device *gpu = shown->parent == NULL ? shown : shown->parent;
    *uuid = verdict.lie == NULL ? gpu->id : verdict.lie->id;
    return OK;
}

CUresult cuDeviceGetUuid_v2(CUuuid *uuid, CUdevice device)
{
    CUresult result = enter(UUID_V2, uuid, device);
    if (result == OK)
        *uuid = verdict.lie == NULL ? visible.at[device]->id : verdict.lie->id;
    return result;
}

CUresult cuDeviceGetPCIBusId(char *id, int length, CUdevice device)
{
    char text[40];
    CUresult result = enter(PCI, id, device);
    if (result != OK)
        return result;
    const struct device *shown = visible.at[device];
    int used = snprintf(text, sizeof text, "%04X:%02X:%02X.%X", shown->domain, shown->bus,
                        shown->slot, shown->function);
    return used < length ? put_text(id, length, text) : INVALID_VALUE;
}

CUresult cuDeviceTotalMem_v2(size_t *bytes, CUdevice device)
{
    CUresult result = enter(MEMORY, bytes, device);
    if (result == OK)
        *bytes = (size_t)said((long long)visible.at[device]->memory);
    return result;
}

CUresult cuDeviceGetAttribute(int *value, int attribute, CUdevice device)
{
    enum { PCI_BUS = 33, PCI_DEVICE = 34, PCI_DOMAIN = 50, CC_MAJOR = 75, CC_MINOR = 76 };
    CUresult result = enter(ATTRIBUTE, value, device);
    if (result != OK)
        return result;
    const struct device *shown = visible.at[device];
    const struct {
        int attribute, value;
    } answers[] = {
        {CC_MAJOR, shown->major},         {CC_MINOR, shown->minor},
        {PCI_BUS, (int)shown->bus},       {PCI_DEVICE, (int)shown->slot},
        {PCI_DOMAIN, (int)shown->domain},
    };
    for (int i = 0; i < COUNT(answers); i++)
        if (answers[i].attribute == attribute) {
            *value = (int)said(answers[i].value);
            return OK;
        }
    return INVALID_VALUE;
}

/* Names and texts as NVIDIA has them. */
#define E(code, name, text) code, "CUDA_" #name, text
static const struct {
    CUresult code;
    const char *name, *text;
} errors[] = {
    {E(0, SUCCESS, "no error")},
    {E(1, ERROR_INVALID_VALUE, "invalid argument")},
    {E(2, ERROR_OUT_OF_MEMORY, "out of memory")},
    {E(3, ERROR_NOT_INITIALIZED, "initialization error")},
    {E(4, ERROR_DEINITIALIZED, "driver shutting down")},
    {E(34, ERROR_STUB_LIBRARY, "CUDA driver is a stub library")},
    {E(46, ERROR_DEVICE_UNAVAILABLE, "CUDA-capable device(s) is/are busy or unavailable")},
    {E(100, ERROR_NO_DEVICE, "no CUDA-capable device is detected")},
    {E(101, ERROR_INVALID_DEVICE, "invalid device ordinal")},
    {E(304, ERROR_OPERATING_SYSTEM, "OS call failed or operation not supported on this OS")},
    {E(800, ERROR_NOT_PERMITTED, "operation not permitted")},
    {E(801, ERROR_NOT_SUPPORTED, "operation not supported")},
    {E(802, ERROR_SYSTEM_NOT_READY, "system not yet initialized")},
    {E(803, ERROR_SYSTEM_DRIVER_MISMATCH,
       "system has unsupported display driver / cuda driver combination")},
    {E(804, ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE,
       "forward compatibility was attempted on non supported HW")},
    {E(805, ERROR_MPS_CONNECTION_FAILED,
       "MPS client failed to connect to the MPS control daemon or the MPS server")},
    {E(806, ERROR_MPS_RPC_FAILURE,
       "the remote procedural call between the MPS server and the MPS client failed")},
    {E(807, ERROR_MPS_SERVER_NOT_READY,
       "MPS server is not ready to accept new MPS client requests")},
    {E(808, ERROR_MPS_MAX_CLIENTS_REACHED,
       "the hardware resources required to create MPS client have been exhausted")},
    {E(809, ERROR_MPS_MAX_CONNECTIONS_REACHED,
       "the hardware resources required to support device connections have been exhausted")},
    {E(810, ERROR_MPS_CLIENT_TERMINATED, "the MPS client has been terminated by the server")},
    {E(999, ERROR_UNKNOWN, "unknown error")},
};

static CUresult describe(int call, CUresult error, const char **out)
{
    CUresult result = enter(call, out, ANY);
    if (result != OK)
        return result;
    *out = NULL;
    for (int i = 0; i < COUNT(errors); i++)
        if (errors[i].code == error)
            *out = call == ERROR ? errors[i].name : errors[i].text;
    return *out == NULL ? INVALID_VALUE : OK;
}

CUresult cuGetErrorName(CUresult error, const char **name)
{
    return describe(ERROR, error, name);
}

CUresult cuGetErrorString(CUresult error, const char **text)
{
    return describe(STRING, error, text);
}
