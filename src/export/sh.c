#include "export/export.h"

#include "base/scope.h"
#include "hook/shell.h"

#include <string.h>

static void quote(struct strbuf *out, const char *text)
{
    quote_sh(out, text, strlen(text));
}

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
    quote(&element, text);
    quote(&between, separator);
    const char *e = strbuf_text(&element), *b = strbuf_text(&between);
    strbuf_addf(out, "case %s\"${%s-}\"%s in *%s%s%s*) ;; *) %s=", b, name, b, b, e, b, name);
    if (var->kind == VAR_PREPEND)
        strbuf_addf(out, "%s${%s:+%s\"$%s\"}", e, name, b, name);
    else
        strbuf_addf(out, "${%s:+\"$%s\"%s}%s", name, name, b, e);
    strbuf_addf(out, " ;; esac; export %s\n", name);
    return element.failed || between.failed ? -1 : 0;
}

static int add(struct strbuf *out, const struct exported *what, const struct var *var)
{
    scope(free_text) char *value = var->value ? export_expand(what, var->value) : NULL;

    if (var->kind == VAR_UNSET)
        return strbuf_addf(out, "unset -v %s\n", var->name), 0;
    if (var->kind != VAR_SET)
        return add_list(out, what, var);
    strbuf_addf(out, "export %s=", var->name);
    quote(out, value ? value : "");
    strbuf_addc(out, '\n');
    return value ? 0 : -1;
}

int export_sh(struct strbuf *out, const struct exported *what, struct error *err)
{
    for (size_t i = 0; i < what->plan->variables.count; i++)
        if (add(out, what, &what->plan->variables.items[i]) < 0)
            return error_memory(err);
    return 0;
}
