#include "cli/apply.h"

#include "base/scope.h"
#include "cli/kept.h"
#include "hook/translate.h"
#include "section/files.h"
#include "section/rules.h"

#include <stdlib.h>
#include <string.h>

static const struct option_spec apply_options[] = {
    OPTION_TEXT_ROW(file, 'f', "file", "FILE", NULL,
                    "the environment file (environment.yml); - is stdin"),
    OPTION_NAME_ROW,
    OPTION_PREFIX_ROW(
        "the environment in this folder; without either, the active one, but not base, "
        "or else the one that FILE names"),
    OPTION_FLAG_ROW(dry_run, 'd', "dry-run", NULL, "write nothing; show what would change"),
    OPTION_FLAG_ROW(check, '\0', "check", NULL, "the same, and exit with 1 if something would"),
    OPTION_FLAG_ROW(diff, '\0', "diff", NULL, "write nothing; show the files' changes as a diff"),
    OPTION_FLAG_ROW(json, '\0', "json", "diff", "print what is told as JSON, errors included"),
    OPTION_FLAG_ROW(adopt, '\0', "adopt", NULL,
                    "let somebody's own hook go on working beside ours"),
    OPTION_FLAG_ROW(replace, '\0', "replace", "adopt",
                    "set it aside as NAME.orig, which conda does not run"),
    OPTION_FLAG_ROW(force, '\0', "force", NULL, "set aside a hook of ours that somebody edited"),
    OPTION_QUIET_ROW("print nothing but errors and what --diff shows"),
    OPTION_FLAG_ROW(verbose, 'v', "verbose", "quiet", "show also the variables, and whole UUIDs"),
    OPTION_FLAG_ROW(explain, '\0', "explain", NULL,
                    "tell which rule serves whom, and why others do not"),
    OPTION_TEXT_ROW(user, '\0', "user", "USER", NULL, "explain it for this user"),
    OPTION_TEXT_ROW(host, '\0', "host", "HOST", NULL,
                    "explain it for this machine; with --forget: this one"),
    OPTION_FLAG_ROW(forget, '\0', "forget", "explain",
                    "take a machine's part out of the environment's hooks"),
    OPTION_TEXT_ROW(inventory, '\0', "inventory", "FILE", "forget",
                    "the machines to serve, as 'devices --yaml' tells them"),
    OPTION_DRIVER_ROW,
    OPTION_TIMEOUT_ROW("how long to wait for the driver, or a lock (60)"),
    OPTION_TEXT_ROW(template_dir, '\0', "template-dir", "DIR", NULL,
                    "make the hooks from the templates in this folder"),
};

static void apply_release(struct apply *apply)
{
    section_release(&apply->section);
    environment_release(&apply->environment);
    for (size_t i = 0; i < apply->hosts.count; i++)
        team_release(&apply->hosts.items[i].team);
    free(apply->hosts.items);
    stock_release(&apply->stock);
    free(apply->user);
    lock_release(&apply->lock);
    prefix_close(&apply->prefix);
    install_release(&apply->install);
    rivals_release(&apply->rivals);
}

bool apply_looks_only(const struct options *options)
{
    return options->dry_run || options->check || options->diff;
}

/* An edit that nobody allowed to be replaced is shown as the diff that would undo it, where one can
   be made. */
static void show_edit(const struct apply *apply, const struct hook_file *file, struct error *err)
{
    scope(strbuf_release) struct strbuf diff = STRBUF_INIT;
    scope(error_release) struct error unseen = ERROR_INIT;

    if (apply_diff(apply, file, &diff, &unseen) == 0)
        error_detail_lines(err, strbuf_text(&diff));
}

/* Somebody's activation script is offered as the section that does the same. */
static void offer_section(const struct hook_file *file, struct error *err)
{
    scope(translation_release) struct translation offer = {0};

    if (!strstr(file->path, "/activate.d/") ||
        translate(&offer, strrchr(file->path, '.') + 1, strbuf_text(&file->found)) < 0)
        return;
    if (offer.section.length)
        error_detail(err, "What %s does, as a section for --replace:", file->path);
    error_detail_lines(err, strbuf_text(&offer.section));
    if (offer.left.length)
        error_detail(err, "What of it is not in %s:", offer.section.length ? "that" : "a section");
    error_detail_lines(err, strbuf_text(&offer.left));
}

