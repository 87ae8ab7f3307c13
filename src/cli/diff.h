/*
 * What would change in a file, as diff(1) shows it.
 */
#pragma once

#include "base/error.h"

/* Adds a unified diff from the file at the path `old`, or /dev/null, to the text; `name` is what
   the diff calls the file. STATUS_SYSTEM where diff(1) cannot be run. */
int diff_add(struct strbuf *out, const char *name, const char *old, const struct strbuf *text,
             struct error *err);
