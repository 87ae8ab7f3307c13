#include "base/names.h"

#include "base/scope.h"

#include <dirent.h>
#include <string.h>

int names_add(struct names *names, const char *name)
{
    if (names_have(names, name))
        return 0;
    scope(free_text) char *copy = strdup(name);
    return copy ? array_add(names, take(&copy)) : -1;
}

int names_add_all(struct names *names, const struct names *others)
{
    for (size_t i = 0; i < others->count; i++)
        if (names_add(names, others->items[i]) < 0)
            return -1;
    return 0;
}

int names_add_those_in(struct names *names, int folder, const char *path)
{
    struct dirent **entries;
    int count = scandirat(folder, path, &entries, NULL, alphasort), result = 0;

    if (count < 0)
        return -1;
    for (int i = 0; i < count; i++) {
        scope(free_text) char *name = result == 0 ? strdup(entries[i]->d_name) : NULL;
        if (!name || array_add(names, take(&name)) < 0)
            result = -1;
        free(entries[i]);
    }
    free(entries);
    return result;
}

bool names_have(const struct names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->items[i], name) == 0)
            return true;
    return false;
}

bool names_are_same(const struct names *one, const struct names *other)
{
    bool same = one->count == other->count;

    for (size_t i = 0; same && i < one->count; i++)
        same = strcmp(one->items[i], other->items[i]) == 0;
    return same;
}

void names_release(struct names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->items[i]);
    free(names->items);
    *names = (struct names){0};
}
