/*
 * In which order conda runs the hooks, and who else changes variables, as a model without a shell;
 * hook_model.h says what the hooks make of it. Both are written from the requirements, not
 * from the templates.
 *
 *     struct model model;
 *     model_start(&model, environments, count, priors);
 *     struct events events;
 *     model_step(&model, &step, &events);             // what conda sources for it, in order
 *     const char *value = model_value(&model, i);     // of model_names[i]; NULL: unset
 *
 * A model holds nothing that would have to be freed, and may be copied as it is.
 */
#pragma once

#include "hooks/hook_model.h"

/* The plan with what stands in every plan; `devices` such as "1,3", "-1" for `none`, "all", or NULL
   where the section has none. */
void model_plan_begin(struct model_plan *plan, const char *devices, bool override);

/* As environment.yml has it; malloc'ed. */
char *model_plan_yaml(const struct model_plan *plan);

enum { MODEL_ENVIRONMENTS = 4, MODEL_GENERATIONS = 4 };

/* A pair of hook files as one run of apply left them. */
struct generation {
    const struct model_plan *plan;
    const char *base; /* the environment variable that holds a folder, ... */
    char folder[64];  /* ... and below that, where activate.d is */
};

struct environment {
    const char *name;
    char variable[16]; /* the environment variable that holds its prefix */
    char prefix[256];
    int key; /* clones have their original's */
    struct generation generations[MODEL_GENERATIONS];
    size_t count;
};

enum action {
    ACTIVATE,   /* conda activate ENV: replaces the present one; ENV itself: reactivates */
    STACK,      /* conda activate --stack ENV */
    DEACTIVATE, /* conda deactivate */
    PRESENT,    /* ENV is the active one, and its hooks were not there when it became that */
    APPLY,      /* conda-gpu apply in ENV: its next generation is on disk from now on */
    CHILD,      /* a child shell goes on, of the kind `number` */
    JOB,        /* a child shell in a job does; `number` is a row of model_jobs */
    LEAVE,      /* the child ends, its parent goes on */
    RESTART,    /* in a child the level starts again: nothing is active, as far as conda knows */
    OUT_OF_JOB, /* in a child, `unset ${!SLURM_@}`: what tells of the job goes */
    SET_OTHER,  /* another party changes the variable `number` of model_names: sets it, */
    EMPTY_OTHER,
    UNSET_OTHER,
    PUSH_OTHER, /* puts an element in front, as `module load` does, */
    ADD_OTHER,  /* or at the end, */
    POP_OTHER,  /* or takes its element out again; if there is none, ours */
    ACTIONS     /* how many */
};

struct step {
    enum action action;
    int number; /* of an environment, a kind of shell, a job or a variable */
};

/* "stack"; the words of a step begin with it. */
const char *action_verb(enum action action);
bool action_is_other(enum action action);

/* Ways into a job: what is in its environment besides what its parent had. */
struct model_job {
    const char *name;
    const char *variables[4]; /* "NAME=VALUE", of job_variables */
    const char *visible;      /* CUDA_VISIBLE_DEVICES; NULL: as it was, "unset": taken away */
};
extern const struct model_job model_jobs[];
extern const size_t model_job_count;

enum { MODEL_DEPTH = 4 };

/* What one shell has in mind; a child shell begins with a copy. */
struct process {
    struct shell_model shell;
    int frames[MODEL_DEPTH]; /* environments that conda would go back to */
    size_t depth;
};

enum { MODEL_PROCESSES = 8 };

struct model {
    const struct environment *environments;
    size_t environment_count;
    size_t on_disk[MODEL_ENVIRONMENTS]; /* generations */
    struct process processes[MODEL_PROCESSES];
    size_t process_count;
};

/* One script that conda sources. The prefix and the level are set before it. */
struct event {
    bool activates;
    int environment;
    size_t level;
    size_t generation;
};

struct events {
    struct event items[4];
    size_t count;
};

/* NULL in priors: unset. */
void model_start(struct model *model, const struct environment *environments, size_t count,
                 const char *const priors[MODEL_NAMES]);

/* False, with nothing changed, for a step that makes no sense here: nothing to deactivate, too
   deep, no further generation, in this very job already, a variable that is in doubt. */
bool model_step(struct model *model, const struct step *step, struct events *events);

/* Says which shell goes on: tcsh may do less (hook_model.h). */
void model_set_tcsh(struct model *model, bool is_tcsh);

/* The active environment, -1 for none, and how deep. */
int model_active(const struct model *model, size_t *level);

bool model_knows(const struct model *model, size_t name);
const char *model_value(const struct model *model, size_t name);

/* Whether variables may be there that hold the hooks' state. */
bool model_has_state(const struct model *model);
