#include "gpu/abstract.h"

#include "base/file.h"
#include "base/scope.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

/* A socket that has this name itself, or is connected to the one that has it. */
__attribute__((format(printf, 2, 0))) static int open_socket(bool has_it, const char *format,
                                                             va_list args)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const struct sockaddr *to = (const struct sockaddr *)&address;
    int length = vsnprintf(address.sun_path + 1, sizeof address.sun_path - 1, format, args);
    size_t size = offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length;

    if (length < 0 || size >= sizeof address) {
        errno = ENAMETOOLONG;
        return -1;
    }
    scope(close_fd) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || (has_it ? bind(fd, to, (socklen_t)size) : connect(fd, to, (socklen_t)size)) < 0)
        return -1;
    return take_fd(&fd);
}

int abstract_listen(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    scope(close_fd) int fd = open_socket(true, format, args);
    va_end(args);
    return fd < 0 || listen(fd, SOMAXCONN) < 0 ? -1 : take_fd(&fd);
}

int abstract_watch(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    int fd = open_socket(false, format, args);
    va_end(args);
    return fd;
}

int abstract_listener(int fd, struct ucred *listener)
{
    socklen_t length = sizeof *listener;

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, listener, &length);
}

int abstract_read_table(struct strbuf *table)
{
    enum { LIMIT = 256 << 20 };

    return file_read("/proc/net/unix", LIMIT, table);
}

/* From the fourth field on (proc(5)): the flags (0x10000 is __SO_ACCEPTCON), and the type. */
static bool is_listening(const char *line)
{
    enum { FIELDS_BEFORE = 3, LISTENS = 0x10000 };
    const char *at = line;
    char *type;

    for (int field = 0; at && field < FIELDS_BEFORE; field++)
        at = strchr(at + 1, ' ');
    return at && strtoul(at, &type, 16) & LISTENS && strtoul(type, NULL, 16) == SOCK_STREAM;
}

bool abstract_is_in(const struct strbuf *table, const char *begin, const char *rest)
{
    const char *text = strbuf_text(table);
    char end[128];

    snprintf(end, sizeof end, " @%s%s\n", begin, rest);
    for (const char *at = text; (at = strstr(at, end)); at++) {
        const char *before = memrchr(text, '\n', (size_t)(at - text));
        if (is_listening(before ? before + 1 : text))
            return true;
    }
    return false;
}

const char *abstract_next(const char **at, const char *begin, size_t *length)
{
    while (**at) {
        const char *line = *at, *end = line + strcspn(line, "\n");
        const char *name = memmem(line, (size_t)(end - line), " @", 2);
        *at = end + (*end == '\n');
        if (!name || strncmp(name + 2, begin, strlen(begin)) != 0 || !is_listening(line))
            continue;
        name += 2 + strlen(begin);
        *length = (size_t)(end - name);
        return name;
    }
    return NULL;
}
