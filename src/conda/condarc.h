/*
 * Where conda's configuration says that environments are: `envs_dirs` of all condarc files, and the
 * variables CONDA_ENVS_PATH and CONDA_ENVS_DIRS, which come before them. All other keys are passed
 * over. (conda, conda/base/constants.py: SEARCH_PATH; conda/common/configuration.py: merge.)
 *
 * The files, the most important first; each also as `condarc`, and as the *.yml and *.yaml in a
 * folder `condarc.d`, but for the second and the first:
 *   $CONDARC; the active environment's .condarc; ~/.condarc; ~/.conda/.condarc;
 *   ~/.config/conda/.condarc; $XDG_CONFIG_HOME/conda/.condarc; the installation's .condarc;
 *   /var/lib/conda/.condarc; /etc/conda/.condarc.
 * A file whose line `envs_dirs:` ends in `#!final` silences the files before it in this list, and
 * the variables. (The marks `#!top` and `#!bottom` of single folders are not looked at.)
 */
#pragma once

#include "section/vars.h"

/* Adds the folders in the order in which conda searches them. `root` is conda's installation; NULL
   where none is known. A file that cannot be read adds none: conda itself will say so. At most 1000
   are read of one file. -1 if memory ran out. */
int condarc_envs_dirs(struct names *folders, const char *root, char *const *env);

/* The text with ~/ at its start, $NAME and ${NAME} replaced, as Python's expanduser and expandvars
   do for conda; what is not set stays as it is. malloc'ed; NULL if memory ran out. */
char *condarc_expand(const char *text, char *const *env);
