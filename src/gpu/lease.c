#include "gpu/lease.h"

#include "base/scope.h"

#include <fcntl.h>

int lease_take(const char *uuid)
{
    return abstract_listen(LEASE_NAME "%s", uuid);
}

/* Shells and scripts use the numbers up to 9 as they like; 10 and up are left alone. */
int lease_hand_on(int *lease)
{
    enum { FIRST = 64 };
    int held = fcntl(*lease, F_DUPFD, FIRST);

    if (held < 0)
        return -1;
    close_fd(lease);
    *lease = held;
    return 0;
}

bool lease_is_in(const struct strbuf *table, const char *uuid)
{
    return abstract_is_in(table, LEASE_NAME, uuid);
}

int lease_watch(const char *uuid)
{
    return abstract_watch(LEASE_NAME "%s", uuid);
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
