#include "section/job.h"

#include "base/env.h"

#include <string.h>

/*
 * SLURM_JOB_ID and SLURM_STEP_ID are not enough: salloc and sbatch inside a step hand on the outer
 * step's id, and only SLURM_TASK_PID is another. JOB_ID is a name that anybody may use, so Grid
 * Engine is known by SGE_TASK_ID as well, which it sets in every job. Our own exec --free gives a
 * command cards as a scheduler does.
 */
const struct scheduler schedulers[] = {
    {"HTCondor", {"_CONDOR_JOB_AD"}, false},
    {"Slurm", {"SLURM_JOB_ID", "SLURM_STEP_ID", "SLURM_TASK_PID"}, false},
    {"PBS", {"PBS_JOBID"}, false},
    {"LSF", {"LSB_JOBID"}, false},
    {"Flux", {"FLUX_JOB_ID"}, false},
    {"OAR", {"OAR_JOB_ID"}, false},
    {"PJM", {"PJM_JOBID"}, false},
    {"conda-gpu exec", {"CONDA_GPU_LEASE"}, false},
    {"Grid Engine", {"JOB_ID", "SGE_TASK_ID"}, true},
};

const size_t scheduler_count = sizeof schedulers / sizeof *schedulers;

static bool runs(const struct scheduler *scheduler, char *const *env)
{
    if (!scheduler->needs_all)
        return env_get_filled(env, scheduler->variables[0]) != NULL;
    for (const char *const *name = scheduler->variables; *name; name++)
        if (!env_get_filled(env, *name))
            return false;
    return true;
}

bool job_is_running(char *const *env)
{
    for (size_t i = 0; i < scheduler_count; i++)
        if (runs(&schedulers[i], env))
            return true;
    return false;
}

static void add(struct strbuf *out, const char *before, char *const *env, const char *name)
{
    const char *value = env_get(env, name);

    strbuf_addf(out, "%s%s", before, value ? value : "");
}

void job_identify(struct strbuf *out, char *const *env)
{
    for (size_t i = 0; i < scheduler_count; i++)
        if (!schedulers[i].needs_all)
            add(out, "", env, schedulers[i].variables[0]);
    for (size_t i = 0; i < scheduler_count; i++)
        if (runs(&schedulers[i], env))
            for (const char *const *name = scheduler_details(&schedulers[i]); *name; name++)
                add(out, ".", env, *name);
}

const char *const *scheduler_details(const struct scheduler *scheduler)
{
    return scheduler->variables + !scheduler->needs_all;
}

bool job_is_told_by(const char *name)
{
    for (size_t i = 0; i < scheduler_count; i++)
        for (const char *const *known = schedulers[i].variables; *known; known++)
            if (strcmp(*known, name) == 0)
                return true;
    return false;
}
