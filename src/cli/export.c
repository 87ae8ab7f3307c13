#include "export/export.h"
#include "base/scope.h"
#include "cli/chosen.h"

static const struct option_spec export_options[] = {
    OPTION_TEXT_ROW(format, '\0', "format", "FORMAT", NULL,
                    "sh, fish, dotenv, systemd, jupyter, docker, cdi or json"),
    CHOSEN_ROWS,
    OPTION_DRIVER_ROW,
    OPTION_TIMEOUT_ROW("how long the driver may take to answer, with FILE (60)"),
};

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
    .options = export_options,
    .option_count = sizeof export_options / sizeof *export_options,
    .run = run,
};
