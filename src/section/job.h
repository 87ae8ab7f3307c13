/*
 * What tells that a process is in a scheduler's job, and in which: the only list of it.
 *
 * Each name is from the scheduler's own manual: Slurm sbatch(1), PBS qsub(1B), LSF bsub(1), Flux
 * flux-environment(7), OAR oarsub(1), HTCondor condor_submit(1), Fujitsu TCS pjsub(1), Grid Engine
 * qsub(1).
 */
#pragma once

#include "base/strbuf.h"

#include <stdbool.h>
#include <stddef.h>

enum { SCHEDULER_NAMES_LIMIT = 3 };

struct scheduler {
    const char *name;
    /* The variables that together tell one job from another. The first alone says that this is a
       job, or, where all are needed, all of them; NULL behind the last. */
    const char *variables[SCHEDULER_NAMES_LIMIT + 1];
    bool needs_all;
};

extern const struct scheduler schedulers[];
extern const size_t scheduler_count;

/* Whether an environment, NULL-terminated like environ, is that of a job. An empty variable does
   not count. */
bool job_is_running(char *const *env);

/* Adds what tells that job from any other, and nothing outside of one: for each scheduler the value
   of the variable that alone says that this is a job; then, for each whose job this is, a dot
   before each of its details. The hooks make the same of it: see struct shell in hook/shell.h. */
void job_identify(struct strbuf *out, char *const *env);

/* What tells its jobs apart where one variable does not; NULL behind the last. */
const char *const *scheduler_details(const struct scheduler *scheduler);

/* Whether one of the schedulers' variables has this name. */
bool job_is_told_by(const char *name);
