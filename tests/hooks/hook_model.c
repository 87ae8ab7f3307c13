#include "hooks/hook_model.h"

#include "hooks/intern.h"

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

enum { GRID_ENGINE_ID = JOB_VARIABLES - 2, GRID_ENGINE_TASK };
const char *const job_variables[JOB_VARIABLES] = {
    "SLURM_JOB_ID",
    "SLURM_STEP_ID",
    "SLURM_TASK_PID",
    "PBS_JOBID",
    "LSB_JOBID",
    "FLUX_JOB_ID",
    "OAR_JOB_ID",
    "_CONDOR_JOB_AD",
    "PJM_JOBID",
    [GRID_ENGINE_ID] = "JOB_ID",
    [GRID_ENGINE_TASK] = "SGE_TASK_ID",
};

/* ---- jobs ---- */

/* What counts of a variable: Grid Engine's JOB_ID only where SGE_TASK_ID is there as well. */
static const char *job_word(const struct job *job, size_t i)
{
    if (i == GRID_ENGINE_TASK || (i == GRID_ENGINE_ID && !job->words[GRID_ENGINE_TASK]))
        return NULL;
    return job->words[i];
}

bool same_job(const struct job *one, const struct job *other)
{
    for (size_t i = 0; i < JOB_VARIABLES; i++)
        if (job_word(one, i) != job_word(other, i))
            return false;
    return true;
}

bool shell_in_job(const struct shell_model *shell)
{
    static const struct job none;

    return !same_job(&shell->job, &none);
}

/* ---- what is in doubt ---- */

static void doubt(struct shell_model *shell, size_t name)
{
    bool ends = !shell->touched[name] && !shell->has_restarted;

    if (shell->doubts[name] == KNOWN)
        shell->doubts[name] = ends ? DOUBT_UNTIL_LEFT : DOUBT_FOR_GOOD;
}

static bool keeps_any(const struct shell_model *shell)
{
    for (size_t i = 0; i < MODEL_KEYS; i++)
        if (shell->kept[i].there)
            return true;
    return false;
}

bool shell_has_state(const struct shell_model *shell)
{
    return keeps_any(shell) || shell->ours.there || shell->has_orphans;
}

/* Where nothing is kept, what is there now is what hooks come back to. */
static void settle(struct shell_model *shell)
{
    if (keeps_any(shell))
        return;
    if (shell->doubts[VISIBLE_DEVICES] == DOUBT_UNTIL_LEFT)
        shell->ours.there = false;
    for (size_t i = 0; i < MODEL_NAMES; i++) {
        if (shell->doubts[i] == DOUBT_UNTIL_LEFT) {
            shell->values[i] = shell->base[i];
            shell->doubts[i] = KNOWN;
        }
        shell->base[i] = shell->values[i];
        shell->touched[i] = false;
    }
    shell->has_restarted = false;
}

void shell_restart(struct shell_model *shell)
{
    shell->has_restarted = keeps_any(shell);
    for (size_t i = 0; i < MODEL_NAMES; i++)
        if (shell->doubts[i] != KNOWN)
            shell->doubts[i] = DOUBT_FOR_GOOD;
}

/* What a job was given, a stack of environments from outside of it cannot be expected to sort out.
 */
void shell_leave_job(struct shell_model *shell)
{
    size_t count = 0;

    for (size_t i = 0; i < MODEL_KEYS; i++)
        count += shell->kept[i].there;
    if (count > 1 || shell->doubts[VISIBLE_DEVICES] != KNOWN)
        shell->doubts[VISIBLE_DEVICES] = DOUBT_FOR_GOOD;
    shell->job = (struct job){{NULL}};
}

void shell_touch(struct shell_model *shell, size_t name, const char *value)
{
    shell->values[name] = intern(value);
    shell->touched[name] = true;
    settle(shell);
}

/* ---- CUDA_VISIBLE_DEVICES ---- */

/* It is ours if a hook made it what it is, in this same job. */
static bool visible_is_ours(const struct shell_model *shell)
{
    return shell->ours.there && shell->ours.value == shell->values[VISIBLE_DEVICES] &&
           same_job(&shell->ours.job, &shell->job);
}

/* In a job, what is not ours is the job's. */
static bool visible_is_the_jobs(const struct shell_model *shell)
{
    return shell_in_job(shell) && !visible_is_ours(shell);
}

/* What this environment kept outside of this job, while another one made it what it is in the job:
   the hooks take that for their own. */
