#include "cli/chosen.h"

#include "base/scope.h"
#include "cli/kept.h"
#include "export/keep.h"

static const struct option_spec export_options[] = {
    OPTION_TEXT_ROW(format, '\0', "format", "FORMAT", NULL,
                    "sh, fish, dotenv, systemd, jupyter, docker, cdi or json"),
    OPTION_TEXT_ROW(
        output, 'o', "output", "FILE", "gpus",
        "keep a .env or a kernel.json: put this among what is in FILE; apply renews it, "
        "remove takes it out"),
    CHOSEN_ROWS,
    OPTION_QUIET_ROW("print nothing but errors and what is asked for"),
    OPTION_DRIVER_ROW,
    OPTION_TIMEOUT_ROW("how long the driver may take to answer, with FILE (60)"),
};

/* Puts it into the file, and has the receipt know the file first: what is there and not known would
   never be renewed. */
static int keep_file(const struct options *options, struct chosen *chosen,
                     const struct format *format, const struct exported *what, struct error *err)
{
    scope(lock_release) struct lock lock = LOCK_INIT;
    scope(keep_release) struct keep keep = {0};

    if (options->file)
        return error_add(err, STATUS_INPUT,
                         "--output keeps what apply has written, so -f makes no sense with it");
    if (keep_open(&keep, options->output, format, err) < 0 || keep_put(&keep, what, err) < 0 ||
        cli_lock(&lock, &chosen->prefix, options, err) < 0 ||
        kept_add(&chosen->prefix, keep.path, format->name, err) < 0)
        return -1;
    if (keep_differs(&keep) && keep_write(&keep, err) < 0)
        return -1;
    cli_print("%s  %s", keep_differs(&keep) ? "written  " : "unchanged", keep.path);
    return 0;
}

static int run(const struct options *options, struct error *err)
{
    scope(chosen_release) struct chosen chosen = CHOSEN_INIT;
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;

    if (!options->format)
        return error_add(err, STATUS_INPUT,
                         "--format is needed: for example conda-gpu export --format dotenv");
    const struct format *format = format_find(options->format, err);
    if (!format || chosen_find(&chosen, options, err) < 0)
        return -1;
    const struct exported what = {&chosen.planned.plan, chosen.environment.name,
                                  chosen.environment.path, options->env};
    if (options->output)
        return keep_file(options, &chosen, format, &what, err);
    if (format->print(&text, &what, err) < 0)
        return -1;
    cli_write(&text);
    return 0;
}

const struct command export_command = {
    .name = "export",
    .summary = "print the plan for what runs no hooks: docker, services, IDEs",
    .usage = "--format FORMAT [-n NAME | -p PREFIX] [OPTION...]",
    .about = "Prints what an environment's programs get, in the words of another program:\n"
             "\n"
             "  sh, fish   lines for a script to evaluate\n"
             "  dotenv     a .env file: VS Code, PyCharm, docker compose\n"
             "  systemd    a drop-in for a service, by UUID\n"
             "  jupyter    the env block of a kernel.json\n"
             "  docker     the --gpus argument of docker run, by UUID\n"
             "  cdi        CDI device names, a line each: podman run --device\n"
             "  json       the whole plan\n"
             "\n"
             "What a format cannot hold, such as prepend in a .env file, is an error. docker\n"
             "and cdi tell of the GPUs only. What a job has set is not looked at.\n",
    .example = "conda-gpu export -n pt --format dotenv > .env",
    .instead = "only options are accepted here",
    .statuses = "02345",
    OPTION_ROWS(export_options),
    .run = run,
};
