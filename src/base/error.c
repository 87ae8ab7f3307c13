#include "base/error.h"

#include "base/scope.h"

#include <stdarg.h>
#include <string.h>

#define MEMORY "out of memory\n"

/* A line is cut here: enough for a path of PATH_MAX bytes, too little to flood a terminal. */
enum { LONGEST_LINE = 8192 };

/* Where memory ran out, some message is missing, and those that are there do not tell the whole. */
static void settle(struct error *err, enum status status)
{
    if (err->text.failed || status == STATUS_SYSTEM)
        err->status = STATUS_SYSTEM;
    else if (err->status == STATUS_DONE)
        err->status = status;
}

__attribute__((format(printf, 4, 0))) static int add_line(struct error *err, enum status status,
                                                          struct place place, const char *format,
                                                          va_list args)
{
    scope(strbuf_release) struct strbuf line = STRBUF_INIT;

    if (place.file)
        strbuf_addf(&line, "%s:", place.file);
    if (place.line)
        strbuf_addf(&line, "%zu:%zu:", place.line, place.column);
    if (place.file)
        strbuf_addc(&line, ' ');
    strbuf_vaddf(&line, format, args);

    if (line.failed)
        return error_memory(err);
    err->lines++;
    size_t length = line.length < LONGEST_LINE ? line.length : LONGEST_LINE;
    strbuf_add_printable(&err->text, strbuf_text(&line), length);
    strbuf_adds(&err->text, line.length > length ? " [...]\n" : "\n");
    settle(err, status);
    return -1;
}

int error_add(struct error *err, enum status status, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    add_line(err, status, (struct place){0}, format, args);
    va_end(args);
    return -1;
}

int error_at(struct error *err, struct place place, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    add_line(err, STATUS_INPUT, place, format, args);
    va_end(args);
    return -1;
}

int error_add_lines(struct error *err, enum status status, const char *text)
{
    while (*text) {
        size_t length = strcspn(text, "\n");
        error_add(err, status, "%.*s", (int)length, text);
        text += length + (text[length] == '\n');
    }
    return -1;
}

int error_memory(struct error *err)
{
    err->lines++;
    strbuf_adds(&err->text, MEMORY);
    settle(err, STATUS_SYSTEM);
    return -1;
}

int error_join(struct error *err, const struct error *other)
{
    err->lines += other->lines;
    strbuf_adds(&err->text, error_text(other));
    settle(err, other->status);
    return -1;
}

const char *error_text(const struct error *err)
{
    return err->text.failed ? MEMORY : strbuf_text(&err->text);
}

void error_release(struct error *err)
{
    strbuf_release(&err->text);
    *err = (struct error)ERROR_INIT;
}
