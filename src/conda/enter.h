/*
 * The variables that a program has in an environment, as `conda run` leaves them: CONDA_PREFIX,
 * CONDA_SHLVL, CONDA_DEFAULT_ENV, PATH, and what our hooks do. Where another environment is active,
 * it is left as by `conda activate`: its hooks' settings are taken back, its folder goes from PATH,
 * and CONDA_PREFIX_1 and so on remember it. (conda, conda/activate.py: build_activate,
 * build_reactivate.) No script of the environment runs, and its own variables (`conda env config
 * vars`) are not set. Pure.
 *
 *     struct entrance to = {environment.path, false, false, {key, &plan, &managed}};
 *     enter(&env, &to, NULL);
 *     if (env.failed) ...
 */
#pragma once

#include "hook/enact.h"

struct entrance {
    const char *path; /* of the environment, absolute */
    bool is_base;     /* conda's installation, which it calls base */
    bool is_active;   /* CONDA_PREFIX is that folder, by this path or another */
    struct enacted hooks;
};

/* The path of the environment that conda holds to be active; NULL: none. */
const char *enter_from(char *const *env);

/* `from`: the hooks of the active environment; NULL where it has none, or none is active. */
void enter(struct env *env, const struct entrance *to, const struct enacted *from);
