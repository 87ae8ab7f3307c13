#include "hook/element.h"

#include "base/scope.h"
#include "base/strbuf.h"

#include <string.h>

char *value_expand(const char *text, const struct env *env)
{
    scope(strbuf_release) struct strbuf out = STRBUF_INIT;

    strbuf_adds(&out, "");
    while (*text) {
        const char *name, *value = NULL;
        size_t length = var_reference_length(text, &name);
        if (length)
            value = env_value(env, name);
        else
            strbuf_addc(&out, *text);
        strbuf_adds(&out, value ? value : "");
        text += length ? length : 1;
    }
    return strbuf_take(&out);
}

int element_make(struct element *element, const struct env *env, const struct var *var)
{
    element->kind = var->kind;
    element->text = value_expand(var->value, env);
    element->separator = value_expand(var->separator, env);
    if (element->text && element->separator)
        element->closed =
            format_text("%s%s%s", element->separator, element->text, element->separator);
    return element->closed ? 0 : -1;
}

void element_release(struct element *element)
{
    free(element->text);
    free(element->separator);
    free(element->closed);
}

/* The list between two separators. */
static char *close_list(const struct element *element, const char *list)
{
    return format_text("%s%s%s", element->separator, list, element->separator);
}

int element_find(const struct element *element, const char *list, bool *there)
{
    scope(free_text) char *closed = close_list(element, list);

    *there = closed && strstr(closed, element->closed);
    return closed ? 0 : -1;
}

char *element_put_in(const struct element *element, const char *list)
{
    bool there, first = element->kind == VAR_PREPEND;

    if (element_find(element, list, &there) < 0)
        return NULL;
    if (there || !*list)
        return strdup(there ? list : element->text);
    return format_text("%s%s%s", first ? element->text : list, element->separator,
                       first ? list : element->text);
}

char *element_take_out(const struct element *element, const char *list)
{
    scope(free_text) char *closed = close_list(element, list);
    size_t ends = strlen(element->separator), length = strlen(element->closed);

    if (!closed)
        return NULL;
    char *found = strstr(closed, element->closed), *next = found;
    while (next && element->kind == VAR_APPEND && (next = strstr(next + 1, element->closed)))
        found = next;
    if (!found)
        return strdup(list);
    memmove(found + ends, found + length, strlen(found + length) + 1);
    size_t left = strlen(closed);
    return left <= 2 * ends ? strdup("") : strndup(closed + ends, left - 2 * ends);
}
