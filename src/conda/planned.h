/*
 * The plan that an environment has for this user on this machine: what its hooks do, from the
 * receipt that apply wrote with them. The driver is not asked. What exec, export and status begin
 * with.
 *
 *     scope(planned_release) struct planned planned = {0};
 *     if (planned_read(&planned, &prefix, environ, &err) < 0) ...
 *     if (!planned.applied) ... there is none
 */
#pragma once

#include "conda/earlier.h"
#include "plan/plan.h"

struct planned {
    bool applied;           /* on this machine, or on one whose part serves all */
    struct plan plan;       /* taken out of the receipt */
    struct earlier earlier; /* key and names also where nothing was applied */
};

/* A receipt that is damaged is an error; none is not. */
int planned_read(struct planned *planned, const struct prefix *prefix, char *const *env,
                 struct error *err);

void planned_release(struct planned *planned);
