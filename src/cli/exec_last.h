/*
 * Which cards this user had last: a file with a UUID on each line, the last one first, in
 * XDG_STATE_HOME or ~/.local/state. It only serves --prefer last, so whatever fails is passed over.
 */
#pragma once

#include "base/names.h"

void last_read(struct names *uuids, char *const *env);

/* Puts these before those that are there. */
void last_write(const struct names *uuids, char *const *env);
