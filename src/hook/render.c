#include "hook/render.h"

#include "base/scope.h"
#include "hook/signature.h"
#include "hook/template.h"

#include <string.h>

static void add_printable(struct values *values, const char *name, const char *text)
{
    scope(strbuf_release) struct strbuf printable = STRBUF_INIT;

    strbuf_add_printable(&printable, text, strlen(text));
    values_text(values, name, printable.failed ? NULL : strbuf_text(&printable));
}

static void add_built(struct values *values, const char *name, struct strbuf *text)
{
    values_text(values, name, text->failed ? NULL : strbuf_text(text));
}

static void add_device(struct values *device, const struct planned_device *planned)
{
    char uuid[UUID_TEXT_SIZE], address[PCI_TEXT_SIZE], memory[MEMORY_TEXT_SIZE];

    if (planned->number == PLAN_NO_NUMBER)
        values_text(device, "number", "-");
    else
        values_textf(device, "number", "%zu", planned->number);
    add_printable(device, "name", planned->device.name);
    values_text(device, "memory", memory_text(planned->device.memory, memory));
    values_text(device, "address", pci_text(&planned->device.pci, address));
    values_text(device, "uuid", uuid_text(&planned->device, uuid));
}

/* What is to be said of the GPUs beside a list of them, or in place of one. */
static void add_about(struct values *root, const struct plan *plan)
{
    static const char *const about[] = {
        [PLAN_GPUS_AS_BEFORE] = "the GPUs are left as they are.",
        [PLAN_GPUS_ALL] = "all GPUs of this machine: CUDA_VISIBLE_DEVICES is unset.",
        [PLAN_GPUS_NONE] = "no GPU: CUDA_VISIBLE_DEVICES=-1 hides them all.",
    };

    if (plan->gpus != PLAN_GPUS_CHOSEN)
        values_text(values_each(root, "about"), "text", about[plan->gpus]);
    else if (plan->unconfirmed)
        values_textf(values_each(root, "about"), "text",
                     "CUDA_VISIBLE_DEVICES=%s, which no driver has confirmed: there was none.",
                     plan_visible(plan));
}

static void add_devices(struct values *root, const struct plan *plan)
{
    for (size_t i = 0; plan->gpus == PLAN_GPUS_CHOSEN && i < plan->device_count; i++) {
        struct values *device = values_each(root, "devices");
        values_textf(device, "ordinal", "%zu", i);
        add_device(device, &plan->devices[i]);
    }
    add_about(root, plan);
}

static bool is_visible(const char *name)
{
    return strcmp(name, "CUDA_VISIBLE_DEVICES") == 0;
}

static bool is_list(const struct var *var)
{
    return var->kind == VAR_PREPEND || var->kind == VAR_APPEND;
}

/* ---- what all branches have in common ---- */

/* The first setting of this name. */
static const struct var *find_setting(const struct render *in, const char *name)
{
    const struct var *found = NULL;

    for (size_t i = 0; i < in->branch_count && !found; i++)
        found = vars_find(&in->branches[i].plan->variables, name);
    return found;
}

static bool any_setting(const struct render *in, bool (*is_such)(const struct var *))
{
    for (size_t b = 0; b < in->branch_count; b++)
        for (size_t i = 0; i < in->branches[b].plan->variables.count; i++)
            if (is_such(&in->branches[b].plan->variables.items[i]))
                return true;
    return false;
}

static bool is_unset(const struct var *var)
{
    return var->kind == VAR_UNSET;
}

static bool is_prepend(const struct var *var)
{
    return var->kind == VAR_PREPEND;
}

static bool is_append(const struct var *var)
{
    return var->kind == VAR_APPEND;
}

static bool refers(const struct render *in, const char *name)
{
    for (size_t b = 0; b < in->branch_count; b++)
        for (size_t i = 0; i < in->branches[b].plan->variables.count; i++) {
            const struct var *var = &in->branches[b].plan->variables.items[i];
            if ((var->value && shell_value_refers(var->value, name)) ||
                (var->separator && shell_value_refers(var->separator, name)))
                return true;
        }
    return false;
}

/* ---- settings ---- */

static void add_words(struct values *scope, const struct shell *shell, const struct var *var)
{
    scope(strbuf_release) struct strbuf value = STRBUF_INIT;
    scope(strbuf_release) struct strbuf separator = STRBUF_INIT;
    scope(strbuf_release) struct strbuf pattern = STRBUF_INIT;

    if (!var->value)
        return;
    shell_quote_value(shell, &value, var->value);
    add_built(scope, "value", &value);
    if (!is_list(var))
        return;
    shell_quote_value(shell, &separator, var->separator);
    add_built(scope, "separator", &separator);
    shell_quote_pattern(shell, &pattern, var->separator);
    shell_quote_pattern(shell, &pattern, var->value);
    shell_quote_pattern(shell, &pattern, var->separator);
    add_built(scope, "pattern", &pattern);
}

