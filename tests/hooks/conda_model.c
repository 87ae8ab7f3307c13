#include "hooks/conda_model.h"

#include "hooks/intern.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct model_job model_jobs[] = {
    {"slurm, one GPU given", {"SLURM_JOB_ID=4711"}, "5"},
    {"slurm, none given", {"SLURM_JOB_ID=4711"}, NULL},
    {"slurm, nothing visible", {"SLURM_JOB_ID=4711"}, "unset"},
    {"pbs, GPUs by UUID", {"PBS_JOBID=12[3].host *"}, "GPU-8932f937"},
    {"lsf, no GPU at all", {"LSB_JOBID=9"}, ""},
    {"flux, nothing visible",
     {"FLUX_JOB_ID=\xc6\x92"
      "2K9"},
     "unset"},
    {"oar, the plan's GPU given", {"OAR_JOB_ID=1"}, "0"},
    {"condor, nothing visible", {"_CONDOR_JOB_AD=/var/lib/condor/dir 1/.job.ad"}, "unset"},
    {"slurm, odd number", {"SLURM_JOB_ID=$(touch canary)`touch canary`;*[ \\E\""}, "0,1"},
    {"slurm, a step with one GPU",
     {"SLURM_JOB_ID=4711", "SLURM_STEP_ID=0", "SLURM_TASK_PID=7"},
     "6"},
    {"slurm, a step as it finds it",
     {"SLURM_JOB_ID=4711", "SLURM_STEP_ID=1", "SLURM_TASK_PID=8"},
     NULL},
    {"slurm, salloc in a step",
     {"SLURM_JOB_ID=4711", "SLURM_STEP_ID=1", "SLURM_TASK_PID=9"},
     "1,3"},
    {"pjm, one GPU given", {"PJM_JOBID=77"}, "2"},
    {"grid engine, one GPU given", {"JOB_ID=5", "SGE_TASK_ID=undefined"}, "4"},
    {"JOB_ID alone, which is no job", {"JOB_ID=build-5"}, "4"},
};
const size_t model_job_count = sizeof model_jobs / sizeof *model_jobs;

const char *action_verb(enum action action)
{
    static const char *const verbs[ACTIONS] = {
        [ACTIVATE] = "activate", [STACK] = "stack",     [DEACTIVATE] = "deactivate",
        [PRESENT] = "present",   [APPLY] = "apply",     [CHILD] = "child",
        [JOB] = "job",           [LEAVE] = "leave",     [RESTART] = "restart",
        [OUT_OF_JOB] = "out",    [SET_OTHER] = "set",   [EMPTY_OTHER] = "empty",
        [UNSET_OTHER] = "unset", [PUSH_OTHER] = "push", [ADD_OTHER] = "add",
        [POP_OTHER] = "pop"};

    return verbs[action];
}

bool action_is_other(enum action action)
{
    return action >= SET_OTHER;
}

/* ---- plans ---- */

void model_plan_begin(struct model_plan *plan, const char *devices, bool override)
{
    *plan = (struct model_plan){.override = override};
    if (!devices)
        return;
    plan->wishes[DEVICE_ORDER] = (struct wish){CHANGE_SET, "PCI_BUS_ID", NULL};
    plan->wishes[VISIBLE_DEVICES] = strcmp(devices, "all") == 0
                                        ? (struct wish){CHANGE_UNSET, NULL, NULL}
                                        : (struct wish){CHANGE_SET, devices, NULL};
}

/* Between double quotes, where YAML takes every byte as it is but these. */
static void put_quoted(FILE *out, const char *text)
{
    putc('"', out);
    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte < ' ' || byte == '"' || byte == '\\' || byte == 0x7f)
            fprintf(out, "\\x%02X", byte);
        else
            putc(byte, out);
    }
    putc('"', out);
}

static void put_wish(FILE *out, const char *name, const struct wish *wish)
{
    fprintf(out, "    %s: ", name);
    if (wish->change == CHANGE_UNSET) {
        fputs("null\n", out);
    } else if (wish->change == CHANGE_SET) {
        put_quoted(out, wish->text);
        putc('\n', out);
    } else {
        fprintf(out, "{%s: ", wish->change == CHANGE_PREPEND ? "prepend" : "append");
        put_quoted(out, wish->text);
        if (wish->separator) {
            fputs(", separator: ", out);
            put_quoted(out, wish->separator);
        }
        fputs("}\n", out);
    }
}

static void put_devices(FILE *out, const struct model_plan *plan)
{
    const struct wish *wish = &plan->wishes[VISIBLE_DEVICES];
    const char *devices = wish->change == CHANGE_UNSET ? "all" : wish->text;

    if (wish->change == CHANGE_NOTHING)
        return;
    if (wish->change == CHANGE_SET && strcmp(devices, "-1") == 0)
        devices = "none";
    fprintf(out, "  devices: [%s]\n  in_job: %s\n", devices, plan->override ? "override" : "keep");
    if (plan->keep_if_set)
        fputs("  if_set: keep\n", out);
}

