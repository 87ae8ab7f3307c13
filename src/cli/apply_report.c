#include "cli/apply.h"
#include "cli/diff.h"

#include "base/env.h"
#include "base/file.h"
#include "base/scope.h"
#include "base/table.h"
#include "section/job.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static void print_devices(const struct apply *apply)
{
    scope(table_release) struct table table = TABLE_INIT(6);
    scope(strbuf_release) struct strbuf lines = STRBUF_INIT;

    for (size_t i = 0; i < apply->found.plan.device_count; i++) {
        const struct planned_device *planned = &apply->found.plan.devices[i];
        char ordinal[32], number[32] = "GPU -";
        char memory[MEMORY_TEXT_SIZE], address[PCI_TEXT_SIZE], uuid[UUID_TEXT_SIZE];
        snprintf(ordinal, sizeof ordinal, "cuda:%zu", i);
        if (planned->number != PLAN_NO_NUMBER)
            snprintf(number, sizeof number, "GPU %zu", planned->number);
        table_cell(&table, ordinal);
        table_cell(&table, number);
        table_cell(&table, planned->device.name);
        table_cell(&table, memory_text(planned->device.memory, memory));
        table_cell(&table, pci_text(&planned->device.pci, address));
        table_cell(&table, uuid_text(&planned->device, uuid));
    }
    table_print(&table, &lines);
    cli_write(&lines);
}

static void print_variables(const struct apply *apply)
{
    static const char *const kinds[] = {[VAR_SET] = "set",
                                        [VAR_UNSET] = "unset",
                                        [VAR_PREPEND] = "prepend",
                                        [VAR_APPEND] = "append"};

    for (size_t i = 0; i < apply->found.plan.variables.count; i++) {
        const struct var *var = &apply->found.plan.variables.items[i];
        cli_print(apply->options, "%-10s %s%s%s", kinds[var->kind], var->name,
                  var->value ? "=" : "", var->value ? var->value : "");
    }
}

static void print_gpus(const struct apply *apply)
{
    const struct plan *plan = &apply->found.plan;
    int version = apply->found.machine.driver_version;

    if (plan->gpus == PLAN_GPUS_AS_BEFORE)
        cli_print(apply->options, "GPUs are left alone, since %s has no 'devices'",
                  apply->section.file);
    else if (plan->gpus == PLAN_GPUS_ALL)
        cli_print(apply->options, "all GPUs: CUDA_VISIBLE_DEVICES is unset");
    else if (plan->gpus == PLAN_GPUS_NONE)
        cli_print(apply->options, "no GPU: CUDA_VISIBLE_DEVICES=%s", plan_visible(plan));
    else if (plan->unconfirmed)
        cli_print(apply->options, "not confirmed by a driver: CUDA_VISIBLE_DEVICES=%s",
                  plan_visible(plan));
    else
        cli_print(apply->options, "confirmed by the driver (CUDA %d.%d): CUDA_VISIBLE_DEVICES=%s",
                  version / 1000, version % 1000 / 10, plan_visible(plan));
}

void apply_print_plan(const struct apply *apply)
{
    const struct options *options = apply->options;

    if (options->quiet)
        return;
    cli_print(options, "environment  %s  %s", apply->environment.name, apply->environment.path);
    print_devices(apply);
    print_gpus(apply);
    if (options->verbose)
        print_variables(apply);
}

/* Whoever may write to a folder on the way decides what our hooks are, or puts others beside them.
 */
static void warn_of_open_folders(const struct apply *apply)
{
    for (size_t i = 0; i <= RECEIPT_FOLDERS; i++)
        if (prefix_is_open_to_all(&apply->prefix, i ? receipt_folders[i - 1] : "."))
            cli_note(apply->options,
                     "everybody may write to %s%s%s, and so put commands there that run in your "
                     "shell at 'conda activate'; take that away with chmod o-w",
                     apply->environment.path, i ? "/" : "", i ? receipt_folders[i - 1] : "");
}

