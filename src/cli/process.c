#include "cli/process.h"

#include "base/env.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

/* Of another disposition than ours when we were started; SIGCHLD, too, may come ignored. */
static struct {
    int signal;
    void (*ours)(int);
    void (*callers)(int);
} signals[] = {
    {SIGPIPE, SIG_IGN, SIG_DFL},
    {SIGXFSZ, SIG_IGN, SIG_DFL}, /* EFBIG says more */
    {SIGCHLD, SIG_DFL, SIG_DFL}, /* where it is ignored, no child could be waited for */
};
enum { SIGNALS = sizeof signals / sizeof *signals };

static bool was_closed[STDERR_FILENO + 1];

/* A standard stream that the caller closed must not become one of our files. Writing to it still
   fails, since it is opened for reading. */
static void fill_standard_streams(void)
{
    int fd;

    while ((fd = open("/dev/null", O_RDONLY)) >= 0 && fd <= STDERR_FILENO)
        was_closed[fd] = true;
    if (fd >= 0)
        close(fd);
}

void process_begin(void)
{
    fill_standard_streams();
    for (int i = 0; i < SIGNALS; i++)
        signals[i].callers = signal(signals[i].signal, signals[i].ours);
}

void process_end_by_pipe(void)
{
    if (signals[0].callers != SIG_DFL)
        return;
    signal(SIGPIPE, SIG_DFL);
    raise(SIGPIPE);
}

static void give_back(void)
{
    for (int i = 0; i < SIGNALS; i++)
        signal(signals[i].signal, signals[i].callers);
    for (int fd = 0; fd <= STDERR_FILENO; fd++)
        if (was_closed[fd])
            close(fd);
}

int process_become(char *const *argv, char **env, struct error *err)
{
    bool has_path = strchr(argv[0], '/');
    char **before = environ;

    environ = env; /* also for PATH */
    give_back();
    execvp(argv[0], argv);
    int reason = errno;
    environ = before;
    process_begin();
    if (reason == ENOENT && !has_path)
        error_add(err, STATUS_INPUT, "%s: there is no such command in PATH, which is %s", argv[0],
                  env_get_filled(env, "PATH"));
    else
        error_add(err, STATUS_INPUT, "%s: cannot run it: %s", argv[0], strerror(reason));
    return reason == ENOENT ? PROCESS_NOT_FOUND : PROCESS_CANNOT_RUN;
}
