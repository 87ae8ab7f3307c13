/*
 * A function in a child process of its own, for work that may go wrong in any way: a vendor's
 * library that hangs, crashes, prints, takes all memory or starts processes. What it answers comes
 * back through a socket, whole or not at all.
 *
 *     static void work(const void *data, struct strbuf *answer) { strbuf_adds(answer, "42"); }
 *
 *     scope(child_end) struct child child = CHILD_INIT;
 *     scope(strbuf_release) struct strbuf answer = STRBUF_INIT;
 *     if (child_start(&child, work, data, 60) < 0) ... errno
 *     struct child_ending ending = child_answer(&child, LIMIT, &answer);
 *     if (ending.how != CHILD_ANSWERED) ...
 *
 * Several children may work at once. Each is a process under a guard:
 *
 *     the program --- guard --- the work --- what it starts
 *
 * The guard ends all processes below it, daemons too, as soon as the work is done, the program
 * takes the answer or gives up, or the program itself ends, by whatever signal.
 *
 * The work finds standard input, output and error on /dev/null, no other descriptor of the
 * program's, no blocked signal, and a process group of its own; it leaves no core file and has the
 * processor for no longer than its deadline.
 */
#pragma once

#include "base/strbuf.h"

#include <sys/types.h>

struct child {
    pid_t guard;
    int socket;
    unsigned seconds;
    long long deadline; /* clock_now() */
};

#define CHILD_INIT ((struct child){.guard = -1, .socket = -1})

enum child_how {
    CHILD_ANSWERED,
    CHILD_LATE,
    CHILD_KILLED,  /* code: the signal */
    CHILD_EXITED,  /* code: the exit status; without an answer */
    CHILD_REFUSED, /* code: errno; the system has no process or no memory for it */
};

struct child_ending {
    enum child_how how;
    int code;
};

/* Runs in the child. What it changes in the program's memory and environment stays there. */
typedef void child_work(const void *data, struct strbuf *answer);

/* Starts the work, which must answer within so many seconds from now. -1 with errno. */
int child_start(struct child *child, child_work *work, const void *data, unsigned seconds);

/* Waits for the answer, adds it to `answer`, and ends the child. An answer of more than `limit`
   bytes is none: CHILD_EXITED. Look at answer->failed first: there may be no memory for it. */
struct child_ending child_answer(struct child *child, size_t limit, struct strbuf *answer);

/* Ends a child whose answer is not wanted any more; nothing for one that has ended or was never
   started. For scope(). */
void child_end(struct child *child);
