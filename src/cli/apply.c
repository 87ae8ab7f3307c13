#include "cli.h"

#include "env.h"
#include "file.h"
#include "history.h"
#include "hook.h"
#include "plan.h"
#include "scope.h"
#include "table.h"
#include "templates.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char help[] =
    "Usage: conda-gpu apply [-f FILE] [-n NAME | -p PREFIX] [OPTION...]\n"
    "\n"
    "Writes the activation and deactivation hooks that FILE's gpu: section asks for into a conda\n"
    "environment. Run it once after 'conda env create', and again when the section changes.\n"
    "\n"
    "  -f, --file FILE     the environment file (environment.yml or environment.yaml here)\n"
    "  -n, --name NAME     the environment of this name\n"
    "  -p, --prefix PREFIX the environment in this folder; without either, the active one unless\n"
    "                      that is base, else the one that FILE's name: names\n"
    "  -d, --dry-run       write nothing; show what would change, as a diff\n"
    "  --check             write nothing; exit 1, naming the files, if something would change\n"
    "  --adopt             a file of somebody else's in a hook's place goes on working beside it\n"
    "  --replace           such a file is kept as NAME.orig, which conda does not source\n"
    "  --force             a hook that somebody edited is kept as NAME.orig and written anew\n"
    "  -q, --quiet         print nothing but errors\n"
    "  -v, --verbose       say also what is set\n"
    "  --driver PATH       load this library in place of libcuda.so.1 (or CONDA_GPU_DRIVER)\n"
    "  --timeout SECONDS   how long the driver, or another conda-gpu, may take (60)\n"
    "  --template-dir DIR  take the hooks' templates from this folder\n"
    "  -h, --help          this text\n"
    "\n"
    "Exit status: 0 done, also when nothing had to be; 1 --check found a difference; 2 the "
    "command\n"
    "line or FILE is wrong; 3 the driver or a device is missing; 4 the environment: not found, "
    "not\n"
    "an environment, not writable, or with files of others in the hooks' places; 5 the system "
    "failed.\n"
    "\n"
    "Example:\n"
    "  conda env create -f environment.yml && conda-gpu apply\n";

/* What is to be written, and what for. */
struct job {
    const struct options *options;
    struct config config;
    struct prefix prefix;
    struct inventory machine;
    struct selection selection;
    struct plan plan;
    struct inquiry confirming;
    struct site site;
    struct history history;
    struct names managed; /* by this plan, then by earlier ones */
    struct hook_set set;
    struct receipt_kept *kept; /* files of others; the texts belong to set and history */
    unsigned kept_count;
    bool sets_aside; /* this run keeps some of them */
};

static void job_release(struct job *job)
{
    config_release(&job->config);
    prefix_release(&job->prefix);
    inventory_cancel(&job->confirming);
    inventory_release(&job->machine);
    selection_release(&job->selection);
    plan_release(&job->plan);
    site_close(&job->site);
    history_release(&job->history);
    names_release(&job->managed);
    hook_set_release(&job->set);
    free(job->kept);
}

static bool looks_only(const struct options *options)
{
    return options->dry_run || options->check;
}

static bool wants_no_gpu(const struct config *config)
{
    return config->item_count == 1 && config->items[0].kind == ITEM_NONE;
}

/* Begins to ask the driver what it shows under the planned values. */
static int ask_to_confirm(struct job *job, struct error *err)
{
    const struct question question = {job->options->driver, plan_visible(&job->plan), PLAN_ORDER,
                                      job->options->timeout};

    return inventory_ask(&job->confirming, &question, err);
}

static int confirm(struct job *job, struct error *err)
{
    scope(inventory_release) struct inventory seen = {0};
    scope(error_release) struct error blind = ERROR_INIT;

    if (job->confirming.child < 0)
        return 0;
    if (inventory_answer(&job->confirming, &seen, &blind) < 0 && !seen.absent) {
        error_add(err, blind.status, "asked again, with CUDA_VISIBLE_DEVICES=%s, to confirm it:",
                  plan_visible(&job->plan));
        return error_join(err, &blind);
    }
    int result = plan_confirm(&job->plan, &job->selection, &seen.devices, err);
    if (result < 0)
        cli_add_table(err, &job->machine.devices);
    return result;
}

