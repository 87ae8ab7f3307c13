#include "cli/apply.h"

#include "base/env.h"
#include "base/file.h"
#include "base/scope.h"
#include "base/table.h"
#include "cli/diff.h"
#include "cli/json.h"
#include "hook/enact.h"

#include <string.h>

/* ---- The plan -------------------------------------------------------------------------------- */

static void print_devices(const struct apply *apply, const struct plan *plan)
{
    enum { NAME = 2, COLUMNS = 6 };
    bool whole = apply->options->verbose;
    scope(table_release) struct table table = TABLE_INIT(COLUMNS);

    for (size_t i = 0; i < plan->devices.count; i++) {
        const struct device *device = &plan->devices.items[i].device;
        table_cellf(&table, "cuda:%zu", i);
        planned_cells(&table, &plan->devices.items[i]);
        table_cell(&table, MEMORY_TEXT(device->memory));
        device_cells(&table, device, whole);
    }
    cli_write_table(&table, whole ? 0 : 1u << NAME);
}

static void say_gpus(const struct apply *apply, const struct host_team *host, struct strbuf *line)
{
    const struct plan *plan = team_plan(&host->team, apply->user);
    int version = host->team.machine.driver_version;

    if (plan->gpus == PLAN_GPUS_AS_BEFORE)
        strbuf_addf(line, "GPUs are left alone, since %s has no 'devices'", apply->section.file);
    else if (plan->gpus == PLAN_GPUS_ALL)
        strbuf_adds(line, "all GPUs: CUDA_VISIBLE_DEVICES is unset");
    else if (plan->gpus == PLAN_GPUS_NONE)
        strbuf_addf(line, "no GPU: CUDA_VISIBLE_DEVICES=%s", plan_visible(plan));
    else if (plan->unconfirmed)
        strbuf_addf(line, "%snot confirmed by a driver: CUDA_VISIBLE_DEVICES=%s",
                    apply->options->inventory ? "from the inventory, " : "", plan_visible(plan));
    else
        strbuf_addf(line, "confirmed by the driver (CUDA %d.%d): CUDA_VISIBLE_DEVICES=%s",
                    version / 1000, version % 1000 / 10, plan_visible(plan));
}

/* What another script makes of it after our hook. */
static void say_rival(const struct rival *rival, struct strbuf *line)
{
    const char *name = rival->variable;

    strbuf_addf(line, ", but %s:%zu %s ", rival->file, rival->line,
                rival->sometimes ? "may give the shell another value:" : "gives the shell");
    if (rival->unsets)
        strbuf_addf(line, "no %s", name);
    else if (rival->value)
        strbuf_addf(line, "%s=%s", name, rival->value);
    else
        strbuf_addf(line, "a %s of its own", name);
}

static void print_gpus(const struct apply *apply, const struct host_team *host)
{
    static const char *const names[] = {"CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER"};
    scope(strbuf_release) struct strbuf line = STRBUF_INIT;

    say_gpus(apply, host, &line);
    for (size_t i = 0; i < 2; i++) {
        const struct rival *rival = rivals_beat(&apply->rivals, names[i]);
        if (rival)
            say_rival(rival, &line);
    }
    cli_print("%s", strbuf_text(&line));
    if (line.failed)
        cli_lost();
}

/* The inventory's machines, each with its devices; else this one's. */
static void print_hosts(const struct apply *apply)
{
    bool inventory = apply->options->inventory != NULL;

    if (inventory)
        cli_print("inventory    %s, of %zu machine%s", apply_stock_name(apply->options),
                  apply->hosts.count, apply->hosts.count > 1 ? "s" : "");
    for (size_t i = 0; i < apply->hosts.count; i++) {
        const struct host_team *host = &apply->hosts.items[i];
        if (inventory)
            cli_print("on %s:", host->host);
        print_devices(apply, team_plan(&host->team, apply->user));
        print_gpus(apply, host);
    }
}

static void print_plan(const struct apply *apply)
{
    const struct environment *environment = &apply->environment;

    cli_print("environment  %s  %s", environment->name, environment->path);
    if (apply->section.environment_file)
        cli_print("files        %s, and %s beside it", apply->section.file,
                  apply->section.environment_file);
    print_hosts(apply);
}

