/*
 * One writer per prefix at a time, also of several machines.
 *
 *     scope(lock_release) struct lock lock = LOCK_INIT;
 *     switch (lock_take(&lock, &prefix, &err)) ... LOCK_BUSY: wait a little and try again
 *
 * The lock is a file, PREFIX/.conda-gpu.lock, which is there while somebody writes, and which only
 * those may open who may write to the prefix: whoever may read a file can hold an flock(2) or a
 * shared fcntl(2) lock on it for ever, so conda's own files would not do. It is locked before it
 * gets its name, so that it is found locked, or left over by a run that was killed, and then it is
 * taken away. flock, for which the kernel forgets no holder, works between machines over NFS as
 * well, as a lock on the server, if the descriptor may write (flock(2), "NFS details"; not where
 * the mount says local_lock=flock or nolock, nfs(5)).
 */
#pragma once

#include "conda/prefix.h"

struct lock {
    int folder; /* the prefix's, which must outlive the lock */
    int file;
};

#define LOCK_INIT                                                                                  \
    {                                                                                              \
        -1, -1                                                                                     \
    }

/* What lock_take returns, beside -1. */
enum lock_state {
    LOCK_TAKEN,   /* until lock_release */
    LOCK_BUSY,    /* another process has it */
    LOCK_USELESS, /* this user may change nothing here: prefix->refused says why */
    LOCK_NONE     /* there are no locks on this file system */
};

int lock_take(struct lock *lock, struct prefix *prefix, struct error *err);

/* "process 4711 on dgx-01", or "another process" where that cannot be told. */
void lock_holder(const struct prefix *prefix, struct strbuf *out);

void lock_release(struct lock *lock);
