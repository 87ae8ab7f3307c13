#include "cli/apply.h"

#include "base/scope.h"
#include "section/job.h"

#include <stdlib.h>

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
    "  -q, --quiet         print nothing but errors and the diff of --dry-run\n"
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
    "an environment, not writable, or with files of others or edited ones in the hooks' places;\n"
    "5 the system failed.\n"
    "\n"
    "Example:\n"
    "  conda env create -f environment.yml && conda-gpu apply\n";

static void apply_release(struct apply *apply)
{
    section_release(&apply->section);
    environment_release(&apply->environment);
    resolution_release(&apply->found);
    prefix_close(&apply->prefix);
    install_release(&apply->install);
}

static bool looks_only(const struct options *options)
{
    return options->dry_run || options->check;
}

/* Hooks and receipt, compared with what is there. An edit that nobody allowed to be replaced is
   shown as the diff that would undo it, where one can be made. */
static int prepare(struct apply *apply, struct error *err)
{
    const struct options *options = apply->options;

    apply->wish = (struct install_wish){&apply->found.plan,
                                        apply->environment.name,
                                        apply->section.file,
                                        options->template_dir,
                                        {options->adopt, options->replace, options->force}};
    if (install_prepare(&apply->install, &apply->prefix, &apply->wish, err) == 0)
        return 0;
    for (size_t i = 0; i < apply->install.files.count && !options->force; i++) {
        scope(strbuf_release) struct strbuf diff = STRBUF_INIT;
        scope(error_release) struct error unseen = ERROR_INIT;
        const struct hook_file *file = &apply->install.files.items[i];
        if (file->state == HOOK_EDITED && apply_diff(apply, file, &diff, &unseen) == 0)
            error_detail_lines(err, strbuf_text(&diff));
    }
    return -1;
}

/* Everything up to the writing. */
static int make_ready(struct apply *apply, struct error *err)
{
    const struct options *options = apply->options;
    const struct driver driver = {options->driver, options->timeout, job_is_running(options->env)};

    if (cli_read_config(&apply->section, options, err) < 0)
        return -1;
    struct find_wish wish = {options->prefix, options->name, apply->section.name, true,
                             options->env};
    if (find_environment(&apply->environment, &wish, err) < 0 ||
        prefix_open(&apply->prefix, apply->environment.path, err) < 0 ||
        resolve(&apply->found, &apply->section, &driver, err) < 0 ||
        (!looks_only(options) && cli_lock(&apply->prefix, options, err) < 0))
        return -1;
    return prepare(apply, err);
}

static int run(const struct options *options, struct error *err)
{
    scope(apply_release) struct apply apply = {.options = options, .prefix = PREFIX_INIT};

    if (make_ready(&apply, err) < 0)
        return -1;
    apply_print_notes(&apply);
    apply_print_plan(&apply);
    if (looks_only(options))
        return apply_show_differences(&apply, err);
    if (install_write(&apply.install, err) < 0)
        return -1;
    apply_print_written(&apply);
    return 0;
}

const struct command apply_command = {"apply", "fnpdcARFqvDTt", help, run};
