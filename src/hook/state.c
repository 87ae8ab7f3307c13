#include "hook/state.h"

#include "base/scope.h"
#include "base/strbuf.h"
#include "hook/signature.h"

#include <stdlib.h>
#include <string.h>

static char *full_name(struct state *state, const char *what, const char *name)
{
    char *full = format_text(STATE_PREFIX "%s_%s%s", state->key, what, name);

    state->failed = state->failed || !full;
    return full;
}

const char *state_get(struct state *state, const char *what, const char *name)
{
    scope(free_text) char *full = full_name(state, what, name);

    return full ? env_value(state->env, full) : NULL;
}

void state_set(struct state *state, const char *what, const char *name, const char *value)
{
    scope(free_text) char *full = full_name(state, what, name);

    if (full && value)
        env_set(state->env, full, value);
    else if (full)
        env_unset(state->env, full);
}

static bool is_number(const char *level)
{
    return *level && !level[strspn(level, "0123456789")];
}

static bool is_outer(struct state *state, const char *at)
{
    const char *level = env_value(state->env, "CONDA_SHLVL");

    return level && is_number(at) && is_number(level) &&
           strtoull(at, NULL, 10) < strtoull(level, NULL, 10);
}

bool state_settle_level(struct state *state)
{
    const char *at = state_get(state, "LEVEL", ""), *level = env_value(state->env, "CONDA_SHLVL");

    if (at && is_outer(state, at))
        return true;
    state_set(state, "LEVEL", "", level && *level ? level : "-");
    return false;
}

bool state_is_due(struct state *state)
{
    const char *at = state_get(state, "LEVEL", "");

    return at && *at && !is_outer(state, at);
}
