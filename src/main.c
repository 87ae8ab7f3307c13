#include "cli/cli.h"

#include "base/scope.h"
#include "cli/json.h"
#include "cli/process.h"

#include <stdio.h>

extern char **environ;

static int run(int argc, char **argv, struct options *options, struct error *err)
{
    if (argc < 2) {
        help_print(NULL, stderr);
        return STATUS_INPUT;
    }
    return options_parse(options, argc, argv, err) < 0 ? -1 : options->command->run(options, err);
}

int main(int argc, char **argv)
{
    struct options options = {.timeout = 60, .env = environ};
    scope(error_release) struct error err = ERROR_INIT;

    cli_options = &options;
    process_begin();
    int status = run(argc, argv, &options, &err);
    if (options.json && json_finish(&options, status, &err) < 0)
        status = -1;
    if ((status >= 0 || options.json) && cli_finish(&err) < 0)
        status = -1;
    return status < 0 ? (int)cli_print_error(&err) : status;
}