static void doubt_visible(struct shell_model *shell, const struct kept_state *state)
{
    if (state->variables[VISIBLE_DEVICES].there && shell_in_job(shell) && visible_is_ours(shell) &&
        !same_job(&state->job, &shell->job))
        shell->doubts[VISIBLE_DEVICES] = DOUBT_FOR_GOOD;
}

static void note_ours(struct shell_model *shell, bool is_ours)
{
    const char *value = shell->values[VISIBLE_DEVICES];

    shell->ours.there = is_ours;
    shell->ours.job = shell->job;
    shell->ours.value = value;
}

/* Whether the plan leaves it to the job, or to who set it. */
static bool visible_stands(const struct shell_model *shell, const struct model_plan *plan)
{
    const struct wish *wish = &plan->wishes[VISIBLE_DEVICES];
    bool none = wish->change == CHANGE_SET && strcmp(wish->text, "-1") == 0;
    bool keeps = shell_in_job(shell) ? !plan->override : plan->keep_if_set;

    return wish->change != CHANGE_NOTHING && keeps && !none && shell->values[VISIBLE_DEVICES] &&
           !visible_is_ours(shell);
}

/* ---- activation ---- */

/* What the hook of one environment goes by. */
struct hook {
    struct shell_model *shell;
    struct kept_state *state;
    const struct model_plan *plan;
    const char *prefix;
    bool was_there; /* there was state of it already */
    bool is_lower;  /* kept at a lower level: it is active further out as well */
};

static void keep(const struct hook *hook, size_t name)
{
    struct shell_model *shell = hook->shell;

    if (name == VISIBLE_DEVICES)
        hook->state->visible_was_ours = visible_is_ours(shell);
    hook->state->variables[name] = (struct kept){.there = true, .old = shell->values[name]};
}

static bool same_wish(const struct wish *one, const struct wish *other)
{
    return one->change == other->change && one->text == other->text &&
           one->separator == other->separator;
}

/* An environment that is stacked once more may make another value than further out: what those in
   between kept of the variable is of that one. They keep it anew when they are returned to, but
   cannot where they make the same, or where they are stacked once more themselves. */
static void visit_again(const struct hook *hook, size_t name, const char *value)
{
    struct shell_model *shell = hook->shell;
    struct kept *kept = &hook->state->variables[name];
    bool moves = kept->set != value;
    bool by_apply = !same_wish(kept->wish, &hook->plan->wishes[name]);

    for (size_t i = 0; i < MODEL_KEYS; i++) {
        const struct kept *other = &shell->kept[i].variables[name];
        if (other != kept && other->there &&
            (other->moved || (moves && (by_apply || other->set == value))))
            shell->doubts[name] = DOUBT_FOR_GOOD;
    }
    kept->moved = kept->moved || moves;
}

static void give(const struct hook *hook, size_t name, const char *value)
{
    struct kept *kept = &hook->state->variables[name];

    if (hook->is_lower && kept->wish)
        visit_again(hook, name, value);
    hook->shell->values[name] = kept->set = value;
    kept->wish = &hook->plan->wishes[name];
    if (name == VISIBLE_DEVICES)
        note_ours(hook->shell, true);
}

/* Whether the variable is as an environment made it. */
static bool is_made_by_any(const struct shell_model *shell, size_t name, const char *value)
{
    for (size_t i = 0; i < MODEL_KEYS; i++)
        if (shell->kept[i].variables[name].there && shell->kept[i].variables[name].set == value)
            return true;
    return false;
}

/* A list that is not as this environment left it. Where our element is in it, it is taken for ours;
   if another environment made the whole value, by chance with that element, it is not. */
static void reenter_list(const struct hook *hook, size_t name)
{
    const struct wish *wish = &hook->plan->wishes[name];
    struct shell_model *shell = hook->shell;
    struct kept *kept = &hook->state->variables[name];
    const char *value = shell->values[name];

    if (shell->is_tcsh)
        doubt(shell, name);
    if (wish_has(wish, hook->prefix, value)) {
        if (!hook->is_lower && is_made_by_any(shell, name, value))
            shell->doubts[name] = DOUBT_FOR_GOOD;
        return;
    }
    if (hook->is_lower && shell->touched[name])
        doubt(shell, name);
    if (!hook->is_lower)
        keep(hook, name);
    give(hook, name, wish_granted(wish, hook->prefix, hook->is_lower ? kept->old : value));
}

