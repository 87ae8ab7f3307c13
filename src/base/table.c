#include "base/table.h"

#include "base/scope.h"

#include <stdarg.h>
#include <string.h>

enum {
    LEAST = 16, /* a column that gives way keeps so many characters */
    DETAIL = 78 /* characters of a line behind an error */
};

/* Columns that a text takes: characters, since what has no width was made visible before. */
static size_t width_of(const char *text)
{
    size_t width = 0;

    for (; *text; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

void table_cell(struct table *table, const char *text)
{
    size_t column = table->cells++ % table->columns, start = table->text.length;

    strbuf_add_printable(&table->text, text, strlen(text));
    strbuf_addc(&table->text, '\0');
    if (table->text.failed)
        return;
    size_t width = width_of(table->text.text + start);
    if (width > table->widths[column])
        table->widths[column] = width;
}

void table_cell_of(struct table *table, const struct strbuf *text)
{
    table_cell(table, strbuf_text(text));
    table->text.failed = table->text.failed || text->failed;
}

void table_cellf(struct table *table, const char *format, ...)
{
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;
    va_list args;

    va_start(args, format);
    strbuf_vaddf(&text, format, args);
    va_end(args);
    table_cell_of(table, &text);
}

void table_row(struct table *table, const char *const *cells)
{
    for (size_t i = 0; i < table->columns; i++)
        table_cell(table, cells[i]);
}

void table_fit(struct table *table, unsigned columns, size_t limit)
{
    table->fitted = columns;
    table->limit = limit;
}

/* The widest of the columns that may give way, if it still can. */
static size_t *widest(const struct table *table, size_t *widths)
{
    size_t *found = NULL;

    for (size_t i = 0; i < table->columns; i++)
        if (table->fitted >> i & 1 && widths[i] > LEAST && (!found || widths[i] > *found))
            found = &widths[i];
    return found;
}

/* How wide the columns are to be. */
static void fit(const struct table *table, size_t *widths)
{
    size_t total = 0;

    for (size_t i = 0; i < table->columns; i++)
        total += table->widths[i] + (i ? 2 : 0);
    memcpy(widths, table->widths, sizeof table->widths);
    for (; table->fitted && total > table->limit; total--) {
        size_t *giving = widest(table, widths);
        if (!giving) {
            memcpy(widths, table->widths, sizeof table->widths);
            return;
        }
        --*giving;
    }
}

/* Adds as much of a cell as there is room for; returns the width. */
static size_t add_cell(struct strbuf *out, const char *cell, size_t room)
{
    size_t width = width_of(cell), bytes = 0;

    if (width <= room) {
        strbuf_adds(out, cell);
        return width;
    }
    for (size_t i = 0; i < room - strlen("..."); i++)
        do {
            bytes++;
        } while (((unsigned char)cell[bytes] & 0xc0) == 0x80);
    strbuf_addf(out, "%.*s...", (int)bytes, cell);
    return room;
}

void table_print(const struct table *table, struct strbuf *out)
{
    const char *cell = strbuf_text(&table->text);
    size_t spaces = table->indent, widths[TABLE_MOST_COLUMNS];

    fit(table, widths);
    for (size_t i = 0; i < table->cells && !table->text.failed; i++) {
        size_t column = i % table->columns, width = widths[column];
        if (*cell) {
            strbuf_addf(out, "%*s", (int)spaces, "");
            spaces = width - add_cell(out, cell, width) + 2;
        } else {
            spaces += width + 2;
        }
        if (column == table->columns - 1) {
            strbuf_addc(out, '\n');
            spaces = table->indent;
        }
        cell += strlen(cell) + 1;
    }
    if (table->text.failed)
        out->failed = true;
}

int table_detail(struct table *table, unsigned columns, struct error *err)
{
    scope(strbuf_release) struct strbuf lines = STRBUF_INIT;

    table_fit(table, columns, DETAIL);
    table_print(table, &lines);
    return lines.failed ? error_memory(err) : error_detail_lines(err, strbuf_text(&lines));
}

void table_release(struct table *table)
{
    strbuf_release(&table->text);
}
