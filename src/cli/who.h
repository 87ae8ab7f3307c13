/*
 * Who is on a card, in words: for status, and for exec where a card is not free.
 */
#pragma once

#include "base/strbuf.h"
#include "gpu/lease.h"

#include <jansson.h>

/* "alice", or the number of a user without a name. */
void who_add_user(struct strbuf *out, uid_t user);

/* "14:02", or "Nov 25 14:02" on another day; nothing for 0. */
void who_add_time(struct strbuf *out, time_t since);

/* "alice", of whom no process can be seen here, or "somebody"; else as who_add_process. */
void who_add_holder(struct strbuf *out, const struct lease_holder *holder);

/* "alice since 14:02, process 4711: python train.py" */
void who_add_process(struct strbuf *out, uid_t user, pid_t process, const struct proc *proc);

/* The same as an object, of a lease's holder and of a process on a card. */
json_t *who_json_holder(const struct lease_holder *holder);
json_t *who_json_process(pid_t process);

/* A process of one's own that nobody waits for: it has neither terminal nor parent. */
bool who_forgot(const struct proc *proc);
