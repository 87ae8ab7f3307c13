#include "base/env.h"

#include "base/array.h"
#include "base/scope.h"

#include <string.h>

static bool is_of(const char *entry, const char *name, size_t length)
{
    return strncmp(entry, name, length) == 0 && entry[length] == '=';
}

const char *env_get(char *const *env, const char *name)
{
    size_t length = strlen(name);

    for (; *env; env++)
        if (is_of(*env, name, length))
            return *env + length + 1;
    return NULL;
}

const char *env_get_filled(char *const *env, const char *name)
{
    const char *value = env_get(env, name);

    return value && *value ? value : NULL;
}

static void fail(struct env *env)
{
    env_release(env);
    env->failed = true;
}

/* Takes the entry; NULL where memory ran out. */
static void put(struct env *env, char *entry)
{
    if (entry && !env->failed && array_add(env, NULL) == 0) {
        env->items[env->count - 2] = entry;
    } else {
        free(entry);
        fail(env);
    }
}

void env_copy(struct env *env, char *const *from)
{
    if (array_add(env, NULL) < 0)
        fail(env);
    for (; *from; from++)
        put(env, strdup(*from));
}

const char *env_value(const struct env *env, const char *name)
{
    return env->failed ? NULL : env_get(env->items, name);
}

void env_unset(struct env *env, const char *name)
{
    size_t length = strlen(name), kept = 0;

    for (size_t i = 0; i < env->count; i++) {
        char *entry = env->items[i];
        if (entry && is_of(entry, name, length))
            free(entry);
        else
            env->items[kept++] = entry;
    }
    env->count = kept;
}

void env_set(struct env *env, const char *name, const char *value)
{
    char *entry = format_text("%s=%s", name, value);

    env_unset(env, name);
    put(env, entry);
}

void env_put_text(struct env *env, const char *name, const struct strbuf *value)
{
    env_set(env, name, strbuf_text(value));
    if (value->failed)
        fail(env);
}

void env_release(struct env *env)
{
    for (size_t i = 0; i < env->count; i++)
        free(env->items[i]);
    free(env->items);
    *env = (struct env){0};
}
