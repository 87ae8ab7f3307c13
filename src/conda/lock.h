/*
 * One writer per prefix at a time, also of several machines.
 *
 *     scope(lock_release) struct lock lock = LOCK_INIT;
 *     switch (lock_take(&lock, &prefix, &err)) ... LOCK_BUSY: wait a little and try again
 *
 * The lock is a file, PREFIX/.conda-gpu.lock, which is there while somebody writes, and holds the
 * process and its machine. It gets its name by a link or a rename that takes no name that is taken:
 * that is one step on the server, so of several machines one has the lock, on NFS and on other
 * network file systems too, whatever locks these have (open(2), O_EXCL, says so of links).
 *
 * A run that was killed leaves the file. The next one on the same machine sees that by flock(2),
 * which the file's maker holds before it gets the name, and takes it away. flock of another machine
 * means nothing here: many mounts keep it to themselves (nfs(5), local_lock; Lustre, localflock).
 * So a lock of a machine that has died stays until somebody removes it, and the message that
 * those get who wait in vain says how. Machines are told apart by their host names.
 *
 * Only those may open the file who may write to the prefix: whoever may read one can hold an flock
 * on it for ever, so conda's own files would not do.
 */
#pragma once

#include "conda/prefix.h"

#define LOCK_FILE ".conda-gpu.lock"

struct lock {
    int folder; /* the prefix's, which must outlive the lock */
    int file;
};

#define LOCK_INIT ((struct lock){.folder = -1, .file = -1})

/* What lock_take returns, beside -1. */
enum lock_state {
    LOCK_TAKEN,  /* until lock_release */
    LOCK_BUSY,   /* another process has it */
    LOCK_USELESS /* this user may change nothing here: prefix->refused says why */
};

int lock_take(struct lock *lock, struct prefix *prefix, struct error *err);

/* "process 4711 on dgx-01", or "another process" where that cannot be told. */
void lock_holder(const struct prefix *prefix, struct strbuf *out);

void lock_release(struct lock *lock);