char *model_plan_yaml(const struct model_plan *plan)
{
    char *text = NULL;
    bool any = false;
    size_t length;
    FILE *out = open_memstream(&text, &length);

    if (!out)
        abort();
    fputs("gpu:\n", out);
    put_devices(out, plan);
    for (size_t i = FIRST_FREE_NAME; i < MODEL_NAMES; i++) {
        if (plan->wishes[i].change == CHANGE_NOTHING)
            continue;
        fputs(any ? "" : "  variables:\n", out);
        put_wish(out, model_names[i], &plan->wishes[i]);
        any = true;
    }
    if (fclose(out) != 0)
        abort();
    return text;
}

/* ---- what is there ---- */

static const struct process *top_process(const struct model *model)
{
    return &model->processes[model->process_count - 1];
}

static struct process *present(struct model *model)
{
    return &model->processes[model->process_count - 1];
}

const char *model_value(const struct model *model, size_t name)
{
    return top_process(model)->shell.values[name];
}

bool model_knows(const struct model *model, size_t name)
{
    return top_process(model)->shell.doubts[name] == KNOWN;
}

bool model_has_state(const struct model *model)
{
    return shell_has_state(&top_process(model)->shell);
}

int model_active(const struct model *model, size_t *level)
{
    const struct process *process = top_process(model);

    *level = process->depth;
    return process->depth ? process->frames[process->depth - 1] : -1;
}

void model_set_tcsh(struct model *model, bool is_tcsh)
{
    present(model)->shell.is_tcsh = is_tcsh;
}

void model_start(struct model *model, const struct environment *environments, size_t count,
                 const char *const priors[MODEL_NAMES])
{
    struct shell_model *shell = &model->processes[0].shell;

    model->environments = environments;
    model->environment_count = count;
    memset(model->on_disk, 0, sizeof model->on_disk);
    model->process_count = 1;
    model->processes[0] = (struct process){.shell = {.is_tcsh = false}};
    for (size_t i = 0; i < MODEL_NAMES; i++)
        shell->values[i] = shell->base[i] = intern(priors[i]);
}

/* ---- conda's order ---- */

static const struct model_plan *plan_on_disk(const struct model *model, int environment)
{
    return model->environments[environment].generations[model->on_disk[environment]].plan;
}

/* activate.d or deactivate.d runs for the topmost frame. */
static void run_hooks(struct model *model, struct events *events, bool activates)
{
    struct process *process = present(model);
    int environment = process->frames[process->depth - 1];
    const struct environment *its = &model->environments[environment];

    const struct model_plan *plan = plan_on_disk(model, environment);
    bool managed[MODEL_NAMES] = {false};

    for (size_t i = 0; i <= model->on_disk[environment]; i++)
        for (size_t name = 0; name < MODEL_NAMES; name++)
            managed[name] |= its->generations[i].plan->wishes[name].change != CHANGE_NOTHING;
    events->items[events->count++] =
        (struct event){activates, environment, process->depth, model->on_disk[environment]};
    if (activates)
        hooks_activate(&process->shell, its->key, plan, its->prefix, process->depth);
    else
        hooks_deactivate(&process->shell, its->key, plan, managed, its->prefix, process->depth);
}

static bool push(struct model *model, int environment)
{
    struct process *process = present(model);

    if (process->depth == MODEL_DEPTH)
        return false;
    process->frames[process->depth++] = environment;
    return true;
}

static bool activate(struct model *model, const struct step *step, struct events *events)
{
    const struct process *process = present(model);
    bool any = process->depth > 0;
    bool again = any && process->frames[process->depth - 1] == step->number;

    if (!again && process->depth == MODEL_DEPTH)
        return false;
    if (any && (again || step->action == ACTIVATE))
        run_hooks(model, events, false);
    if (!again)
        push(model, step->number);
    run_hooks(model, events, true);
    return true;
}

static bool deactivate(struct model *model, const struct step *step, struct events *events)
{
    struct process *process = present(model);

    (void)step;
    if (!process->depth)
        return false;
    run_hooks(model, events, false);
    process->depth--;
    if (process->depth)
        run_hooks(model, events, true);
    return true;
}

static bool be_present(struct model *model, const struct step *step, struct events *events)
{
    (void)events;
    return push(model, step->number);
}

static bool apply(struct model *model, const struct step *step, struct events *events)
{
    (void)events;
    if (model->on_disk[step->number] + 1 >= model->environments[step->number].count)
        return false;
    model->on_disk[step->number]++;
    return true;
}

/* ---- children and jobs ---- */

static bool begin_child(struct model *model, const struct step *step, struct events *events)
{
    (void)step;
    (void)events;
    if (model->process_count == MODEL_PROCESSES)
        return false;
    model->processes[model->process_count] = *present(model);
    model->process_count++;
    return true;
}

