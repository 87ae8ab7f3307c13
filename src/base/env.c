#include "base/env.h"

#include <string.h>

const char *env_get(char *const *env, const char *name)
{
    size_t length = strlen(name);

    for (; *env; env++)
        if (strncmp(*env, name, length) == 0 && (*env)[length] == '=')
            return *env + length + 1;
    return NULL;
}

const char *env_get_filled(char *const *env, const char *name)
{
    const char *value = env_get(env, name);

    return value && *value ? value : NULL;
}
