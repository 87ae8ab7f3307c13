#include "gpu/inventory.h"

#include "base/file.h"
#include "base/scope.h"
#include "gpu/answer.h"
#include "gpu/cuda.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    ANSWER_FD = 3,
    SLICE = 20, /* milliseconds between looks at a child that says nothing */
    CHILDREN_LIMIT = 1 << 20,
    LONGEST_ANSWER =
        sizeof(struct answer_head) + ANSWER_MOST_DEVICES * sizeof(struct answer_device),
};

static void set_or_unset(const char *name, const char *value)
{
    if (value)
        setenv(name, value, 1);
    else
        unsetenv(name);
}

/* The child keeps the pipe and nothing else of what the caller had open. */
static void keep_only(int fd)
{
    int null = open("/dev/null", O_RDWR);

    for (int i = 0; i < 3; i++)
        dup2(null, i);
    if (fd != ANSWER_FD)
        dup2(fd, ANSWER_FD);
    fcntl(ANSWER_FD, F_SETFD, FD_CLOEXEC);
    closefrom(ANSWER_FD + 1);
}

static void forget_signals(void)
{
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
}

static _Noreturn void be_child(const struct question *question, int fd)
{
    struct rlimit no_core = {0, 0};
    struct rlimit seconds = {question->timeout + 1, question->timeout + 1};

    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_CHILD_SUBREAPER, 1); /* for end_tree */
    forget_signals();
    setrlimit(RLIMIT_CORE, &no_core);
    setrlimit(RLIMIT_CPU, &seconds);
    keep_only(fd);
    set_or_unset("CUDA_VISIBLE_DEVICES", question->visible);
    set_or_unset("CUDA_DEVICE_ORDER", question->order);
    setenv("CUDA_FORCE_PRELOAD_LIBRARIES", "0", 1);
    setenv("CUDA_DISABLE_JIT", "1", 1);
    answer_question(question->library, ANSWER_FD);
    _exit(0);
}

int inventory_ask(struct inquiry *inquiry, const struct question *question, struct error *err)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        return error_add(err, STATUS_SYSTEM, "cannot ask the CUDA driver: no pipe: %s",
                         strerror(errno));
    pid_t child = fork();
    if (child == 0)
        be_child(question, ends[1]);
    close(ends[1]);
    if (child < 0) {
        close(ends[0]);
        return error_add(err, STATUS_SYSTEM, "cannot ask the CUDA driver: no child process: %s",
                         strerror(errno));
    }
    setpgid(child, child);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    *inquiry = (struct inquiry){.child = child, .answer = ends[0], .question = *question};
    clock_gettime(CLOCK_MONOTONIC, &inquiry->deadline);
    inquiry->deadline.tv_sec += question->timeout;
    return 0;
}

static bool is_late(const struct inquiry *inquiry)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec > inquiry->deadline.tv_sec ||
           (now.tv_sec == inquiry->deadline.tv_sec && now.tv_nsec >= inquiry->deadline.tv_nsec);
}

static bool is_complete(const struct strbuf *bytes)
{
    struct answer_head head;

    if (bytes->length < sizeof head)
        return false;
    memcpy(&head, bytes->text, sizeof head);
    return head.count <= ANSWER_MOST_DEVICES &&
           bytes->length >= sizeof head + head.count * sizeof(struct answer_device);
}

/* Reads what is there. 1: more may come, 0: the end, -1: too much or no memory. */
static int drain(int fd, struct strbuf *bytes)
{
    for (;;) {
        char chunk[4096];
        ssize_t got = read(fd, chunk, sizeof chunk);
        if (got < 0)
            return errno == EAGAIN || errno == EINTR ? 1 : 0;
        if (got == 0)
            return 0;
        strbuf_add(bytes, chunk, (size_t)got);
        if (bytes->failed || bytes->length > LONGEST_ANSWER)
            return -1;
    }
}

struct ending {
    bool late;
    siginfo_t exit; /* si_pid is 0 while the child runs */
};

/* Ends when the answer is whole, the child has exited (it stays to be waited for, so that its
   process group cannot be somebody else's), or time is up. */
static struct ending listen_to(struct inquiry *inquiry, struct strbuf *bytes)
{
    struct ending ending = {0};

    for (;;) {
        struct pollfd ready = {.fd = inquiry->answer, .events = POLLIN};
        waitid(P_PID, (id_t)inquiry->child, &ending.exit, WEXITED | WNOHANG | WNOWAIT);
        int more = drain(inquiry->answer, bytes);
        if (more < 0 || ending.exit.si_pid || is_complete(bytes))
            return ending;
        ending.late = is_late(inquiry);
        if (ending.late)
            return ending;
        if (more)
            poll(&ready, 1, SLICE);
        else
            poll(NULL, 0, 1); /* the pipe is closed; the exit status follows */
    }
}

