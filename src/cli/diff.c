#include "cli/diff.h"

#include "base/file.h"
#include "base/scope.h"
#include "conda/prefix.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DIFF_LIMIT = 4 * PREFIX_FILE_LIMIT };

/* The text as a file without a name; -1 with errno. */
static int open_text(const struct strbuf *text)
{
    int fd = memfd_create("conda-gpu", MFD_CLOEXEC);

    if (fd < 0)
        return -1;
    if (file_write_fd(fd, strbuf_text(text), text->length) == 0 && lseek(fd, 0, SEEK_SET) == 0)
        return fd;
    close(fd);
    return -1;
}

static _Noreturn void be_diff(const char *old_label, const char *new_label, const char *old,
                              int text, int out)
{
    dup2(text, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
    execlp("diff", "diff", "-au", "--label", old_label, "--label", new_label, old, "-",
           (char *)NULL);
    _exit(127);
}

/* diff(1) exits with 0 or 1 when it could compare. */
static int run_diff(struct strbuf *out, const char *name, const char *old, int text, int *status)
{
    scope(free_text) char *old_label = format_text("a/%s", name);
    scope(free_text) char *new_label = format_text("b/%s", name);
    scope(close_fd) int result = memfd_create("conda-gpu", MFD_CLOEXEC);

    if (!old_label || !new_label || result < 0)
        return -1;
    pid_t child = fork();
    if (child == 0)
        be_diff(old_label, new_label, old, text, result);
    if (child < 0 || again(waitpid(child, status, 0)) < 0 || lseek(result, 0, SEEK_SET) < 0)
        return -1;
    return file_read_fd(result, DIFF_LIMIT, out);
}

int diff_add(struct strbuf *out, const char *name, const char *old, const struct strbuf *text,
             struct error *err)
{
    scope(close_fd) int fd = open_text(text);
    int status = 0;

    if (fd < 0 || run_diff(out, name, old, fd, &status) < 0)
        return errno == ENOMEM
                   ? error_memory(err)
                   : error_add(err, STATUS_SYSTEM, "cannot run diff: %s", strerror(errno));
    if (WIFEXITED(status) && WEXITSTATUS(status) <= 1)
        return 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
        return error_add(err, STATUS_SYSTEM,
                         "changes are shown with diff(1), and there is none; install diffutils");
    return error_add(err, STATUS_SYSTEM, "diff(1) cannot compare %s; see whether 'diff -u' works",
                     name);
}
