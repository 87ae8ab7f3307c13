#include "gpu/abstract.h"

#include "base/file.h"
#include "base/scope.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

/* The length of an address that says this name, 0 where it is too long. */
static socklen_t set_name(struct sockaddr_un *address, const char *name)
{
    size_t length = strlen(name);

    if (length > sizeof address->sun_path - 1)
        return 0;
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(address->sun_path + 1, name, length);
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + length);
}

static int open_socket(struct sockaddr_un *address, const char *name, socklen_t *length)
{
    *length = set_name(address, name);
    if (*length)
        return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    errno = ENAMETOOLONG;
    return -1;
}

int abstract_listen(const char *name)
{
    struct sockaddr_un address;
    socklen_t length;
    scope(close_fd) int fd = open_socket(&address, name, &length);

    if (fd < 0 || bind(fd, (const struct sockaddr *)&address, length) < 0 ||
        listen(fd, SOMAXCONN) < 0)
        return -1;
    return take_fd(&fd);
}

int abstract_watch(const char *name)
{
    struct sockaddr_un address;
    socklen_t length;
    scope(close_fd) int fd = open_socket(&address, name, &length);

    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, length) < 0)
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
