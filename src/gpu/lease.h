/*
 * Leases: a card that one command and its children have for themselves, until the last of them
 * ends.
 *
 * A lease is a listening Unix socket with an abstract name, conda-gpu/lease/UUID (unix(7)). The
 * kernel lets one socket have a name, and takes it back when the last process that holds the socket
 * has ended, however it ended; no file is left, nobody can unlink or forge it, and no permission is
 * needed. Whoever connects to it learns from the kernel who listens (SO_PEERCRED) and is told by
 * the hang-up when the lease ends. Such names live in a network namespace, whatever else is the
 * process's own (its folders, PIDs, users, host name): the machine and containers that use its
 * network see each other's leases, other containers do not.
 *
 *     scope(lease_release) struct lease lease = LEASE_INIT;
 *     if (lease_take(&lease, uuid) == LEASE_TAKEN) ... lease_ask(uuid, &holder) says by whom
 *     lease_hand_on(&lease);     // from here on a command that is executed holds it too
 *
 * Who holds it: the command and all that it starts, also in the background, as a daemon with a
 * session of its own, or by two forks. What a lease does not do: it binds only those who ask for
 * one. A process that closes descriptors that it does not know (some daemons do) lets go of its
 * lease, and so does one that a service starts on its behalf (docker run, sbatch, systemd-run).
 */
#pragma once

#include "base/proc.h"

#include <stddef.h>

/* Before the UUID of a GPU or MIG instance, in the form that uuid_text() gives. */
#define LEASE_NAME "conda-gpu/lease/"

struct lease {
    int socket; /* -1: none */
};

#define LEASE_INIT ((struct lease){.socket = -1})

enum lease_result {
    LEASE_OURS,
    LEASE_TAKEN, /* somebody has it */
};

/* LEASE_OURS or LEASE_TAKEN; -1 with errno. Closed when another program is executed. */
int lease_take(struct lease *lease, const char *uuid);

/* From now on programs that are executed hold the lease as well, and with them their children.
   -1 with errno. */
int lease_hand_on(struct lease *lease);

void lease_release(struct lease *lease);

/* Who took a lease. The user and the process come from the kernel. */
struct lease_holder {
    uid_t user;       /* NO_USER: so many have asked that the kernel tells nobody any more */
    pid_t process;    /* 0: that as well, or none that this PID namespace has */
    struct proc proc; /* not there: the process has ended, and its children hold the lease */
};

/* 1: somebody holds it; 0: nobody does; -1 with errno. Each question takes one of some thousand
   places (SOMAXCONN) that the lease has for those who ask or watch, until it ends. */
int lease_ask(const char *uuid, struct lease_holder *holder);

/* Which of these are held, as lease_ask, but by one look that takes no place. `held` has as many
   items. -1 with errno. */
int lease_list(const char *const *uuids, size_t count, bool *held);

/* A descriptor that hangs up (POLLHUP) when the lease ends; -1 with errno: ECONNREFUSED where
   nobody holds it, EAGAIN where so many wait that one has to look again from time to time. */
int lease_watch(const char *uuid);
