/*
 * A list of texts, each once, in the order in which they came.
 *
 *     scope(names_release) struct names names = {0};
 *     if (names_add(&names, "PATH") < 0) ... memory ran out
 */
#pragma once

#include "base/array.h"

#include <stdbool.h>

struct names array_of(char *);

/* Adds a copy unless it is there. -1 if memory ran out. */
int names_add(struct names *names, const char *name);
int names_add_all(struct names *names, const struct names *others);
/* Adds what a folder holds, "." and ".." too, in the order of the bytes, to a list that has none of
   it; `path` begins at an open folder, or at AT_FDCWD. -1 with errno; some may have been added. */
int names_add_those_in(struct names *names, int folder, const char *path);
bool names_have(const struct names *names, const char *name);
/* In the same order. */
bool names_are_same(const struct names *one, const struct names *other);
void names_release(struct names *names);
