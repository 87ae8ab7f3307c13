/*
 * What /proc tells of a process: whose it is, since when, and what it runs. Only to be shown: it
 * may end, and its number be another's, at any time.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

#define NO_USER ((uid_t)-1) /* a user that nobody tells */

struct proc {
    bool there; /* else the rest is 0 and "", and the user NO_USER */
    uid_t user;
    pid_t parent;     /* 0 or 1: it has none any more */
    bool terminal;    /* it has one */
    bool stopped;     /* by a signal, such as Ctrl-Z's */
    time_t since;     /* 0: unknown */
    char command[64]; /* its first words, of any bytes; in [] the name of one that has none */
};

/* A process that cannot be seen here, such as one of another PID namespace, is not there. */
void proc_read(struct proc *proc, pid_t process);