static int plan_without_gpu(struct job *job, const struct error *absent, struct error *err)
{
    if (!job->machine.absent || job->config.if_no_gpu != IF_NO_GPU_CPU)
        return error_join(err, absent);
    cli_note(job->options, "no GPU here, so as if_no_gpu: cpu asks, none is shown: %.*s",
             (int)strcspn(error_text(absent), "\n"), error_text(absent));
    return plan_make_cpu(&job->plan, &job->config, err);
}

/* From the driver's first answer to the plan, about which it is asked at once. A device that only
   its second answer describes must be waited for. */
static int decide(struct job *job, struct inquiry *survey, struct error *err)
{
    scope(error_release) struct error absent = ERROR_INIT;

    if (wants_no_gpu(&job->config))
        return plan_make_cpu(&job->plan, &job->config, err);
    if (inventory_answer(survey, &job->machine, &absent) < 0)
        return plan_without_gpu(job, &absent, err);
    if (select_devices(&job->selection, &job->config, &job->machine.devices, err) < 0) {
        cli_add_table(err, &job->machine.devices);
        return -1;
    }
    if (plan_make(&job->plan, &job->config, &job->selection, err) < 0 ||
        ask_to_confirm(job, err) < 0)
        return -1;
    return job->plan.devices ? 0 : confirm(job, err);
}

static int add_hook(struct job *job, const char *direction, const struct shell *shell,
                    const struct render *in, struct error *err)
{
    scope(strbuf_release) struct strbuf source = STRBUF_INIT;
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;
    scope(free_text) char *name = format_text("%s.%s", direction, shell->extension);
    scope(free_text) char *path = hook_path(direction, shell);

    if (!name || !path)
        return error_memory(err);
    if (templates_load(&source, job->options->template_dir, name, err) < 0 ||
        render_hook(&text, in, shell, name, strbuf_text(&source), err) < 0)
        return -1;
    return hook_set_add(&job->set, &job->site, path, &text, err);
}

static int list_managed(struct job *job, struct error *err)
{
    int result = 0;

    for (size_t i = 0; i < job->plan.variables.count && result == 0; i++)
        result = names_add(&job->managed, job->plan.variables.items[i].name);
    for (size_t i = 0; i < job->history.managed.count && result == 0; i++)
        result = names_add(&job->managed, job->history.managed.items[i]);
    return result < 0 ? error_memory(err) : 0;
}

/* All hooks, in the order of writing: deactivation first. */
static int add_hooks(struct job *job, struct error *err)
{
    static const char *const directions[] = {"deactivate", "activate"};
    const struct render in = {
        &job->plan, &job->managed, job->history.key, job->prefix.name, path_name(job->config.file),
        VERSION};

    for (size_t d = 0; d < 2; d++)
        for (size_t i = 0; i < shell_count; i++)
            if (add_hook(job, directions[d], &shells[i], &in, err) < 0)
                return -1;
    return 0;
}

/* While no hook changes, the receipt keeps the source that it names: the same section applied from
   another copy of the file is no change. */
static char *receipt_source(const struct job *job)
{
    if (job->history.receipt && !hook_differs(&job->set, job->set.count - 1))
        return strdup(job->history.receipt->source);
    char *real = realpath(job->config.file, NULL);
    return real || errno == ENOMEM ? real : strdup(job->config.file);
}

static void fill_receipt(struct receipt *receipt, const struct job *job)
{
    for (unsigned i = 0; i < receipt->devices_count; i++) {
        const struct device *device = &job->plan.devices[i].device;
        uuid_text(device, receipt->devices[i].uuid);
        pci_text(&device->pci, receipt->devices[i].address);
    }
    for (unsigned i = 0; i < receipt->files_count; i++) {
        const struct strbuf *text = &job->set.items[i].text;
        receipt->files[i].path = job->set.items[i].path;
        digest_text(digest_of(strbuf_text(text), text->length), receipt->files[i].digest);
    }
}

/* Writes the text of the receipt, the last file of the set. What it holds belongs to the job, but
   for the two arrays. */
