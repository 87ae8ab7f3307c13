/*
 * Which files a section is read from: environment.yml of this folder, or the one that -f names, and
 * gpu.yml beside it. Reads them.
 */
#pragma once

#include "section/section.h"

/*
 * `named` is what -f says, "-" for standard input; NULL: environment.yml or environment.yaml, and
 * gpu.yml, in this folder. Of the two, the one that is not named is looked for beside the other;
 * a file of another name is read alone. A pipe that is named may take that many seconds.
 */
int files_read(struct section *section, const char *named, unsigned seconds, struct error *err);
