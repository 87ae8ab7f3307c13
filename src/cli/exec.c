#include "cli/chosen.h"

#include "base/env.h"
#include "base/file.h"
#include "base/scope.h"
#include "base/table.h"
#include "cli/exec_free.h"
#include "cli/json.h"
#include "cli/process.h"
#include "conda/enter.h"
#include "hook/signature.h"
#include "section/job.h"

#include <string.h>

static const struct option_spec exec_options[] = {
    CHOSEN_ROWS,
    OPTION_TEXT_ROW(free, '\0', "free", "N", NULL,
                    "N of them that nobody uses, or of the machine's GPUs where none are named; "
                    "others get them when all that COMMAND starts has ended"),
    OPTION_ROW(OPTION_WAIT, wait, '\0', "wait", "SECONDS", NULL,
               "with --free: wait, first come, first served"),
    OPTION_TEXT_ROW(prefer, '\0', "prefer", "WHICH", NULL,
                    "with --free: last (had by you), cool, or empty ones"),
    OPTION_TEXT_ROW(busy_memory, '\0', "busy-memory", "SIZE", NULL,
                    "with --free: what a used GPU has in use (500MiB)"),
    OPTION_FLAG_ROW(dry_run, 'd', "dry-run", NULL, "run nothing; show the variables"),
    OPTION_FLAG_ROW(json, '\0', "json", NULL, "what --dry-run shows as JSON, errors included"),
    OPTION_DRIVER_ROW,
    OPTION_TIMEOUT_ROW("how long the driver may take to answer, with FILE (60)"),
};

struct run {
    const struct options *options;
    struct chosen chosen;
    struct planned active; /* what is to be taken back first */
    struct free_cards free;
    struct env env; /* of the command */
};

static void run_release(struct run *run)
{
    chosen_release(&run->chosen);
    planned_release(&run->active);
    free_cards_release(&run->free);
    env_release(&run->env);
}

/* Where the caller's CUDA_VISIBLE_DEVICES stands, nothing is left to choose: its numbers are the
   job's, and others than the plan's. */
static int check_choice(const struct run *run, struct error *err)
{
    const struct options *options = run->options;
    const char *option = options->gpus ? "--gpus" : options->free ? "--free" : NULL;

    if (!option || !enact_leaves(options->env, &run->chosen.planned.plan))
        return 0;
    return error_add(err, STATUS_INPUT,
                     "%s: CUDA_VISIBLE_DEVICES is '%s' here and stands (%s: keep), so there is "
                     "nothing to choose from; leave %s out",
                     option, env_get(options->env, "CUDA_VISIBLE_DEVICES"),
                     job_is_running(options->env) ? "in_job" : "if_set", option);
}

static int take_free(struct run *run, struct error *err)
{
    struct plan *plan = &run->chosen.planned.plan;

    if (!run->options->free)
        return 0;
    if (free_cards_take(&run->free, plan, run->options, err) < 0)
        return -1;
    free_cards_put(plan, &run->env);
    return 0;
}

/* The hooks of the environment that this shell has active; one that is gone has none. */
static int find_active(struct run *run, struct error *err)
{
    scope(prefix_close) struct prefix prefix = PREFIX_INIT;
    const char *path = run->chosen.environment.path ? enter_from(run->options->env) : NULL;

    if (!path || !is_folder(path))
        return 0;
    if (prefix_open(&prefix, path, err) < 0)
        return -1;
    return planned_read(&run->active, &prefix, run->options->env, err);
}

static void enter_environment(struct run *run)
{
    const struct environment *environment = &run->chosen.environment;
    struct enacted left = {run->active.earlier.key, &run->active.plan,
                           &run->active.earlier.managed};
    struct entrance to = {environment->path,
                          strcmp(environment->name, "base") == 0,
                          environment->active,
                          {run->chosen.planned.earlier.key, &run->chosen.planned.plan,
                           &run->chosen.planned.earlier.managed}};

    enter(&run->env, &to, run->active.earlier.key[0] ? &left : NULL);
}

