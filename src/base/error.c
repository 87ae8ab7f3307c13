#include "base/error.h"

#include "base/array.h"
#include "base/scope.h"

#include <stdarg.h>
#include <string.h>

#define MEMORY "out of memory"

/* A line is cut here: enough for a path of PATH_MAX bytes, too little to flood a terminal. */
enum { LONGEST_LINE = 8192 };

static void settle(struct error *err, enum status status)
{
    if (status == STATUS_SYSTEM || err->status == STATUS_DONE)
        err->status = status;
}

/* One line of a format's result; it has failed where memory ran out. */
__attribute__((format(printf, 2, 0))) static void add_line(struct strbuf *out, const char *format,
                                                           va_list args)
{
    scope(strbuf_release) struct strbuf line = STRBUF_INIT;

    strbuf_vaddf(&line, format, args);
    size_t length = line.length < LONGEST_LINE ? line.length : LONGEST_LINE;
    strbuf_add_printable(out, strbuf_text(&line), length);
    if (line.length > length)
        strbuf_adds(out, " [...]");
    out->failed = out->failed || line.failed;
}

static void message_release(struct message *message)
{
    free(message->file);
    free(message->text);
    strbuf_release(&message->detail);
}

/* Takes what the message holds. */
static int add_message(struct error *err, struct message *message)
{
    if (!message->file || !message->text || array_add(err, *message) < 0) {
        message_release(message);
        return error_memory(err);
    }
    settle(err, message->status);
    return -1;
}

int error_of(struct error *err, enum status status, struct place place, const char *format, ...)
{
    struct strbuf text = STRBUF_INIT, file = STRBUF_INIT;
    const char *name = place.file ? place.file : "";
    va_list args;

    va_start(args, format);
    add_line(&text, format, args);
    va_end(args);
    strbuf_add_printable(&file, name, strlen(name));
    struct message message = {status,       strbuf_take(&file), place.line,
                              place.column, strbuf_take(&text), STRBUF_INIT};
    return add_message(err, &message);
}

int error_memory(struct error *err)
{
    err->no_memory = true;
    settle(err, STATUS_SYSTEM);
    return -1;
}

int error_detail(struct error *err, const char *format, ...)
{
    scope(strbuf_release) struct strbuf line = STRBUF_INIT;
    va_list args;

    va_start(args, format);
    add_line(&line, format, args);
    va_end(args);
    if (line.failed)
        return error_memory(err);
    if (!err->count)
        return -1;
    struct strbuf *detail = &err->items[err->count - 1].detail;
    strbuf_addf(detail, "%s\n", strbuf_text(&line));
    return detail->failed ? error_memory(err) : -1;
}

int error_detail_lines(struct error *err, const char *text)
{
    while (*text) {
        size_t length = strcspn(text, "\n");
        error_detail(err, "%.*s", (int)length, text);
        text += length + (text[length] == '\n');
    }
    return -1;
}

static bool is_said(const struct error *err, const struct message *message)
{
    for (size_t i = 0; i < err->count; i++) {
        const struct message *said = &err->items[i];
        if (said->line == message->line && said->column == message->column &&
            strcmp(said->file, message->file) == 0 && strcmp(said->text, message->text) == 0 &&
            strbuf_equal(&said->detail, &message->detail))
            return true;
    }
    return false;
}

int error_join(struct error *err, struct error *other)
{
    for (size_t i = 0; i < other->count; i++)
        if (is_said(err, &other->items[i]))
            message_release(&other->items[i]);
        else
            add_message(err, &other->items[i]);
    if (other->no_memory)
        error_memory(err);
    other->count = 0;
    error_release(other);
    return -1;
}

static void print_message(const struct message *message, const char *before, struct strbuf *out)
{
    strbuf_adds(out, before);
    if (*message->file)
        strbuf_addf(out, "%s:", message->file);
    if (message->line)
        strbuf_addf(out, "%zu:%zu:", message->line, message->column);
    strbuf_addf(out, "%s%s\n", *message->file ? " " : "", message->text);
    for (const char *line = strbuf_text(&message->detail); *line;) {
        size_t length = strcspn(line, "\n") + 1;
        strbuf_addf(out, "%s%.*s", length > 1 ? "  " : "", (int)length, line);
        line += length;
    }
}

void error_print(const struct error *err, const char *before, struct strbuf *out)
{
    for (size_t i = 0; i < err->count; i++)
        print_message(&err->items[i], before, out);
    if (err->no_memory)
        strbuf_addf(out, "%s" MEMORY "\n", before);
}

const char *error_first(const struct error *err)
{
    return err->count ? err->items[0].text : err->no_memory ? MEMORY : "";
}

void error_release(struct error *err)
{
    for (size_t i = 0; i < err->count; i++)
        message_release(&err->items[i]);
    free(err->items);
    *err = ERROR_INIT;
}
