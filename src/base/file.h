/*
 * Reading whole files and joining paths. No messages: errno says what failed, the caller knows what
 * the file was for.
 */
#pragma once

#include "base/strbuf.h"

#include <errno.h>
#include <fcntl.h>
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

/* Adds what is left to read in fd, however long that takes. -1 with errno; EOVERFLOW beyond `limit`
   bytes. */
int file_read_fd(int fd, size_t limit, struct strbuf *out);

/* The same for a regular file, /proc's too, and also through links. EISDIR for a folder, ENXIO for
   a pipe, a socket or a device: nothing is waited for. */
int file_read(const char *path, size_t limit, struct strbuf *out);

/* The same below an open folder. With O_NOFOLLOW, ELOOP for a path that is a symbolic link. */
int file_read_at(int folder, const char *path, int flags, size_t limit, struct strbuf *out);

/* For a path that the user has named on the command line: a pipe or a device will do (`-f <(...)`),
   and "-" is standard input. ETIMEDOUT if that many seconds do not bring its end. */
int file_read_named(const char *path, size_t limit, unsigned seconds, struct strbuf *out);

/* strerror() for the readers above, with better words for what is theirs. */
const char *file_reason(int error);

/* Writes all bytes, also through short writes and EINTR. -1 with errno. */
int file_write_fd(int fd, const char *bytes, size_t length);

/* Until it is on the disk; also a folder. */
int file_sync_fd(int fd);

/* "FOLDER/NAME", malloc'ed; NULL if memory ran out. */
char *path_join(const char *folder, const char *name);

/* The last component, without looking at trailing slashes: points into path. */
const char *path_name(const char *path);

/* Also through a symbolic link. */
bool is_folder(const char *path);