/* ---- The variables --------------------------------------------------------------------------- */

/* What the plan does with each variable, whole. */
static void print_settings(const struct apply *apply)
{
    for (size_t i = 0; i < apply->plan->variables.count; i++) {
        const struct var *var = &apply->plan->variables.items[i];
        cli_print("%-10s %s%s%s", var_kind_names[var->kind], var->name, var->value ? "=" : "",
                  var->value ? var->value : "");
    }
}

/* Adds a variable's value while the environment is active; false: it is not set. */
static bool add_value(struct strbuf *out, const struct apply *apply, const struct var *var,
                      const char *now)
{
    bool joined = now && *now && var->separator; /* else the text stands alone */
    const struct rival *rival = rivals_beat(&apply->rivals, var->name);

    if (rival && !rival->sometimes) {
        strbuf_adds(out, rival->value ? rival->value : "(see the note)");
        return !rival->unsets;
    }
    if (!var->value)
        return false;
    if (strcmp(var->name, "CUDA_VISIBLE_DEVICES") == 0 &&
        enact_leaves(apply->options->env, apply->plan))
        strbuf_adds(out, now);
    else if (joined && var->kind == VAR_PREPEND)
        strbuf_addf(out, "%s%s...", var->value, var->separator);
    else if (joined && var->kind == VAR_APPEND)
        strbuf_addf(out, "...%s%s", var->separator, var->value);
    else
        strbuf_adds(out, var->value);
    return true;
}

/* What each variable is now, and what it would be. */
static void tell_variables(const struct apply *apply, bool shown)
{
    static const char *const heads[] = {"variable", "in this shell", "in the environment"};
    enum { NOW = 1, THEN = 2, COLUMNS = 3 };
    scope(table_release) struct table table = TABLE_INIT(COLUMNS);

    json_put("variables", json_array());
    table_row(&table, heads);
    for (size_t i = 0; i < apply->plan->variables.count; i++) {
        const struct var *var = &apply->plan->variables.items[i];
        const char *now = env_get(apply->options->env, var->name);
        scope(strbuf_release) struct strbuf value = STRBUF_INIT;
        const char *then = add_value(&value, apply, var, now) ? strbuf_text(&value) : NULL;
        if (value.failed)
            cli_lost();
        table_cell(&table, var->name);
        table_cell(&table, cli_shown(now));
        table_cell(&table, cli_shown(then));
        json_list("variables", json_variable_row(var->name, now, then));
    }
    if (!shown)
        return;
    cli_write_text("\n");
    cli_write_table(&table, apply->options->verbose ? 0 : 1u << NOW | 1u << THEN);
    cli_write_text("\n");
}

/* ---- The files ------------------------------------------------------------------------------- */

static json_t *json_file(const struct hook_file *file, bool written)
{
    static const char *const words[] = {[HOOK_ABSENT] = "absent",
                                        [HOOK_SAME] = "same",
                                        [HOOK_OURS] = "ours",
                                        [HOOK_EDITED] = "edited",
                                        [HOOK_FOREIGN] = "foreign"};
    bool differs = file->state != HOOK_SAME;

    return json_pack("{s:s, s:s, s:b, s:b, s:o}", "path", file->path, "before", words[file->state],
                     "differs", differs, "written", differs && written, "kept_as",
                     json_text(file->keep));
}

void apply_json_files(const struct hook_set *files, bool written)
{
    json_put("files", json_list_of(i, files->count, json_file(&files->items[i], written)));
}

void apply_json_source(const struct section *section)
{
    json_put("source", json_pack("{s:o, s:o}", "section", json_text(section->file),
                                 "environment_file", json_text(section->environment_file)));
}

static void print_files(const struct apply *apply)
{
    bool done = apply->written;

    for (size_t i = 0; i < apply->install.files.count; i++) {
        const struct hook_file *file = &apply->install.files.items[i];
        if (file->keep)
            cli_print("%s  %s as %s", done ? "kept     " : "would keep ", file->path,
                      path_name(file->keep));
    }
    for (size_t i = 0; i < apply->install.files.count; i++) {
        const struct hook_file *file = &apply->install.files.items[i];
        if (file->state != HOOK_SAME)
            cli_print("%s  %s", done ? "written  " : "would write", file->path);
        else if (done)
            cli_print("unchanged  %s", file->path);
    }
}

