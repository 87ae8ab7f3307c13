/*
 * One machine's part of the receipt: made of what the rules gave there, compared with another, and
 * read as plans again. The hooks are written from the parts of all machines, our own among them, so
 * that the same receipt always gives the same hooks.
 */
#pragma once

#include "conda/receipt.h"
#include "plan/resolve.h"

/* What a part says beside what the driver and the rules did. All of it is text. */
struct part_head {
    const char *host;
    const char *source;
    bool by_host;
};

/* The variables and users belong to the team, which must outlive the part. */
int part_make(struct receipt_host *part, const struct part_head *head, const struct team *team,
              struct error *err);
void part_release(struct receipt_host *part); /* only of part_make */

/* Whether both machines' users get the same, and of the same cards. Whether a driver has confirmed
   that makes no difference. */
bool part_is_same(const struct receipt_host *one, const struct receipt_host *other);

/* Takes over what is told of the cards, and whether it is confirmed, from a part that is the same.
   True if that makes a confirmed one unconfirmed. */
bool part_keep_word(struct receipt_host *part, const struct receipt_host *kept);

/* A plan of the receipt, as hooks and programs are made from. 0, or -1 if memory ran out. */
int part_plan(struct plan *plan, const struct receipt_plan *told);

/* The part that serves a machine; NULL: none does. Where the only part is of a machine whose rules
   name no host, that one serves all. */
const struct receipt_host *part_serving(const struct receipt_host *parts, size_t count,
                                        const char *host);
/* The same of a receipt, which may be NULL. */
const struct receipt_host *part_find(const struct receipt *receipt, const char *host);

/* What it has for this user. */
const struct receipt_plan *part_serve(const struct receipt_host *part, const char *user);

/* Whether hooks for these machines must tell on which one they are. */
bool parts_differ_by_host(const struct receipt_host *parts, size_t count);
