#include "cli/cli.h"

#include "base/scope.h"
#include "cli/process.h"

#include <stdio.h>

extern char **environ;

static int run(int argc, char **argv, struct options *options, struct error *err)
{
    const struct command *command;

    if (argc < 2) {
        help_print(NULL, stderr);
        return STATUS_INPUT;
    }
    switch (options_parse(options, &command, argc, argv, err)) {
    case PARSED_HELP:
        help_print(command, stdout);
        return 0;
    case PARSED_VERSION:
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

    process_begin();
    int status = run(argc, argv, &options, &err);
    if (status >= 0 && cli_finish(&err) < 0)
        status = -1;
    return status < 0 ? (int)cli_print_error(&options, &err) : status;
}
