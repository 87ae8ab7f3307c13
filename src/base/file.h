/*
 * Reading whole files and joining paths. No messages: errno says what failed, the caller knows what
 * the file was for.
 */
#ifndef CONDA_GPU_FILE_H
#define CONDA_GPU_FILE_H

#include "base/strbuf.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/types.h>

/* A system call, and again for as long as a signal interrupts it. */
#define again(call)                                                                                \
    __extension__({                                                                                \
        __typeof__(call) got_;                                                                     \
        do                                                                                         \
            got_ = (call);                                                                         \
        while (got_ < 0 && errno == EINTR);                                                        \
        got_;                                                                                      \
    })

/* Adds what is left to read in fd. -1 with errno; EFBIG beyond `limit` bytes. */
int file_read_fd(int fd, size_t limit, struct strbuf *out);

/* The same for a path, which may also be a pipe (`-f <(...)`). Directories give EISDIR. */
int file_read(const char *path, size_t limit, struct strbuf *out);

/* A regular file in an open folder; ELOOP for a symbolic link, EISDIR for a folder, ENXIO for
   anything else that is no regular file. */
int file_read_at(int folder, const char *name, size_t limit, struct strbuf *out);

/* Writes all bytes, also through short writes and EINTR. -1 with errno. */
int file_write_fd(int fd, const char *bytes, size_t length);

/* Until it is on the disk; also a folder. */
int file_sync_fd(int fd);

/* "FOLDER/NAME", malloc'ed; NULL if memory ran out. */
char *path_join(const char *folder, const char *name);

/* The last component, without looking at trailing slashes: points into path. */
const char *path_name(const char *path);

#endif
