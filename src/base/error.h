/*
 * What went wrong, in the words that the user will read, and the exit status that goes with it.
 *
 * The contract, for every function of the project that takes a `struct error *`:
 *   - it returns 0 (or a result) on success and leaves the error untouched;
 *   - it returns -1 (or NULL) on failure, having added at least one line;
 *   - an outer layer may add further lines (a table, what to do); it never replaces one;
 *   - outputs are untouched on failure.
 * A message names the file and place, what was found, what is accepted, and what to do.
 *
 *     scope(error_release) struct error err = ERROR_INIT;
 *     if (section_read(&section, "environment.yml", text, length, &err) < 0)
 *         return print(error_text(&err)), err.status;
 *
 * Every line goes through strbuf_add_printable, so a message may hold bytes of any origin.
 */
#ifndef CONDA_GPU_ERROR_H
#define CONDA_GPU_ERROR_H

#include "base/strbuf.h"

/* The program's exit statuses; documented in --help and README.md. */
enum status {
    STATUS_DONE = 0,
    STATUS_DIFFERS = 1, /* --check found something to change */
    STATUS_INPUT = 2,   /* the command line or the file is wrong */
    STATUS_DRIVER = 3,  /* the driver or a device is missing */
    STATUS_PREFIX = 4,  /* the environment: not found, not writable, or holds files of others */
    STATUS_SYSTEM = 5,  /* the system refused memory, a process or output */
};

/* Where in a file; line and column count from 1, column in characters. Line 0: the whole file. */
struct place {
    const char *file; /* not owned */
    size_t line;
    size_t column;
};

struct error {
    enum status status; /* that of the first message, but STATUS_SYSTEM if any has that */
    size_t lines;
    struct strbuf text; /* lines, each ended by '\n' */
};

#define ERROR_INIT                                                                                 \
    {                                                                                              \
        STATUS_DONE, 0, STRBUF_INIT                                                                \
    }

/* Each adds one line and returns -1, so that a function can end with `return error_add(...)`. */
int error_add(struct error *err, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* "FILE:LINE:COLUMN: MESSAGE", with STATUS_INPUT. */
int error_at(struct error *err, struct place place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Adds each line of a text. */
int error_add_lines(struct error *err, enum status status, const char *text);
int error_memory(struct error *err);

/* Adds all lines of `other`, which stays the caller's. */
int error_join(struct error *err, const struct error *other);

/* All lines; "out of memory\n" when there was not even the memory to say so. */
const char *error_text(const struct error *err);

void error_release(struct error *err);

#endif
