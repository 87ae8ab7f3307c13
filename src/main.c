#include "cli/cli.h"

#include "base/scope.h"

#include <fcntl.h>
#include <signal.h>
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
    bool pipe_kills = signal(SIGPIPE, SIG_IGN) == SIG_DFL;
    signal(SIGXFSZ, SIG_IGN); /* EFBIG says more */
    signal(SIGCHLD, SIG_DFL); /* where a caller has it ignored, no child could be waited for */
    int status = run(argc, argv, &options, &err);
    if (status >= 0 && cli_finish(pipe_kills, &err) < 0)
        status = -1;
    return status < 0 ? (int)cli_print_error(&options, &err) : status;
}
