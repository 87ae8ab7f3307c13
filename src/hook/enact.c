#include "hook/enact.h"

#include "base/scope.h"
#include "hook/element.h"
#include "hook/signature.h"
#include "hook/state.h"
#include "section/job.h"

#include <string.h>

#define VISIBLE "CUDA_VISIBLE_DEVICES"

/* What a variable is or was, as the hooks' state has it: "" for one that is not set, else ":" and
   its value. */

struct enacting {
    struct state state;
    const struct enacted *hooks;
    char *job;    /* "" outside of one */
    bool outer;   /* the environment is active further out, too */
    bool by_hook; /* CUDA_VISIBLE_DEVICES is what a hook made of it, in this job */
};

static void begin(struct enacting *in)
{
    scope(strbuf_release) struct strbuf job = STRBUF_INIT;

    strbuf_adds(&job, "");
    if (!in->state.env->failed)
        job_identify(&job, in->state.env->items);
    in->job = strbuf_take(&job);
    in->state.failed = !in->job;
}

static void end(struct enacting *in)
{
    free(in->job);
    in->state.env->failed = in->state.env->failed || in->state.failed;
}

/* ---- Texts ----------------------------------------------------------------------------------- */

/* A variable of the environment; malloc'ed, as all texts here. */
static char *tell(struct enacting *in, const char *before, const char *name)
{
    const char *value = env_value(in->state.env, name);
    char *told = format_text("%s%s%s", before, value ? ":" : "", value ? value : "");

    in->state.failed = in->state.failed || !told;
    return told;
}

static char *copy(struct enacting *in, const char *text)
{
    char *copied = strdup(text);

    in->state.failed = in->state.failed || !copied;
    return copied;
}

static char *expand(struct enacting *in, const char *text)
{
    char *value = value_expand(text, in->state.env);

    in->state.failed = in->state.failed || !value;
    return value;
}

/* ---- Lists ----------------------------------------------------------------------------------- */

static bool make_element(struct element *element, struct enacting *in, const struct var *var)
{
    if (element_make(element, in->state.env, var) == 0)
        return true;
    in->state.failed = true;
    return false;
}

/* The list in ":LIST", or in "" for none. */
static const char *list_in(const char *told)
{
    return told + (*told == ':');
}

static bool is_in(struct enacting *in, const struct element *element, const char *told)
{
    bool there = false;

    if (element_find(element, list_in(told), &there) < 0)
        in->state.failed = true;
    return there;
}

/* ---- Whose CUDA_VISIBLE_DEVICES is ----------------------------------------------------------- */

/* Whether hooks of ours made it what it is, in this same job. */
static bool visible_is_ours(struct enacting *in)
{
    const char *ours = env_value(in->state.env, VISIBLE_STATE);
    scope(free_text) char *is = tell(in, in->job, VISIBLE);

    return is && ours && strcmp(is, ours) == 0;
}

static void forget_visible(struct enacting *in)
{
    env_unset(in->state.env, VISIBLE_STATE);
    state_set(&in->state, "SET_", VISIBLE, NULL);
    state_set(&in->state, "OLD_", VISIBLE, NULL);
}

/* What is "" or begins with ":" is, behind the job, the hooks' note of what they made of it. */
static void note_visible(struct enacting *in, const char *told)
{
    scope(free_text) char *note = format_text("%s%s", in->job, told);

    in->state.failed = in->state.failed || !note;
    if (note)
        env_set(in->state.env, VISIBLE_STATE, note);
}

static bool may_stand(const struct plan *plan, bool in_job)
{
    return in_job ? plan->in_job == IN_JOB_KEEP : plan->if_set == IF_SET_KEEP;
}

bool enact_leaves(char *const *env, const struct plan *plan)
{
    const char *visible = env_get(env, VISIBLE), *ours = env_get(env, VISIBLE_STATE);
    scope(strbuf_release) struct strbuf now = STRBUF_INIT;

    if (!visible || !vars_find(&plan->variables, VISIBLE) || !may_stand(plan, job_is_running(env)))
        return false;
    job_identify(&now, env);
    strbuf_addf(&now, ":%s", visible);
    return !ours || strcmp(ours, strbuf_text(&now)) != 0;
}

/* ---- Activation ------------------------------------------------------------------------------ */

/* Whether a value of others stands. */
static bool look_at_visible(struct enacting *in)
{
    in->by_hook = visible_is_ours(in);
    bool others = !in->by_hook && env_value(in->state.env, VISIBLE);
    bool stands = others && may_stand(in->hooks->plan, *in->job);

    if (stands || (*in->job && !in->by_hook))
        forget_visible(in); /* what was saved before does not count */
    return stands;
}

/* What a list becomes; malloc'ed. NULL where others have changed it since, and left our element. */
static char *join(struct enacting *in, const struct var *var, const char *is, const char *made)
{
    scope(element_release) struct element element = {0};
    bool changed = !made || strcmp(made, is) != 0;

    if (!make_element(&element, in, var) || (made && changed && is_in(in, &element, is)))
        return NULL;
    const char *was = changed && !in->outer ? is : state_get(&in->state, "OLD_", var->name);
    scope(free_text) char *joined = element_put_in(&element, was ? list_in(was) : "");
    char *told = joined ? format_text(":%s", joined) : NULL;
    in->state.failed = in->state.failed || !told;
    return told;
}

