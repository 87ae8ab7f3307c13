#include "gpu/lease.h"

#include "base/scope.h"
#include "gpu/abstract.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

enum { NAME_SIZE = 108 };

static const char *lease_name(const char *uuid, char name[NAME_SIZE])
{
    snprintf(name, NAME_SIZE, LEASE_NAME "%s", uuid);
    return name;
}

int lease_take(struct lease *lease, const char *uuid)
{
    char name[NAME_SIZE];

    lease->socket = abstract_listen(lease_name(uuid, name));
    if (lease->socket >= 0)
        return LEASE_OURS;
    return errno == EADDRINUSE ? LEASE_TAKEN : -1;
}

/* Shells and scripts use the numbers up to 9 as they like; 10 and up are left alone. */
int lease_hand_on(struct lease *lease)
{
    enum { FIRST = 64 };
    int held = fcntl(lease->socket, F_DUPFD, FIRST);

    if (held < 0)
        return -1;
    close_fd(&lease->socket);
    lease->socket = held;
    return 0;
}

void lease_release(struct lease *lease)
{
    close_fd(&lease->socket);
    lease->socket = -1;
}

int lease_list(const char *const *uuids, size_t count, bool *held)
{
    scope(strbuf_release) struct strbuf table = STRBUF_INIT;
    const char *at, *name;
    size_t length;

    if (abstract_read_table(&table) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        held[i] = false;
    at = strbuf_text(&table);
    while ((name = abstract_next(&at, LEASE_NAME, &length)))
        for (size_t i = 0; i < count; i++)
            if (strlen(uuids[i]) == length && memcmp(uuids[i], name, length) == 0)
                held[i] = true;
    return 0;
}

int lease_watch(const char *uuid)
{
    char name[NAME_SIZE];

    return abstract_watch(lease_name(uuid, name));
}

int lease_ask(const char *uuid, struct lease_holder *holder)
{
    struct ucred listener;
    scope(close_fd) int fd = lease_watch(uuid);

    *holder = (struct lease_holder){.user = NO_USER};
    if (fd < 0)
        return errno == ECONNREFUSED ? 0 : errno == EAGAIN ? 1 : -1;
    if (abstract_listener(fd, &listener) < 0)
        return -1;
    holder->user = listener.uid;
    holder->process = listener.pid;
    proc_read(&holder->proc, listener.pid);
    return 1;
}
