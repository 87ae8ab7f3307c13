/*
 * Who is on a card, in words: for status, and for exec where a card is not free.
 */
#pragma once

#include "base/strbuf.h"
#include "gpu/lease.h"

#include <jansson.h>

/* "alice", the number of a user without a name, or for NO_USER "somebody". */
void who_add_user(struct strbuf *out, uid_t user);

/* "14:02", or "Nov 25 14:02" on another day; nothing for 0. */
void who_add_time(struct strbuf *out, time_t since);

/* A process, as if it held a lease. */
struct lease_holder who_is(pid_t process);

/* "alice since 14:02, process 4711: python train.py", or as much of that as is known: "somebody".
 */
void who_add(struct strbuf *out, const struct lease_holder *who);

/* The same as an object. */
json_t *who_json(const struct lease_holder *who);

/* A process of one's own that nobody waits for: it has neither terminal nor parent. */
bool who_forgot(const struct proc *proc);
