/*
 * What hooks do to the environment of one shell, without a shell. Written from the
 * requirements, not from the templates. It holds what the hooks' state variables hold, in its own
 * way: for each environment ("key"; clones share their original's) the level and the job that it
 * was kept in, and for each variable what it was and what it became.
 *
 *     hooks_activate(&shell, key, plan, prefix, level);    // activate.d at this CONDA_SHLVL
 *     hooks_deactivate(&shell, key, plan, managed, prefix, level);  // deactivate.d
 *
 * Texts are interned: structs are copied as they are, and equal texts have the same address.
 *
 * Where the requirements leave two ways open, the variable is in doubt, and is not looked at:
 * DOUBT_UNTIL_LEFT until no hook keeps anything any more (it is then what it was at first), or
 * DOUBT_FOR_GOOD, where also somebody else changed it meanwhile.
 */
#pragma once

#include "hooks/wish.h"

#include <stdbool.h>
#include <stddef.h>

/* The variables that plans may hold; the first two belong to `devices`. */
enum { DEVICE_ORDER, VISIBLE_DEVICES, FIRST_FREE_NAME, MODEL_NAMES = 9 };
extern const char *const model_names[MODEL_NAMES];

/* A gpu: section. CUDA_VISIBLE_DEVICES "-1" stands for `devices: none`, unset for `all`. */
struct model_plan {
    struct wish wishes[MODEL_NAMES];
    bool override;    /* in_job: override */
    bool keep_if_set; /* if_set: keep */
};

/* What tells that a shell is in a job, and in which. */
enum { JOB_VARIABLES = 11 };
extern const char *const job_variables[JOB_VARIABLES];

struct job {
    const char *words[JOB_VARIABLES]; /* NULL: unset */
};

enum { MODEL_KEYS = 8 };

struct kept {
    bool there;            /* the plan had a say about the variable */
    const char *old, *set; /* NULL: unset */
    const struct wish *wish;
    bool moved; /* it became something else where the environment was stacked once more */
};

struct kept_state {
    bool there;
    size_t level;
    struct job job;
    bool visible_was_ours; /* ..._OLD_CUDA_VISIBLE_DEVICES is what a hook had set */
    struct kept variables[MODEL_NAMES];
};

enum doubt { KNOWN, DOUBT_UNTIL_LEFT, DOUBT_FOR_GOOD };

struct shell_model {
    const char *values[MODEL_NAMES]; /* NULL: unset */
    const char *base[MODEL_NAMES];   /* what they were before any state that is there now */
    bool touched[MODEL_NAMES];       /* somebody else changed it since then */
    enum doubt doubts[MODEL_NAMES];
    struct kept_state kept[MODEL_KEYS];
    struct job job;
    struct {
        bool there;
        struct job job;
        const char *value;
    } ours;             /* CUDA_VISIBLE_DEVICES, as hooks set it last */
    bool has_restarted; /* its level started again while something was kept */
    bool has_orphans;   /* state of a clone's, or of its original's, that the other does not know */
    bool is_tcsh;       /* which may take back a list only as a whole */
};

void hooks_activate(struct shell_model *shell, int key, const struct model_plan *plan,
                    const char *prefix, size_t level);
/* `managed`: by variable, whether this or an earlier generation of these hooks had a say in it. */
void hooks_deactivate(struct shell_model *shell, int key, const struct model_plan *plan,
                      const bool managed[MODEL_NAMES], const char *prefix, size_t level);

/* Its level starts again: conda knows of no active environment. */
void shell_restart(struct shell_model *shell);

/* What tells of the job is unset. */
void shell_leave_job(struct shell_model *shell);

/* Somebody else changes a variable; NULL unsets it. */
void shell_touch(struct shell_model *shell, size_t name, const char *value);

bool shell_has_state(const struct shell_model *shell);
bool shell_in_job(const struct shell_model *shell);
bool same_job(const struct job *one, const struct job *other);
