#include "cli/cli.h"

#include "base/scope.h"

#include <stdio.h>
#include <string.h>

static const char about[] =
    "Gives every conda environment exactly the GPUs that the gpu: section of its\n"
    "environment.yml names, from 'conda activate' to 'conda deactivate'.\n";

/* For somebody who has the program and no README. */
static const char about_section[] =
    "The gpu: section stands in environment.yml, beside name: and dependencies:, or\n"
    "in a gpu.yml beside that file. 'conda-gpu apply' puts it into effect.\n"
    "\n"
    "  name: pt\n"
    "  gpu:\n"
    "    devices: [1, 3]    # nvidia-smi's numbers; programs see cuda:0 and cuda:1\n"
    "    variables:         # set while the environment is active\n"
    "      OMP_NUM_THREADS: 8\n"
    "      CUDA_HOME: ${CONDA_PREFIX}\n"
    "      TF_FORCE_GPU_ALLOW_GROWTH: null                     # not set\n"
    "      LD_LIBRARY_PATH: {prepend: \"${CONDA_PREFIX}/lib\"}   # or append\n"
    "      MUJOCO_EGL_DEVICE_ID: ${gpu.egl}   # also ${gpu.uuids}, .count, .pci\n"
    "\n"
    "devices is one of these, or a list, in the order in which programs number them;\n"
    "where it is left out, the GPUs are left alone:\n"
    "  1, 0-3           GPUs as nvidia-smi numbers them\n"
    "  GPU-8932f937     the GPU whose UUID begins so ('conda-gpu devices' shows them)\n"
    "  MIG-...          the MIG instance with this UUID, written whole\n"
    "  65:00.0          the GPU at this PCI bus ID\n"
    "  {name: \"*A100*\", min_memory: 40GiB, min_compute: \"8.0\", count: 2}\n"
    "                   the first GPUs that have it all; without count, all of them\n"
    "  {mig: 3g.20gb, count: 1}       the same of MIG instances with this profile\n"
    "  all, none        every GPU of whatever machine; no GPU\n"
    "\n"
    "Other keys; the first word is what holds where the key is left out:\n"
    "  ids: index | uuid          what CUDA_VISIBLE_DEVICES holds\n"
    "  if_no_gpu: error | cpu | unconfirmed\n"
    "                             without a GPU here: stop, show programs none, or\n"
    "                             write the numbers down unseen\n"
    "  in_job: keep | override    a CUDA_VISIBLE_DEVICES that a job has set\n"
    "  if_set: override | keep    one that is set outside of scheduler's jobs\n"
    "\n"
    "Example:\n"
    "  conda-gpu devices              # which GPUs there are\n"
    "  conda-gpu apply --dry-run      # what the section would do\n";

/* "  -f, --file FILE", with room for a letter where there is none. */
static void add_option_name(struct strbuf *out, const struct option_spec *row)
{
    if (row->letter)
        strbuf_addf(out, "  -%c, --%s", row->letter, row->name);
    else
        strbuf_addf(out, "      --%s", row->name);
    if (row->argument)
        strbuf_addf(out, row->kind == OPTION_WAIT ? "[=%s]" : " %s", row->argument);
}

static size_t option_width(const struct command *command)
{
    size_t widest = strlen("  -h, --help");

    for (size_t i = 0; i < command->option_count; i++) {
        scope(strbuf_release) struct strbuf name = STRBUF_INIT;
        add_option_name(&name, &command->options[i]);
        widest = name.length > widest ? name.length : widest;
    }
    return widest;
}

static void add_options(struct strbuf *out, const struct command *command)
{
    size_t column = option_width(command) + 2;

    for (size_t i = 0; i < command->option_count; i++) {
        scope(strbuf_release) struct strbuf name = STRBUF_INIT;
        add_option_name(&name, &command->options[i]);
        cli_add_wrapped(out, strbuf_text(&name), column, command->options[i].help);
    }
    cli_add_wrapped(out, "  -h, --help", column, "this text");
}

/* The exit statuses that are among the digits. */
static void add_statuses(struct strbuf *out, const char *digits)
{
    strbuf_adds(out, "\nExit status:\n");
    for (size_t i = 0; i < status_count; i++) {
        const char digit = (char)('0' + statuses[i].status), name[] = {' ', ' ', digit, '\0'};
        if (strchr(digits, digit))
            cli_add_wrapped(out, name, 5, statuses[i].help);
    }
}

static void add_command(struct strbuf *out, const struct command *command)
{
    strbuf_addf(out, "Usage: " PROGRAM " %s%s%s\n\n", command->name, *command->usage ? " " : "",
                command->usage);
    strbuf_addf(out, "%s\n", command->about);
    add_options(out, command);
    add_statuses(out, command->statuses);
    strbuf_addf(out, "\nExample:\n  %s\n", command->example);
}

static void add_program(struct strbuf *out)
{
    strbuf_addf(out, "Usage: " PROGRAM " COMMAND [OPTION...]\n\n%s\n", about);
    for (size_t i = 0; i < command_count; i++) {
        scope(strbuf_release) struct strbuf name = STRBUF_INIT;
        if (commands[i]->hidden)
            continue;
        strbuf_addf(&name, "  %s", commands[i]->name);
        cli_add_wrapped(out, strbuf_text(&name), 12, commands[i]->summary);
    }
    strbuf_adds(out, "\n'" PROGRAM " help COMMAND' tells more of a command, '" PROGRAM
                     " help gpu' how\nthe section is written.\n");
    add_statuses(out, "012345");
    strbuf_adds(out, "\nExample:\n"
                     "  conda env create -f environment.yml && " PROGRAM " apply\n");
}

void help_print(const struct command *command, FILE *stream)
{
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;

    if (command)
        add_command(&text, command);
    else
        add_program(&text);
    if (stream == stdout)
        cli_write(&text);
    else
        fputs(strbuf_text(&text), stream);
}

static int run_help(const struct options *options, struct error *err)
{
    const char *topic = options->argument_count ? options->arguments[0] : NULL;

    if (options->argument_count > 1)
        return error_add(err, STATUS_INPUT,
                         "help tells about one command at a time; see "
                         "conda-gpu help %s",
                         topic);
    if (topic && strcmp(topic, "gpu") == 0) {
        cli_write_text(about_section);
        return 0;
    }
    const struct command *command = topic ? command_find(topic, err) : NULL;
    if (topic && !command)
        return -1;
    help_print(command, stdout);
    return 0;
}

static int run_version(const struct options *options, struct error *err)
{
    (void)options;
    (void)err;
    cli_write_text(PROGRAM " " VERSION "\n");
    return 0;
}

const struct command help_command = {
    .name = "help",
    .summary = "tell about a command, or about the gpu: section",
    .usage = "[COMMAND | gpu]",
    .about = "Tells about the program, about a command, or how the gpu: section is written.\n",
    .example = PROGRAM " help gpu",
    .arguments = "[COMMAND | gpu]",
    .statuses = "025",
    .run = run_help,
};

const struct command version_command = {
    .name = "version",
    .summary = "print the version, as -V and --version do",
    .usage = "",
    .about = "Prints the program's name and version.\n",
    .example = PROGRAM " version",
    .instead = "it takes none",
    .statuses = "025",
    .run = run_version,
};
