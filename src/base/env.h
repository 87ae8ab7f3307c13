/*
 * An environment: one that is handed in, as execve(2) takes it, and a copy of it to change.
 *
 *     scope(env_release) struct env env = {0};
 *     env_copy(&env, environ);
 *     env_set(&env, "CUDA_VISIBLE_DEVICES", "1,3");
 *     if (env.failed) ... memory ran out somewhere on the way
 *     execve(path, argv, env.items);
 */
#pragma once

#include "base/strbuf.h"

#include <stdbool.h>
#include <stddef.h>

/* The variable's value; NULL if it is not set. */
const char *env_get(char *const *env, const char *name);

/* The same, but NULL also for an empty value. */
const char *env_get_filled(char *const *env, const char *name);

struct env {
    char **items; /* "NAME=VALUE"; after env_copy never NULL unless it failed, and ends with NULL */
    size_t count; /* with that NULL */
    size_t room;
    bool failed; /* memory ran out: nothing is in it any more, and changes are dropped */
};

void env_copy(struct env *env, char *const *from);

/* As env_get; NULL where it failed. Valid until the next change of that variable. */
const char *env_value(const struct env *env, const char *name);

/* The value is copied first, so it may be one of this environment's. */
void env_set(struct env *env, const char *name, const char *value);
/* The same for a value that was built; it may have failed. */
void env_put_text(struct env *env, const char *name, const struct strbuf *value);
void env_unset(struct env *env, const char *name);

void env_release(struct env *env);
