#include "hook/render.h"

#include "base/scope.h"
#include "hook/branches.h"
#include "hook/signature.h"
#include "hook/template.h"

#include <string.h>

static void add_printable(struct values *values, const char *name, const char *text)
{
    scope(strbuf_release) struct strbuf printable = STRBUF_INIT;

    strbuf_add_printable(&printable, text, strlen(text));
    values_text(values, name, printable.failed ? NULL : strbuf_text(&printable));
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
    else if (plan->unconfirmed && plan->devices.count)
        values_textf(values_each(root, "about"), "text",
                     "CUDA_VISIBLE_DEVICES=%s, from an inventory: no driver has confirmed it.",
                     plan_visible(plan));
    else if (plan->unconfirmed)
        values_textf(values_each(root, "about"), "text",
                     "CUDA_VISIBLE_DEVICES=%s, which no driver has confirmed: there was none.",
                     plan_visible(plan));
}

void values_devices(struct values *root, const struct plan *plan)
{
    for (size_t i = 0; plan->gpus == PLAN_GPUS_CHOSEN && i < plan->devices.count; i++) {
        struct values *device = values_each(root, "devices");
        values_textf(device, "ordinal", "%zu", i);
        add_device(device, &plan->devices.items[i]);
    }
    add_about(root, plan);
}

/* ---- what all branches have in common ---- */

static bool refers(const char *text, const char *name)
{
    const char *found;
    size_t length;

    for (; text && (text = var_reference_find(text, &length, &found)); text += length)
        if (strcmp(found, name) == 0)
            return true;
    return false;
}

static bool any_refers(const struct render *in, const char *name)
{
    for (size_t b = 0; b < in->decision->branches.count; b++)
        for (size_t i = 0; i < in->decision->branches.items[b].plan->variables.count; i++) {
            const struct var *var = &in->decision->branches.items[b].plan->variables.items[i];
            if (refers(var->value, name) || refers(var->separator, name))
                return true;
        }
    return false;
}

/* ---- CUDA_VISIBLE_DEVICES ---- */

/* Where a value that others gave CUDA_VISIBLE_DEVICES stands. */
enum stands { STANDS_NOWHERE, STANDS_IN_JOB, STANDS_IF_SET, STANDS_ALWAYS, STANDS_OUTSIDE };

static const char *const stands_words[] = {[STANDS_NOWHERE] = "nowhere",
                                           [STANDS_IN_JOB] = "in_job",
                                           [STANDS_IF_SET] = "if_set",
                                           [STANDS_ALWAYS] = "always",
                                           [STANDS_OUTSIDE] = "nowhere"};

static int stands_of(const struct plan *plan)
{
    bool in_job = plan->in_job == IN_JOB_KEEP, if_set = plan->if_set == IF_SET_KEEP;

    if (!vars_find(&plan->variables, "CUDA_VISIBLE_DEVICES"))
        return STANDS_OUTSIDE; /* it has no say in the variable */
    return in_job && if_set ? STANDS_ALWAYS
           : in_job         ? STANDS_IN_JOB
           : if_set         ? STANDS_IF_SET
                            : STANDS_NOWHERE;
}

/* Where the branches differ in that, who has which. */
static void add_mixed(struct values *visible, const struct groups *groups,
                      const struct shell *shell)
{
    struct values *mixed = values_each(visible, "mixed");
    for (size_t i = 0; i < groups->count; i++) {
        scope(strbuf_release) struct strbuf patterns = STRBUF_INIT;
        struct values *mode = values_each(mixed, "modes");
        shell->tell_patterns(&patterns, "__gpu_who", &groups->items[i].who);
        values_built(mode, "patterns", &patterns);
        values_text(mode, "else", i ? "else " : "");
        values_each(mode, stands_words[groups->items[i].kind]);
    }
}

static void add_visible(struct values *root, const struct render *in, const struct shell *shell)
{
    scope(groups_release) struct groups groups = {0};
    struct values *visible = values_each(root, "visible");

    if (decision_group(&groups, in->decision, branches_have_numbers(in->decision, shell),
                       stands_of) < 0) {
        values_text(visible, "failed", NULL);
        return;
    }
    if (groups.count > 1)
        add_mixed(visible, &groups, shell);
    else
        values_each(visible, stands_words[groups.items[0].kind]);
    if (groups.count > 1 || groups.items[0].kind != STANDS_NOWHERE)
        values_each(visible, "stands");
}

static void add_decisions(struct values *root, const struct render *in, const struct shell *shell)
{
    if (branches_setting(in->decision, "CUDA_VISIBLE_DEVICES"))
        add_visible(root, in, shell);
    if (names_have(in->managed, "CUDA_VISIBLE_DEVICES"))
        values_each(root, "shown");
    if (branches_any(in->decision, var_is_list))
        values_each(root, "lists");
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
    values_built(root, "job", &job);
    for (size_t i = 0; i < var_reference_count; i++)
        if (any_refers(in, var_references[i]))
            values_text(values_each(root, "references"), "name", var_references[i]);
}

/* For whom it is, as the first line says, and what is to be said of their GPUs. */
static void add_whom(struct values *root, const struct render *in)
{
    const struct decision *decision = in->decision;
    static const char *const whom[] = {"", ", by user", ", by machine", ", by user and machine"};

    values_text(root, "whom", whom[decision->by_user + 2 * decision->by_host]);
    if (!decision->by_user && !decision->by_host)
        values_devices(root, decision->branches.items[0].plan);
    else if (decision->by_host)
        values_text(values_each(root, "about"), "text",
                    in->unconfirmed
                        ? "etc/conda/conda-gpu.yml has the GPUs of each machine, of which "
                          "no driver has confirmed all."
                        : "etc/conda/conda-gpu.yml has the GPUs of each machine.");
}

int render_hook(struct strbuf *out, const struct render *in, const struct shell *shell,
                const char *template_name, const char *template_text, struct error *err)
{
    struct values *root = values_new();

    add_head(root, in, shell);
    add_whom(root, in);
    add_decisions(root, in, shell);
    branches_add(root, in, shell);

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
