#include "gpu/sheets.h"

#include "base/scope.h"

#include <stdlib.h>
#include <string.h>

#define MAKE "; 'conda-gpu devices --yaml' on a machine with GPUs prints an inventory"

/* A line of the file, without its end. */
struct line {
    const char *text;
    size_t length;
    size_t number;
    size_t label; /* bytes before its own text */
};

struct reading {
    struct sheets *sheets;
    bool labelled;
    size_t most;
    struct error *err;
};

static bool next_line(struct line *line, const char *end)
{
    const char *begin = line->text + line->length + (line->number ? 1 : 0);

    if (begin >= end)
        return false;
    const char *stop = memchr(begin, '\n', (size_t)(end - begin));
    *line = (struct line){begin, (size_t)((stop ? stop : end) - begin), line->number + 1, 0};
    return true;
}

/* Bytes of "12: ", which srun aligns to the right; 0 if the line has none. */
static size_t label_length(const struct line *line)
{
    size_t at = 0;

    while (at < line->length && line->text[at] == ' ')
        at++;
    size_t begin = at;
    while (at < line->length && !strchr(": \t\r\"'#", line->text[at]))
        at++;
    if (at == begin || at == line->length || line->text[at] != ':')
        return 0;
    at++;
    return at < line->length && line->text[at] == ' ' ? at + 1 : at == line->length ? at : 0;
}

/* Whether the line's own text is this, and blanks. */
static bool is_line(const struct line *line, const char *text)
{
    size_t length = line->length;

    while (length > line->label && strchr(" \t\r", line->text[length - 1]))
        length--;
    return length - line->label == strlen(text) &&
           memcmp(line->text + line->label, text, strlen(text)) == 0;
}

static struct place place_of(const struct reading *in, const struct line *line)
{
    return (struct place){in->sheets->file, line->number, line->label + 1};
}

/* The open document of this label, if there is one. */
static struct sheet *find_open(const struct reading *in, const struct line *line)
{
    struct sheet *items = in->sheets->items;

    for (size_t i = in->sheets->count; i-- > 0;)
        if (!items[i].ended && strlen(items[i].label) == line->label &&
            memcmp(items[i].label, line->text, line->label) == 0)
            return &items[i];
    return NULL;
}

static int add_line(struct reading *in, struct sheet *sheet, const struct line *line)
{
    strbuf_add(&sheet->text, line->text + line->label, line->length - line->label);
    strbuf_addc(&sheet->text, '\n');
    return sheet->text.failed || array_add(&sheet->lines, line->number) < 0 ? error_memory(in->err)
                                                                            : 0;
}

static int begin(struct reading *in, const struct line *line)
{
    const struct sheet *open = find_open(in, line);
    scope(free_text) char *label = strndup(line->text, line->label);

    if (open)
        return error_at(in->err, place_of(in, line),
                        "a document begins here, and the one that begins in line %zu has not "
                        "ended ('...'): %s",
                        open->lines.items[0],
                        in->labelled ? "a file was cut off, or two are mixed"
                                     : "a file was cut off, or the outputs of several machines "
                                       "are mixed; 'srun --label' keeps them apart");
    if (in->sheets->count == in->most)
        return error_at(in->err, place_of(in, line), "more than %zu machines in one file",
                        in->most);
    if (!label || array_add(in->sheets, (struct sheet){.label = take(&label)}) < 0)
        return error_memory(in->err);
    return add_line(in, &in->sheets->items[in->sheets->count - 1], line);
}

static int take_line(struct reading *in, struct line *line)
{
    line->label = in->labelled ? label_length(line) : 0;
    if (in->labelled && !line->label && line->length)
        return error_at(in->err, place_of(in, line),
                        "this line has no label before it, as the first one has");
    if (is_line(line, "---"))
        return begin(in, line);
    struct sheet *open = find_open(in, line);
    bool empty = is_line(line, "") || line->text[line->label] == '#';
    if (!open)
        return empty ? 0
                     : error_at(in->err, place_of(in, line),
                                "a machine's devices are expected here, which begin with a line "
                                "'---'" MAKE);
    open->ended = is_line(line, "...");
    return add_line(in, open, line);
}

static int read_all(struct reading *in, const char *text, size_t length)
{
    struct line line = {.text = text};

    while (next_line(&line, text + length)) {
        size_t label = label_length(&line);
        if (!in->sheets->count && !in->labelled && label) {
            line.label = label;
            in->labelled =
                is_line(&line, "---") || (label < line.length && line.text[label] == '#');
        }
        if (take_line(in, &line) < 0)
            return -1;
    }
    for (size_t i = 0; i < in->sheets->count; i++)
        if (!in->sheets->items[i].ended)
            return error_at(
                in->err, (struct place){in->sheets->file, in->sheets->items[i].lines.items[0], 1},
                "the document that begins here has no end, which is a line '...': the "
                "file was cut off");
    if (!in->sheets->count)
        return error_at(in->err, (struct place){.file = in->sheets->file},
                        "no machine's devices are in it" MAKE);
    return 0;
}

int sheets_read(struct sheets *sheets, const char *file, const char *text, size_t length,
                size_t most, struct error *err)
{
    scope(sheets_release) struct sheets read = {.file = file};
    struct reading in = {.sheets = &read, .most = most, .err = err};

    if (read_all(&in, text, length) < 0)
        return -1;
    *sheets = take(&read);
    return 0;
}

struct place sheet_place(const struct sheets *sheets, const struct sheet *sheet, size_t line,
                         size_t column)
{
    if (!line || line > sheet->lines.count)
        return (struct place){sheets->file, sheet->lines.items[0], 1};
    return (struct place){sheets->file, sheet->lines.items[line - 1],
                          strlen(sheet->label) + column};
}

void sheets_release(struct sheets *sheets)
{
    for (size_t i = 0; i < sheets->count; i++) {
        free(sheets->items[i].label);
        free(sheets->items[i].lines.items);
        strbuf_release(&sheets->items[i].text);
    }
    free(sheets->items);
    *sheets = (struct sheets){0};
}
