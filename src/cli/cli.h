/*
 * The command line: the only code that prints, reads argv or the environment, or exits.
 */
#pragma once

#include "base/table.h"
#include "cli/options.h"
#include "conda/find.h"
#include "conda/lock.h"
#include "section/section.h"

#include <stdbool.h>
#include <stdio.h>

#define PROGRAM "conda-gpu" /* begins every message on stderr */

#ifndef VERSION
#define VERSION "0.0.0"
#endif

extern const struct command apply_command, devices_command, exec_command, export_command,
    remove_command, status_command, help_command, version_command, complete_command;

/* Whether the shells' completions know what this is, among what the tables call a value. */
bool complete_knows(const char *argument);

/* The help of a command, or of the program (NULL). */
void help_print(const struct command *command, FILE *stream);

/* What the command line asks for, as far as all output heeds it: main() sets this. */
extern const struct options *cli_options;

enum { CLI_WIDTH = 80 }; /* characters of a line, where that can be had */

/* A line on stderr, with control characters made visible: for what is no error. */
void cli_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A line on stdout, likewise; quiet says nothing. */
void cli_print(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Adds a head and, from this column on, a text; a word that would stand beyond the last column
   begins a new line there. */
void cli_add_wrapped(struct strbuf *out, const char *head, size_t column, const char *text);

/* There was no memory for something that was to be told: cli_finish says so, and --json prints
   nothing. */
void cli_lost(void);
bool cli_has_lost(void);

/* The value of a variable for people; NULL: it is not set. */
const char *cli_shown(const char *value);

/* Lines on stdout, as they are. */
void cli_write(const struct strbuf *text);
void cli_write_text(const char *text);

/* A table, in which columns (a bit each) give way where lines would be too long. */
void cli_write_table(struct table *table, unsigned fitted);

/* Lines of files, byte for byte; on a terminal, which would obey them, with control characters made
   visible. */
void cli_write_foreign(const struct strbuf *text);

/* After all output: -1 if any of it could not be written, or there was no memory to print it. Where
   the reader of stdout has gone, SIGPIPE ends the program, if its caller lets it. */
int cli_finish(struct error *err);

/* On stderr. Returns the exit status, which is STATUS_SYSTEM where there was no memory to print. */
enum status cli_print_error(const struct error *err);

/* Whether to colour what goes to this stream (1: stdout, 2: stderr). */
bool cli_colours(int fd);

/* Finds the environment that the options name, else the active one, else that of the file (NULL: no
   file was read), and opens its folder. */
int cli_open(struct environment *environment, struct prefix *prefix, const struct options *options,
             const struct section *file, struct error *err);

/* Locks the environment; waits for another writer, and says for whom. */
int cli_lock(struct lock *lock, struct prefix *prefix, const struct options *options,
             struct error *err);
