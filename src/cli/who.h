/*
 * Who is on a card, in words: for status, and for exec where a card is not free.
 */
#pragma once

#include "base/proc.h"
#include "base/strbuf.h"

/* "alice", or the number of a user without a name. */
void who_add_user(struct strbuf *out, uid_t user);

/* "14:02", or "Nov 25 14:02" on another day; nothing for 0. */
void who_add_time(struct strbuf *out, time_t since);

/* "alice since 14:02, process 4711: python train.py" */
void who_add_process(struct strbuf *out, uid_t user, pid_t process, const struct proc *proc);
