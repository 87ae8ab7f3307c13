#include "cli/apply.h"

#include "base/scope.h"

#include <stdlib.h>
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
    inventory_cancel(&apply->confirming);
    inventory_release(&apply->machine);
    selection_release(&apply->selection);
    plan_release(&apply->plan);
    prefix_close(&apply->prefix);
    earlier_release(&apply->earlier);
    names_release(&apply->managed);
    hook_set_release(&apply->set);
    free(apply->kept);
}

static bool looks_only(const struct options *options)
{
    return options->dry_run || options->check;
}

/* Begins to ask the driver what it shows under the planned values. */
static int ask_to_confirm(struct apply *apply, struct error *err)
{
    const struct question question = {apply->options->driver, plan_visible(&apply->plan),
                                      PLAN_ORDER, apply->options->timeout};

    return inventory_ask(&apply->confirming, &question, err);
}

static int confirm(struct apply *apply, struct error *err)
{
    scope(inventory_release) struct inventory seen = {0};
    scope(error_release) struct error blind = ERROR_INIT;

    if (apply->confirming.child < 0)
        return 0;
    if (inventory_answer(&apply->confirming, &seen, &blind) < 0 && !seen.absent) {
        error_add(err, blind.status, "asked again, with CUDA_VISIBLE_DEVICES=%s, to confirm it:",
                  plan_visible(&apply->plan));
        return error_join(err, &blind);
    }
    int result = plan_confirm(&apply->plan, &apply->selection, &seen.devices, err);
    if (result < 0)
        cli_add_table(err, &apply->machine.devices);
    return result;
}

static int plan_without_gpu(struct apply *apply, const struct error *absent, struct error *err)
{
    if (!apply->machine.absent)
        return error_join(err, absent);
    if (apply->section.if_no_gpu != IF_NO_GPU_CPU) {
        error_join(err, absent);
        return error_add(err, absent->status,
                         "to go on without GPUs where there are none, write 'if_no_gpu: cpu' into "
                         "the gpu: section of %s",
                         apply->section.file);
    }
    cli_note(apply->options, "no GPU here, so as if_no_gpu: cpu asks, none is shown: %.*s",
             (int)strcspn(error_text(absent), "\n"), error_text(absent));
    return plan_make_cpu(&apply->plan, &apply->section, err);
}

/* From the driver's first answer to the plan, about which it is asked at once. A device that only
   its second answer describes must be waited for. */
static int decide(struct apply *apply, struct inquiry *survey, struct error *err)
{
    scope(error_release) struct error absent = ERROR_INIT;

    if (section_wants_no_gpu(&apply->section))
        return plan_make_cpu(&apply->plan, &apply->section, err);
    if (inventory_answer(survey, &apply->machine, &absent) < 0)
        return plan_without_gpu(apply, &absent, err);
    if (select_devices(&apply->selection, &apply->section, &apply->machine.devices, err) < 0) {
        cli_add_table(err, &apply->machine.devices);
        if (err->status == STATUS_DRIVER && cli_in_job(apply->options->env))
            error_add(
                err, STATUS_DRIVER,
                "this shell is in a scheduler's job, which may hide the machine's other GPUs; "
                "if so, run apply outside of one");
        return -1;
    }
    if (plan_make(&apply->plan, &apply->section, &apply->selection, err) < 0 ||
        ask_to_confirm(apply, err) < 0)
        return -1;
    return apply->plan.devices ? 0 : confirm(apply, err);
}

/* Everything up to the writing. The driver is slow to answer, so whatever needs no answer is done
   between asking and hearing it. */
static int make_ready(struct apply *apply, struct error *err)
{
    const struct options *options = apply->options;
    scope(inventory_cancel) struct inquiry survey = INQUIRY_INIT;

    if (cli_survey(&survey, options, err) < 0 || cli_read_config(&apply->section, options, err) < 0)
        return -1;
    struct find_wish wish = {options->prefix, options->name, apply->section.name, true,
                             options->env};
    if (find_environment(&apply->environment, &wish, err) < 0 || decide(apply, &survey, err) < 0 ||
        prefix_open(&apply->prefix, apply->environment.path, err) < 0 ||
        (!looks_only(options) && cli_lock(&apply->prefix, options, err) < 0) ||
        apply_prepare(apply, err) < 0)
        return -1;
    return confirm(apply, err);
}

static int run(const struct options *options, struct error *err)
{
    scope(apply_release) struct apply apply = {
        .options = options, .prefix = PREFIX_INIT, .confirming = INQUIRY_INIT};

    if (make_ready(&apply, err) < 0)
        return -1;
    apply_print_notes(&apply);
    apply_print_plan(&apply);
    if (looks_only(options))
        return apply_show_differences(&apply, err);
    if (apply_write(&apply, err) < 0)
        return -1;
    apply_print_written(&apply);
    return 0;
}

const struct command apply_command = {"apply", "fnpdcARFqvDTt", help, run};
