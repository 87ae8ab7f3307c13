/*
 * Where conda's environments are: its installations, and the folders in which it looks for a name.
 *
 *     scope(places_release) struct places places = {0};
 *     if (places_list(&places, environ) < 0) ... memory ran out
 */
#pragma once

#include "base/names.h"

struct places {
    /* The installations that this shell knows; each is a `base`. First conda's: where condarc.h
       says that it is, else two levels above CONDA_EXE. Then MAMBA_ROOT_PREFIX, and that of
       MAMBA_EXE. */
    struct names roots;
    /* In the order in which conda looks for a name: those of condarc.h, `envs` below each root, and
       ~/.conda/envs, which comes before them where conda's is not ours to write. */
    struct names folders;
};

int places_list(struct places *places, char *const *env);
void places_release(struct places *places);

/* Whether conda takes this folder for an environment: it holds a folder conda-meta. */
bool is_environment(const char *path);

/* Adds the names of the environments in a folder, sorted. -1 if memory ran out. */
int environments_in(struct names *names, const char *folder);
