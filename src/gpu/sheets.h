/*
 * The documents of a file in which several processes wrote theirs: between lines '---' and '...',
 * and perhaps with a label before every line, by which those of different processes are told apart,
 * as `srun --label` writes them ("0: ---"), pdsh and clush. For stock.c.
 */
#pragma once

#include "base/array.h"
#include "base/error.h"

/* One document, without labels. */
struct sheet {
    char *label; /* "" if there are none */
    struct strbuf text;
    bool ended;
    /* Of the file, from 1: where each line of the text stands there. */
    struct array_of(size_t) lines;
};

struct sheets {
    const char *file;
    struct sheet *items;
    size_t count;
    size_t room;
};

/* -1 with the place where a line belongs to no document, or a document has no end, or another one
   begins in it; or where there are more than `most` documents, or none. `file` is for places and
   not copied. */
int sheets_read(struct sheets *sheets, const char *file, const char *text, size_t length,
                size_t most, struct error *err);

/* Where in the file this place of a document is; line 0: where it begins. */
struct place sheet_place(const struct sheets *sheets, const struct sheet *sheet, size_t line,
                         size_t column);

void sheets_release(struct sheets *sheets);