static void set_variable(const struct hook *hook, size_t name)
{
    const struct wish *wish = &hook->plan->wishes[name];
    struct shell_model *shell = hook->shell;
    struct kept *kept = &hook->state->variables[name];
    const char *value = shell->values[name];
    bool is_list = wish_is_list(wish), is_as_left = kept->there && value == kept->set;

    if (!kept->there && hook->is_lower) {
        doubt(shell, name); /* a re-apply brought it, or it is the job's: it may wait */
        return;
    }
    if (kept->there && !is_as_left && is_list) {
        reenter_list(hook, name);
        return;
    }
    if (!kept->there || (!is_as_left && !hook->is_lower))
        keep(hook, name);
    if (is_list && shell->is_tcsh && wish_has(wish, hook->prefix, kept->old))
        doubt(shell, name);
    give(hook, name, wish_granted(wish, hook->prefix, is_list ? kept->old : value));
}

static void set_variables(const struct hook *hook, bool stands)
{
    struct shell_model *shell = hook->shell;

    for (size_t i = 0; i < MODEL_NAMES; i++) {
        struct kept *kept = &hook->state->variables[i];
        if (hook->plan->wishes[i].change == CHANGE_NOTHING) {
            if (kept->there && hook->was_there)
                doubt(shell, i); /* a re-apply dropped it */
        } else if (i == VISIBLE_DEVICES && stands) {
            kept->there = false;
            note_ours(shell, false);
        } else if (i != DEVICE_ORDER || !stands || !shell->values[i]) {
            set_variable(hook, i);
        }
    }
}

void hooks_activate(struct shell_model *shell, int key, const struct model_plan *plan,
                    const char *prefix, size_t level)
{
    struct kept_state *state = &shell->kept[key];
    struct hook hook = {shell,  state,        plan,
                        prefix, state->there, state->there && state->level < level};

    if (!state->there)
        *state = (struct kept_state){.there = true, .level = level};
    doubt_visible(shell, state);
    if (visible_is_the_jobs(shell) && plan->wishes[VISIBLE_DEVICES].change != CHANGE_NOTHING) {
        state->variables[VISIBLE_DEVICES] = (struct kept){0};
        note_ours(shell, false);
    }
    state->job = shell->job;
    if (level < state->level)
        state->level = level;
    set_variables(&hook, visible_stands(shell, plan));
}

/* ---- deactivation ---- */

/* Takes our element out of a list that somebody else changed. */
static void take_out(const struct hook *hook, size_t name)
{
    const struct wish *wish = &hook->plan->wishes[name];
    const struct kept *kept = &hook->state->variables[name];
    const char *text = wish_text(wish, hook->prefix);
    const char *rest = list_without(hook->shell->values[name], text, wish_separator(wish),
                                    wish->change == CHANGE_PREPEND);

    if (!rest || !kept->set || wish_has(wish, hook->prefix, kept->old) || hook->shell->is_tcsh)
        return;
    hook->shell->values[name] = *rest || (kept->old && !*kept->old) ? rest : NULL;
}

static void undo(const struct hook *hook, size_t name)
{
    struct shell_model *shell = hook->shell;
    struct kept *kept = &hook->state->variables[name];
    bool is_as_left = kept->there && shell->values[name] == kept->set;
    bool may = name != VISIBLE_DEVICES || !visible_is_the_jobs(shell);

    if (is_as_left && may)
        shell->values[name] = kept->old;
    else if (kept->there && may && wish_is_list(&hook->plan->wishes[name]))
        take_out(hook, name);
    if (name == VISIBLE_DEVICES &&
        (kept->there || hook->plan->wishes[name].change != CHANGE_NOTHING))
        note_ours(shell, is_as_left && may && hook->state->visible_was_ours);
}

void hooks_deactivate(struct shell_model *shell, int key, const struct model_plan *plan,
                      const bool managed[MODEL_NAMES], const char *prefix, size_t level)
{
    struct kept_state *state = &shell->kept[key];
    struct hook hook = {shell, state, plan, prefix, true, false};

    if (!state->there || state->level < level)
        return;
    doubt_visible(shell, state);
    for (size_t i = 0; i < MODEL_NAMES; i++)
        if (state->variables[i].there && !managed[i]) {
            shell->doubts[i] = DOUBT_FOR_GOOD;
            shell->has_orphans = true;
        } else {
            undo(&hook, i);
        }
    *state = (struct kept_state){0};
    settle(shell);
}
