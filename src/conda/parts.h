/*
 * A part of the receipt is what one machine's users get. The hooks are written from the parts of
 * all machines, our own among them, so that the same receipt always gives the same hooks. And here
 * are the parts of all once this run is over: those that it makes, and those of the receipt that
 * stay beside them.
 *
 *     scope(parts_release) struct parts parts = {0};
 *     if (parts_make(&parts, receipt, &wish, prefix, &err) < 0) ...
 */
#pragma once

#include "conda/receipt.h"
#include "plan/resolve.h"

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

/* A machine, and what the rules give to whom there. */
struct host_team {
    const char *host;
    struct team team;
};

/* Whether this run has made a part of what the rules give there. */
bool part_is_made_of(const struct receipt_host *part, const struct host_team *host);

struct parts_wish {
    const struct host_team *hosts; /* whose parts are made; none: see `forget` */
    size_t host_count;
    bool by_host;       /* rules name hosts */
    const char *source; /* the environment file, as it was given */
    bool keep_word; /* a part that is the same stays confirmed by a driver, or not, as it is: for
                       --check, and for what an inventory says */
    const char *forget; /* the machine whose part goes; NULL: none does */
};

struct parts {
    struct receipt_hosts own; /* what this run makes, */
    struct receipt_hosts all; /* and all that there are then, by name */
    bool confirms;            /* what stays unconfirmed by keep_word is confirmed by now */
};

/* The receipt, which may be NULL, and the wish must outlive the parts. `prefix` is for messages. */
int parts_make(struct parts *parts, const struct receipt *receipt, const struct parts_wish *wish,
               const char *prefix, struct error *err);
void parts_release(struct parts *parts);