/* What a variable becomes; malloc'ed. NULL where it is left alone. */
static char *become(struct enacting *in, const struct var *var, const char *is, const char *made)
{
    if (var_is_list(var))
        return join(in, var, is, made);
    if (var->kind == VAR_UNSET)
        return copy(in, "");
    scope(free_text) char *value = expand(in, var->value);
    char *told = value ? format_text(":%s", value) : NULL;
    in->state.failed = in->state.failed || !told;
    return told;
}

static void make(struct enacting *in, const char *name, const char *told)
{
    if (*told)
        env_set(in->state.env, name, told + 1);
    else
        env_unset(in->state.env, name);
    state_set(&in->state, "SET_", name, told);
    if (strcmp(name, VISIBLE) == 0)
        note_visible(in, told);
}

/* Saves what a variable is, unless that is what an earlier activation made of it. */
static void set_variable(struct enacting *in, const struct var *var)
{
    const char *by = in->by_hook && strcmp(var->name, VISIBLE) == 0 ? "hook" : "";
    const char *made = state_get(&in->state, "SET_", var->name);
    scope(free_text) char *is = tell(in, "", var->name);
    scope(free_text) char *was = tell(in, by, var->name);
    scope(free_text) char *told = is ? become(in, var, is, made) : NULL;

    if (!told || !was || (in->outer && !made))
        return; /* not set further out, so nothing would undo it there */
    if (!in->outer && (!made || strcmp(made, is) != 0))
        state_set(&in->state, "OLD_", var->name, *was ? was : NULL);
    make(in, var->name, told);
}

static bool is_untouched(const struct enacting *in, bool stands, const char *name)
{
    return stands && (strcmp(name, VISIBLE) == 0 ||
                      (strcmp(name, "CUDA_DEVICE_ORDER") == 0 && env_value(in->state.env, name)));
}

void enact_activation(struct env *env, const struct enacted *hooks)
{
    const struct var_list *variables = &hooks->plan->variables;
    struct enacting in = {.state = {env, hooks->key, false}, .hooks = hooks};
    bool stands = false;

    begin(&in);
    if (!in.state.failed)
        in.outer = state_settle_level(&in.state);
    if (!in.state.failed && vars_find(variables, VISIBLE))
        stands = look_at_visible(&in);
    for (size_t i = 0; i < variables->count && !in.state.failed; i++)
        if (!is_untouched(&in, stands, variables->items[i].name))
            set_variable(&in, &variables->items[i]);
    end(&in);
}

/* ---- Deactivation ---------------------------------------------------------------------------- */

/* Others have changed the list since. */
static void take_out(struct enacting *in, const struct var *var, const char *is, const char *was)
{
    scope(element_release) struct element element = {0};

    if (!make_element(&element, in, var) || is_in(in, &element, was) || !is_in(in, &element, is))
        return;
    scope(free_text) char *rest = element_take_out(&element, list_in(is));
    in->state.failed = in->state.failed || !rest;
    if (rest && (*rest || strcmp(was, ":") == 0))
        env_set(in->state.env, var->name, rest);
    else
        env_unset(in->state.env, var->name);
}

static void undo(struct enacting *in, const char *name, const char *is, const char *became,
                 const char *was)
{
    const struct var *var = vars_find(&in->hooks->plan->variables, name);
    const char *value = strchr(was, ':');

    if (strcmp(became, is) == 0 && value)
        env_set(in->state.env, name, value + 1);
    else if (strcmp(became, is) == 0)
        env_unset(in->state.env, name);
    else if (*became == ':' && var && var_is_list(var))
        take_out(in, var, is, was);
    if (strcmp(became, is) == 0 && strncmp(was, "hook", 4) == 0)
        note_visible(in, was + 4); /* hooks of ours had made it */
    state_set(&in->state, "SET_", name, NULL);
    state_set(&in->state, "OLD_", name, NULL);
}

static void undo_variable(struct enacting *in, const char *name)
{
    const char *became = state_get(&in->state, "SET_", name),
               *was = state_get(&in->state, "OLD_", name);
    scope(free_text) char *is = tell(in, "", name);
    scope(free_text) char *old = copy(in, was ? was : "");
    scope(free_text) char *set = copy(in, became ? became : "no");

    if (is && old && set)
        undo(in, name, is, set, old);
}

static void undo_all(struct enacting *in)
{
    const struct names *managed = in->hooks->managed;
    bool shown = names_have(managed, VISIBLE);

    if (shown && *in->job && !visible_is_ours(in))
        forget_visible(in); /* it is the job's */
    if (shown && state_get(&in->state, "SET_", VISIBLE))
        env_unset(in->state.env, VISIBLE_STATE);
    for (size_t i = 0; i < managed->count; i++)
        undo_variable(in, managed->items[i]);
    state_set(&in->state, "LEVEL", "", NULL);
}

void enact_deactivation(struct env *env, const struct enacted *hooks)
{
    struct enacting in = {.state = {env, hooks->key, false}, .hooks = hooks};

    begin(&in);
    if (in.job && state_is_due(&in.state))
        undo_all(&in);
    end(&in);
}
