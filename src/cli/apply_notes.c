#include "cli/apply.h"

#include "base/env.h"
#include "base/scope.h"
#include "hook/enact.h"
#include "section/job.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

__attribute__((format(printf, 2, 3))) static void note(struct apply *apply, const char *format, ...)
{
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;
    va_list args;

    va_start(args, format);
    strbuf_vaddf(&text, format, args);
    va_end(args);
    if (text.failed || names_add(&apply->report.notes, strbuf_text(&text)) < 0)
        apply->report.failed = true;
}

/* Whoever may write to a folder on the way decides what our hooks are, or puts others beside them.
 */
static void warn_of_open_folders(struct apply *apply)
{
    for (size_t i = 0; i <= OUR_FOLDERS; i++) {
        const char *folder = i ? our_folders[i - 1] : ".";
        scope(strbuf_release) struct strbuf path = STRBUF_INIT;
        scope(strbuf_release) struct strbuf quoted = STRBUF_INIT;
        if (!prefix_is_open_to_all(&apply->prefix, folder))
            continue;
        strbuf_addf(&path, "%s%s%s", apply->environment.path, i ? "/" : "", i ? folder : "");
        shell_quote_if_needed(&quoted, strbuf_text(&path));
        note(apply,
             "everybody may write to %s, and so put commands there that run in your shell at "
             "'conda activate'; take that away with: chmod o-w %s",
             strbuf_text(&path), strbuf_text(&quoted));
    }
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

static void note_job(struct apply *apply)
{
    const char *visible = env_get(apply->options->env, "CUDA_VISIBLE_DEVICES");
    const char *planned = plan_visible(apply->plan);

    if (!job_is_running(apply->options->env) || !enact_leaves(apply->options->env, apply->plan) ||
        (planned && strcmp(visible, planned) == 0))
        return;
    note(apply,
         "this shell is in a scheduler's job with CUDA_VISIBLE_DEVICES=%s, which stays so here "
         "(in_job: keep); in_job: override in %s changes that",
         visible, apply->section.file);
}

/* Who else has a say in the variables. */
static void note_rivals(struct apply *apply)
{
    struct rivals *rivals = &apply->report.rivals;
    const struct prefix *prefix = &apply->prefix;

    if (rivals_find(rivals, prefix, &apply->plan->variables, &apply->install.files) < 0)
        apply->report.failed = true;
    for (size_t i = 0; i < rivals->count; i++) {
        scope(strbuf_release) struct strbuf text = STRBUF_INIT;
        rival_describe(&rivals->items[i], prefix, &text);
        note(apply, "%s", strbuf_text(&text));
        apply->report.beaten = apply->report.beaten || rivals->items[i].kind == RIVAL_BEATS;
    }
}

/* environment.yml's own `variables:`, which conda takes into conda-meta/state. */
static void note_conda_variables(struct apply *apply)
{
    const struct section *section = &apply->section;
    const struct var_list *planned = &apply->plan->variables;

    for (size_t i = 0; i < section->conda_variables.count; i++) {
        const struct var *var = &section->conda_variables.items[i];
        if (vars_find(planned, var->name))
            note(apply,
                 "%s: by its own 'variables:' conda sets %s=%s, and after our hook has put back "
                 "what was there, conda unsets or empties it; leave it out there, since the gpu: "
                 "section says it",
                 section->environment_file ? section->environment_file : section->file, var->name,
                 var->value);
    }
}

/* conda create --clone, conda rename and conda-pack rewrite such a path inside the hook, which then
   looks edited. */
static void note_own_path(struct apply *apply, const struct var *var)
{
    const char *path = apply->environment.path;
    const char *at = var->value ? strstr(var->value, path) : NULL;
    const char *next = at ? at + strlen(path) : "";

    if (at && (!*next || *next == '/' || *next == ':'))
        note(apply,
             "%s: gpu.variables.%s: the value holds this environment's own path; write "
             "${CONDA_PREFIX} for it, so that it stays right in a clone and after a move",
             apply->section.file, var->name);
}

/* What nvidia-smi calls 0 need not be CUDA's 0, which is in CUDA_VISIBLE_DEVICES. */
static void note_order(struct apply *apply)
{
    const struct device_list *machine = &apply->team.machine.devices;

    if (apply->plan->gpus == PLAN_GPUS_CHOSEN && machine->numbered &&
        !device_list_is_ascending(machine))
        note(apply,
             "nvidia-smi does not number this machine's GPUs in the order of their PCI bus IDs, "
             "in which CUDA counts; 'devices' in %s counts as nvidia-smi does",
             apply->section.file);
}

static void note_absence(struct apply *apply)
{
    const char *why = error_first(&apply->team.absent);

    if (!apply->team.absent.count)
        return;
    if (apply->plan->gpus == PLAN_GPUS_NONE)
        note(apply, "no GPU here, so as if_no_gpu: cpu asks, none is shown: %s", why);
    else if (apply->plan->unconfirmed)
        note(apply,
             "no GPU here, so as if_no_gpu: unconfirmed asks, 'devices' is taken as written: "
             "%s",
             why);
    else if (!apply->team.machine.absent)
        note(apply, "this machine's GPUs cannot be shown: %s", why);
}

/* The machines that the receipt served until now. */
static void add_hosts(struct strbuf *text, const struct receipt *receipt)
{
    enum { MOST = 5 };

    for (unsigned i = 0; i < receipt->hosts_count && i < MOST; i++)
        strbuf_addf(text, "%s%s", i ? ", " : "", receipt->hosts[i].host);
    if (receipt->hosts_count > MOST)
        strbuf_addf(text, " and %u more", receipt->hosts_count - MOST);
}

/* A machine that no apply has served, and one whose hooks served all so far. */
static void note_machines(struct apply *apply)
{
    const struct receipt *receipt = apply->install.earlier.receipt;
    const struct install *install = &apply->install;
    scope(strbuf_release) struct strbuf hosts = STRBUF_INIT;

    if (!receipt || !receipt->hosts_count)
        return;
    add_hosts(&hosts, receipt);
    bool served = part_find(receipt, apply->host);
    if (!served && apply->options->check)
        note(apply,
             "the hooks there serve %s so far, and on this machine, %s, they change nothing; "
             "conda-gpu apply, run here, adds it",
             strbuf_text(&hosts), apply->host);
    else if (!served)
        note(apply, "the hooks there serve %s so far; this adds %s", strbuf_text(&hosts),
             apply->host);
    else if (!parts_differ_by_host(receipt->hosts, receipt->hosts_count) &&
             parts_differ_by_host(install->parts.items, install->parts.count))
        note(apply,
             "the hooks of %s did the same on every machine so far; with this they tell machines "
             "apart, and change nothing on one where apply has not run",
             strbuf_text(&hosts));
}

/* Who gets this device: by rules that name users, on this machine. */
static size_t add_holders(struct strbuf *text, const struct team *team, const struct uuid *uuid)
{
    size_t count = 0;

    for (size_t i = 0; i < team->shares.count; i++) {
        const struct rule *rule = team->shares.items[i].rule;
        const struct plan *plan = &team->plans.items[team->shares.items[i].plan];
        bool has = false;
        for (size_t d = 0; d < plan->device_count && plan->gpus == PLAN_GPUS_CHOSEN; d++)
            has = has || memcmp(&plan->devices[d].device.uuid, uuid, sizeof *uuid) == 0;
        for (size_t u = 0; has && rule && u < rule->users.count; u++)
            strbuf_addf(text, "%s%s (line %zu)", count++ ? ", " : "", rule->users.items[u],
                        rule->place.line);
    }
    return count;
}

/* Two users who get the same GPU. It may be meant so. */
static void note_shared_devices(struct apply *apply)
{
    const struct device_list *machine = &apply->team.machine.devices;

    for (size_t i = 0; i < machine->count; i++) {
        scope(strbuf_release) struct strbuf holders = STRBUF_INIT;
        char name[UUID_TEXT_SIZE + 8];
        if (device_list_is_countable(machine))
            snprintf(name, sizeof name, "GPU %u", machine->items[i].number);
        else
            uuid_short(&machine->items[i], name);
        if (add_holders(&holders, &apply->team, &machine->items[i].uuid) > 1)
            note(apply, "%s: %s is given to several users: %s", apply->section.file, name,
                 strbuf_text(&holders));
    }
}

void apply_list_notes(struct apply *apply)
{
    note_machines(apply);
    note_shared_devices(apply);
    note_absence(apply);
    note_order(apply);
    if (is_another(apply))
        note(apply, "using the active environment '%s', though %s names '%s'; -n chooses another",
             apply->environment.name, apply->section.file, apply->section.name);
    if (apply->install.earlier.missing)
        note(apply,
             "%s/" RECEIPT_PATH " is missing; what the hooks themselves tell is used instead",
             apply->environment.path);
    note_job(apply);
    for (size_t i = 0; i < apply->section.notes.count; i++) {
        const struct message *message = &apply->section.notes.items[i];
        if (message->line)
            note(apply, "%s:%zu:%zu: %s", message->file, message->line, message->column,
                 message->text);
        else
            note(apply, "%s%s%s", message->file ? message->file : "", message->file ? ": " : "",
                 message->text);
    }
    for (size_t i = 0; i < apply->section.variables.count; i++)
        note_own_path(apply, &apply->section.variables.items[i]);
    note_conda_variables(apply);
    note_rivals(apply);
    warn_of_open_folders(apply);
}
