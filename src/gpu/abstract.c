#include "gpu/abstract.h"

#include "base/file.h"
#include "base/scope.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

/* A socket, and the address that says this name. */
static int open_socket(struct sockaddr_un *address, socklen_t *size, const char *format,
                       va_list args)
{
    const size_t room = sizeof address->sun_path - 1;

    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    int length = vsnprintf(address->sun_path + 1, room, format, args);
    *size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length);
    if ((size_t)length < room)
        return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    errno = ENAMETOOLONG;
    return -1;
}

int abstract_listen(const char *format, ...)
{
    struct sockaddr_un address;
    socklen_t size;
    va_list args;

    va_start(args, format);
    scope(close_fd) int fd = open_socket(&address, &size, format, args);
    va_end(args);
    if (fd < 0 || bind(fd, (const struct sockaddr *)&address, size) < 0 ||
        listen(fd, SOMAXCONN) < 0)
        return -1;
    return take_fd(&fd);
}

int abstract_watch(const char *format, ...)
{
    struct sockaddr_un address;
    socklen_t size;
    va_list args;

    va_start(args, format);
    scope(close_fd) int fd = open_socket(&address, &size, format, args);
    va_end(args);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, size) < 0)
        return -1;
    return take_fd(&fd);
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
