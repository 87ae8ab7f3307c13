/*
 * The command line: the only code that prints, reads argv or the environment, or exits.
 */
#ifndef CONDA_GPU_CLI_H
#define CONDA_GPU_CLI_H

#include "base/error.h"
#include "conda/find.h"
#include "conda/prefix.h"
#include "section/section.h"

#include <stdbool.h>

#define PROGRAM "conda-gpu" /* begins every message on stderr */

#ifndef VERSION
#define VERSION "0.0.0"
#endif

struct options {
    const char *file;         /* -f */
    const char *name;         /* -n */
    const char *prefix;       /* -p */
    const char *driver;       /* --driver, or CONDA_GPU_DRIVER */
    const char *template_dir; /* --template-dir */
    unsigned timeout;         /* --timeout, seconds */
    bool dry_run;
    bool check;
    bool quiet;
    bool verbose;
    bool json;
    bool adopt;
    bool replace;
    bool force;
    char *const *env;
};

struct command {
    const char *name;
    const char *options; /* the letters of options.c's table that it takes */
    const char *help;    /* one screen, with an example at the end */
    int (*run)(const struct options *options, struct error *err);
};

extern const struct command apply_command, devices_command, remove_command;

/* What options_parse makes of the arguments. */
enum parsed { PARSED_RUN, PARSED_HELP, PARSED_WRONG };

/* argv[0] is the command's name. Every mistake is one line in `err`. */
enum parsed options_parse(struct options *options, const struct command *command, int argc,
                          char **argv, struct error *err);

/* A line on stderr, with control characters made visible: for what is no error. */
void cli_note(const struct options *options, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A line on stdout, likewise; quiet says nothing. */
void cli_print(const struct options *options, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void cli_print_line(const struct options *options, const struct strbuf *text);

/* Lines on stdout, as they are. */
void cli_write(const struct strbuf *text);

/* Lines of files, byte for byte; on a terminal, which would obey them, with control characters made
   visible. */
void cli_write_foreign(const struct strbuf *text);

/* After all output: -1 if any of it could not be written, or there was no memory to print it. */
int cli_finish(struct error *err);

/* Whether to colour what goes to this stream (1: stdout, 2: stderr). */
bool cli_colours(const struct options *options, int fd);

/* The file of -f, or environment.yml, or environment.yaml. */
int cli_read_config(struct section *section, const struct options *options, struct error *err);

/* Locks the environment; waits for another writer, and says for whom. */
int cli_lock(struct prefix *prefix, const struct options *options, struct error *err);

/* Adds what would change in a file as a unified diff, made by diff(1): from the file at the path
   `old`, or /dev/null, to the text. */
int cli_diff(struct strbuf *out, const char *name, const char *old, const struct strbuf *text,
             struct error *err);

#endif