/* Hooks and receipt, compared with what is there. */
static int prepare(struct apply *apply, struct error *err)
{
    const struct options *options = apply->options;

    apply->wish = (struct install_wish){
        .parts = {.hosts = apply->hosts.items,
                  .host_count = apply->hosts.count,
                  .by_host = rules_name_hosts(&apply->section),
                  .source = apply->section.file,
                  .keep_word = options->check || options->inventory},
        .environment = apply->environment.name,
        .template_dir = options->template_dir,
        .policy = {options->adopt, options->replace, options->force},
    };
    if (install_prepare(&apply->install, &apply->prefix, &apply->wish, err) == 0) {
        apply_find_here(apply);
        return 0;
    }
    for (size_t i = 0; i < apply->install.files.count; i++) {
        const struct hook_file *file = &apply->install.files.items[i];
        if (file->state == HOOK_EDITED && !options->force)
            show_edit(apply, file, err);
        if (file->state == HOOK_FOREIGN && !options->adopt && !options->replace)
            offer_section(file, err);
    }
    return -1;
}

/* Everything up to the writing. */
static int make_ready(struct apply *apply, struct error *err)
{
    const struct options *options = apply->options;

    if (files_read(&apply->section, options->file, options->timeout, err) < 0)
        return apply_without_section(options, err);
    if (cli_open(&apply->environment, &apply->prefix, options, &apply->section, err) < 0 ||
        apply_resolve(apply, err) < 0 ||
        (!apply_looks_only(options) && cli_lock(&apply->lock, &apply->prefix, options, err) < 0))
        return -1;
    return prepare(apply, err);
}

/* What a user who may not write there can ask those for who may. */
static int offer_rule(const struct apply *apply, struct error *err)
{
    const struct plan *plan = apply->plan;
    const char *visible = plan_visible(plan);

    error_detail(err,
                 "Whoever may write to it can apply for all users at once, by rules. Yours, for "
                 "the gpu: section of %s:",
                 apply->section.file);
    error_detail(err, "  assign:");
    error_detail(err, "    - user: %s", *apply->user ? apply->user : "NAME");
    if (plan->gpus == PLAN_GPUS_ALL || plan->gpus == PLAN_GPUS_NONE)
        return error_detail(err, "      devices: %s", plan->gpus == PLAN_GPUS_ALL ? "all" : "none");
    return error_detail(err, "      devices: [%s]", visible ? visible : "0");
}

static int write_hooks(const struct apply *apply, struct error *err)
{
    if (install_write(&apply->install, err) == 0)
        return 0;
    return apply->prefix.refused ? offer_rule(apply, err) : -1;
}

static int check_options(const struct options *options, struct error *err)
{
    if (options->forget && !options->host)
        return error_add(err, STATUS_INPUT, "--forget needs the machine's name: --host NAME");
    if (options->inventory && options->file && strcmp(options->inventory, "-") == 0 &&
        strcmp(options->file, "-") == 0)
        return error_add(err, STATUS_INPUT, "only one of --file and --inventory can be stdin (-)");
    if (options->user && !options->explain)
        return error_add(err, STATUS_INPUT, "--user is for --explain, which tells about that user");
    if (options->host && !options->explain && !options->forget)
        return error_add(err, STATUS_INPUT,
                         "--host is for --explain and --forget; apply itself serves the machine "
                         "that it runs on");
    return 0;
}

static int apply_here(const struct options *options, struct error *err)
{
    scope(apply_release) struct apply apply = {
        .options = options, .prefix = PREFIX_INIT, .lock = LOCK_INIT};

    if (make_ready(&apply, err) < 0)
        return -1;
    apply.differs = hook_differs(&apply.install.files);
    apply_note_all(&apply);
    if (!apply_looks_only(options) && write_hooks(&apply, err) < 0)
        return -1;
    apply.written = !apply_looks_only(options);
    const struct exported what = {apply.plan, apply.environment.name, apply.environment.path,
                                  options->env};
    if (apply_tell(&apply, err) < 0)
        return -1;
    int kept = apply.here ? kept_renew(apply.install.earlier.receipt, &what,
                                       apply_looks_only(options), err)
                          : 0;
    if (kept < 0)
        return -1;
    bool differs = apply.differs || apply.beaten || kept;
    return options->check && differs ? STATUS_DIFFERS : STATUS_DONE;
}

static int run(const struct options *options, struct error *err)
{
    if (check_options(options, err) < 0)
        return -1;
    if (options->explain)
        return apply_explain(options, err);
    return options->forget ? apply_forget(options, err) : apply_here(options, err);
}

const struct command apply_command = {
    .name = "apply",
    .summary = "write the section's hooks into an environment",
    .usage = "[-f FILE] [-n NAME | -p PREFIX] [OPTION...]",
    .about = "Writes the hooks that FILE's gpu: section asks for into a conda environment. Run\n"
             "it once after 'conda env create', and again when the section changes.\n",
    .example = "conda env create -f environment.yml && conda-gpu apply",
    .instead = "a file is named with -f, an environment with -n or -p",
    .statuses = "012345",
    OPTION_ROWS(apply_options),
    .run = run,
};
