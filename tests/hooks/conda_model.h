/*
 * What HOOKS.md asks for, as a model without a shell: in which order conda runs the hooks, and what
 * each variable is after every step. Pure, and written from the requirements, not from the
 * templates: a variable is what the environments in force make, one on top of the other, of what
 * was there before them.
 *
 *     struct model model;
 *     model_start(&model, environments, count, priors);
 *     struct events events;
 *     model_step(&model, &step, &events);         // what conda sources for it, in order
 *     char *value = model_value(&model, i);       // of model_names[i]; NULL: unset
 *     model_clear(&model);
 *
 * Where HOOKS.md is silent:
 * - An environment that is stacked on itself or on its clone shares its state with it. What
 *   {prepend:} and {append:} are joined to is what was there before the outermost of them. When an
 *   inner one goes, or drops a variable from its plan, that stays as it was until hooks of the
 *   outermost run again; until then model_knows() is false for it.
 * - In a job where CUDA_VISIBLE_DEVICES was set at its entry, `in_job: keep` leaves it as it is; in
 *   a job where it was not, plans apply as they do elsewhere.
 */
#ifndef CONDA_GPU_TESTS_CONDA_MODEL_H
#define CONDA_GPU_TESTS_CONDA_MODEL_H

#include <stdbool.h>
#include <stddef.h>

/* The variables that plans may hold; the first two are in every plan. */
enum { DEVICE_ORDER, VISIBLE_DEVICES, FIRST_FREE_NAME, MODEL_NAMES = 9 };
extern const char *const model_names[MODEL_NAMES];

enum change { CHANGE_NOTHING, CHANGE_SET, CHANGE_UNSET, CHANGE_PREPEND, CHANGE_APPEND };

struct wish {
    enum change change;
    const char *text;
    const char *separator; /* NULL: ":" */
};

/* A gpu: section. CUDA_VISIBLE_DEVICES "-1" stands for `devices: none`. */
struct model_plan {
    struct wish wishes[MODEL_NAMES];
    bool override; /* in_job: override */
};

/* The plan with what stands in every plan; `devices` such as "1,3". */
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
    LEAVE       /* the child ends, its parent goes on */
};

struct step {
    enum action action;
    int number; /* of an environment, a kind of shell or a job */
};

/* "stack B"; "" for a step that begins a child, which has words of its own. */
const char *action_verb(enum action action);

/* Ways into a job: what is in its environment besides what its parent had. */
struct model_job {
    const char *name;
    const char *variable; /* what tells that it is a job, and what that is */
    const char *id;
    const char *visible; /* CUDA_VISIBLE_DEVICES; NULL: as it was, "unset": taken away */
};
extern const struct model_job model_jobs[];
extern const size_t model_job_count;

enum { MODEL_DEPTH = 4 };

/* An activation that conda would go back to. */
struct frame {
    int environment;
    const struct model_plan *plan; /* as the hook that ran last had it */
    bool in_force;                 /* activated in this job, and not deactivated since */
};

enum { UNKNOWN_FOR_GOOD = -1 };

/* What one shell has in mind; a child shell begins with a copy. */
struct process {
    char *before[MODEL_NAMES]; /* NULL: unset */
    struct frame frames[MODEL_DEPTH];
    size_t depth;
    int unknown_above[MODEL_NAMES]; /* a level, or UNKNOWN_FOR_GOOD; 0: the variable is known */
    bool keeps_visible;             /* in a job that had set CUDA_VISIBLE_DEVICES */
    bool has_foreign_state;         /* inherited from outside the job */
    unsigned jobs;                  /* one bit for every row of model_jobs that it is in */
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

/* Copies the priors; NULL: unset. */
void model_start(struct model *model, const struct environment *environments, size_t count,
                 const char *const priors[MODEL_NAMES]);
void model_clear(struct model *model);

/* False, with nothing changed, for a step that makes no sense here: nothing to deactivate, too
   deep, no further generation, in a job of this kind already. */
bool model_step(struct model *model, const struct step *step, struct events *events);

/* The active environment, -1 for none, and how deep. */
int model_active(const struct model *model, size_t *level);

bool model_knows(const struct model *model, size_t name);
char *model_value(const struct model *model, size_t name);

/* Whether variables may be there that hold the hooks' state. */
bool model_has_state(const struct model *model);

#endif
