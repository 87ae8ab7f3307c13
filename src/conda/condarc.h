/*
 * What conda's configuration says of where environments are: `envs_dirs` and `root_prefix` of all
 * condarc files, and the variables CONDA_ENVS_PATH, CONDA_ENVS_DIRS and CONDA_ROOT_PREFIX, which
 * come before them. All other keys are passed over. (conda, conda/base/constants.py: SEARCH_PATH;
 * conda/common/configuration.py: merge, YamlRawParameter.)
 *
 * The files, the most important first; each also as `condarc`, and as the *.yml and *.yaml in a
 * folder `condarc.d`, but for the second and the first:
 *   $CONDARC; the active environment's .condarc; ~/.condarc; ~/.conda/.condarc;
 *   ~/.config/conda/.condarc; $XDG_CONFIG_HOME/conda/.condarc; the installation's .condarc;
 *   /var/lib/conda/.condarc; /etc/conda/.condarc.
 *
 * Marks in comments change that order. A key marked `#!final` silences the files before it in this
 * list, and the variables. A folder marked `#!top` is searched before all others, one marked
 * `#!bottom` after them; of several the least important file's comes very first, or very last.
 */
#pragma once

#include "section/vars.h"

struct condarc {
    struct names envs_dirs; /* in the order in which conda searches them */
    char *root_prefix;      /* what conda takes for its installation; NULL: where it really is */
};

/* `root` is where conda is installed; NULL where that is not known. A file that cannot be read says
   nothing: conda itself will complain. At most 1000 folders are read of one file. -1 if memory ran
   out. */
int condarc_read(struct condarc *condarc, const char *root, char *const *env);
void condarc_release(struct condarc *condarc);

/* The text with ~/ at its start, $NAME and ${NAME} replaced, as Python's expanduser and expandvars
   do for conda; what is not set stays as it is. malloc'ed; NULL if memory ran out. */
char *condarc_expand(const char *text, char *const *env);
