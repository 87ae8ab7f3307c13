#include "hooks/conda_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One that shells treat as a list, one letter, one that begins another, and one that is long. */
const char *const model_names[MODEL_NAMES] = {
    [DEVICE_ORDER] = "CUDA_DEVICE_ORDER",
    [VISIBLE_DEVICES] = "CUDA_VISIBLE_DEVICES",
    "LD_LIBRARY_PATH",
    "OMP_NUM_THREADS",
    "X",
    "X_Y",
    "_cache",
    "XLA_FLAGS",
    "TF_FORCE_GPU_ALLOW_GROWTH_and_a_name_that_goes_on_and_on_and_on_0123456789"};

const struct model_job model_jobs[] = {
    {"slurm, one GPU given", "SLURM_JOB_ID", "4711", "5"},
    {"slurm, none given", "SLURM_JOB_ID", "4711", NULL},
    {"slurm, nothing visible", "SLURM_JOB_ID", "4711", "unset"},
    {"pbs, GPUs by UUID", "PBS_JOBID", "12[3].host *", "GPU-8932f937"},
    {"lsf, no GPU at all", "LSB_JOBID", "9", ""},
    {"flux, nothing visible", "FLUX_JOB_ID",
     "\xc6\x92"
     "2K9",
     "unset"},
    {"oar, one GPU given", "OAR_JOB_ID", "1", "0"},
    {"condor, nothing visible", "_CONDOR_JOB_AD", "/var/lib/condor/dir 1/.job.ad", "unset"},
    {"slurm, odd number", "SLURM_JOB_ID", "$(touch canary)`touch canary`;*[ \\E\"", "0,1"},
    {"slurm, a step with one GPU", "SLURM_STEP_ID", "0", "6"},
    {"slurm, a step as it finds it", "SLURM_STEP_ID", "1", NULL},
};
const size_t model_job_count = sizeof model_jobs / sizeof *model_jobs;

const char *action_verb(enum action action)
{
    static const char *const verbs[] = {
        [ACTIVATE] = "activate", [STACK] = "stack", [DEACTIVATE] = "deactivate",
        [PRESENT] = "present",   [APPLY] = "apply", [CHILD] = "child",
        [JOB] = "job",           [LEAVE] = "leave"};

    return verbs[action];
}

static char *copied(const char *text)
{
    char *copy = text ? strdup(text) : NULL;

    if (text && !copy)
        abort();
    return copy;
}

/* ---- plans ---- */