static void enter_job(struct job *job, const struct model_job *row)
{
    for (size_t i = 0; i < 4 && row->variables[i]; i++) {
        size_t length = strcspn(row->variables[i], "=");
        for (size_t j = 0; j < JOB_VARIABLES; j++)
            if (strncmp(job_variables[j], row->variables[i], length) == 0 &&
                !job_variables[j][length])
                job->words[j] = intern(row->variables[i] + length + 1);
    }
}

static bool begin_job(struct model *model, const struct step *step, struct events *events)
{
    const struct model_job *row = &model_jobs[step->number];
    struct job job = top_process(model)->shell.job;

    enter_job(&job, row);
    if (memcmp(&job, &top_process(model)->shell.job, sizeof job) == 0 ||
        !begin_child(model, step, events))
        return false;
    struct shell_model *shell = &present(model)->shell;
    shell->job = job;
    if (row->visible) {
        shell->doubts[VISIBLE_DEVICES] = KNOWN;
        shell_touch(shell, VISIBLE_DEVICES, strcmp(row->visible, "unset") ? row->visible : NULL);
    } else if (shell->doubts[VISIBLE_DEVICES] == DOUBT_UNTIL_LEFT) {
        shell->doubts[VISIBLE_DEVICES] = DOUBT_FOR_GOOD;
    }
    shell->base[VISIBLE_DEVICES] = shell->values[VISIBLE_DEVICES];
    return true;
}

static bool end_child(struct model *model, const struct step *step, struct events *events)
{
    (void)step;
    (void)events;
    if (model->process_count == 1)
        return false;
    model->process_count--;
    return true;
}

static bool restart(struct model *model, const struct step *step, struct events *events)
{
    (void)step;
    (void)events;
    if (model->process_count == 1)
        return false;
    present(model)->depth = 0;
    shell_restart(&present(model)->shell);
    return true;
}

static bool leave_job(struct model *model, const struct step *step, struct events *events)
{
    struct shell_model *shell = &present(model)->shell;
    static const struct job none;

    (void)step;
    (void)events;
    if (model->process_count == 1 || memcmp(&shell->job, &none, sizeof none) == 0)
        return false;
    shell_leave_job(shell);
    return true;
}

/* ---- others ---- */

/* The separator is that of the innermost environment's plan. */
static const struct wish *wish_of_innermost(const struct model *model, size_t name)
{
    static const struct wish nothing;
    const struct process *process = top_process(model);
    int environment = process->depth ? process->frames[process->depth - 1] : 0;
    const struct wish *wish = &plan_on_disk(model, environment)->wishes[name];

    return wish_is_list(wish) ? wish : &nothing;
}

static const char *popped(const struct model *model, size_t name, const char *separator)
{
    const struct wish *wish = wish_of_innermost(model, name);
    const char *value = model_value(model, name), *rest;

    if ((rest = list_without(value, "/other", separator, true)) || !wish->text)
        return rest;
    const struct process *process = top_process(model);
    int environment = process->depth ? process->frames[process->depth - 1] : 0;
    const char *prefix = model->environments[environment].prefix;
    return list_without(value, wish_text(wish, prefix), separator, true);
}

static bool change(struct model *model, const struct step *step, struct events *events)
{
    static const char *const texts[MODEL_NAMES] = {
        [DEVICE_ORDER] = "FASTEST_FIRST", [VISIBLE_DEVICES] = "7,8"};
    size_t name = (size_t)step->number;
    const char *separator = wish_separator(wish_of_innermost(model, name));
    const char *value = model_value(model, name), *changed = NULL;

    (void)events;
    if (!model_knows(model, name))
        return false;
    switch (step->action) {
    case SET_OTHER:
        changed = texts[name] ? texts[name] : "other's `touch canary` *";
        break;
    case EMPTY_OTHER:
        changed = "";
        break;
    case PUSH_OTHER:
        changed = list_joined(value, "/other", separator, true);
        break;
    case ADD_OTHER:
        changed = list_joined(value, "/other", separator, false);
        break;
    case POP_OTHER:
        if (!(changed = popped(model, name, separator)))
            return false;
        break;
    default:
        break;
    }
    shell_touch(&present(model)->shell, name, changed);
    return true;
}

bool model_step(struct model *model, const struct step *step, struct events *events)
{
    static bool (*const does[ACTIONS])(struct model *, const struct step *, struct events *) = {
        [ACTIVATE] = activate,    [STACK] = activate,    [DEACTIVATE] = deactivate,
        [PRESENT] = be_present,   [APPLY] = apply,       [CHILD] = begin_child,
        [JOB] = begin_job,        [LEAVE] = end_child,   [RESTART] = restart,
        [OUT_OF_JOB] = leave_job, [SET_OTHER] = change,  [EMPTY_OTHER] = change,
        [UNSET_OTHER] = change,   [PUSH_OTHER] = change, [ADD_OTHER] = change,
        [POP_OTHER] = change};

    *events = (struct events){0};
    return does[step->action](model, step, events);
}
