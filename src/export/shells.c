/* Lines for a shell to evaluate. To a list an element is added in front or behind, unless it is
   there. */
#include "export/export.h"

#include "base/scope.h"
#include "hook/shell.h"

#include <string.h>

struct dialect {
    const char *unset, *set, *is; /* "unset -v", "export", "=" */
    void (*quote)(struct strbuf *out, const char *text, size_t length);
    /* Both texts are quoted. */
    void (*add_list)(struct strbuf *out, const struct var *var, const char *element,
                     const char *between);
};

static void add_list_sh(struct strbuf *out, const struct var *var, const char *e, const char *b)
{
    const char *name = var->name;

    strbuf_addf(out, "case %s\"${%s-}\"%s in *%s%s%s*) ;; *) %s=", b, name, b, b, e, b, name);
    if (var->kind == VAR_PREPEND)
        strbuf_addf(out, "%s${%s:+%s\"$%s\"}", e, name, b, name);
    else
        strbuf_addf(out, "${%s:+\"$%s\"%s}%s", name, name, b, e);
    strbuf_addf(out, " ;; esac; export %s\n", name);
}

static void add_list_fish(struct strbuf *out, const struct var *var, const char *e, const char *b)
{
    const char *name = var->name;

    strbuf_addf(out,
                "if test -z \"$%s\"; set -gx %s %s; "
                "else if not contains -- %s (string split -- %s \"$%s\"); set -gx %s ",
                name, name, e, e, b, name, name);
    if (var->kind == VAR_PREPEND)
        strbuf_addf(out, "%s%s\"$%s\"; end\n", e, b, name);
    else
        strbuf_addf(out, "\"$%s\"%s%s; end\n", name, b, e);
}

/* Adds a value or a separator as one word. */
static void add_word(const struct dialect *dialect, struct strbuf *out, const struct exported *what,
                     const char *value)
{
    scope(free_text) char *text = export_expand(what, value);

    if (text)
        dialect->quote(out, text, strlen(text));
    out->failed = out->failed || !text;
}

static void add(const struct dialect *dialect, struct strbuf *out, const struct exported *what,
                const struct var *var)
{
    scope(strbuf_release) struct strbuf value = STRBUF_INIT;
    scope(strbuf_release) struct strbuf between = STRBUF_INIT;

    if (var->value)
        add_word(dialect, &value, what, var->value);
    if (var->separator)
        add_word(dialect, &between, what, var->separator);
    if (var->kind == VAR_UNSET)
        strbuf_addf(out, "%s %s\n", dialect->unset, var->name);
    else if (var->kind == VAR_SET)
        strbuf_addf(out, "%s %s%s%s\n", dialect->set, var->name, dialect->is, strbuf_text(&value));
    else
        dialect->add_list(out, var, strbuf_text(&value), strbuf_text(&between));
    out->failed = out->failed || value.failed || between.failed;
}

static int add_all(const struct dialect *dialect, struct strbuf *out, const struct exported *what,
                   struct error *err)
{
    for (size_t i = 0; i < what->plan->variables.count; i++)
        add(dialect, out, what, &what->plan->variables.items[i]);
    return out->failed ? error_memory(err) : 0;
}

static int export_sh(struct strbuf *out, const struct exported *what, struct error *err)
{
    static const struct dialect sh = {"unset -v", "export", "=", quote_sh, add_list_sh};

    return add_all(&sh, out, what, err);
}

const struct format sh_format = {"sh", export_sh, NULL, NULL};

static int export_fish(struct strbuf *out, const struct exported *what, struct error *err)
{
    static const struct dialect fish = {"set -e", "set -gx", " ", quote_fish, add_list_fish};

    return add_all(&fish, out, what, err);
}

const struct format fish_format = {"fish", export_fish, NULL, NULL};
