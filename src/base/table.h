/*
 * Text in aligned columns, for a terminal. Cells may hold bytes of any origin.
 *
 *     scope(table_release) struct table table = TABLE_INIT(3);
 *     table_cell(&table, "GPU");  ...      // row by row
 *     table_print(&table, &out);
 */
#pragma once

#include "base/error.h"

enum { TABLE_MOST_COLUMNS = 10 };

struct table {
    size_t columns;
    size_t cells;
    size_t widths[TABLE_MOST_COLUMNS];
    size_t indent;      /* spaces before every line */
    unsigned fitted;    /* the columns that give way, a bit each, */
    size_t limit;       /* so that lines take no more characters than that */
    struct strbuf text; /* the cells, each closed by a NUL */
};

#define TABLE_INIT(number) ((struct table){.columns = (number)})

void table_cell(struct table *table, const char *text);
void table_cellf(struct table *table, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Of a text that was made for it; where memory ran out for that, table_print tells. */
void table_cell_of(struct table *table, const struct strbuf *text);
/* One cell for each column: the head of a table. */
void table_row(struct table *table, const char *const *cells);

/* Lets the cells of some columns (a bit each) be cut, with "..." at their end, where lines would be
   longer than `limit` and that helps. The widest gives way first. */
void table_fit(struct table *table, unsigned columns, size_t limit);

/* Adds the rows as lines, two spaces between columns and none at the end of a line. */
void table_print(const struct table *table, struct strbuf *out);

/* Adds them as lines behind the error's last message; of columns that give way as table_fit. */
int table_detail(struct table *table, unsigned columns, struct error *err);

void table_release(struct table *table);
