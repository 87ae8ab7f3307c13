#include "cli/cli.h"

#include "base/scope.h"
#include "base/suggest.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

extern char **environ;

static const struct command *const commands[] = {
    &apply_command,
    &devices_command,
    &remove_command,
};

enum { COMMANDS = sizeof commands / sizeof *commands };

static const char help[] =
    "Usage: conda-gpu COMMAND [OPTION...]\n"
    "\n"
    "Gives every conda environment exactly the GPUs that environment.yml's gpu: section names,\n"
    "from 'conda activate' to 'conda deactivate'.\n"
    "\n"
    "  apply      write the section's hooks into an environment\n"
    "  devices    show this machine's GPUs, with the numbers that nvidia-smi and CUDA give them\n"
    "  remove     remove what apply wrote\n"
    "\n"
    "  -h, --help     this text; 'conda-gpu COMMAND --help' tells about a command\n"
    "  --version      the version\n"
    "\n"
    "Exit status: 0 done, also when nothing had to be; 1 --check found a difference; 2 the "
    "command\n"
    "line or the file is wrong; 3 the driver or a device is missing; 4 the environment: not "
    "found,\n"
    "not an environment, not writable, or with files of others or edited ones in the hooks' "
    "places;\n"
    "5 the system failed (memory, processes, output).\n"
    "\n"
    "Example:\n"
    "  conda env create -f environment.yml && conda-gpu apply\n";

static const struct command *find_command(const char *name, struct error *err)
{
    const char *names[COMMANDS];

    for (size_t i = 0; i < COMMANDS; i++) {
        names[i] = commands[i]->name;
        if (strcmp(name, names[i]) == 0)
            return commands[i];
    }
    const char *near = suggest(name, names, COMMANDS);
    if (name[0] == '-' && name[1])
        error_add(err, STATUS_INPUT,
                  "'%s' stands before the command; options go after it, as in 'conda-gpu apply "
                  "--dry-run'; see conda-gpu --help",
                  name);
    else if (near)
        error_add(err, STATUS_INPUT, "unknown command '%s'; did you mean '%s'?", name, near);
    else
        error_add(err, STATUS_INPUT,
                  "unknown command '%s'; known: apply, devices, remove; see conda-gpu --help",
                  name);
    return NULL;
}

/* The result of a command: an exit status, or -1 with the error set. */
static int run_command(int argc, char **argv, struct options *options, struct error *err)
{
    const struct command *command = find_command(argv[0], err);

    if (!command)
        return -1;
    switch (options_parse(options, command, argc, argv, err)) {
    case PARSED_HELP:
        fputs(command->help, stdout);
        return 0;
    case PARSED_RUN:
        return command->run(options, err);
    case PARSED_WRONG:
        break;
    }
    return -1;
}

static int run(int argc, char **argv, struct options *options, struct error *err)
{
    if (argc < 2) {
        fputs(help, stderr);
        return STATUS_INPUT;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        fputs(help, stdout);
    else if (strcmp(argv[1], "--version") == 0)
        puts("conda-gpu " VERSION);
    else
        return run_command(argc - 1, argv + 1, options, err);
    return 0;
}

static void print_error(const struct options *options, const struct error *err)
{
    bool colours = cli_colours(options, STDERR_FILENO);
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;

    error_print(err, PROGRAM ": ", &text);
    fprintf(stderr, "%s%s%s", colours ? "\033[31m" : "",
            text.failed ? PROGRAM ": out of memory\n" : strbuf_text(&text),
            colours ? "\033[0m" : "");
}

/* A descriptor that the caller closed must not become one of our files; writing to it still fails.
 */
static void fill_standard_streams(void)
{
    int fd;

    do {
        fd = open("/dev/null", O_RDONLY);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

int main(int argc, char **argv)
{
    struct options options = {.timeout = 60, .env = environ};
    scope(error_release) struct error err = ERROR_INIT;

    fill_standard_streams();
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* EFBIG says more */
    signal(SIGCHLD, SIG_DFL); /* where a caller has it ignored, no child could be waited for */
    int status = run(argc, argv, &options, &err);
    if (status >= 0 && cli_finish(&err) < 0)
        status = -1;
    if (status < 0) {
        print_error(&options, &err);
        status = (int)err.status;
    }
    return status;
}
