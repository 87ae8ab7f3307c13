#include "base/file.h"

#include "base/scope.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

enum { CHUNK = 16384 };

int file_read_fd(int fd, size_t limit, struct strbuf *out)
{
    struct stat st;
    size_t start = out->length;
    bool sized = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0;

    if (sized && (size_t)st.st_size > limit) {
        errno = EFBIG;
        return -1;
    }
    size_t chunk = sized ? (size_t)st.st_size + 1 : CHUNK;
    for (;;) {
        char *to = strbuf_reserve(out, chunk);
        if (!to) {
            errno = ENOMEM;
            return -1;
        }
        ssize_t got = again(read(fd, to, chunk));
        if (got <= 0)
            return (int)got;
        strbuf_grew(out, (size_t)got);
        if (out->length - start > limit) {
            errno = EFBIG;
            return -1;
        }
        chunk = chunk > (size_t)got ? chunk - (size_t)got : CHUNK;
    }
}

int file_read(const char *path, size_t limit, struct strbuf *out)
{
    scope(close_fd) int fd = again(open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY));

    return fd < 0 ? -1 : file_read_fd(fd, limit, out);
}

int file_read_at(int folder, const char *name, size_t limit, struct strbuf *out)
{
    struct stat st;
    const int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW;
    scope(close_fd) int fd = again(openat(folder, name, flags));

    if (fd < 0 || fstat(fd, &st) < 0)
        return -1;
    if (!S_ISREG(st.st_mode)) {
        errno = S_ISDIR(st.st_mode) ? EISDIR : ENXIO;
        return -1;
    }
    return file_read_fd(fd, limit, out);
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
