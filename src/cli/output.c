#include "cli/cli.h"

#include "base/env.h"
#include "base/scope.h"
#include "cli/json.h"
#include "cli/process.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const struct options *cli_options;

static int unwritten; /* errno of the first write to stdout that failed */
static bool lost;     /* something that there was no memory to print */

/* Bytes for stdout; what became of them is told by cli_finish. */
static void put(const char *text, size_t length)
{
    if (fwrite(text, 1, length, stdout) < length && !unwritten)
        unwritten = errno;
}

/* A line without what could act on a terminal. */
static void make_line(struct strbuf *line, const char *before, const struct strbuf *text)
{
    strbuf_adds(line, before);
    strbuf_add_printable(line, strbuf_text(text), text->length);
    strbuf_addc(line, '\n');
    lost = lost || text->failed || line->failed;
}

void cli_note(const char *format, ...)
{
    scope(strbuf_release) struct strbuf line = STRBUF_INIT;
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;
    va_list args;

    va_start(args, format);
    strbuf_vaddf(&text, format, args);
    va_end(args);
    if (cli_options->json)
        json_list("notes", text.failed ? NULL : json_text(strbuf_text(&text)));
    if (cli_options->quiet)
        return;
    make_line(&line, PROGRAM ": note: ", &text);
    fputs(strbuf_text(&line), stderr);
}

void cli_print(const char *format, ...)
{
    scope(strbuf_release) struct strbuf line = STRBUF_INIT;
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;
    va_list args;

    if (cli_options->quiet || cli_options->json)
        return;
    va_start(args, format);
    strbuf_vaddf(&text, format, args);
    va_end(args);
    make_line(&line, "", &text);
    put(strbuf_text(&line), line.length);
}

const char *cli_shown(const char *value)
{
    return !value ? "(not set)" : *value ? value : "(empty)";
}

void cli_lost(void)
{
    lost = true;
}

bool cli_has_lost(void)
{
    return lost;
}

void cli_write_table(struct table *table, unsigned fitted)
{
    scope(strbuf_release) struct strbuf lines = STRBUF_INIT;

    table_fit(table, fitted, CLI_WIDTH);
    table_print(table, &lines);
    cli_write(&lines);
}

void cli_write(const struct strbuf *text)
{
    lost = lost || text->failed;
    put(strbuf_text(text), text->length);
}

void cli_write_text(const char *text)
{
    put(text, strlen(text));
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

void cli_add_wrapped(struct strbuf *out, const char *head, size_t column, const char *text)
{
    size_t at = column;

    strbuf_addf(out, "%-*s", (int)column, head);
    while (*text) {
        size_t length = strcspn(text, " ");
        if (at > column && at + 1 + length > CLI_WIDTH) {
            strbuf_addf(out, "\n%*s", (int)column, "");
            at = column;
        }
        strbuf_addf(out, "%s%.*s", at > column ? " " : "", (int)length, text);
        at += length + (at > column);
        text += length + strspn(text + length, " ");
    }
    strbuf_addc(out, '\n');
}

int cli_finish(struct error *err)
{
    if (fflush(stdout) != 0 && !unwritten)
        unwritten = errno;
    if (unwritten == EPIPE)
        process_end_by_pipe();
    if (unwritten)
        return error_add(err, STATUS_SYSTEM, "cannot write to standard output: %s",
                         strerror(unwritten));
    return lost ? error_memory(err) : 0;
}

enum status cli_print_error(const struct error *err)
{
    bool colours = cli_colours(STDERR_FILENO);
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;

    error_print(err, PROGRAM ": ", &text);
    fprintf(stderr, "%s%s%s", colours ? "\033[31m" : "",
            text.failed ? PROGRAM ": out of memory\n" : strbuf_text(&text),
            colours ? "\033[0m" : "");
    return text.failed ? STATUS_SYSTEM : err->status;
}

bool cli_colours(int fd)
{
    const char *term = env_get(cli_options->env, "TERM");

    return isatty(fd) && !env_get_filled(cli_options->env, "NO_COLOR") && term &&
           strcmp(term, "dumb") != 0;
}
