#include "conda/enter.h"

#include "base/file.h"
#include "base/scope.h"

#include <stdio.h>
#include <string.h>

/* conda's own, where there is no PATH. */
#define DEFAULT_PATH "/usr/bin:/bin:/usr/sbin:/sbin"

/* CONDA_SHLVL; 0 where no environment is active. */
static unsigned long level_of(char *const *env)
{
    const char *level = env_get_filled(env, "CONDA_SHLVL");
    size_t digits = level ? strspn(level, "0123456789") : 0;

    return level && digits < 9 && !level[digits] && env_get_filled(env, "CONDA_PREFIX")
               ? strtoul(level, NULL, 10)
               : 0;
}

const char *enter_from(char *const *env)
{
    return level_of(env) ? env_get(env, "CONDA_PREFIX") : NULL;
}

/* Whether it is the folder `bin` of a prefix; NULL has none. */
static bool is_bin_of(const char *prefix, const char *folder, size_t length)
{
    size_t prefix_length = prefix ? strlen(prefix) : 0;

    return prefix && length == prefix_length + 4 && strncmp(folder, prefix, prefix_length) == 0 &&
           strncmp(folder + prefix_length, "/bin", 4) == 0;
}

static void set_path(struct env *env, const char *to, const char *from)
{
    const char *path = env->failed ? NULL : env_get_filled(env->items, "PATH");
    scope(strbuf_release) struct strbuf folders = STRBUF_INIT;

    strbuf_addf(&folders, "%s/bin", to);
    for (const char *at = path ? path : DEFAULT_PATH; at;) {
        size_t length = strcspn(at, ":");
        if (!is_bin_of(to, at, length) && !is_bin_of(from, at, length))
            strbuf_addf(&folders, ":%.*s", (int)length, at);
        at = at[length] ? at + length + 1 : NULL;
    }
    env_put_text(env, "PATH", &folders);
}

/* What conda calls it: a name where it is in a folder `envs`, else its path. */
static void set_name(struct env *env, const struct entrance *to)
{
    const char *name = path_name(to->path);
    bool named = name - to->path >= 5 && strncmp(name - 5, "envs/", 5) == 0 &&
                 (name - to->path == 5 || name[-6] == '/');
    scope(strbuf_release) struct strbuf prompt = STRBUF_INIT;

    name = to->is_base ? "base" : named ? name : to->path;
    env_set(env, "CONDA_DEFAULT_ENV", name);
    strbuf_addf(&prompt, "(%s) ", name);
    env_put_text(env, "CONDA_PROMPT_MODIFIER", &prompt);
}

static void set_level(struct env *env, unsigned long level, const char *from)
{
    char number[32], prefix[32];

    snprintf(number, sizeof number, "%lu", level + 1);
    snprintf(prefix, sizeof prefix, "CONDA_PREFIX_%lu", level);
    if (from)
        env_set(env, prefix, from);
    env_set(env, "CONDA_SHLVL", number);
}

void enter(struct env *env, const struct entrance *to, const struct enacted *from)
{
    unsigned long level = env->failed ? 0 : level_of(env->items);
    scope(free_text) char *active = level ? strdup(env_value(env, "CONDA_PREFIX")) : NULL;

    if (from)
        enact_deactivation(env, from);
    set_path(env, to->path, active);
    if (!active || !to->is_active)
        set_level(env, level, active);
    env_set(env, "CONDA_PREFIX", to->path);
    set_name(env, to);
    enact_activation(env, &to->hooks);
    env->failed = env->failed || (level && !active);
}
