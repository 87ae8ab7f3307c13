#include "cli/cli.h"

#include "base/scope.h"
#include "cli/json.h"
#include "cli/process.h"

#include <stdio.h>

extern char **environ;

static int run(int argc, char **argv, struct options *options, const struct command **found,
               struct error *err)
{
    const struct command *command;

    if (argc < 2) {
        help_print(NULL, stderr);
        return STATUS_INPUT;
    }
    enum parsed parsed = options_parse(options, &command, argc, argv, err);
    *found = command;
    switch (parsed) {
    case PARSED_HELP:
        options->json = false;
        help_print(command, stdout);
        return 0;
    case PARSED_VERSION:
        options->json = false;
        return version_command.run(options, err);
    case PARSED_RUN:
        return command->run(options, err);
    case PARSED_WRONG:
        break;
    }
    return -1;
}

int main(int argc, char **argv)
{
    struct options options = {.timeout = 60, .env = environ};
    scope(error_release) struct error err = ERROR_INIT;
    const struct command *command = NULL;

    process_begin();
    int status = run(argc, argv, &options, &command, &err);
    if (options.json && json_finish(command, status, &err) < 0)
        status = -1;
    if ((status >= 0 || options.json) && cli_finish(&err) < 0)
        status = -1;
    return status < 0 ? (int)cli_print_error(&options, &err) : status;
}
