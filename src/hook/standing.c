#include "hook/standing.h"

#include "base/scope.h"
#include "hook/element.h"
#include "hook/state.h"

#include <string.h>

struct looking {
    char *const *env;
    const struct enacted *hooks;
    struct env now;      /* as the shell has it */
    struct env inactive; /* after deactivation */
    struct env anew;     /* and activation again */
};

static void looking_release(struct looking *in)
{
    env_release(&in->now);
    env_release(&in->inactive);
    env_release(&in->anew);
}

/* Whether the element is in the list, whatever others have added to it. -1 if memory ran out. */
static int holds_element(const struct looking *in, const struct var *var, const char *now)
{
    scope(element_release) struct element element = {0};
    bool there = false;

    if (!var_is_list(var) || !now)
        return false;
    if (element_make(&element, &in->now, var) < 0 || element_find(&element, now, &there) < 0)
        return -1;
    return there;
}

/* -1 if memory ran out. */
static int find_standing(struct looking *in, const struct var *var, const char *now)
{
    struct state state = {&in->now, in->hooks->key, false};
    int there = holds_element(in, var, now);

    if (there < 0)
        return -1;
    if (strcmp(var->name, "CUDA_VISIBLE_DEVICES") == 0 && enact_leaves(in->env, in->hooks->plan))
        return STANDING_KEPT;
    if (!state_get(&state, "LEVEL", ""))
        return STANDING_MISSED;
    if (there || text_is_same(now, env_value(&in->anew, var->name)))
        return STANDING_AS_PLANNED;
    const char *noted = state_get(&state, "SET_", var->name); /* ":VALUE", or "" for none */
    return noted && text_is_same(*noted ? noted + 1 : NULL, now) ? STANDING_EARLIER
                                                                 : STANDING_CHANGED;
}

static int add(struct standings *standings, struct looking *in, const struct var *var, bool active)
{
    const char *now = env_get(in->env, var->name);
    const char *then = env_value(active ? &in->inactive : &in->now, var->name);
    scope(free_text) char *copy = then ? strdup(then) : NULL;
    int standing = active ? find_standing(in, var, now) : STANDING_INACTIVE;

    if (standing < 0 || (then && !copy))
        return -1;
    return array_add(standings,
                     (struct variable_standing){var, now, take(&copy), (enum standing)standing});
}

int standings_find(struct standings *standings, char *const *env, const struct enacted *hooks,
                   bool active)
{
    scope(looking_release) struct looking in = {.env = env, .hooks = hooks};
    scope(standings_release) struct standings found = {0};

    env_copy(&in.now, env);
    env_copy(&in.inactive, env);
    enact_deactivation(&in.inactive, hooks);
    env_copy(&in.anew, in.inactive.failed ? env : in.inactive.items);
    enact_activation(&in.anew, hooks);
    if (in.now.failed || in.inactive.failed || in.anew.failed)
        return -1;
    for (size_t i = 0; i < hooks->plan->variables.count; i++)
        if (add(&found, &in, &hooks->plan->variables.items[i], active) < 0)
            return -1;
    *standings = take(&found);
    return 0;
}

void standings_release(struct standings *standings)
{
    for (size_t i = 0; i < standings->count; i++)
        free(standings->items[i].then);
    free(standings->items);
    *standings = (struct standings){0};
}