/* The hooks' own notes are left out. */
static int add_differences(struct table *table, const struct run *run, struct error *err)
{
    char *const *here = run->options->env, *const * lists[] = {here, run->env.items};

    for (size_t i = 0; i < 2; i++)
        for (char *const *entry = lists[i]; *entry; entry++) {
            scope(free_text) char *name = strndup(*entry, strcspn(*entry, "="));
            if (!name)
                return error_memory(err);
            const char *now = env_get(here, name), *then = env_value(&run->env, name);
            bool differs = i ? then && (!now || strcmp(now, then) != 0) : now && !then;
            if (!differs || strncmp(name, STATE_PREFIX, strlen(STATE_PREFIX)) == 0)
                continue;
            table_cell(table, name);
            table_cell(table, now ? now : "(not set)");
            table_cell(table, then ? then : "(not set)");
            json_list("variables", json_variable_row(name, now, then));
        }
    return 0;
}

/* What the command would get, as text or for --json. */
static int show(const struct run *run, const struct options *options, struct error *err)
{
    static const char *const heads[] = {"variable", "in this shell", "for the command"};
    const struct environment *environment = &run->chosen.environment;
    scope(table_release) struct table table = TABLE_INIT(3);

    if (environment->path) {
        cli_print("environment  %s  %s", environment->name, environment->path);
        json_put("environment", json_environment(environment));
    }
    json_put("plan", json_plan(&run->chosen.planned.plan));
    json_put("arguments", json_texts(options->arguments, options->argument_count));
    json_put("variables", json_array());
    table_row(&table, heads);
    if (add_differences(&table, run, err) < 0)
        return -1;
    if (!options->json)
        cli_write_table(&table, 1u << 1 | 1u << 2);
    return 0;
}

static int run_exec(const struct options *options, struct error *err)
{
    scope(run_release) struct run run = {.options = options, .chosen = CHOSEN_INIT};

    if (options->json && !options->dry_run)
        return error_add(err, STATUS_INPUT,
                         "--json shows what --dry-run does, since the output is COMMAND's; give "
                         "both");
    if (!options->argument_count && !options->dry_run)
        return error_add(
            err, STATUS_INPUT,
            "no command is given; for example: conda-gpu exec -n pt -- python train.py");
    if (!options->free && (options->wait || options->prefer || options->busy_memory))
        return error_add(err, STATUS_INPUT,
                         "--wait, --prefer and --busy-memory are for --free N; say how many GPUs");
    env_copy(&run.env, options->env);
    if (chosen_find(&run.chosen, options, err) < 0 || check_choice(&run, err) < 0 ||
        take_free(&run, err) < 0 || find_active(&run, err) < 0)
        return -1;
    if (run.chosen.environment.path)
        enter_environment(&run);
    if (run.env.failed)
        return error_memory(err);
    if (options->dry_run)
        return show(&run, options, err);
    if (free_cards_hand_on(&run.free, err) < 0)
        return -1;
    int status = process_become(options->arguments, run.env.items, err);
    cli_print_error(err);
    return status;
}

const struct command exec_command = {
    .name = "exec",
    .summary = "run a command with an environment and its GPUs",
    .usage = "[-n NAME | -p PREFIX] [OPTION...] [--] COMMAND [ARG...]",
    .about = "Runs COMMAND as in the activated environment, where nothing is activated (cron,\n"
             "services, IDEs): with its PATH, CONDA_PREFIX and what its hooks would set, in a\n"
             "job too. The exit status is COMMAND's own; 126 where it cannot be run, 127 where\n"
             "it is not found. The environment's other activation scripts do not run, and\n"
             "conda's own variables are not set: 'conda run' does that.\n",
    .example = "conda-gpu exec -n pt -- pytest tests/",
    .arguments = "COMMAND [ARG...]",
    .hands_on = true,
    .statuses = "023456",
    OPTION_ROWS(exec_options),
    .run = run_exec,
};