static void add_kind(struct values *scope, const struct shell *shell, const struct var *var)
{
    static const char *const kinds[] = {[VAR_SET] = "set",
                                        [VAR_UNSET] = "unset",
                                        [VAR_PREPEND] = "prepend",
                                        [VAR_APPEND] = "append"};

    add_words(values_each(scope, kinds[var->kind]), shell, var);
}

static void add_branch(struct values *root, const struct shell *shell, const struct branch *branch)
{
    struct values *scope = values_each(root, "branches");

    for (size_t i = 0; i < branch->plan->variables.count; i++) {
        const struct var *var = &branch->plan->variables.items[i];
        struct values *setting = values_each(scope, "settings");
        values_text(setting, "name", var->name);
        add_kind(setting, shell, var);
    }
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

/* `managed` begins with what the plan sets. */
static void add_names(struct values *root, const struct render *in, const struct shell *shell)
{
    scope(strbuf_release) struct strbuf names = STRBUF_INIT;
    scope(strbuf_release) struct strbuf lists = STRBUF_INIT;
    scope(strbuf_release) struct strbuf all = STRBUF_INIT;
    size_t column = 0, list_column = 0, all_column = 0;

    for (size_t i = 0; i < in->managed->count; i++) {
        const char *name = in->managed->items[i];
        const struct var *var = find_setting(in, name);
        if (is_visible(name))
            continue;
        struct values *managed = values_each(root, "managed");
        values_text(managed, "name", name);
        add_word(&all, &all_column, name);
        if (!var)
            continue;
        struct values *set = values_each(root, "names");
        values_text(set, "name", name);
        add_words(values_each(set, is_list(var) ? "list" : "plain"), shell, var);
        add_word(&names, &column, name);
        if (!is_list(var))
            continue;
        add_kind(managed, shell, var);
        add_word(&lists, &list_column, name);
    }
    add_built(root, "names", &names);
    add_built(root, "list_names", &lists);
    add_built(root, "managed_names", &all);
}

/* ---- CUDA_VISIBLE_DEVICES ---- */

static void add_visible(struct values *root, const struct plan *plan)
{
    bool in_job = plan->in_job == IN_JOB_KEEP, if_set = plan->if_set == IF_SET_KEEP;
    struct values *visible = values_each(root, "visible");

    if (!in_job && !if_set)
        return;
    struct values *stands = values_each(visible, "stands");
    values_each(stands, in_job && if_set ? "always" : in_job ? "in_job" : "if_set");
}

static void add_decisions(struct values *root, const struct render *in)
{
    static const struct {
        const char *name;
        bool (*is_such)(const struct var *);
    } kinds[] = {
        {"unsets", is_unset}, {"lists", is_list}, {"prepends", is_prepend}, {"appends", is_append}};
    bool decides = find_setting(in, "CUDA_VISIBLE_DEVICES") != NULL;

    if (decides)
        add_visible(root, in->branches[0].plan);
    if (names_have(in->managed, "CUDA_VISIBLE_DEVICES"))
        values_each(root, "shown");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (!any_setting(in, kinds[i].is_such))
            continue;
        struct values *kind = values_each(root, kinds[i].name);
        if (decides)
            values_each(kind, "visible");
    }
}

/* ---- a hook ---- */

static void add_head(struct values *root, const struct render *in, const struct shell *shell)
{
    scope(strbuf_release) struct strbuf job = STRBUF_INIT;

    add_printable(root, "environment", in->environment);
    add_printable(root, "source", in->source);
    values_text(root, "version", in->version);
    values_textf(root, "file", "env_vars.%s", shell->extension);
    values_textf(root, "state", STATE_PREFIX "%s", in->key);
    values_text(root, "digest", HOOK_UNSIGNED);
    shell->tell_job(&job);
    add_built(root, "job", &job);
    for (size_t i = 0; i < shell_reference_count; i++)
        if (refers(in, shell_references[i]))
            values_text(values_each(root, "references"), "name", shell_references[i]);
}

int render_hook(struct strbuf *out, const struct render *in, const struct shell *shell,
                const char *template_name, const char *template_text, struct error *err)
{
    struct values *root = values_new();

    add_head(root, in, shell);
    add_devices(root, in->branches[0].plan);
    add_decisions(root, in);
    add_names(root, in, shell);
    for (size_t i = 0; i < in->branch_count; i++)
        add_branch(root, shell, &in->branches[i]);

    scope(strbuf_release) struct strbuf text = STRBUF_INIT;
    int result = template_fill(&text, template_name, template_text, root, err);
    values_free(root);
    if (result == 0 && text.failed)
        result = error_memory(err);
    if (result < 0 || signature_sign(&text, in->prefix, template_name, err) < 0)
        return -1;
    strbuf_add(out, text.text, text.length);
    return out->failed ? error_memory(err) : 0;
}
