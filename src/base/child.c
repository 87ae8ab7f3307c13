#include "base/child.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/scope.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#ifndef SYS_close_range
#define SYS_close_range 436 /* Linux 5.9; the same number on every machine that we know */
#endif

enum {
    MOST_ERRNO = 4095,          /* no errno of Linux is above it */
    SOCKET = 3,                 /* the only descriptor that guard and work keep */
    CHILDREN_LIMIT = 1 << 20,   /* bytes of a list of processes */
    PATIENCE = 1000,            /* milliseconds for a process that was killed to be gone, */
    SHORTEST = 10 * 1000,       /* looked at after so many nanoseconds, */
    LONGEST = 20 * 1000 * 1000, /* and then less and less often, up to so many */
};

/* A process that hangs inside the kernel outlives even SIGKILL for a while, so there is an end to
   the waiting for one; its steps begin small. */
static bool pause_until(long long deadline, long *step)
{
    nanosleep(&(struct timespec){0, *step}, NULL);
    *step = *step < LONGEST ? *step * 2 : LONGEST;
    return clock_now() < deadline;
}

/* Processes */

/* Kills the guard's own children, also those that are a group or a session of their own; none where
   the kernel does not tell which it has (proc(5), /proc/pid/task/tid/children). */
static void kill_children(void)
{
    scope(strbuf_release) struct strbuf children = STRBUF_INIT;
    char path[64], *end;

    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    file_read(path, CHILDREN_LIMIT, &children);
    const char *at = strbuf_text(&children);
    for (long child; (child = strtol(at, &end, 10)) > 0; at = end)
        kill((pid_t)child, SIGKILL);
}

/* All below the guard. Those that lose their parent become its own children, so it looks again. */
static void end_all(pid_t worker)
{
    long long deadline = clock_now() + PATIENCE / 2;
    long step = SHORTEST;
    pid_t reaped;

    kill(-worker, SIGKILL);
    do {
        kill_children();
        while ((reaped = waitpid(-1, NULL, WNOHANG)) > 0)
            step = SHORTEST;
    } while (reaped == 0 && pause_until(deadline, &step));
}

/* Descriptors */

static void close_from(int first)
{
    if (syscall(SYS_close_range, first, ~0u, 0) == 0)
        return;
    DIR *descriptors = opendir("/proc/self/fd");
    for (struct dirent *entry; descriptors && (entry = readdir(descriptors));) {
        int fd = (int)strtol(entry->d_name, NULL, 10);
        if (fd >= first && fd != dirfd(descriptors))
            close(fd);
    }
    if (descriptors)
        closedir(descriptors);
}

static void keep_only(int fd)
{
    int null = open("/dev/null", O_RDWR);

    for (int i = 0; i < SOCKET; i++)
        dup2(null, i);
    if (fd != SOCKET)
        dup2(fd, SOCKET);
    fcntl(SOCKET, F_SETFD, FD_CLOEXEC);
    close_from(SOCKET + 1);
}

/* The work */

/* Before an answer comes its length; in place of one, what errno says, below zero. */
static void answer_with(int64_t length, const char *text)
{
    if (file_write_fd(SOCKET, (const char *)&length, sizeof length) == 0 && length > 0)
        file_write_fd(SOCKET, text, (size_t)length);
}

static _Noreturn void be_work(child_work *work, const void *data, pid_t guard)
{
    scope(strbuf_release) struct strbuf answer = STRBUF_INIT;
    sigset_t none;

    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != guard)
        _exit(EXIT_FAILURE);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGCHLD, SIG_DFL);
    work(data, &answer);
    answer_with(answer.failed ? -ENOMEM : (int64_t)answer.length, strbuf_text(&answer));
    _exit(EXIT_SUCCESS);
}

/* The guard */

static void note_signal(int signal)
{
    (void)signal; /* ppoll() returns */
}

/* Until the work has ended or the program has closed its end of the socket. */
static siginfo_t watch(pid_t worker)
{
    struct pollfd program = {.fd = SOCKET, .events = POLLRDHUP};
    siginfo_t exit = {0};
    sigset_t all_others;

    sigfillset(&all_others);
    sigdelset(&all_others, SIGCHLD);
    do
        waitid(P_PID, (id_t)worker, &exit, WEXITED | WNOHANG | WNOWAIT);
    while (!exit.si_pid && ppoll(&program, 1, NULL, &all_others) <= 0);
    return exit;
}

