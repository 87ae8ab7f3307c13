#include "hook/branches.h"

#include "base/scope.h"

#include <stdio.h>
#include <string.h>

void values_built(struct values *values, const char *name, struct strbuf *text)
{
    values_text(values, name, text->failed ? NULL : strbuf_text(text));
}

#define VISIBLE "CUDA_VISIBLE_DEVICES"

static bool is_visible(const char *name)
{
    return strcmp(name, VISIBLE) == 0;
}

/* The first setting of this name. */
const struct var *branches_setting(const struct decision *decision, const char *name)
{
    const struct var *found = NULL;

    for (size_t i = 0; i < decision->branches.count && !found; i++)
        found = vars_find(&decision->branches.items[i].plan->variables, name);
    return found;
}

bool branches_any(const struct decision *decision, bool (*is_such)(const struct var *))
{
    for (size_t b = 0; b < decision->branches.count; b++)
        for (size_t i = 0; i < decision->branches.items[b].plan->variables.count; i++)
            if (is_such(&decision->branches.items[b].plan->variables.items[i]))
                return true;
    return false;
}

static bool is_decided(const struct decision *decision)
{
    return decision->by_user || decision->by_host;
}

/* ---- settings ---- */

/* Up to so many bytes, a line that names a variable five times is no longer than 180. */
enum { SHORT_NAME = 18 };

/* Whether the line that sets it would be longer: that of a list names it five times behind its
   element, another four times behind its value. */
static bool is_long(const struct var *var)
{
    enum { MOST = 108 };
    size_t name = strlen(var->name), value = var->value ? strlen(var->value) : 0;

    return var_is_list(var) ? name > SHORT_NAME : 4 * name + value > MOST;
}

static void add_words(struct values *scope, const struct shell *shell, const struct var *var)
{
    scope(strbuf_release) struct strbuf value = STRBUF_INIT;
    scope(strbuf_release) struct strbuf separator = STRBUF_INIT;
    scope(strbuf_release) struct strbuf pattern = STRBUF_INIT;

    if (!var->value)
        return;
    shell_quote_value(shell, &value, var->value);
    values_built(scope, "value", &value);
    if (!var_is_list(var))
        return;
    shell_quote_value(shell, &separator, var->separator);
    values_built(scope, "separator", &separator);
    shell_quote_pattern(shell, &pattern, var->separator);
    shell_quote_pattern(shell, &pattern, var->value);
    shell_quote_pattern(shell, &pattern, var->separator);
    values_built(scope, "pattern", &pattern);
}

static void add_kind(struct values *scope, const struct shell *shell, const struct var *var)
{
    static const char *const kinds[] = {[VAR_SET] = "set",
                                        [VAR_UNSET] = "unset",
                                        [VAR_PREPEND] = "prepend",
                                        [VAR_APPEND] = "append"};
    struct values *kind = values_each(scope, kinds[var->kind]);

    add_words(kind, shell, var);
    if (is_visible(var->name))
        values_each(kind, "is_visible");
    if (var_is_list(var))
        add_words(values_each(scope, "element"), shell, var);
}

/* Some lines by number, and whether the section's own keys are meant as well. */
static void add_lines(struct values *scope, const struct branch *branch)
{
    enum { MOST = 12 };
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;

    if (branch->lines.count)
        strbuf_adds(&text, branch->lines.count > 1 ? "lines " : "line ");
    for (size_t i = 0; i < branch->lines.count && i < MOST; i++)
        strbuf_addf(&text, "%s%s", i ? ", " : "", branch->lines.items[i]);
    if (branch->lines.count > MOST)
        strbuf_adds(&text, ", ...");
    if (branch->own_keys)
        strbuf_addf(&text, "%swhom no rule names", text.length ? "; " : "");
    values_built(scope, "lines", &text);
}

bool branches_have_numbers(const struct decision *decision, const struct shell *shell)
{
    return decision->picks.count && shell->picks;
}

static void tell_number(struct strbuf *out, const struct shell *shell, size_t number)
{
    char text[32], *items = text;
    const struct names names = {&items, 1, 0};

    snprintf(text, sizeof text, "%zu", number);
    shell->tell_patterns(out, "__gpu_who", &names);
}

static void add_case(struct values *scope, const struct render *in, const struct shell *shell,
                     const struct branch *branch)
{
    scope(strbuf_release) struct strbuf patterns = STRBUF_INIT;
    struct values *words = values_each(scope, "case");

    if (branches_have_numbers(in->decision, shell))
        tell_number(&patterns, shell, (size_t)(branch - in->decision->branches.items) + 1);
    else
        shell->tell_patterns(&patterns, "__gpu_who", &branch->who);
    values_built(words, "patterns", &patterns);
    values_text(words, "else", branch == in->decision->branches.items ? "" : "else ");
    add_lines(words, branch);
    if (!in->decision->by_host)
        values_devices(words, branch->plan);
    values_each(scope, "end");
}