/* The active environment was taken, which is not the one that the file names. */
static bool is_another(const struct apply *apply)
{
    const struct environment *prefix = &apply->environment;
    const char *wanted = apply->section.name;

    if (apply->options->prefix || apply->options->name || !wanted)
        return false;
    if (strcmp(wanted, "root") == 0)
        wanted = "base"; /* conda's earlier name of it */
    return strcmp(wanted, prefix->name) != 0 && strcmp(wanted, prefix->called) != 0;
}

/* The name in the first ${NAME} that is not ${CONDA_PREFIX}; NULL if there is none. */
static const char *find_reference(const char *text, size_t *length)
{
    while ((text = strstr(text, "${"))) {
        bool expanded = strncmp(text, CONDA_PREFIX_REFERENCE, strlen(CONDA_PREFIX_REFERENCE)) == 0;
        text += 2;
        *length = var_name_length(text);
        if (!expanded && *length && text[*length] == '}')
            return text;
    }
    return NULL;
}

/* Such a value is set as it stands, which hardly anybody wants. */
static void note_reference(const struct apply *apply, const struct var *var)
{
    size_t length = 0, next = 0;
    const char *first = var->value ? find_reference(var->value, &length) : NULL;
    bool itself = false;

    next = length;
    for (const char *name = first; name; name = find_reference(name, &next))
        itself = itself || (next == strlen(var->name) && strncmp(name, var->name, next) == 0);
    if (first)
        cli_note(apply->options,
                 "%s: gpu.variables.%s: only ${CONDA_PREFIX} is expanded, so ${%.*s} stands in the "
                 "value as it is%s",
                 apply->section.file, var->name, (int)length, first,
                 itself ? "; {prepend: TEXT} and {append: TEXT} add to what is there" : "");
}

/* The hooks will not set it in this job, unless __CONDA_GPU_FREE_JOB says that they did. */
static void note_job(const struct apply *apply)
{
    char *const *env = apply->options->env;
    const char *visible = env_get(env, "CUDA_VISIBLE_DEVICES");

    const char *planned = plan_visible(&apply->found.plan);

    if (apply->found.plan.gpus == PLAN_GPUS_AS_BEFORE || apply->found.plan.in_job != IN_JOB_KEEP ||
        !visible || !job_is_running(env) || env_get_filled(env, "__CONDA_GPU_FREE_JOB") ||
        (planned && strcmp(visible, planned) == 0))
        return;
    cli_note(apply->options,
             "this shell is in a scheduler's job with CUDA_VISIBLE_DEVICES=%s, which stays so here "
             "(in_job: keep); in_job: override in %s changes that",
             visible, apply->section.file);
}

/* What `conda env config vars set` keeps (conda, core/prefix_data.py, "env_vars"). conda sets it
   before the hooks run and takes it away after them, so what they put back is lost. */
static void note_conda_variables(const struct apply *apply)
{
    static const char state[] = "conda-meta/state", unset[] = "***unset***";
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;
    scope(error_release) struct error unseen = ERROR_INIT;

    if (prefix_read(&apply->prefix, state, &text, &unseen) <= 0)
        return;
    json_t *root = json_loadb(strbuf_text(&text), text.length, 0, NULL);
    json_t *set = json_object_get(root, "env_vars");
    for (size_t i = 0; i < apply->found.plan.variables.count; i++) {
        const char *name = apply->found.plan.variables.items[i].name;
        const char *value = json_string_value(json_object_get(set, name));
        if (value && strcmp(value, unset) != 0)
            cli_note(apply->options,
                     "conda itself sets %s=%s in this environment, and does not put back what was "
                     "there: after deactivation it is empty or unset; take that away with 'conda "
                     "env config vars unset -p %s %s'",
                     name, value, apply->environment.path, name);
    }
    json_decref(root);
}

static void note_absence(const struct apply *apply)
{
    const char *why = error_first(&apply->found.absent);

    if (!apply->found.absent.count)
        return;
    if (apply->found.plan.gpus == PLAN_GPUS_NONE)
        cli_note(apply->options, "no GPU here, so as if_no_gpu: cpu asks, none is shown: %s", why);
    else if (apply->found.plan.unconfirmed)
        cli_note(apply->options,
                 "no GPU here, so as if_no_gpu: unconfirmed asks, 'devices' is taken as written: "
                 "%s",
                 why);
    else if (!apply->found.machine.absent)
        cli_note(apply->options, "this machine's GPUs cannot be shown: %s", why);
}