/* A process that hangs inside the kernel outlives even SIGKILL for a while; it is waited for a
   second, in steps that begin small. */
static void reap(pid_t child)
{
    enum { FIRST = 10000, LAST = 500 * 1000 * 1000 }; /* nanoseconds */

    for (long step = FIRST; step < LAST && waitpid(child, NULL, WNOHANG) == 0; step *= 2)
        nanosleep(&(struct timespec){0, step}, NULL);
}

/* A thread's children, each followed by a space; none where the kernel does not tell (proc(5),
   SECTION_PROC_CHILDREN). */
static void list_children(pid_t process, const char *thread, struct strbuf *children)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/task/%.20s/children", (int)process, thread);
    file_read(path, CHILDREN_LIMIT, children);
}

/* Ends a process and all that descend from it, also those that are a group or session of their own:
   while a child of ours lives, it is the parent of the orphans among them. What has been told to
   stop starts no further process. */
static void end_tree(pid_t process)
{
    scope(strbuf_release) struct strbuf children = STRBUF_INIT;
    char path[32], *end;

    kill(process, SIGSTOP);
    snprintf(path, sizeof path, "/proc/%d/task", (int)process);
    DIR *threads = opendir(path);
    for (struct dirent *thread; threads && (thread = readdir(threads));)
        list_children(process, thread->d_name, &children);
    if (threads)
        closedir(threads);
    const char *at = strbuf_text(&children);
    for (long child; (child = strtol(at, &end, 10)) > 0; at = end)
        end_tree((pid_t)child);
    kill(process, SIGKILL);
}

void inventory_cancel(struct inquiry *inquiry)
{
    if (inquiry->child > 0) {
        end_tree(inquiry->child);
        kill(-inquiry->child, SIGKILL);
        reap(inquiry->child);
    }
    close_fd(&inquiry->answer);
    inquiry->child = inquiry->answer = -1;
}

static int unanswered(const struct ending *ending, unsigned timeout, struct error *err)
{
    static const char look[] = "see whether nvidia-smi works";

    if (ending->late)
        return error_add(err, STATUS_DRIVER,
                         "the CUDA driver did not answer within %u seconds; %s, and give it longer "
                         "with --timeout SECONDS",
                         timeout, look);
    if (ending->exit.si_pid && ending->exit.si_code != CLD_EXITED)
        return error_add(err, STATUS_DRIVER, "the CUDA driver crashed (signal %d, %s); %s",
                         ending->exit.si_status, strsignal(ending->exit.si_status), look);
    if (ending->exit.si_pid)
        return error_add(err, STATUS_DRIVER,
                         "the CUDA driver ended its process (exit status %d) without an answer; %s",
                         ending->exit.si_status, look);
    return error_add(err, STATUS_DRIVER, "the CUDA driver's answer makes no sense; %s", look);
}

int inventory_answer(struct inquiry *inquiry, struct inventory *inventory, struct error *err)
{
    scope(strbuf_release) struct strbuf bytes = STRBUF_INIT;

    struct ending ending = listen_to(inquiry, &bytes);
    inventory_cancel(inquiry);
    if (bytes.failed)
        return error_memory(err);
    if (!is_complete(&bytes))
        return unanswered(&ending, inquiry->question.timeout, err);
    int result = inventory_decode(bytes.text, bytes.length, inventory, err);
    if (result < 0 && err->status == STATUS_SYSTEM)
        inventory->absent = false;
    return result;
}

/* The kernel's part of the driver: its module, WSL's device, or a Tegra's. */
static bool is_driver_loaded(void)
{
    static const char *const signs[] = {"/proc/driver/nvidia/version", "/dev/dxg",
                                        "/dev/nvhost-gpu", "/dev/nvgpu"};

    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (access(signs[i], F_OK) == 0)
            return true;
    return false;
}

/* Codes with which cuInit fails when the kernel's part is missing, and on other occasions. */
static bool is_vague(int code)
{
    return code == 3 || code == 304 || code == 999;
}

static int report_call(const struct answer_head *head, bool *absent, struct error *err)
{
    const char *remedy = cuda_remedy(head->code);
    bool at_start = strcmp(head->call, "cuInit") == 0;

    *absent = head->code == CUDA_NO_DEVICE;
    if (at_start && is_vague(head->code) && !is_driver_loaded()) {
        *absent = true;
        remedy = "NVIDIA's kernel module is not loaded: install the driver, or load it with 'sudo "
                 "modprobe nvidia'";
    }
    return error_add(err, STATUS_DRIVER, "the CUDA driver failed: %s gave %d (%s); %s", head->call,
                     head->code, head->detail,
                     remedy ? remedy : "see NVIDIA's CUDA Driver API reference, CUresult");
}

