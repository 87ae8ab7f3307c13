/*
 * A library to put in front of the C library (LD_PRELOAD): see fault_order.h. It stands for every
 * symbol by which a C library may offer the calls; check_faults.c compares with strace what it saw.
 */
#define _GNU_SOURCE

#include "faults/fault_order.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DESCRIPTORS = 1024 };

static const char *folder;
static struct fault_order order;
static struct fault_answer *answer; /* shared with the process that takes the orders */
static struct fault_answer own_answer;
static pid_t program;
static FILE *record;
static struct {
    bool ours, written;
} descriptors[DESCRIPTORS];

/* What the C library itself offers under a name, looked up once. */
#define REAL(name)                                                                                 \
    __extension__({                                                                                \
        static __typeof__(&name) real_;                                                            \
        if (!real_)                                                                                \
            real_ = (__typeof__(&name))real(#name);                                                \
        real_;                                                                                     \
    })
#define EXPORT __attribute__((visibility("default")))

static void *real(const char *name)
{
    void *symbol = dlsym(RTLD_NEXT, name);

    if (!symbol)
        abort();
    return symbol;
}

static bool is_known(int fd)
{
    return fd >= 0 && fd < DESCRIPTORS && descriptors[fd].ours;
}

static void know(int fd, bool ours, bool written)
{
    if (fd >= 0 && fd < DESCRIPTORS) {
        descriptors[fd].ours = ours;
        descriptors[fd].written = written;
    }
}

static bool is_ours(int fd, const char *path)
{
    size_t length = folder ? strlen(folder) : 0;

    if (!folder || getpid() != program)
        return false;
    if (path && path[0] == '/')
        return strncmp(path, folder, length) == 0 && (!path[length] || path[length] == '/');
    return is_known(fd);
}

struct call {
    bool counted;
    bool dies;
    bool halves;
    int error;
};

static void describe(const char *kind, int fd, const char *path)
{
    char link[64], place[400] = "";

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = fd >= 0 ? readlink(link, place, sizeof place - 1) : 0;
    place[length > 0 ? length : 0] = '\0';
    snprintf(answer->kind, sizeof answer->kind, "%s", kind);
    snprintf(answer->path, sizeof answer->path, "%s%s%s", path && path[0] == '/' ? "" : place,
             path && path[0] != '/' ? "/" : "", path ? path : "");
}

static void swap(void)
{
    char away[300];

    snprintf(away, sizeof away, "%s.away", order.path);
    if (REAL(rename)(order.path, away) == 0 && symlink(order.target, order.path) < 0)
        abort();
}

/* Before each call. */
static struct call begin(const char *kind, int fd, const char *path)
{
    struct call call = {.counted = is_ours(fd, path)};
    int saved = errno;

    if (!call.counted)
        return call;
    if (record)
        fprintf(record, "%s\n", kind);
    if (++answer->calls == order.call) {
        describe(kind, fd, path);
        if (order.fault == FAULT_KILL_BEFORE)
            kill(getpid(), SIGKILL);
        if (order.fault == FAULT_SWAP)
            swap();
        call.dies = order.fault == FAULT_KILL_AFTER;
        call.halves = order.fault == FAULT_SHORT;
        call.error = order.fault == FAULT_ERROR ? order.error : 0;
    }
    errno = saved;
    return call;
}

/* After each call. */
static void finish(const struct call *call)
{
    if (call->dies)
        kill(getpid(), SIGKILL);
}

static int failed(const struct call *call)
{
    errno = call->error;
    return -1;
}

/* A call that gives an int: kind, folder's descriptor, path, what really does it. */
#define PASS(kind, fd, path, really)                                                               \
    struct call call = begin(kind, fd, path);                                                      \
    int result = call.error ? failed(&call) : (really);                                            \
    finish(&call);                                                                                 \
    return result

static mode_t mode_of(int flags, va_list args)
{
    return flags & (O_CREAT | __O_TMPFILE) ? va_arg(args, mode_t) : 0;
}

static int open_it(const char *real_name, int fd, const char *path, int flags, mode_t mode)
{
    struct call call = begin(flags & O_CREAT                   ? "openat+create"
                             : (flags & O_ACCMODE) != O_RDONLY ? "openat+write"
                                                               : "openat",
                             fd, path);
    int (*really)(int, const char *, int, ...) =
        (int (*)(int, const char *, int, ...))real(real_name);
    int result = call.error ? failed(&call) : really(fd, path, flags, mode);
    if (result >= 0)
        know(result, call.counted, flags & O_CREAT);
    finish(&call);
    return result;
}

#define OPENAT(name, real_name)                                                                    \
    EXPORT int name(int fd, const char *path, int flags, ...);                                     \
    EXPORT int name(int fd, const char *path, int flags, ...)                                      \
    {                                                                                              \
        va_list args;                                                                              \
        va_start(args, flags);                                                                     \
        mode_t mode = mode_of(flags, args);                                                        \
        va_end(args);                                                                              \
        return open_it(real_name, fd, path, flags, mode);                                          \
    }
OPENAT(openat, "openat")
OPENAT(openat64, "openat64")
OPENAT(__openat_2, "openat")
OPENAT(__openat64_2, "openat64")

#define OPEN(name, real_name)                                                                      \
    EXPORT int name(const char *path, int flags, ...);                                             \
    EXPORT int name(const char *path, int flags, ...)                                              \
    {                                                                                              \
        va_list args;                                                                              \
        va_start(args, flags);                                                                     \
        mode_t mode = mode_of(flags, args);                                                        \
        va_end(args);                                                                              \
        return open_it(real_name, AT_FDCWD, path, flags, mode);                                    \
    }
OPEN(open, "openat")
OPEN(open64, "openat64")
OPEN(__open_2, "openat")
OPEN(__open64_2, "openat64")

#define FCNTL(name)                                                                                \
    EXPORT int name(int fd, int command, ...);                                                     \
    EXPORT int name(int fd, int command, ...)                                                      \
    {                                                                                              \
        va_list args;                                                                              \
        va_start(args, command);                                                                   \
        void *argument = va_arg(args, void *);                                                     \
        va_end(args);                                                                              \
        struct call call = begin("fcntl", fd, NULL);                                               \
        int result = call.error ? failed(&call) : REAL(fcntl)(fd, command, argument);              \
        if (result >= 0 && (command == F_DUPFD_CLOEXEC || command == F_DUPFD))                     \
            know(result, call.counted, false);                                                     \
        finish(&call);                                                                             \
        return result;                                                                             \
    }
FCNTL(fcntl)
FCNTL(fcntl64)

EXPORT int close(int fd)
{
    bool written = is_known(fd) && descriptors[fd].written;
    struct call call = begin(written ? "close+written" : "close", fd, NULL);
    int result = REAL(close)(fd);

    know(fd, false, false);
    if (call.error)
        result = failed(&call);
    finish(&call);
    return result;
}

EXPORT ssize_t write(int fd, const void *bytes, size_t length)
{
    struct call call = begin("write", fd, NULL);
    ssize_t result =
        call.error ? failed(&call) : REAL(write)(fd, bytes, call.halves ? length / 2 : length);

    finish(&call);
    return result;
}

EXPORT ssize_t read(int fd, void *bytes, size_t length)
{
    struct call call = begin("read", fd, NULL);
    ssize_t result =
        call.error ? failed(&call) : REAL(read)(fd, bytes, call.halves ? (length + 1) / 2 : length);

    finish(&call);
    return result;
}

/* What a killed process wrote is not lost with it, so there is nothing to wait for. */
EXPORT int fsync(int fd)
{
    PASS("fsync", fd, NULL, call.counted ? 0 : REAL(fsync)(fd));
}

EXPORT int fchmod(int fd, mode_t mode)
{
    PASS("fchmod", fd, NULL, REAL(fchmod)(fd, mode));
}

EXPORT int fchown(int fd, uid_t user, gid_t group)
{
    PASS("fchown", fd, NULL, REAL(fchown)(fd, user, group));
}

EXPORT int flock(int fd, int operation)
{
    PASS("flock", fd, NULL, REAL(flock)(fd, operation));
}

EXPORT int mkdirat(int fd, const char *path, mode_t mode)
{
    PASS("mkdirat", fd, path, REAL(mkdirat)(fd, path, mode));
}

EXPORT int unlinkat(int fd, const char *path, int flags)
{
    PASS("unlinkat", fd, path, REAL(unlinkat)(fd, path, flags));
}

EXPORT int linkat(int fd, const char *path, int other, const char *to, int flags)
{
    PASS("linkat", fd, path, REAL(linkat)(fd, path, other, to, flags));
}

EXPORT int renameat(int fd, const char *path, int other, const char *to)
{
    PASS("renameat", fd, path, REAL(renameat)(fd, path, other, to));
}

EXPORT int renameat2(int fd, const char *path, int other, const char *to, unsigned flags)
{
    PASS("renameat2", fd, path, REAL(renameat2)(fd, path, other, to, flags));
}

EXPORT int stat(const char *path, struct stat *st)
{
    PASS("stat", AT_FDCWD, path, REAL(stat)(path, st));
}

EXPORT int fstat(int fd, struct stat *st)
{
    PASS("stat", fd, NULL, REAL(fstat)(fd, st));
}

EXPORT int fstatat(int fd, const char *path, struct stat *st, int flags)
{
    PASS("stat", fd, path, REAL(fstatat)(fd, path, st, flags));
}

/* The same before glibc 2.33, and where a program was built with large files asked for. */

EXPORT int stat64(const char *path, struct stat64 *st)
{
    PASS("stat", AT_FDCWD, path, REAL(stat64)(path, st));
}

EXPORT int fstat64(int fd, struct stat64 *st)
{
    PASS("stat", fd, NULL, REAL(fstat64)(fd, st));
}

EXPORT int fstatat64(int fd, const char *path, struct stat64 *st, int flags)
{
    PASS("stat", fd, path, REAL(fstatat64)(fd, path, st, flags));
}

EXPORT int __xstat(int version, const char *path, struct stat *st);
EXPORT int __xstat(int version, const char *path, struct stat *st)
{
    PASS("stat", AT_FDCWD, path, REAL(__xstat)(version, path, st));
}

EXPORT int __fxstat(int version, int fd, struct stat *st);
EXPORT int __fxstat(int version, int fd, struct stat *st)
{
    PASS("stat", fd, NULL, REAL(__fxstat)(version, fd, st));
}

EXPORT int __fxstatat(int version, int fd, const char *path, struct stat *st, int flags);
EXPORT int __fxstatat(int version, int fd, const char *path, struct stat *st, int flags)
{
    PASS("stat", fd, path, REAL(__fxstatat)(version, fd, path, st, flags));
}

EXPORT char *realpath(const char *path, char *resolved)
{
    struct call call = begin("realpath", AT_FDCWD, path);
    char *result = NULL;

    if (call.error)
        failed(&call);
    else
        result = REAL(realpath)(path, resolved);
    finish(&call);
    return result;
}

EXPORT DIR *fdopendir(int fd)
{
    struct call call = begin("fdopendir", fd, NULL);
    DIR *result = NULL;

    if (call.error)
        failed(&call);
    else
        result = REAL(fdopendir)(fd);
    finish(&call);
    return result;
}

#define READDIR(type, name)                                                                        \
    EXPORT type *name(DIR *entries)                                                                \
    {                                                                                              \
        struct call call = begin("readdir", dirfd(entries), NULL);                                 \
        type *result = NULL;                                                                       \
        if (call.error)                                                                            \
            failed(&call);                                                                         \
        else                                                                                       \
            result = REAL(name)(entries);                                                          \
        finish(&call);                                                                             \
        return result;                                                                             \
    }
READDIR(struct dirent, readdir)
READDIR(struct dirent64, readdir64)

EXPORT int closedir(DIR *entries)
{
    int fd = dirfd(entries);
    struct call call = begin("closedir", fd, NULL);
    int result = REAL(closedir)(entries);

    know(fd, false, false);
    if (call.error)
        result = failed(&call);
    finish(&call);
    return result;
}

/* Runs the program once for each order: the child returns from here into main(). */
static void serve(void)
{
    enum { LONGEST = 60 }; /* seconds */
    int status;

    answer = mmap(NULL, sizeof *answer, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (answer == MAP_FAILED)
        abort();
    while (REAL(read)(FAULT_ORDERS_FD, &order, sizeof order) == (ssize_t)sizeof order) {
        memset(answer, 0, sizeof *answer);
        pid_t child = fork();
        if (child == 0) {
            REAL(close)(FAULT_ORDERS_FD);
            REAL(close)(FAULT_ANSWERS_FD);
            alarm(LONGEST);
            return;
        }
        if (child < 0 || waitpid(child, &status, 0) < 0)
            abort();
        answer->status = status;
        if (REAL(write)(FAULT_ANSWERS_FD, answer, sizeof *answer) != (ssize_t)sizeof *answer)
            abort();
    }
    _exit(0);
}

__attribute__((constructor)) static void set_up(void)
{
    answer = &own_answer;
    if (getenv("FAULTY_SERVER"))
        serve();
    if (getenv("FAULTY_LOG"))
        record = fopen(getenv("FAULTY_LOG"), "we");
    if (record)
        setbuf(record, NULL);
    folder = getenv("FAULTY_FOLDER");
    program = getpid();
}