/* Ends as the work has ended, which is how the program learns of it. */
static _Noreturn void end_as(const siginfo_t *ended)
{
    sigset_t one;

    if (!ended->si_pid || ended->si_code == CLD_EXITED)
        _exit(ended->si_status);
    sigemptyset(&one);
    sigaddset(&one, ended->si_status);
    signal(ended->si_status, SIG_DFL);
    raise(ended->si_status);
    sigprocmask(SIG_UNBLOCK, &one, NULL);
    _exit(EXIT_FAILURE);
}

static _Noreturn void be_guard(child_work *work, const void *data, unsigned seconds, int fd)
{
    sigset_t all;
    pid_t guard = getpid();

    setpgid(0, 0);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    sigaction(SIGCHLD, &(struct sigaction){.sa_handler = note_signal}, NULL);
    signal(SIGPIPE, SIG_DFL);
    signal(SIGXFSZ, SIG_DFL);
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    setrlimit(RLIMIT_CPU, &(struct rlimit){seconds + 1, seconds + 1});
    keep_only(fd);
    pid_t worker = fork();
    if (worker == 0)
        be_work(work, data, guard);
    if (worker < 0) {
        answer_with(-errno, NULL);
        _exit(EXIT_FAILURE);
    }
    setpgid(worker, worker);
    siginfo_t ended = watch(worker);
    end_all(worker);
    end_as(&ended);
}

/* The program */

int child_start(struct child *child, child_work *work, const void *data, unsigned seconds)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return -1;
    pid_t guard = fork();
    if (guard == 0)
        be_guard(work, data, seconds, ends[1]);
    close_fd(&ends[1]);
    if (guard < 0) {
        close_fd(&ends[0]);
        return -1;
    }
    *child = (struct child){guard, ends[0], seconds, clock_in(seconds)};
    return 0;
}

/* Reads that many bytes. 1, or 0 where they end before, or -1 at the deadline. */
static int receive(const struct child *child, void *to, size_t size)
{
    struct pollfd ready = {.fd = child->socket, .events = POLLIN};

    for (char *at = to; size;) {
        long long left = child->deadline - clock_now();
        int count = again(poll(&ready, 1, left > 0 ? (int)left : 0));
        ssize_t got = count > 0 ? again(read(child->socket, at, size)) : -1;
        if (count == 0)
            return -1;
        if (got <= 0)
            return 0;
        at += got;
        size -= (size_t)got;
    }
    return 1;
}

/* How the guard ended; si_pid is 0 if it does not end. */
static siginfo_t reap(pid_t guard)
{
    long long deadline = clock_now() + PATIENCE;
    siginfo_t exit = {0};
    long step = SHORTEST;

    do
        waitid(P_PID, (id_t)guard, &exit, WEXITED | WNOHANG);
    while (!exit.si_pid && pause_until(deadline, &step));
    return exit;
}

void child_end(struct child *child)
{
    close_fd(&child->socket);
    if (child->guard > 0)
        reap(child->guard);
    *child = CHILD_INIT;
}

/* For an end of the socket that came before the answer. */
static struct child_ending without_answer(struct child *child)
{
    close_fd(&child->socket);
    siginfo_t exit = reap(child->guard);
    child->guard = -1;
    bool killed = exit.si_pid && exit.si_code != CLD_EXITED;
    return (struct child_ending){killed ? CHILD_KILLED : CHILD_EXITED, exit.si_status};
}

struct child_ending child_answer(struct child *child, size_t limit, struct strbuf *answer)
{
    struct child_ending ending = {CHILD_LATE, 0};
    int64_t length = 0;

    int got = receive(child, &length, sizeof length);
    bool refused = got > 0 && length < 0 && length >= -MOST_ERRNO;
    if (got > 0 && !refused) { /* a length below zero is above every limit */
        char *to = (uint64_t)length <= limit ? strbuf_reserve(answer, (size_t)length) : NULL;
        got = to ? receive(child, to, (size_t)length) : 0;
    }
    if (refused) {
        ending = (struct child_ending){CHILD_REFUSED, (int)-length};
    } else if (got > 0) {
        strbuf_grew(answer, (size_t)length);
        ending = (struct child_ending){CHILD_ANSWERED, 0};
    } else if (got == 0) {
        ending = without_answer(child);
    }
    child_end(child);
    return ending;
}
