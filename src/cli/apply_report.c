#include "cli/apply.h"

#include "base/array.h"
#include "base/env.h"
#include "base/file.h"
#include "base/scope.h"
#include "hook/enact.h"

#include <string.h>

/* A variable's value while the environment is active; NULL for VAR_UNSET. */
static char *value_then(const struct apply *apply, const struct var *var, const char *now)
{
    bool joined = now && *now && var->separator; /* else the text stands alone */
    const struct rival *rival = rivals_beat(&apply->report.rivals, var->name);

    if (rival && !rival->sometimes)
        return format_text("%s", rival->value ? rival->value : "(see the note)");

    if (strcmp(var->name, "CUDA_VISIBLE_DEVICES") == 0 &&
        enact_leaves(apply->options->env, apply->plan))
        return format_text("%s", now);
    if (joined && var->kind == VAR_PREPEND)
        return format_text("%s%s...", var->value, var->separator);
    if (joined && var->kind == VAR_APPEND)
        return format_text("...%s%s", var->separator, var->value);
    return format_text("%s", var->value);
}

static int list_variables(struct apply *apply, struct error *err)
{
    for (size_t i = 0; i < apply->plan->variables.count; i++) {
        const struct var *var = &apply->plan->variables.items[i];
        const char *now = env_get(apply->options->env, var->name);
        const struct rival *rival = rivals_beat(&apply->report.rivals, var->name);
        bool is_unset = rival && !rival->sometimes ? rival->unsets : !var->value;
        scope(free_text) char *then = is_unset ? NULL : value_then(apply, var, now);
        if (!is_unset && !then)
            return error_memory(err);
        if (array_add(&apply->report.variables,
                      (struct variable_row){var->name, now, take(&then)}) < 0)
            return error_memory(err);
    }
    return 0;
}

/* The shell has the environment active, with the plan that its hooks have. */
static bool is_taken_up(const struct apply *apply)
{
    const char *visible = env_get(apply->options->env, "CUDA_VISIBLE_DEVICES");
    const char *planned = plan_visible(apply->plan);
    bool same = !visible == !planned && (!visible || strcmp(visible, planned) == 0);

    return !apply->report.differs && (same || apply->plan->gpus == PLAN_GPUS_AS_BEFORE);
}

/* What `conda activate` knows the environment by: a name where it was found by that. */
static const char *activation_name(const struct apply *apply)
{
    const struct options *options = apply->options;
    const char *active = env_get_filled(options->env, "CONDA_DEFAULT_ENV");

    if (apply->environment.active)
        return active ? active : apply->environment.path;
    if (options->prefix)
        return apply->environment.path;
    return options->name ? options->name : apply->section.name;
}

static int find_activation(struct apply *apply, struct error *err)
{
    char *const *env = apply->options->env;
    const char *mamba = env_get_filled(env, "MAMBA_EXE");
    const char *conda = mamba && !env_get_filled(env, "CONDA_EXE") ? path_name(mamba) : "conda";
    scope(strbuf_release) struct strbuf line = STRBUF_INIT;

    if (!apply->here)
        return 0;
    if (apply->environment.active ? is_taken_up(apply) : !apply->report.differs)
        return 0;
    strbuf_addf(&line, "%s activate ", conda);
    shell_quote_if_needed(&line, activation_name(apply));
    apply->report.activate = strbuf_take(&line);
    return apply->report.activate ? 0 : error_memory(err);
}

int apply_report(struct apply *apply, struct error *err)
{
    apply->report.differs = install_differs(&apply->install);
    apply_list_notes(apply);
    return list_variables(apply, err) < 0 ? -1 : find_activation(apply, err);
}

void apply_report_release(struct apply_report *report)
{
    for (size_t i = 0; i < report->variables.count; i++)
        free(report->variables.items[i].then);
    free(report->variables.items);
    rivals_release(&report->rivals);
    free(report->activate);
}
