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
 *     scope(close_fd) int lease = lease_take(uuid);
 *     if (lease < 0 && errno == EADDRINUSE) ... lease_ask(uuid, &holder) says who has it
 *     lease_hand_on(&lease);     // from here on a command that is executed holds it too
 *
 * Who holds it: the command and all that it starts, also in the background, as a daemon with a
 * session of its own, or by two forks. What a lease does not do: it binds only those who ask for
 * one. A process that closes descriptors that it does not know (some daemons do) lets go of its
 * lease, and so does one that a service starts on its behalf (docker run, sbatch, systemd-run).
 */
#pragma once

#include "base/proc.h"
#include "gpu/abstract.h"

/* Before the UUID of a GPU or MIG instance, in the form that uuid_text() gives. */
#define LEASE_NAME "conda-gpu/lease/"

/* A descriptor that holds the lease, until it is closed or another program is executed. -1 with
   errno, EADDRINUSE where somebody has it. */
int lease_take(const char *uuid);

/* From now on programs that are executed hold the lease as well, and with them their children.
   -1 with errno. */
int lease_hand_on(int *lease);

/* Who took a lease. The user and the process come from the kernel. */
struct lease_holder {
    uid_t user;       /* NO_USER: so many have asked that the kernel tells nobody any more */
    pid_t process;    /* 0: that as well, or none that this PID namespace has */
    struct proc proc; /* not there: the process has ended, and its children hold the lease */
};

/* 1: somebody holds it; 0: nobody does; -1 with errno. Each question takes one of some thousand
   places (SOMAXCONN) that the lease has for those who ask or watch, until it ends. */
int lease_ask(const char *uuid, struct lease_holder *holder);

/* Whether somebody holds it, as lease_ask, but by abstract_read_table, which takes no place. */
bool lease_is_in(const struct strbuf *table, const char *uuid);

/* A descriptor that hangs up (POLLHUP) when the lease ends; -1 with errno: ECONNREFUSED where
   nobody holds it, EAGAIN where so many wait that one has to look again from time to time. */
int lease_watch(const char *uuid);
