/*
 * What earlier runs left in a prefix, as far as the next one must know it: the receipt, which
 * variables any generation of the hooks managed, and under which key their state stands in people's
 * shells. The last two are also read from the hooks themselves, so that a receipt that was lost
 * takes none of them along. One that is there and cannot be read is an error.
 *
 * And the plan that an environment has for this user on this machine: what its hooks do. The driver
 * is not asked. What exec, export and status begin with.
 *
 *     scope(planned_release) struct planned planned = {0};
 *     if (planned_read(&planned, &prefix, environ, &err) < 0) ...
 *     if (!planned.applied) ... there is none
 */
#pragma once

#include "conda/prefix.h"
#include "conda/receipt.h"

struct earlier {
    struct receipt *receipt; /* NULL: there is none */
    bool missing;            /* there is none, but a hook of ours */
    struct names managed;
    char key[STATE_KEY_SIZE];
};

/* Without any earlier run the key is made from the prefix's path. */
int earlier_read(struct earlier *earlier, const struct prefix *prefix, struct error *err);

void earlier_release(struct earlier *earlier);

struct planned {
    bool applied;           /* on this machine, or on one whose part serves all */
    struct plan plan;       /* taken out of the receipt */
    struct earlier earlier; /* key and names also where nothing was applied */
};

int planned_read(struct planned *planned, const struct prefix *prefix, char *const *env,
                 struct error *err);

void planned_release(struct planned *planned);
