#include "conda/paths.h"

#include <fnmatch.h>
#include <string.h>

const char *const our_folders[OUR_FOLDERS] = {"etc", "etc/conda", "etc/conda/deactivate.d",
                                              "etc/conda/activate.d"};

const struct hook_place hook_places[OUR_HOOKS] = {
    {"etc/conda/deactivate.d/env_vars.sh", "deactivate.sh", &shells[0]},
    {"etc/conda/deactivate.d/env_vars.fish", "deactivate.fish", &shells[1]},
    {"etc/conda/deactivate.d/env_vars.csh", "deactivate.csh", &shells[2]},
    {"etc/conda/activate.d/env_vars.sh", "activate.sh", &shells[0]},
    {"etc/conda/activate.d/env_vars.fish", "activate.fish", &shells[1]},
    {"etc/conda/activate.d/env_vars.csh", "activate.csh", &shells[2]},
};

bool path_is_in(const char *path, const char *folder)
{
    size_t length = strlen(folder);

    return strncmp(path, folder, length) == 0 && path[length] == '/' &&
           !strchr(path + length + 1, '/');
}

char *path_original(const char *path, unsigned number)
{
    return number ? format_text("%s.orig.%u", path, number) : format_text("%s.orig", path);
}

char *path_adopted(const char *path)
{
    const char *dot = strrchr(path, '.');

    return format_text("%.*s-adopted%s", (int)(dot - path), path, dot);
}

static bool is_hook(const char *path)
{
    for (size_t i = 0; i < OUR_HOOKS; i++)
        if (strcmp(path, hook_places[i].path) == 0)
            return true;
    return false;
}

/* Whether a text ends as path_original ends a path. */
static bool is_original_ending(const char *ending)
{
    enum { MOST_DIGITS = 9 };
    const char *number = ending + strlen(".orig.");

    if (fnmatch(".orig.[1-9]*", ending, 0) != 0)
        return strcmp(ending, ".orig") == 0;
    size_t digits = strspn(number, "0123456789");
    return digits <= MOST_DIGITS && !number[digits];
}

bool path_is_kept_as(const char *path, const char *now)
{
    const char *dot = strrchr(path, '.');
    size_t length = strlen(path), stem = dot ? (size_t)(dot - path) : 0;
    bool hook = is_hook(path);

    if (!hook && strcmp(path, RECEIPT_PATH) != 0)
        return false;
    if (strncmp(now, path, length) == 0 && is_original_ending(now + length))
        return true;
    return dot && hook && strncmp(now, path, stem) == 0 &&
           strncmp(now + stem, "-adopted", strlen("-adopted")) == 0 &&
           strcmp(now + stem + strlen("-adopted"), dot) == 0;
}