static int fill_in_receipt(struct job *job, struct error *err)
{
    struct hook_file *file = &job->set.items[job->set.count - 1];
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;
    scope(free_text) char *source = receipt_source(job);
    char version[] = VERSION;
    struct receipt receipt = {
        .version = version,
        .source = source,
        .devices = calloc(job->plan.device_count + 1, sizeof *receipt.devices),
        .devices_count = (unsigned)job->plan.device_count,
        .variables = job->managed.items,
        .variables_count = (unsigned)job->managed.count,
        .files = calloc(job->set.count, sizeof *receipt.files),
        .files_count = (unsigned)job->set.count - 1,
        .kept = job->kept,
        .kept_count = job->kept_count,
        .folders = job->history.folders.items,
        .folders_count = (unsigned)job->history.folders.count,
    };
    int result = -1;

    snprintf(receipt.state, sizeof receipt.state, "%s", job->history.key);
    if (!source || !receipt.devices || !receipt.files) {
        error_memory(err);
    } else {
        fill_receipt(&receipt, job);
        result = receipt_print(&text, &receipt, err);
    }
    free(receipt.devices);
    free(receipt.files);
    if (result == 0)
        hook_file_set_text(file, &text);
    return result;
}

/* Whether an earlier run kept a file under this name, which is still there. */
static bool was_kept(const struct job *job, const char *name)
{
    for (unsigned i = 0; i < job->kept_count; i++)
        if (strcmp(job->kept[i].now, name) == 0)
            return true;
    return false;
}

static int by_name(const void *one, const void *other)
{
    return strcmp(((const struct receipt_kept *)one)->now,
                  ((const struct receipt_kept *)other)->now);
}

/* The files of others that earlier runs and this one put under another name. A killed run may have
   announced more than it did. */
static int list_kept(struct job *job, struct error *err)
{
    const struct receipt *receipt = job->history.receipt;
    unsigned earlier = receipt ? receipt->kept_count : 0;

    job->kept = calloc(earlier + job->set.count + 1, sizeof *job->kept);
    if (!job->kept)
        return error_memory(err);
    for (unsigned i = 0; i < earlier; i++) {
        int got = site_has(&job->site, receipt->kept[i].now, err);
        if (got < 0)
            return -1;
        if (got)
            job->kept[job->kept_count++] = receipt->kept[i];
    }
    for (size_t i = 0; i < job->set.count; i++) {
        const struct hook_file *file = &job->set.items[i];
        if (!file->keep || file->state != HOOK_FOREIGN)
            continue;
        job->sets_aside = true;
        if (!was_kept(job, file->keep))
            job->kept[job->kept_count++] = (struct receipt_kept){file->path, file->keep};
    }
    qsort(job->kept, job->kept_count, sizeof *job->kept, by_name);
    return 0;
}

/* The receipt for the time in which files of others already stand aside: what the last one said,
   and where they are. */
static int print_interim(const struct job *job, struct strbuf *out, struct error *err)
{
    const struct receipt *last = job->history.receipt;
    scope(free_text) char *source = last ? NULL : receipt_source(job);
    char version[] = VERSION;
    struct receipt receipt = last ? *last : (struct receipt){.version = version, .source = source};

    if (!job->sets_aside)
        return 0;
    if (!receipt.source)
        return error_memory(err);
    snprintf(receipt.state, sizeof receipt.state, "%s", job->history.key);
    receipt.kept = job->kept;
    receipt.kept_count = job->kept_count;
    receipt.folders = job->history.folders.items;
    receipt.folders_count = (unsigned)job->history.folders.count;
    return receipt_print(out, &receipt, err);
}

/* Adds what writing this file would change. */
static int add_diff(const struct job *job, const struct hook_file *file, struct strbuf *out,
                    struct error *err)
{
    scope(free_text) char *path = path_join(job->prefix.path, file->path);

    if (!path)
        return error_memory(err);
    return cli_diff(out, file->path, file->state == HOOK_ABSENT ? "/dev/null" : path, &file->text,
                    err);
}

/* Decides what becomes of files that are not ours as we left them; an edit that nobody allowed to
   be replaced is shown as the diff that would undo it. */
