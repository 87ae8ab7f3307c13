/*
 * What the hooks of an environment do when they are sourced, done to an environment (a list of
 * variables) without a shell: for `exec`. The rules are those of docs/HOOKS.md, the state that is
 * kept is the hooks' own, so a shell that is started so deactivates as any other. Pure.
 *
 *     const struct enacted pt = {.key = key, .plan = &plan, .managed = &managed};
 *     env_set(&env, "CONDA_PREFIX", ...), env_set(&env, "CONDA_SHLVL", ...)    as conda does before
 *     enact_activation(&env, &pt);
 *     if (env.failed) ...
 *
 * Written after templates/activate.sh and deactivate.sh; a test runs both and compares.
 */
#pragma once

#include "base/env.h"
#include "plan/plan.h"

/* What a pair of hooks knows: see struct render. */
struct enacted {
    const char *key;
    const struct plan *plan;
    const struct names *managed;
};

void enact_activation(struct env *env, const struct enacted *hooks);
void enact_deactivation(struct env *env, const struct enacted *hooks);

/* Whether activation leaves CUDA_VISIBLE_DEVICES as it is in this environment, for a plan that
   decides on it: in_job, if_set. */
bool enact_leaves(char *const *env, const struct plan *plan);
