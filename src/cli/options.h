/*
 * Commands and their options, each in one table: parsing, help and what is checked against them
 * (man pages, completions) all read the same rows.
 *
 *     for (size_t i = 0; i < command_count; i++)
 *         for (size_t k = 0; k < commands[i]->option_count; k++)
 *             ... commands[i]->name, commands[i]->options[k].name ...
 */
#pragma once

#include "base/error.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

struct options {
    const struct command *command; /* NULL: none is given */
    const char *file;              /* -f */
    const char *name;              /* -n */
    const char *prefix;            /* -p */
    const char *driver;            /* --driver, or CONDA_GPU_DRIVER */
    const char *template_dir;      /* --template-dir */
    const char *gpus;              /* --gpus */
    const char *format;            /* --format */
    const char *output;            /* --output */
    const char *free;              /* --free */
    const char *prefer;            /* --prefer */
    const char *busy_memory;       /* --busy-memory */
    unsigned timeout;              /* --timeout, seconds */
    unsigned wait;                 /* --wait: seconds, OPTION_FOR_EVER; 0: not given */
    const char *user;              /* --user */
    const char *host;              /* --host */
    const char *inventory;         /* --inventory */
    bool explain;
    bool forget;
    bool all;
    bool dry_run;
    bool check;
    bool diff;
    bool quiet;
    bool verbose;
    bool json;
    bool yaml;
    bool adopt;
    bool replace;
    bool force;
    char *const *arguments; /* what is no option; only for a command that takes any */
    size_t argument_count;
    char *const *env;
};

enum option_kind {
    OPTION_FLAG,
    OPTION_TEXT,
    OPTION_SECONDS,
    OPTION_WAIT, /* seconds; its value may be left out */
};

#define OPTION_FOR_EVER UINT_MAX

/* An option of the same name takes a value in every command or in none. */
struct option_spec {
    enum option_kind kind;
    char letter; /* '\0': it has none */
    const char *name;
    const char *argument; /* what help calls its value; NULL for a flag */
    const char *excludes; /* the name of an option that makes no sense with it; NULL: none */
    const char *help;     /* without an end of line; help breaks it */
    size_t target;        /* of the member of struct options */
};

struct command {
    const char *name;
    const char *summary;   /* one line, for the list of commands */
    bool hidden;           /* for scripts: in no list */
    const char *usage;     /* what follows the name */
    const char *about;     /* lines */
    const char *example;   /* lines of a shell */
    const char *arguments; /* what it takes beside options, or NULL: nothing */
    const char *instead;   /* what to say of an argument where it takes none */
    bool hands_on;         /* from the first argument on, options are another program's */
    const char *statuses;  /* the digits of those that it may end with */
    const struct option_spec *options;
    size_t option_count;
    /* The exit status, or -1 with the error set. */
    int (*run)(const struct options *options, struct error *err);
};

/* A row of the table of a command: the member of struct options, letter, name, and so on. */
#define OPTION_ROW(kind, member, letter, name, argument, excludes, help)                           \
    {                                                                                              \
        kind, letter, name, argument, excludes, help, offsetof(struct options, member)             \
    }
#define OPTION_FLAG_ROW(member, letter, name, excludes, help)                                      \
    OPTION_ROW(OPTION_FLAG, member, letter, name, NULL, excludes, help)
#define OPTION_TEXT_ROW(member, letter, name, argument, excludes, help)                            \
    OPTION_ROW(OPTION_TEXT, member, letter, name, argument, excludes, help)

/* The table among the members of a command. */
#define OPTION_ROWS(rows) .options = (rows), .option_count = sizeof(rows) / sizeof *(rows)

/* Rows that several commands have. */
#define OPTION_NAME_ROW                                                                            \
    OPTION_TEXT_ROW(name, 'n', "name", "NAME", NULL, "the environment of this name")
#define OPTION_PREFIX_ROW(help) OPTION_TEXT_ROW(prefix, 'p', "prefix", "PREFIX", "name", help)
#define OPTION_QUIET_ROW(help)  OPTION_FLAG_ROW(quiet, 'q', "quiet", NULL, help)
#define OPTION_DRIVER_ROW                                                                          \
    OPTION_TEXT_ROW(driver, '\0', "driver", "PATH", NULL,                                          \
                    "the driver's library, or CONDA_GPU_DRIVER")
#define OPTION_TIMEOUT_ROW(help)                                                                   \
    OPTION_ROW(OPTION_SECONDS, timeout, '\0', "timeout", "SECONDS", NULL, help)

/* All commands, in the order of the help. */
extern const struct command *const commands[];
extern const size_t command_count;

/* What an exit status means. */
struct status_row {
    enum status status;
    const char *help;
};
extern const struct status_row statuses[];
extern const size_t status_count;

/* NULL, with the nearest name in the error, where there is no such command. */
const struct command *command_find(const char *name, struct error *err);

/* Finds the command among the arguments (argv[0] is the program, and may change) and reads all
   options, which may stand before it as well as after it. --help and --version are the commands of
   these names. -1: every mistake is a message in `err`. */
int options_parse(struct options *options, int argc, char **argv, struct error *err);

/* The option whose value is the word after this one; NULL where this word needs none. Where there
   is no command (NULL) yet, any command's option will do. */
const struct option_spec *options_takes_next(const struct command *command, const char *word);
