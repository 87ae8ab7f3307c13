/*
 * The names of what conda-gpu puts into a prefix, all below it, and of what it sets aside there.
 */
#pragma once

#include "hook/shell.h"

#include <stdbool.h>

#define RECEIPT_PATH "etc/conda/conda-gpu.yml"

/* The folders that the receipt and the hooks are in, outermost first. */
enum { OUR_FOLDERS = 4 };
extern const char *const our_folders[OUR_FOLDERS];

/* The hooks, in the order of writing: first those of deactivate.d. */
enum { OUR_HOOKS = 6, OUR_DEACTIVATIONS = 3 };
extern const struct hook_place {
    const char *path;
    const char *template;
    const struct shell *shell;
} hook_places[OUR_HOOKS];

/* Whether a file is right in this folder. */
bool path_is_in(const char *path, const char *folder);

/* Under which names a file of somebody else's is kept: "PATH.orig", with a number above 0
   "PATH.orig.1", which conda does not source; and "env_vars-adopted.sh", which it sources before
   env_vars.sh. malloc'ed. */
char *path_original(const char *path, unsigned number);
char *path_adopted(const char *path);

/* Whether `path` is that of a file of ours, and `now` one of those names for it. */
bool path_is_kept_as(const char *path, const char *now);