int apply_diff(const struct apply *apply, const struct hook_file *file, struct strbuf *out,
               struct error *err)
{
    scope(free_text) char *path = path_join(apply->environment.path, file->path);

    if (!path)
        return error_memory(err);
    return diff_add(out, file->path, file->state == HOOK_ABSENT ? "/dev/null" : path, &file->text,
                    err);
}

static int show_diffs(const struct apply *apply, struct error *err)
{
    for (size_t i = 0; i < apply->install.files.count; i++) {
        scope(strbuf_release) struct strbuf diff = STRBUF_INIT;
        const struct hook_file *file = &apply->install.files.items[i];
        if (file->state != HOOK_SAME && apply_diff(apply, file, &diff, err) < 0)
            return -1;
        cli_write_foreign(&diff);
    }
    return 0;
}

/* ---- All of it ------------------------------------------------------------------------------- */

/* The shell has the environment active, with the plan that its hooks have. */
static bool is_taken_up(const struct apply *apply)
{
    const char *visible = env_get(apply->options->env, "CUDA_VISIBLE_DEVICES");
    const char *planned = plan_visible(apply->plan);
    bool same = !visible == !planned && (!visible || strcmp(visible, planned) == 0);

    return !apply->differs && (same || apply->plan->gpus == PLAN_GPUS_AS_BEFORE);
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

/* The command by which this shell takes the values up, if there is anything to do. */
static void add_activation(struct strbuf *line, const struct apply *apply)
{
    char *const *env = apply->options->env;
    const char *mamba = env_get_filled(env, "MAMBA_EXE");
    const char *conda = mamba && !env_get_filled(env, "CONDA_EXE") ? path_name(mamba) : "conda";

    if (!apply->here || (apply->environment.active ? is_taken_up(apply) : !apply->differs))
        return;
    strbuf_addf(line, "%s activate ", conda);
    shell_quote_if_needed(line, activation_name(apply));
}

/* A machine that this run serves. */
static json_t *json_host(const struct apply *apply, const struct host_team *host)
{
    return json_pack("{s:o, s:o}", "host", json_text(host->host), "plan",
                     json_plan(team_plan(&host->team, apply->user)));
}

static void json_put_plan(const struct apply *apply, const char *activation)
{
    int version = apply->shown->team.machine.driver_version;

    json_put("environment", json_environment(&apply->environment));
    apply_json_source(&apply->section);
    json_put("driver_cuda_version", json_known(version, (uint64_t)version));
    json_put("plan", json_plan(apply->plan));
    json_put("inventory", json_text(apply->options->inventory));
    json_put("hosts",
             json_list_of(i, apply->hosts.count, json_host(apply, &apply->hosts.items[i])));
    json_put("differs", json_boolean(apply->differs));
    json_put("written", json_boolean(apply->written && apply->differs));
    json_put("activate", json_text(*activation ? activation : NULL));
}

int apply_tell(const struct apply *apply, struct error *err)
{
    const struct options *options = apply->options;
    bool shown = !options->quiet && !options->json;
    bool would_write = apply->differs && !apply->written;
    scope(strbuf_release) struct strbuf activation = STRBUF_INIT;

    if (options->diff && (options->quiet || apply->differs))
        return show_diffs(apply, err);
    add_activation(&activation, apply);
    json_put_plan(apply, strbuf_text(&activation));
    if (shown && (apply->differs || apply->beaten || options->verbose))
        print_plan(apply);
    tell_variables(apply, shown && would_write && apply->here);
    if (options->verbose && !(would_write && apply->here))
        print_settings(apply);
    apply_json_files(&apply->install.files, apply->written);
    if (apply->differs)
        print_files(apply);
    else
        cli_print("unchanged  %s  %s", apply->environment.name, apply->environment.path);
    if (activation.length && !would_write) {
        cli_print(apply->environment.active
                      ? "this shell has it active; to take the new values up, run:"
                      : "to use it, run:");
        cli_print("  %s", strbuf_text(&activation));
    }
    return activation.failed ? error_memory(err) : 0;
}
