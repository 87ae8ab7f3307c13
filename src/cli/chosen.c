#include "cli/chosen.h"

#include "base/env.h"
#include "base/scope.h"
#include "base/self.h"
#include "conda/enter.h"
#include "plan/narrow.h"
#include "plan/resolve.h"
#include "section/files.h"
#include "section/job.h"
#include "section/rules.h"

#include <string.h>

int chosen_open(struct chosen *chosen, const struct options *options, const struct section *file,
                struct error *err)
{
    if (cli_open(&chosen->environment, &chosen->prefix, options, file, err) < 0)
        return -1;
    return planned_read(&chosen->planned, &chosen->prefix, options->env, err);
}

/* What the rules make of the section for this user on this machine. */
static int resolve_file(struct chosen *chosen, const struct options *options,
                        const struct section *section, struct error *err)
{
    const struct driver driver = {options->driver, options->timeout, job_is_running(options->env),
                                  NULL};
    scope(plan_release) struct plan plan = {0};
    scope(free_text) char *user = self_user(options->env);

    if (!user)
        return error_memory(err);
    if (resolve(&plan, section, rules_find(section, user, self_host()), &driver, err) < 0)
        return -1;
    plan_release(&chosen->planned.plan);
    chosen->planned.plan = take(&plan);
    return 0;
}

/* --free chooses among all GPUs of the machine where nothing else is said. */
static bool is_anywhere(const struct options *options)
{
    const char *name = env_get(options->env, "CONDA_DEFAULT_ENV");

    return options->free && !options->file && !options->name && !options->prefix &&
           (!enter_from(options->env) || (name && strcmp(name, "base") == 0));
}

static int find_plan(struct chosen *chosen, const struct options *options, struct error *err)
{
    scope(section_release) struct section section = {0};

    if (is_anywhere(options))
        return 0;
    if (options->file && files_read(&section, options->file, options->timeout, err) < 0)
        return -1;
    if (chosen_open(chosen, options, options->file ? &section : NULL, err) < 0)
        return -1;
    if (options->file)
        return resolve_file(chosen, options, &section, err);
    if (chosen->planned.applied || options->free)
        return 0;
    return error_add(err, STATUS_PREFIX,
                     "%s: apply has written nothing here yet%s; run 'conda-gpu apply', or give the "
                     "environment file with -f",
                     chosen->environment.path,
                     chosen->planned.earlier.receipt ? " for this machine" : "");
}

int chosen_find(struct chosen *chosen, const struct options *options, struct error *err)
{
    if (find_plan(chosen, options, err) < 0)
        return -1;
    return options->gpus ? plan_narrow(&chosen->planned.plan, "--gpus", options->gpus, err) : 0;
}

void chosen_release(struct chosen *chosen)
{
    environment_release(&chosen->environment);
    prefix_close(&chosen->prefix);
    planned_release(&chosen->planned);
}
