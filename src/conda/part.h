/*
 * One machine's part of the receipt: filled with what the rules gave there, compared with another,
 * and found. The hooks are written from the parts of all machines, our own among them, so that the
 * same receipt always gives the same hooks.
 */
#pragma once

#include "conda/receipt.h"

/* Adds a plan, whose variables stay the caller's and must outlive the part. -1 if memory ran
   out. */
int part_add_plan(struct receipt_host *part, const struct plan *plan);
/* Only of a part that was made here, of malloc'ed texts and of rules that belong to others. */
void part_release(struct receipt_host *part);

/* Whether both machines' users get the same, and of the same cards. Whether a driver has confirmed
   that makes no difference. */
bool part_is_same(const struct receipt_host *one, const struct receipt_host *other);

/* The part that serves a machine; NULL: none does. Where the only part is of a machine whose rules
   name no host, that one serves all. */
const struct receipt_host *part_serving(const struct receipt_hosts *parts, const char *host);
/* The same of a receipt, which may be NULL. */
const struct receipt_host *part_find(const struct receipt *receipt, const char *host);

/* Whether hooks for these machines must tell on which one they are. */
bool parts_differ_by_host(const struct receipt_hosts *parts);
