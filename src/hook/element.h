/*
 * An element of a variable that is a list, such as LD_LIBRARY_PATH: what prepend and append put in,
 * and what deactivation takes out again. For enact.h. All texts that are returned are malloc'ed,
 * and NULL where memory ran out.
 *
 *     scope(element_release) struct element element = {0};
 *     if (element_make(&element, &env, var) < 0) ...
 *     bool there;
 *     element_find(&element, "/usr/lib:/lib", &there)
 */
#pragma once

#include "base/env.h"
#include "section/vars.h"

struct element {
    enum var_kind kind;
    char *text;
    char *separator;
    char *closed; /* the text with the separator on both sides */
};

/* The text with ${CONDA_PREFIX} and the like replaced by what this environment has. */
char *value_expand(const char *text, const struct env *env);

/* For VAR_PREPEND and VAR_APPEND. -1 if memory ran out. */
int element_make(struct element *element, const struct env *env, const struct var *var);
void element_release(struct element *element);

/* Whether it is in the list. -1 if memory ran out. */
int element_find(const struct element *element, const char *list, bool *there);

/* The list with it at the end where it belongs; the same list where it is there. */
char *element_put_in(const struct element *element, const char *list);

/* The list without one of it, the first for prepend and the last for append. */
char *element_take_out(const struct element *element, const char *list);
