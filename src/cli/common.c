#include "cli/cli.h"

#include "base/env.h"
#include "base/file.h"
#include "base/scope.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

enum { DIFF_LIMIT = 4 * PREFIX_FILE_LIMIT, CONFIG_LIMIT = 16 << 20 };

static bool lost; /* something that there was no memory to print */

static void print_line(FILE *stream, const char *before, const struct strbuf *text)
{
    scope(strbuf_release) struct strbuf line = STRBUF_INIT;

    strbuf_add_printable(&line, strbuf_text(text), text->length);
    if (text->failed || line.failed)
        lost = true;
    else
        fprintf(stream, "%s%s\n", before, strbuf_text(&line));
}

void cli_note(const struct options *options, const char *format, ...)
{
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;
    va_list args;

    va_start(args, format);
    strbuf_vaddf(&text, format, args);
    va_end(args);
    if (!options->quiet)
        print_line(stderr, PROGRAM ": note: ", &text);
}

void cli_print(const struct options *options, const char *format, ...)
{
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;
    va_list args;

    va_start(args, format);
    strbuf_vaddf(&text, format, args);
    va_end(args);
    cli_print_line(options, &text);
}

void cli_print_line(const struct options *options, const struct strbuf *text)
{
    if (!options->quiet)
        print_line(stdout, "", text);
}

void cli_write(const struct strbuf *text)
{
    lost = lost || text->failed;
    fwrite(strbuf_text(text), 1, text->length, stdout);
}

void cli_write_foreign(const struct strbuf *text)
{
    scope(strbuf_release) struct strbuf shown = STRBUF_INIT;
    const char *line = strbuf_text(text), *end = line + text->length;

    while (line < end && isatty(STDOUT_FILENO)) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        const char *stop = newline ? newline : end;
        strbuf_add_printable(&shown, line, (size_t)(stop - line));
        strbuf_adds(&shown, "\n");
        line = stop + 1;
    }
    cli_write(shown.length || shown.failed ? &shown : text);
}

int cli_finish(struct error *err)
{
    if (fflush(stdout) != 0 || ferror(stdout))
        return error_add(err, STATUS_SYSTEM, "cannot write to standard output");
    return lost ? error_memory(err) : 0;
}

bool cli_colours(const struct options *options, int fd)
{
    const char *term = env_get(options->env, "TERM");

    return isatty(fd) && !env_get_filled(options->env, "NO_COLOR") && term &&
           strcmp(term, "dumb") != 0;
}

static int read_config(const char *path, const struct options *options, struct strbuf *text)
{
    return options->file ? file_read_named(path, CONFIG_LIMIT, options->timeout, text)
                         : file_read(path, CONFIG_LIMIT, text);
}

int cli_read_config(struct section *section, const struct options *options, struct error *err)
{
    static const char *const usual[] = {"environment.yml", "environment.yaml"};
    const char *const *files = options->file ? &options->file : usual;
    size_t count = options->file ? 1 : sizeof usual / sizeof *usual;

    for (size_t i = 0; i < count; i++) {
        scope(strbuf_release) struct strbuf text = STRBUF_INIT;
        const char *name = strcmp(files[i], "-") == 0 ? "standard input" : files[i];
        if (read_config(files[i], options, &text) == 0)
            return section_read(section, name, strbuf_text(&text), text.length, err);
        if (text.failed)
            return error_memory(err);
        if (errno == EOVERFLOW)
            return error_add(err, STATUS_INPUT,
                             "%s: larger than %d MiB; an environment file is not", name,
                             CONFIG_LIMIT >> 20);
        if (errno != ENOENT || options->file)
            return error_add(err, STATUS_INPUT,
                             "%s: cannot read the file: %s; name another with -f", name,
                             file_reason(errno));
    }
    return error_add(err, STATUS_INPUT,
                     "no environment.yml or environment.yaml in this folder; go to the one that "
                     "has it, or name the file with -f");
}

int cli_lock(struct prefix *prefix, const struct options *options, struct error *err)
{
    enum { SLICE = 20 }; /* milliseconds */
    scope(strbuf_release) struct strbuf holder = STRBUF_INIT;
    unsigned long slices = options->timeout * 1000ul / SLICE;
    int result = prefix_lock(prefix, err);

    if (result == PREFIX_BUSY) {
        prefix_lock_holder(prefix, &holder);
        cli_note(options, "waiting for %s, which writes to this environment", strbuf_text(&holder));
    }
    while (result == PREFIX_BUSY && slices-- > 0) {
        poll(NULL, 0, SLICE);
        result = prefix_lock(prefix, err);
    }
    if (result == PREFIX_NO_LOCK) {
        cli_note(options,
                 "%s: no locks on this file system, so see to it that no other conda-gpu writes "
                 "there now",
                 prefix->path);
        return 0;
    }
    if (result == PREFIX_BUSY)
        return error_add(err, STATUS_PREFIX,
                         "%s: %s has been writing there for %u seconds; wait for it, or end it if "
                         "it hangs",
                         prefix->path, strbuf_text(&holder), options->timeout);
    return result;
}

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
    signal(SIGPIPE, SIG_DFL);
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
    int ends[2];

    if (!old_label || !new_label)
        return -1;
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -1;
    pid_t child = fork();
    if (child == 0)
        be_diff(old_label, new_label, old, text, ends[1]);
    close(ends[1]);
    int result = child < 0 ? -1 : file_read_fd(ends[0], DIFF_LIMIT, out);
    int saved = errno;
    close(ends[0]);
    while (child > 0 && waitpid(child, status, 0) < 0 && errno == EINTR)
        ;
    errno = saved;
    return result;
}

int cli_diff(struct strbuf *out, const char *name, const char *old, const struct strbuf *text,
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
