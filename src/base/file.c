#include "base/file.h"

#include "base/clock.h"
#include "base/scope.h"

#include <poll.h>
#include <string.h>
#include <sys/stat.h>

enum {
    CHUNK = 16384,
    HOW = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, /* no FIFO is waited for */
};

static int fail(int error)
{
    errno = error;
    return -1;
}

/* Waits until there is something to read or no writer is left. */
static int wait_until(long long deadline, int fd)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    long long left = deadline - clock_now();
    int got = left > 0 ? again(poll(&ready, 1, (int)left)) : 0;

    return got > 0 ? 0 : fail(got < 0 ? errno : ETIMEDOUT);
}

/* Reads to the end; for a deadline of 0, however long that takes. */
static int read_all(int fd, size_t limit, long long deadline, struct strbuf *out)
{
    struct stat st;
    size_t start = out->length;
    bool sized = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0;

    if (sized && (size_t)st.st_size > limit)
        return fail(EOVERFLOW);
    size_t chunk = sized ? (size_t)st.st_size + 1 : CHUNK;
    for (;;) {
        char *to = strbuf_reserve(out, chunk);
        if (!to)
            return fail(ENOMEM);
        if (deadline && wait_until(deadline, fd) < 0)
            return -1;
        ssize_t got = again(read(fd, to, chunk));
        if (got < 0 && errno == EAGAIN && deadline)
            continue; /* another process was quicker */
        if (got <= 0)
            return (int)got;
        strbuf_grew(out, (size_t)got);
        if (out->length - start > limit)
            return fail(EOVERFLOW);
        chunk = chunk > (size_t)got ? chunk - (size_t)got : CHUNK;
    }
}

int file_read_fd(int fd, size_t limit, struct strbuf *out)
{
    return read_all(fd, limit, 0, out);
}

int file_read(const char *path, size_t limit, struct strbuf *out)
{
    return file_read_at(AT_FDCWD, path, 0, limit, out);
}

int file_read_at(int folder, const char *path, int flags, size_t limit, struct strbuf *out)
{
    scope(close_fd) int fd = again(openat(folder, path, HOW | flags));
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        return -1;
    if (!S_ISREG(st.st_mode))
        return fail(S_ISDIR(st.st_mode) ? EISDIR : ENXIO);
    return file_read_fd(fd, limit, out);
}

int file_read_named(const char *path, size_t limit, unsigned seconds, struct strbuf *out)
{
    bool input = strcmp(path, "-") == 0;
    scope(close_fd) int fd =
        input ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0) : again(open(path, HOW));

    return fd < 0 ? -1 : read_all(fd, limit, clock_in(seconds), out);
}

const char *file_reason(int error)
{
    return error == ENXIO       ? "it is a pipe, a socket or a device, and a file is needed"
           : error == EOVERFLOW ? "it is too large"
           : error == ETIMEDOUT ? "its end did not come in time"
                                : strerror(error);
}

int file_write_fd(int fd, const char *bytes, size_t length)
{
    while (length) {
        ssize_t put = again(write(fd, bytes, length));
        if (put == 0)
            errno = ENOSPC;
        if (put <= 0)
            return -1;
        bytes += put;
        length -= (size_t)put;
    }
    return 0;
}

/* Some file systems sync files but no folders, and say EINVAL. */
int file_sync_fd(int fd)
{
    return again(fsync(fd)) == 0 || errno == EINVAL ? 0 : -1;
}

char *path_join(const char *folder, const char *name)
{
    size_t length = strlen(folder);
    const char *slash = length && folder[length - 1] == '/' ? "" : "/";

    return format_text("%s%s%s", folder, slash, name);
}

const char *path_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

bool is_folder(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}
