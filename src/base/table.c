#include "base/table.h"

#include <string.h>

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

void table_print(const struct table *table, struct strbuf *out)
{
    const char *cell = strbuf_text(&table->text);
    size_t spaces = 0;

    for (size_t i = 0; i < table->cells && !table->text.failed; i++) {
        size_t column = i % table->columns;
        if (*cell) {
            strbuf_addf(out, "%*s%s", (int)spaces, "", cell);
            spaces = 0;
        }
        spaces += table->widths[column] - width_of(cell) + 2;
        if (column == table->columns - 1) {
            strbuf_addc(out, '\n');
            spaces = 0;
        }
        cell += strlen(cell) + 1;
    }
    if (table->text.failed)
        out->failed = true;
}

void table_release(struct table *table)
{
    strbuf_release(&table->text);
}