static void add_branch(struct values *root, const struct render *in, const struct shell *shell,
                       const struct branch *branch)
{
    struct values *scope = values_each(root, "branches");

    if (is_decided(in->decision))
        add_case(scope, in, shell, branch);
    for (size_t i = 0; i < branch->plan->variables.count; i++) {
        const struct var *var = &branch->plan->variables.items[i];
        struct values *setting = values_each(scope, "settings");
        values_text(setting, "name", var->name);
        values_text(setting, "break", is_long(var) ? " \\\n      " : " ");
        add_kind(setting, shell, var);
    }
}

/* For each machine, which of its users are in which branch. */
static void add_picks(struct values *root, const struct decision *decision,
                      const struct shell *shell)
{
    struct values *picks = values_each(root, "picks");

    for (size_t i = 0; i < decision->picks.count; i++) {
        const struct machine *machine = &decision->picks.items[i];
        struct values *host = values_each(picks, "machines");
        values_text(host, "host", machine->host);
        for (size_t k = 0; k < machine->picks.count; k++) {
            const struct pick *pick = &machine->picks.items[k];
            scope(strbuf_release) struct strbuf patterns = STRBUF_INIT;
            struct values *users = values_each(host, "users");
            shell->tell_patterns(&patterns, "__gpu_who", &pick->users);
            values_built(users, "patterns", &patterns);
            values_text(users, "else", k ? "else " : "");
            values_textf(users, "number", "%zu", pick->number);
        }
    }
}

/* The decision itself: how to find who it is, and the branches. */
static void add_decided(struct values *root, const struct render *in, const struct shell *shell)
{
    scope(strbuf_release) struct strbuf hosts = STRBUF_INIT;
    const struct decision *decision = in->decision;

    if (branches_have_numbers(decision, shell))
        add_picks(root, decision, shell);
    else if (decision->by_host)
        values_each(root, "joined");
    values_text(root, "at", decision->by_user && decision->by_host ? "@" : "");
    values_text(root, "indent", is_decided(decision) ? "    " : "");
    if (is_decided(decision))
        values_each(root, "decided");
    if (decision->by_user)
        values_each(root, "by_user");
    if (!decision->by_host)
        return;
    shell->tell_patterns(&hosts, "__gpu_host", &decision->hosts);
    values_built(values_each(root, "by_host"), "hosts", &hosts);
}

/* ---- names ---- */

static void add_word(struct strbuf *words, size_t *column, const char *name)
{
    enum { WIDTH = 100 };
    size_t length = strlen(name) + 1;

    if (*column && *column + length > WIDTH) {
        strbuf_adds(words, " \\\n  ");
        *column = 0;
    } else if (words->length) {
        strbuf_addc(words, ' ');
    }
    strbuf_adds(words, name);
    *column += length;
}

/* What deactivation does with a list: the element, or each that a branch may have put in. True if
   there are several. */
static bool add_elements(struct values *managed, const struct decision *decision,
                         const struct shell *shell, const struct var *first)
{
    bool several = false;

    for (size_t i = 0; i < decision->branches.count; i++) {
        const struct var *var =
            vars_find(&decision->branches.items[i].plan->variables, first->name);
        several = several || (var && var_is_list(var) && !var_is_same(var, first));
    }
    if (!several) {
        add_kind(managed, shell, first);
        return false;
    }
    for (size_t i = 0; i < decision->branches.count; i++) {
        const struct var *var =
            vars_find(&decision->branches.items[i].plan->variables, first->name);
        bool seen = !var || !var_is_list(var);
        for (size_t k = 0; k < i && !seen; k++) {
            const struct var *earlier =
                vars_find(&decision->branches.items[k].plan->variables, first->name);
            seen = earlier && var_is_same(var, earlier);
        }
        if (!seen)
            add_kind(values_each(managed, "either"), shell, var);
    }
    return true;
}

/* The first setting of this name that is a list. */
static const struct var *find_list(const struct decision *decision, const char *name)
{
    for (size_t i = 0; i < decision->branches.count; i++) {
        const struct var *var = vars_find(&decision->branches.items[i].plan->variables, name);
        if (var && var_is_list(var))
            return var;
    }
    return NULL;
}

/* `managed` begins with what the branches set. */
static void add_names(struct values *root, const struct render *in, const struct shell *shell)
{
    scope(strbuf_release) struct strbuf names = STRBUF_INIT;
    scope(strbuf_release) struct strbuf all = STRBUF_INIT;
    size_t column = 0, all_column = 0;
    bool several = false;

    for (size_t i = 0; i < in->managed->count; i++) {
        const char *name = in->managed->items[i];
        const struct var *list = find_list(in->decision, name);
        if (is_visible(name))
            continue;
        struct values *managed = values_each(root, "managed");
        values_text(managed, "name", name);
        values_text(managed, "break", strlen(name) > SHORT_NAME ? " \\\n    " : " ");
        add_word(&all, &all_column, name);
        several = (list && add_elements(managed, in->decision, shell, list)) || several;
        if (branches_setting(in->decision, name))
            add_word(&names, &column, name);
    }
    if (several)
        values_each(root, "several");
    values_built(root, "names", &names);
    values_built(root, "managed_names", &all);
}

void branches_add(struct values *root, const struct render *in, const struct shell *shell)
{
    add_decided(root, in, shell);
    add_names(root, in, shell);
    for (size_t i = 0; i < in->decision->branches.count; i++)
        add_branch(root, in, shell, &in->decision->branches.items[i]);
}