static int claim(struct job *job, struct error *err)
{
    const struct options *options = job->options;
    const struct hook_policy policy = {options->adopt, options->replace, options->force};

    if (hook_claim(&job->set, &job->site, &policy, err) == 0)
        return 0;
    for (size_t i = 0; i < job->set.count && !options->force; i++) {
        scope(strbuf_release) struct strbuf diff = STRBUF_INIT;
        const struct hook_file *file = &job->set.items[i];
        if (file->state == HOOK_EDITED && add_diff(job, file, &diff, err) == 0)
            error_add_lines(err, STATUS_PREFIX, strbuf_text(&diff));
    }
    return -1;
}

/* Everything that is to be written, compared with what is there. */
static int prepare(struct job *job, struct error *err)
{
    struct strbuf none = STRBUF_INIT;

    if (history_read(&job->history, &job->site, err) < 0 || list_managed(job, err) < 0 ||
        add_hooks(job, err) < 0 ||
        hook_set_add(&job->set, &job->site, RECEIPT_PATH, &none, err) < 0 || claim(job, err) < 0 ||
        list_kept(job, err) < 0 || hook_missing_folders(&job->site, &job->history.folders, err) < 0)
        return -1;
    return fill_in_receipt(job, err);
}

static void print_devices(const struct job *job)
{
    scope(table_release) struct table table = TABLE_INIT(6);
    scope(strbuf_release) struct strbuf lines = STRBUF_INIT;

    for (size_t i = 0; i < job->plan.device_count; i++) {
        const struct planned_device *planned = &job->plan.devices[i];
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

static void print_variables(const struct job *job)
{
    static const char *const kinds[] = {[VAR_SET] = "set",
                                        [VAR_UNSET] = "unset",
                                        [VAR_PREPEND] = "prepend",
                                        [VAR_APPEND] = "append"};

    for (size_t i = 0; i < job->plan.variables.count; i++) {
        const struct var *var = &job->plan.variables.items[i];
        cli_print(job->options, "%-10s %s%s%s", kinds[var->kind], var->name, var->value ? "=" : "",
                  var->value ? var->value : "");
    }
}

static void print_plan(const struct job *job)
{
    const struct options *options = job->options;
    int version = job->machine.driver_version;

    if (options->quiet)
        return;
    cli_print(options, "environment  %s  %s", job->prefix.name, job->prefix.path);
    print_devices(job);
    if (job->plan.device_count)
        cli_print(options, "confirmed by the driver (CUDA %d.%d): CUDA_VISIBLE_DEVICES=%s",
                  version / 1000, version % 1000 / 10, plan_visible(&job->plan));
    else
        cli_print(options, "no GPU: CUDA_VISIBLE_DEVICES=%s", plan_visible(&job->plan));
    if (options->verbose)
        print_variables(job);
}

/* Whoever may write to a folder on the way decides what our hooks are, or puts others beside them.
 */
static void warn_of_open_folders(const struct job *job)
{
    static const char *const folders[] = {".", "etc", "etc/conda", "etc/conda/activate.d",
                                          "etc/conda/deactivate.d"};

    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        if (site_is_open_to_all(&job->site, folders[i]))
            cli_note(job->options,
                     "everybody may write to %s%s%s, and so put commands there that run in your "
                     "shell at 'conda activate'; take that away with chmod o-w",
                     job->prefix.path, i ? "/" : "", i ? folders[i] : "");
}

static void print_notes(const struct job *job)
{
    const char *wanted = job->config.name;

    if (!job->options->prefix && !job->options->name && wanted &&
        strcmp(wanted, job->prefix.name) != 0 && strcmp(wanted, job->prefix.called) != 0)
        cli_note(job->options,
                 "using the active environment '%s', though %s names '%s'; -n chooses another",
                 job->prefix.name, job->config.file, wanted);
    if (job->history.damaged || job->history.missing)
        cli_note(job->options,
                 "%s/" RECEIPT_PATH " is %s; what the hooks themselves tell is used instead",
                 job->prefix.path,
                 job->history.missing ? "missing" : "damaged or of another version");
    warn_of_open_folders(job);
}

/* How a shell that has the environment active gets the new values. */
static void print_activation(const struct job *job, bool written)
{
    char *const *env = job->options->env;
    const char *visible = env_get(env, "CUDA_VISIBLE_DEVICES");
    const char *name = env_get_filled(env, "CONDA_DEFAULT_ENV");
    const char *mamba = env_get_filled(env, "MAMBA_EXE");
    bool taken_up = !written && visible && strcmp(visible, plan_visible(&job->plan)) == 0;

    if (!job->prefix.active || taken_up)
        return;
    scope(strbuf_release) struct strbuf line = STRBUF_INIT;
    strbuf_addf(&line, "  %s activate ",
                mamba && !env_get_filled(env, "CONDA_EXE") ? path_name(mamba) : "conda");
    shell_quote_if_needed(&line, name ? name : job->prefix.path);
    cli_print(job->options, "this shell has it active; to take the new values up, run:");
    cli_print_line(job->options, &line);
}

static void print_kept(const struct job *job)
{
    for (size_t i = 0; i < job->set.count; i++)
        if (job->set.items[i].keep)
            cli_print(job->options, "kept       %s as %s", job->set.items[i].path,
                      path_name(job->set.items[i].keep));
}

static int show_diffs(const struct job *job, struct error *err)
{
    for (size_t i = 0; i < job->set.count; i++) {
        scope(strbuf_release) struct strbuf diff = STRBUF_INIT;
        const struct hook_file *file = &job->set.items[i];
        if (file->state != HOOK_SAME && add_diff(job, file, &diff, err) < 0)
            return -1;
        cli_write(&diff);
    }
    return 0;
}

static int show_differences(const struct job *job, struct error *err)
{
    bool differs = hook_differs(&job->set, job->set.count);

    print_kept(job);
    if (!differs)
        cli_print(job->options, "unchanged");
    if (job->options->dry_run)
        return show_diffs(job, err);
    for (size_t i = 0; i < job->set.count; i++)
        if (job->set.items[i].state != HOOK_SAME)
            cli_print(job->options, "would change %s/%s", job->prefix.path, job->set.items[i].path);
    return differs ? STATUS_DIFFERS : 0;
}

static int write_files(struct job *job, struct error *err)
{
    scope(strbuf_release) struct strbuf interim = STRBUF_INIT;
    bool differs = hook_differs(&job->set, job->set.count);

    if (print_interim(job, &interim, err) < 0 ||
        hook_write(&job->set, &job->site, &interim, &job->history.folders, err) < 0)
        return -1;
    print_kept(job);
    for (size_t i = 0; i < job->set.count; i++) {
        const struct hook_file *file = &job->set.items[i];
        cli_print(job->options, "%s  %s", file->state == HOOK_SAME ? "unchanged" : "written  ",
                  file->path);
    }
    print_activation(job, differs);
    return 0;
}

/* Everything up to the writing. The driver is slow to answer, so whatever needs no answer is done
   between asking and hearing it. */
static int make_ready(struct job *job, struct error *err)
{
    const struct options *options = job->options;
    scope(inventory_cancel) struct inquiry survey = INQUIRY_INIT;

    if (cli_survey(&survey, options, err) < 0 || cli_read_config(&job->config, options, err) < 0)
        return -1;
    struct prefix_wish wish = {options->prefix, options->name, job->config.name, true,
                               options->env};
    if (prefix_find(&job->prefix, &wish, err) < 0 || decide(job, &survey, err) < 0 ||
        site_open(&job->site, job->prefix.path, err) < 0 ||
        (!looks_only(options) && cli_lock(&job->site, options, err) < 0) || prepare(job, err) < 0)
        return -1;
    return confirm(job, err);
}

static int run(const struct options *options, struct error *err)
{
    scope(job_release) struct job job = {
        .options = options, .site = SITE_INIT, .confirming = INQUIRY_INIT};

    if (make_ready(&job, err) < 0)
        return -1;
    print_notes(&job);
    print_plan(&job);
    return looks_only(options) ? show_differences(&job, err) : write_files(&job, err);
}

const struct command apply_command = {"apply", "fnpdcARFqvDTt", help, run};
