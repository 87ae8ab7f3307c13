/*
 * Finds the conda environment that is meant, and its folder, the prefix. The first of these:
 *   1. the path given (-p), or the name given (-n);
 *   2. the active environment (CONDA_PREFIX, which conda leaves set and empty after deactivation),
 *      unless that is base;
 *   3. the one that the file's `name:` names.
 * A name is looked for where conda looks, in the folders of places.h, and conda's first folder of
 * that name is taken, so that the hooks are written into the environment that `conda activate NAME`
 * activates. (conda, conda/base/context.py: envs_dirs, root_writable, locate_prefix_by_name.)
 *
 *     struct find_wish wish = {.env = environ, .file_name = section.name};
 *     scope(environment_release) struct environment prefix = {0};
 *     if (find_environment(&prefix, &wish, &err) < 0) ...           // STATUS_PREFIX
 */
#pragma once

#include "base/error.h"
#include "base/names.h"

#include <stdbool.h>

struct find_wish {
    const char *path;      /* -p, or NULL */
    const char *name;      /* -n, or NULL */
    const char *file_name; /* the file's `name:`, or NULL */
    bool has_file;         /* a file was read, for the error that no environment is meant */
    char *const *env;
};

struct environment {
    char *path;   /* absolute, without symbolic links */
    char *name;   /* its last component; "base" for an installation itself */
    char *called; /* the last component of the path by which it was found, maybe a link's */
    bool active;  /* the calling shell has this environment active */
};

int find_environment(struct environment *prefix, const struct find_wish *wish, struct error *err);

/* Adds the names of the environments that find_environment finds by name, base among them. -1 if
   memory ran out. */
int find_names(struct names *names, char *const *env);
/* Adds the folders of all environments that conda knows for this user: those in its folders, the
   installations themselves, and those in ~/.conda/environments.txt. -1 if memory ran out. */
int find_environments(struct names *paths, char *const *env);

void environment_release(struct environment *prefix);
