#include "conda/paths.h"

#include "base/scope.h"

#include <stdio.h>
#include <string.h>

const char *const our_folders[OUR_FOLDERS] = {"etc", "etc/conda", "etc/conda/deactivate.d",
                                              "etc/conda/activate.d"};

const char *const hook_directions[HOOK_DIRECTIONS] = {"deactivate", "activate"};

const char *hook_path(const char *direction, const struct shell *shell, char path[HOOK_PATH_SIZE])
{
    snprintf(path, HOOK_PATH_SIZE, "etc/conda/%s.d/env_vars.%s", direction, shell->extension);
    return path;
}

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
    char hook[HOOK_PATH_SIZE];

    for (size_t d = 0; d < HOOK_DIRECTIONS; d++)
        for (size_t i = 0; i < shell_count; i++)
            if (strcmp(path, hook_path(hook_directions[d], &shells[i], hook)) == 0)
                return true;
    return false;
}

/* Whether a text ends as path_original ends a path. */
static bool is_original_ending(const char *ending)
{
    enum { MOST_DIGITS = 9 };
    const char *number = ending + strlen(".orig.");

    if (strcmp(ending, ".orig") == 0)
        return true;
    if (strncmp(ending, ".orig.", strlen(".orig.")) != 0 || *number == '0')
        return false;
    size_t digits = strspn(number, "0123456789");
    return digits > 0 && digits <= MOST_DIGITS && !number[digits];
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