void apply_print_notes(const struct apply *apply)
{
    note_absence(apply);
    if (is_another(apply))
        cli_note(apply->options,
                 "using the active environment '%s', though %s names '%s'; -n chooses another",
                 apply->environment.name, apply->section.file, apply->section.name);
    if (apply->install.earlier.damaged || apply->install.earlier.missing)
        cli_note(apply->options,
                 "%s/" RECEIPT_PATH " is %s; what the hooks themselves tell is used instead",
                 apply->environment.path,
                 apply->install.earlier.missing ? "missing" : "damaged or of another version");
    note_job(apply);
    for (size_t i = 0; i < apply->section.variables.count; i++)
        note_reference(apply, &apply->section.variables.items[i]);
    note_conda_variables(apply);
    warn_of_open_folders(apply);
}

/* How a shell that has the environment active gets the new values. */
static void print_activation(const struct apply *apply)
{
    char *const *env = apply->options->env;
    const char *visible = env_get(env, "CUDA_VISIBLE_DEVICES");
    const char *name = env_get_filled(env, "CONDA_DEFAULT_ENV");
    const char *mamba = env_get_filled(env, "MAMBA_EXE");
    bool written = install_differs(&apply->install);
    const char *planned = plan_visible(&apply->found.plan);
    bool same = !visible == !planned && (!visible || strcmp(visible, planned) == 0);
    bool taken_up = !written && (same || apply->found.plan.gpus == PLAN_GPUS_AS_BEFORE);

    if (!apply->environment.active || taken_up)
        return;
    scope(strbuf_release) struct strbuf line = STRBUF_INIT;
    strbuf_addf(&line, "  %s activate ",
                mamba && !env_get_filled(env, "CONDA_EXE") ? path_name(mamba) : "conda");
    shell_quote_if_needed(&line, name ? name : apply->environment.path);
    cli_print(apply->options, "this shell has it active; to take the new values up, run:");
    cli_print_line(apply->options, &line);
}

static void print_kept(const struct apply *apply)
{
    for (size_t i = 0; i < apply->install.files.count; i++)
        if (apply->install.files.items[i].keep)
            cli_print(apply->options, "kept       %s as %s", apply->install.files.items[i].path,
                      path_name(apply->install.files.items[i].keep));
}

int apply_diff(const struct apply *apply, const struct hook_file *file, struct strbuf *out,
               struct error *err)
{
    scope(free_text) char *path = path_join(apply->environment.path, file->path);

    if (!path)
        return error_memory(err);
    return diff_add(out, file->path, file->state == HOOK_ABSENT ? "/dev/null" : path, &file->text,
                    err);
}

static int show_diffs(const struct apply *apply, struct error *err)
{
    for (size_t i = 0; i < apply->install.files.count; i++) {
        scope(strbuf_release) struct strbuf diff = STRBUF_INIT;
        const struct hook_file *file = &apply->install.files.items[i];
        if (file->state != HOOK_SAME && apply_diff(apply, file, &diff, err) < 0)
            return -1;
        cli_write_foreign(&diff);
    }
    return 0;
}

int apply_show_differences(const struct apply *apply, struct error *err)
{
    bool differs = install_differs(&apply->install);

    print_kept(apply);
    if (!differs)
        cli_print(apply->options, "unchanged");
    if (apply->options->dry_run)
        return show_diffs(apply, err);
    for (size_t i = 0; i < apply->install.files.count; i++)
        if (apply->install.files.items[i].state != HOOK_SAME)
            cli_print(apply->options, "would change %s/%s", apply->environment.path,
                      apply->install.files.items[i].path);
    return differs ? STATUS_DIFFERS : 0;
}

void apply_print_written(const struct apply *apply)
{
    print_kept(apply);
    for (size_t i = 0; i < apply->install.files.count; i++) {
        const struct hook_file *file = &apply->install.files.items[i];
        cli_print(apply->options, "%s  %s", file->state == HOOK_SAME ? "unchanged" : "written  ",
                  file->path);
    }
    print_activation(apply);
}
