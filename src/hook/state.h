/*
 * What the hooks of one environment keep in a shell, read and changed in an environment: variables
 * __CONDA_GPU_KEY_LEVEL, ..._OLD_X and ..._SET_X. For enact.h; docs/HOOKS.md says what they mean.
 */
#pragma once

#include "base/env.h"

struct state {
    struct env *env;
    const char *key;
    bool failed; /* memory ran out for something that env does not know of */
};

/* The names of state: "OLD_" or "SET_" and a variable, or "LEVEL" and "". */
const char *state_get(struct state *state, const char *what, const char *name);

/* NULL: not set. */
void state_set(struct state *state, const char *what, const char *name, const char *value);

/* For an activation: makes AT's level the lowest at which the environment is active, and tells
   whether that is a lower one than now. */
bool state_settle_level(struct state *state);

/* For a deactivation: whether there is state that was kept at this level or a higher one, which is
   a parent shell's. */
bool state_is_due(struct state *state);