void model_plan_begin(struct model_plan *plan, const char *devices, bool override)
{
    *plan = (struct model_plan){.override = override};
    plan->wishes[DEVICE_ORDER] = (struct wish){CHANGE_SET, "PCI_BUS_ID", NULL};
    plan->wishes[VISIBLE_DEVICES] = (struct wish){CHANGE_SET, devices, NULL};
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

char *model_plan_yaml(const struct model_plan *plan)
{
    const char *devices = plan->wishes[VISIBLE_DEVICES].text;
    bool none = strcmp(devices, "-1") == 0, any = false;
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);

    if (!out)
        abort();
    fprintf(out, "gpu:\n  devices: [%s]\n  in_job: %s\n", none ? "none" : devices,
            plan->override ? "override" : "keep");
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

/* ---- values ---- */

static const struct process *top_process(const struct model *model)
{
    return &model->processes[model->process_count - 1];
}

static struct process *present(struct model *model)
{
    return &model->processes[model->process_count - 1];
}

/* Whether this plan has a say about the variable: requirement 9. */
static bool has_say(const struct process *process, const struct model_plan *plan, size_t name)
{
    bool none = strcmp(plan->wishes[VISIBLE_DEVICES].text, "-1") == 0;

    if (name == VISIBLE_DEVICES && process->keeps_visible && !plan->override && !none)
        return false;
    return plan->wishes[name].change != CHANGE_NOTHING;
}

/* The text with its ${CONDA_PREFIX}, of which there is at most one, replaced. */
static char *expanded(const char *text, const char *prefix)
{
    static const char reference[] = "${CONDA_PREFIX}";
    const char *at = strstr(text, reference);
    char *whole = NULL;

    if (!at)
        return copied(text);
    if (asprintf(&whole, "%.*s%s%s", (int)(at - text), text, prefix, at + strlen(reference)) < 0)
        abort();
    return whole;
}

/* What a wish makes of the value that was there; NULL: unset. */
static char *wished(const struct wish *wish, const char *prefix, const char *before)
{
    const char *separator = wish->separator ? wish->separator : ":";
    bool joins = wish->change == CHANGE_PREPEND || wish->change == CHANGE_APPEND;
    char *whole = NULL;

    if (wish->change == CHANGE_UNSET)
        return NULL;
    char *text = expanded(wish->text, prefix);
    if (!joins || !before || !*before)
        return text;
    const char *first = wish->change == CHANGE_PREPEND ? text : before;
    const char *last = wish->change == CHANGE_PREPEND ? before : text;
    if (asprintf(&whole, "%s%s%s", first, separator, last) < 0)
        abort();
    free(text);
    return whole;
}

/* The lowest level in force that shares this one's state of the variable. */
static size_t outermost(const struct model *model, const struct process *process, size_t level,
                        size_t name)
{
    const struct environment *all = model->environments;
    int key = all[process->frames[level].environment].key;

    for (size_t i = 0; i < level; i++) {
        const struct frame *frame = &process->frames[i];
        if (frame->in_force && all[frame->environment].key == key &&
            has_say(process, frame->plan, name))
            return i;
    }
    return level;
}

/* The value below the level: what the lower ones in force made of what was before all of them. */
static char *value_below(const struct model *model, const struct process *process, size_t level,
                         size_t name)
{
    while (level-- > 0) {
        const struct frame *frame = &process->frames[level];
        if (!frame->in_force || !has_say(process, frame->plan, name))
            continue;
        char *before = value_below(model, process, outermost(model, process, level, name), name);
        const char *prefix = model->environments[frame->environment].prefix;
        char *value = wished(&frame->plan->wishes[name], prefix, before);
        free(before);
        return value;
    }
    return copied(process->before[name]);
}

char *model_value(const struct model *model, size_t name)
{
    const struct process *process = top_process(model);

    return value_below(model, process, process->depth, name);
}

bool model_knows(const struct model *model, size_t name)
{
    return top_process(model)->unknown_above[name] == 0;
}

bool model_has_state(const struct model *model)
{
    return top_process(model)->depth > 0 || top_process(model)->has_foreign_state;
}

int model_active(const struct model *model, size_t *level)
{
    const struct process *process = top_process(model);

    *level = process->depth;
    return process->depth ? process->frames[process->depth - 1].environment : -1;
}

/* ---- conda's order ---- */

void model_start(struct model *model, const struct environment *environments, size_t count,
                 const char *const priors[MODEL_NAMES])
{
    *model = (struct model){
        .environments = environments, .environment_count = count, .process_count = 1};
    for (size_t i = 0; i < MODEL_NAMES; i++)
        model->processes[0].before[i] = copied(priors[i]);
}

static void end_process(struct model *model)
{
    struct process *process = present(model);

    for (size_t i = 0; i < MODEL_NAMES; i++)
        free(process->before[i]);
    model->process_count--;
}

void model_clear(struct model *model)
{
    while (model->process_count)
        end_process(model);
}

static void forget_doubts(struct process *process, size_t level)
{
    for (size_t i = 0; i < MODEL_NAMES; i++)
        if (process->unknown_above[i] >= (int)level)
            process->unknown_above[i] = 0;
}

static void emit(struct events *events, struct model *model, bool activates, size_t level)
{
    int environment = present(model)->frames[level - 1].environment;

    events->items[events->count++] =
        (struct event){activates, environment, level, model->on_disk[environment]};
}

/* Those variables of the topmost frame that an outer one has as well, and shares, become unknown
   unless `plan` has them. */
static void doubt_shared(const struct model *model, struct process *process,
                         const struct model_plan *plan)
{
    size_t top = process->depth - 1;
    const struct frame *frame = &process->frames[top];

    for (size_t i = 0; i < MODEL_NAMES && frame->in_force; i++) {
        size_t shared = outermost(model, process, top, i);
        if (shared < top && has_say(process, frame->plan, i) &&
            !(plan && has_say(process, plan, i)) && !process->unknown_above[i])
            process->unknown_above[i] = (int)shared + 1;
    }
}

/* activate.d runs for the topmost frame. */
static void enter(struct model *model, struct events *events)
{
    struct process *process = present(model);
    struct frame *frame = &process->frames[process->depth - 1];
    const struct environment *environment = &model->environments[frame->environment];
    const struct model_plan *plan =
        environment->generations[model->on_disk[frame->environment]].plan;

    emit(events, model, true, process->depth);
    forget_doubts(process, process->depth);
    doubt_shared(model, process, plan);
    frame->plan = plan;
    frame->in_force = true;
}

/* deactivate.d runs for the topmost frame. */
static void leave(struct model *model, struct events *events)
{
    struct process *process = present(model);

    emit(events, model, false, process->depth);
    forget_doubts(process, process->depth);
    doubt_shared(model, process, NULL);
    process->frames[process->depth - 1].in_force = false;
}

static bool push(struct model *model, int environment)
{
    struct process *process = present(model);

    if (process->depth == MODEL_DEPTH)
        return false;
    process->frames[process->depth++] = (struct frame){.environment = environment};
    return true;
}

static bool activate(struct model *model, const struct step *step, struct events *events)
{
    struct process *process = present(model);
    const struct frame *top = process->depth ? &process->frames[process->depth - 1] : NULL;
    bool again = top && top->environment == step->number;

    if (!again && process->depth == MODEL_DEPTH)
        return false;
    if (top && (again || step->action == ACTIVATE))
        leave(model, events);
    if (!again)
        push(model, step->number);
    enter(model, events);
    return true;
}

static bool deactivate(struct model *model, const struct step *step, struct events *events)
{
    struct process *process = present(model);

    (void)step;
    if (!process->depth)
        return false;
    leave(model, events);
    process->depth--;
    if (process->depth)
        enter(model, events);
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

static bool begin_child(struct model *model, const struct step *step, struct events *events)
{
    const struct process *parent = present(model);

    (void)step;
    (void)events;
    if (model->process_count == MODEL_PROCESSES)
        return false;
    struct process *child = &model->processes[model->process_count++];
    *child = *parent;
    for (size_t i = 0; i < MODEL_NAMES; i++)
        child->before[i] = copied(parent->before[i]);
    return true;
}

static bool is_in_job_like(const struct process *process, int job)
{
    for (size_t i = 0; i < model_job_count; i++)
        if (process->jobs & 1u << i &&
            strcmp(model_jobs[i].variable, model_jobs[job].variable) == 0)
            return true;
    return false;
}

/* What a job finds is what was before, whatever made it: requirement 10. */
static void take_as_before(const struct model *model, struct process *process)
{
    char *values[MODEL_NAMES];

    for (size_t i = 0; i < MODEL_NAMES; i++)
        values[i] = model_value(model, i);
    for (size_t i = 0; i < MODEL_NAMES; i++) {
        free(process->before[i]);
        process->before[i] = values[i];
        if (process->unknown_above[i])
            process->unknown_above[i] = UNKNOWN_FOR_GOOD;
    }
    process->has_foreign_state = model_has_state(model);
    for (size_t i = 0; i < process->depth; i++)
        process->frames[i].in_force = false;
}

static bool begin_job(struct model *model, const struct step *step, struct events *events)
{
    const struct model_job *job = &model_jobs[step->number];

    if (is_in_job_like(present(model), step->number) || !begin_child(model, step, events))
        return false;
    struct process *process = present(model);
    process->jobs |= 1u << step->number;
    take_as_before(model, process);
    if (job->visible) {
        free(process->before[VISIBLE_DEVICES]);
        process->before[VISIBLE_DEVICES] =
            strcmp(job->visible, "unset") == 0 ? NULL : copied(job->visible);
        process->unknown_above[VISIBLE_DEVICES] = 0;
    }
    process->keeps_visible = process->before[VISIBLE_DEVICES] != NULL;
    return true;
}

static bool end_child(struct model *model, const struct step *step, struct events *events)
{
    (void)step;
    (void)events;
    if (model->process_count == 1)
        return false;
    end_process(model);
    return true;
}

bool model_step(struct model *model, const struct step *step, struct events *events)
{
    static bool (*const does[])(struct model *, const struct step *, struct events *) = {
        [ACTIVATE] = activate,  [STACK] = activate, [DEACTIVATE] = deactivate,
        [PRESENT] = be_present, [APPLY] = apply,    [CHILD] = begin_child,
        [JOB] = begin_job,      [LEAVE] = end_child};

    *events = (struct events){0};
    return does[step->action](model, step, events);
}
