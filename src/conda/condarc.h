/*
 * What the program needs of ~/.condarc: envs_dirs. All other keys are passed over.
 */
#ifndef CONDA_GPU_CONDARC_H
#define CONDA_GPU_CONDARC_H

#include "section/vars.h"

/* Adds the folders as they are written, with ~ and $NAME in them. A file that is missing or that
   cannot be read adds none: conda itself will say so. At most 1000 are read. -1 if memory ran out.
 */
int condarc_envs_dirs(const char *path, struct names *folders);

#endif
