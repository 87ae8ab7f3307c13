/*
 * What a plan wants of one variable, and the lists that some are: the section's `variables:`.
 * Texts are interned (intern.h).
 */
#pragma once

#include <stdbool.h>

enum change { CHANGE_NOTHING, CHANGE_SET, CHANGE_UNSET, CHANGE_PREPEND, CHANGE_APPEND };

struct wish {
    enum change change;
    const char *text;
    const char *separator; /* NULL: ":" */
};

/* Lists: an element is whole between separators, and may itself hold separators. */
bool list_has(const char *list, const char *element, const char *separator);
const char *list_joined(const char *list, const char *element, const char *separator, bool first);
/* NULL if it is not there. */
const char *list_without(const char *list, const char *element, const char *separator, bool first);

const char *wish_separator(const struct wish *wish);
bool wish_is_list(const struct wish *wish);
/* Its text, with ${CONDA_PREFIX} replaced. */
const char *wish_text(const struct wish *wish, const char *prefix);

/* Whether the list has its element already. */
bool wish_has(const struct wish *wish, const char *prefix, const char *list);
/* What it makes of the value that is there; NULL: unset. A list's own element is put in once. */
const char *wish_granted(const struct wish *wish, const char *prefix, const char *value);
