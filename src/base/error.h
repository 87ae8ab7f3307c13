/*
 * What went wrong: a list of messages in the words that the user will read, and the exit status.
 *
 * The contract, for every function of the project that takes a `struct error *`:
 *   - it returns 0 (or a result) on success and leaves the error untouched;
 *   - it returns -1 (or NULL) on failure, having added at least one message;
 *   - an outer layer may add further messages or a detail; it never replaces one;
 *   - outputs are untouched on failure.
 * A message names the file and place, what was found, what is accepted, and what to do.
 *
 *     scope(error_release) struct error err = ERROR_INIT;
 *     if (section_read(&section, "environment.yml", text, length, &err) < 0)
 *         return error_print(&err, "", &out), err.status;
 *
 * All text goes through strbuf_add_printable, so a message may hold bytes of any origin.
 */
#pragma once

#include "base/strbuf.h"

/* The program's exit statuses. What users read of them is the table in cli/commands.c. */
enum status {
    STATUS_DONE = 0,
    STATUS_DIFFERS = 1, /* --check found something to change */
    STATUS_INPUT = 2,   /* the command line or the file is wrong */
    STATUS_DRIVER = 3,  /* the driver or a device is missing */
    STATUS_PREFIX = 4,  /* the environment: not found, not writable, or holds files of others */
    STATUS_SYSTEM = 5,  /* the system refused memory, a process or output */
    STATUS_TAKEN = 6,   /* not so many cards are free */
};

/* Where in a file; line and column count from 1, column in characters. Line 0: the whole file. */
struct place {
    const char *file; /* not owned */
    size_t line;
    size_t column;
};

struct message {
    enum status status;
    char *file; /* with line and column, its place; "": none */
    size_t line;
    size_t column;
    char *text;           /* one line, without its end */
    struct strbuf detail; /* further lines, such as a table; each ended by '\n' */
};

struct error {
    enum status status; /* that of the first message, but STATUS_SYSTEM if any has that */
    bool no_memory;     /* for a message, or for what one would have told of */
    struct message *items;
    size_t count;
    size_t room;
};

#define ERROR_INIT ((struct error){0})

/* Adds one message, with a place (which it copies) or without, and returns -1, so that a function
   can end with `return error_add(...)`. */
int error_of(struct error *err, enum status status, struct place place, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
#define error_add(err, status, ...) error_of(err, status, (struct place){0}, __VA_ARGS__)
/* Of STATUS_INPUT: error_at(err, place, format, ...). */
#define error_at(err, ...) error_of(err, STATUS_INPUT, __VA_ARGS__)

/* STATUS_SYSTEM. Needs no memory, and is said once, after all messages. */
int error_memory(struct error *err);

/* Adds a line to what the last message says, or each line of a text. Printed with two spaces
   before each. Returns -1. */
int error_detail(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
int error_detail_lines(struct error *err, const char *text);

/* Takes all messages of `other`, which is empty then, but those that are there already. Returns
   -1. */
int error_join(struct error *err, struct error *other);

/* Adds everything as lines, "FILE:LINE:COLUMN: TEXT", with `before` at the head of each message. */
void error_print(const struct error *err, const char *before, struct strbuf *out);

/* What the first message says, without its place. */
const char *error_first(const struct error *err);

void error_release(struct error *err);