static int report_kind(const struct answer_head *head, bool *absent, struct error *err)
{
    switch (head->kind) {
    case ANSWER_NO_LIBRARY:
        *absent = true;
        return error_add(err, STATUS_DRIVER,
                         "no CUDA driver library (%s); install NVIDIA's driver (on Debian "
                         "libcuda1), start a container with --gpus all, or name the library with "
                         "--driver PATH",
                         head->detail);
    case ANSWER_BAD_LIBRARY:
        return error_add(err, STATUS_DRIVER,
                         "the CUDA driver library cannot be used: %s; reinstall NVIDIA's driver, "
                         "or name another library with --driver PATH",
                         head->detail);
    case ANSWER_FAILED:
        return report_call(head, absent, err);
    case ANSWER_ODD:
        return error_add(
            err, STATUS_DRIVER,
            "the CUDA driver's answer makes no sense: %s; see whether nvidia-smi works",
            head->detail);
    default:
        return error_add(err, STATUS_DRIVER, "the CUDA driver's answer makes no sense: kind %d",
                         (int)head->kind);
    }
}

static bool is_text(const char *text, size_t size)
{
    return memchr(text, '\0', size) != NULL;
}

static int odd_device(size_t ordinal, const char *what, struct error *err)
{
    return error_add(err, STATUS_DRIVER,
                     "the CUDA driver's answer makes no sense: device %zu %s; see whether "
                     "nvidia-smi works",
                     ordinal, what);
}

static int decode_device(const struct answer_device *from, size_t ordinal, struct device_list *list,
                         struct error *err)
{
    struct device *to = &list->items[ordinal];
    static const struct uuid zero = {{0}};

    if (!is_text(from->name, sizeof from->name) || !is_text(from->pci, sizeof from->pci))
        return odd_device(ordinal, "has a name without an end", err);
    if (!pci_parse(from->pci, &to->pci))
        return odd_device(ordinal, "has no PCI bus ID", err);
    if (memcmp(&from->uuid, &zero, sizeof zero) == 0)
        return odd_device(ordinal, "has no UUID", err);
    if (from->compute_major < 0 || from->compute_minor < 0)
        return odd_device(ordinal, "has a negative compute capability", err);
    list->count = ordinal;
    if (device_list_find(list, &from->uuid) < ordinal)
        return odd_device(ordinal, "has the UUID of another one", err);
    list->count = ordinal + 1;
    memcpy(to->name, from->name, sizeof to->name);
    to->uuid = from->uuid;
    to->mig = from->mig != 0;
    to->memory = from->memory;
    to->compute_major = from->compute_major;
    to->compute_minor = from->compute_minor;
    return 0;
}

int inventory_decode(const char *bytes, size_t length, struct inventory *inventory,
                     struct error *err)
{
    struct answer_head head;

    if (length < sizeof head)
        return error_add(err, STATUS_DRIVER, "the CUDA driver's answer is cut short");
    memcpy(&head, bytes, sizeof head);
    if (memcmp(head.magic, ANSWER_MAGIC, sizeof head.magic) != 0 ||
        !is_text(head.call, sizeof head.call) || !is_text(head.detail, sizeof head.detail) ||
        head.count > ANSWER_MOST_DEVICES || head.driver_version < 0 ||
        length != sizeof head + head.count * sizeof(struct answer_device))
        return error_add(err, STATUS_DRIVER,
                         "the CUDA driver's answer makes no sense; see whether nvidia-smi works");
    if (head.kind != ANSWER_DEVICES)
        return report_kind(&head, &inventory->absent, err);
    if (!head.count) {
        inventory->absent = true;
        return error_add(err, STATUS_DRIVER, "the CUDA driver sees no GPU: %s",
                         cuda_remedy(CUDA_NO_DEVICE) + strlen("the driver sees no GPU: "));
    }
    scope(device_list_release) struct device_list list = {
        .items = calloc(head.count, sizeof *list.items)};
    if (!list.items)
        return error_memory(err);
    for (size_t i = 0; i < head.count; i++) {
        struct answer_device record;
        memcpy(&record, bytes + sizeof head + i * sizeof record, sizeof record);
        if (decode_device(&record, i, &list, err) < 0)
            return -1;
    }
    *inventory = (struct inventory){head.driver_version, list, false};
    list = (struct device_list){0};
    return 0;
}

void inventory_release(struct inventory *inventory)
{
    device_list_release(&inventory->devices);
}
