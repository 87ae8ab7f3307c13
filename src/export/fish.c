#include "export/export.h"

#include "base/scope.h"
#include "hook/shell.h"

#include <string.h>

/* The element in front or behind, unless it is there. */
static int add_list(struct strbuf *out, const struct exported *what, const struct var *var)
{
    scope(free_text) char *text = export_expand(what, var->value);
    scope(free_text) char *separator = export_expand(what, var->separator);
    scope(strbuf_release) struct strbuf element = STRBUF_INIT;
    scope(strbuf_release) struct strbuf between = STRBUF_INIT;
    const char *name = var->name;

    if (!text || !separator)
        return -1;
    quote_fish(&element, text, strlen(text));
    quote_fish(&between, separator, strlen(separator));
    const char *e = strbuf_text(&element), *b = strbuf_text(&between);
    strbuf_addf(out,
                "if test -z \"$%s\"; set -gx %s %s; "
                "else if not contains -- %s (string split -- %s \"$%s\"); set -gx %s ",
                name, name, e, e, b, name, name);
    if (var->kind == VAR_PREPEND)
        strbuf_addf(out, "%s%s\"$%s\"; end\n", e, b, name);
    else
        strbuf_addf(out, "\"$%s\"%s%s; end\n", name, b, e);
    return element.failed || between.failed ? -1 : 0;
}

static int add(struct strbuf *out, const struct exported *what, const struct var *var)
{
    scope(free_text) char *value = var->value ? export_expand(what, var->value) : NULL;

    if (var->kind == VAR_UNSET)
        return strbuf_addf(out, "set -e %s\n", var->name), 0;
    if (var->kind != VAR_SET)
        return add_list(out, what, var);
    strbuf_addf(out, "set -gx %s ", var->name);
    quote_fish(out, value ? value : "", value ? strlen(value) : 0);
    strbuf_addc(out, '\n');
    return value ? 0 : -1;
}

int export_fish(struct strbuf *out, const struct exported *what, struct error *err)
{
    for (size_t i = 0; i < what->plan->variables.count; i++)
        if (add(out, what, &what->plan->variables.items[i]) < 0)
            return error_memory(err);
    return 0;
}
