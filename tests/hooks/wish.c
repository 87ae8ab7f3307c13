#include "hooks/wish.h"

#include "hooks/intern.h"

#include <string.h>

/* ---- lists ---- */

/* Where the element begins in the list; -1 if it is not there. */
static long place(const char *list, const char *element, const char *separator, bool first)
{
    const char *whole = intern_joined(separator, list, separator);
    const char *wanted = intern_joined(separator, element, separator);
    const char *found = strstr(whole, wanted), *next = found;

    while (!first && next && (next = strstr(next + 1, wanted)))
        found = next;
    return found ? (long)(found - whole) : -1;
}

bool list_has(const char *list, const char *element, const char *separator)
{
    return list && place(list, element, separator, true) >= 0;
}

const char *list_joined(const char *list, const char *element, const char *separator, bool first)
{
    if (!list || !*list)
        return intern(element);
    return first ? intern_joined(element, separator, list)
                 : intern_joined(list, separator, element);
}

const char *list_without(const char *list, const char *element, const char *separator, bool first)
{
    long at = list ? place(list, element, separator, first) : -1;

    if (at < 0)
        return NULL;
    size_t gap = strlen(separator), end = (size_t)at + strlen(element);
    const char *before = intern_part(list, (size_t)at > gap ? (size_t)at - gap : 0);
    const char *after = end < strlen(list) ? list + end + gap : NULL;
    if (!after || !at)
        return intern(after ? after : before);
    return intern_joined(before, separator, after);
}

/* ---- wishes ---- */

const char *wish_separator(const struct wish *wish)
{
    return wish->separator ? wish->separator : ":";
}

bool wish_is_list(const struct wish *wish)
{
    return wish->change == CHANGE_PREPEND || wish->change == CHANGE_APPEND;
}

/* There is at most one ${CONDA_PREFIX}. */
const char *wish_text(const struct wish *wish, const char *prefix)
{
    static const char reference[] = "${CONDA_PREFIX}";
    const char *at = wish->text ? strstr(wish->text, reference) : NULL;

    if (!at)
        return intern(wish->text);
    return intern_joined(intern_part(wish->text, (size_t)(at - wish->text)), prefix,
                         at + strlen(reference));
}

bool wish_has(const struct wish *wish, const char *prefix, const char *list)
{
    return list_has(list, wish_text(wish, prefix), wish_separator(wish));
}

/* What it makes of the value that is there. An element that a list has already is not put in. */
const char *wish_granted(const struct wish *wish, const char *prefix, const char *value)
{
    const char *text = wish_text(wish, prefix);

    if (wish_is_list(wish))
        return wish_has(wish, prefix, value)
                   ? value
                   : list_joined(value, text, wish_separator(wish), wish->change == CHANGE_PREPEND);
    return wish->change == CHANGE_UNSET ? NULL : text;
}
