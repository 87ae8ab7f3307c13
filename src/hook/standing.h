/*
 * How a shell's variables stand to the plan of the environment that it has active: for status. What
 * deactivation would restore is told by doing it to a copy (enact.h). Pure.
 *
 *     scope(standings_release) struct standings standings = {0};
 *     if (standings_find(&standings, environ, &pt, active) < 0) ... memory ran out
 */
#pragma once

#include "base/array.h"
#include "hook/enact.h"

enum standing {
    STANDING_INACTIVE, /* the environment is not active */
    STANDING_AS_PLANNED,
    STANDING_KEPT,    /* a value that others gave it stands: in_job, if_set */
    STANDING_EARLIER, /* as an earlier plan has it, from before the last apply */
    STANDING_MISSED,  /* the hooks did not run in this shell */
    STANDING_CHANGED, /* somebody has changed it since */
};

struct variable_standing {
    const struct var *var; /* the plan's */
    const char *now;       /* the environment's; NULL: not set */
    char *then;            /* after deactivation; NULL: not set */
    enum standing standing;
};

struct standings array_of(struct variable_standing); /* in the plan's order */

/* -1 if memory ran out. The plan and the environment must outlive it. */
int standings_find(struct standings *standings, char *const *env, const struct enacted *hooks,
                   bool active);

void standings_release(struct standings *standings);
