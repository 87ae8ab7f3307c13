/*
 * The part of a hook that is about variables: who gets which, for render.c.
 */
#pragma once

#include "hook/render.h"
#include "hook/template.h"

/* Adds @each decided@, @each branches@ and @each managed@, and the names as words. */
void branches_add(struct values *root, const struct render *in, const struct shell *shell);

/* The first setting of this name that any branch has; NULL: none has. */
const struct var *branches_setting(const struct decision *decision, const char *name);

/* Whether this shell tells the branches by their numbers. */
bool branches_have_numbers(const struct decision *decision, const struct shell *shell);

/* Whether any branch has such a setting. */
bool branches_any(const struct decision *decision, bool (*is_such)(const struct var *));

/* Adds a text that was built, or that memory ran out. */
void values_built(struct values *values, const char *name, struct strbuf *text);

/* Adds @each devices@ and @each about@. */
void values_devices(struct values *values, const struct plan *plan);
