/*
 * The shells that hooks are sourced in: a table, and trials, which run sequences of conda's steps
 * in them and compare the whole environment after every step with the model (conda_model.h).
 *
 *     struct trial trial;
 *     trial_open(&trial, &box, &shell_kinds[i], variables, &manner);
 *     trial_begin(&trial, environments, count, &priors);
 *     trial_steps(&trial, "activate A, stack B, deactivate");
 *     trial_end(&trial);                          // ... and more sequences
 *     char *fault = trial_run(&trial);            // NULL: all as it should be
 *     trial_close(&trial);
 *
 * A trial is one run of the shell, with a script that does at each step what conda does: sets
 * CONDA_PREFIX and CONDA_SHLVL, sources each file of activate.d or deactivate.d. Compared are also
 * what the shell lists of variables, functions, aliases, options and traps, before and after; that
 * nothing was printed; that a line on stdin is still there.
 */
#pragma once

#include "hooks/conda_model.h"
#include "support/support.h"

#include <stdio.h>

/* How a family of shells says things. The words that fill in the %s hold nothing special. */
struct dialect {
    const char *begin;  /* what `inside` needs */
    const char *set;    /* NAME, TEXT: an exported variable */
    const char *copy;   /* NAME, VARIABLE: the same, with the value of another one */
    const char *unset;  /* NAME */
    const char *source; /* VARIABLE, PATH: the file PATH below the folder in VARIABLE */
    const char *inside; /* VARIABLE, PATH: the same from a function and eval, as conda does it */
    const char *check;  /* complains unless the last status is 0 */
    const char *list;   /* LISTING, FILE */
    const char *const *callers; /* odd settings that a caller may have; NULL ends */
};

struct shell_kind {
    const char *name;
    const char *argv[4]; /* before the script's file */
    const char *extension;
    const char *options; /* lines for the script to begin with */
    const struct dialect *dialect;
    const char *listing;           /* prints variables, functions, aliases, options and traps */
    const char *changing_lines[7]; /* beginnings of lines in it that change by themselves */
    const char *changing_names[4]; /* the same for names in the environment */
    bool variant;                  /* a shell that has another row, with other options */
    bool text_only;                /* values that are no UTF-8 do not get through the shell */
};

extern const struct shell_kind shell_kinds[];
extern const size_t shell_kind_count;

/* Whether SHELLS= leaves it in (support.h), and it is installed. */
bool shell_kind_wanted(const struct shell_kind *kind);
bool shell_kind_present(const struct shell_kind *kind);

/* An environment of the sandbox, envs/NAME, whose prefix trials find in the variable T_NAME. */
void environment_open(struct environment *environment, const struct sandbox *box, const char *name,
                      int key);

/* Runs conda-gpu apply with this plan, and keeps a copy of the hooks, as the next generation, below
   `folder` of the sandbox. The plan must live as long. */
void environment_apply(struct environment *environment, const struct sandbox *box,
                       const struct model_plan *plan, const char *folder);

/* Back to an environment without hooks and generations. */
void environment_forget(struct environment *environment, const struct sandbox *box);

/* What `conda create --clone` does to the hooks: copies those of that generation, and puts the
   clone's prefix in place of the original's. */
void environment_clone(struct environment *clone, const struct sandbox *box,
                       const struct environment *original, size_t generation, const char *folder);

/* How the hooks are called. */
struct manner {
    const char *caller; /* one of the dialect's callers, or NULL */
    bool inside;        /* from a function and eval */
    bool packed;        /* as conda-pack does: CONDA_SHLVL is never set */
    bool sparse;        /* look only at the end of each sequence */
};

/* What the managed variables are before a sequence; NULL: unset. With `variables` the script sets
   each to the value of that variable; else the shell finds them in its environment. */
struct priors {
    const char *values[MODEL_NAMES];
    const char *variables[MODEL_NAMES];
    bool set_by_script;
};

/* As asprintf(); malloc'ed. */
char *formatted(const char *format, ...) __attribute__((format(printf, 1, 2)));

struct snapshot;

struct trial {
    const struct sandbox *box;
    struct manner manner;
    char **variables;
    size_t variable_count;
    struct model model;
    struct {
        FILE *script;
        size_t kind;
        size_t id;
    } processes[MODEL_PROCESSES]; /* as the model has them */
    size_t process_count, started;
    bool sets_priors;
    struct snapshot *expected;
    size_t expected_count;
    size_t sequence; /* the present one; after trial_run, the first that failed */
    char *told;      /* it, in words */
};

/* The shell's environment is PATH, HOME, LC_ALL, T_ROOT (the sandbox's root) and `variables`
   ("NAME=value", NULL ends). */
void trial_open(struct trial *trial, const struct sandbox *box, const struct shell_kind *kind,
                const char *const *variables, const struct manner *manner);
void trial_close(struct trial *trial);

void trial_begin(struct trial *trial, const struct environment *environments, size_t count,
                 const struct priors *priors);
/* Leaves a step out that makes no sense; see model_step. */
void trial_step(struct trial *trial, const struct step *step);
/* Steps in words: "activate A, apply A, child zsh, job 0, leave, deactivate". */
void trial_steps(struct trial *trial, const char *steps);
/* Leaves all environments and children. */
void trial_end(struct trial *trial);

/* Runs it all. What is not as it should be, in words; malloc'ed. */
char *trial_run(struct trial *trial);
