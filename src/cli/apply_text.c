#include "cli/apply.h"
#include "cli/diff.h"

#include "base/file.h"
#include "base/scope.h"
#include "base/table.h"

static void print_devices(const struct apply *apply, const struct plan *plan)
{
    enum { NAME = 2, COLUMNS = 6 };
    bool whole = apply->options->verbose;
    scope(table_release) struct table table = TABLE_INIT(COLUMNS);

    for (size_t i = 0; i < plan->device_count; i++) {
        const struct device *device = &plan->devices[i].device;
        char memory[MEMORY_TEXT_SIZE];
        table_cellf(&table, "cuda:%zu", i);
        planned_cells(&table, &plan->devices[i]);
        table_cell(&table, memory_text(device->memory, memory));
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
        const struct rival *rival = rivals_beat(&apply->report.rivals, names[i]);
        if (rival)
            say_rival(rival, &line);
    }
    cli_print_line(&line);
}

/* What the plan does with each variable, whole. */
static void print_settings(const struct apply *apply)
{
    for (size_t i = 0; i < apply->plan->variables.count; i++) {
        const struct var *var = &apply->plan->variables.items[i];
        cli_print("%-10s %s%s%s", var_kind_names[var->kind], var->name, var->value ? "=" : "",
                  var->value ? var->value : "");
    }
}

/* What each variable is now, and what it would be. */
static void print_variables(const struct apply *apply)
{
    static const char *const heads[] = {"variable", "in this shell", "in the environment"};
    enum { NOW = 1, THEN = 2, COLUMNS = 3 };
    scope(table_release) struct table table = TABLE_INIT(COLUMNS);

    table_row(&table, heads);
    for (size_t i = 0; i < apply->report.variables.count; i++) {
        const struct variable_row *row = &apply->report.variables.items[i];
        table_cell(&table, row->name);
        table_cell(&table, cli_shown(row->now));
        table_cell(&table, cli_shown(row->then));
    }
    cli_write_text("\n");
    cli_write_table(&table, apply->options->verbose ? 0 : 1u << NOW | 1u << THEN);
    cli_write_text("\n");
}

static void print_files(const struct apply *apply)
{
    bool done = apply->report.written;

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

static void print_activation(const struct apply *apply)
{
    if (!apply->report.activate || (apply->report.differs && !apply->report.written))
        return;
    cli_print(apply->environment.active
                  ? "this shell has it active; to take the new values up, run:"
                  : "to use it, run:");
    cli_print("  %s", apply->report.activate);
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

int apply_print(const struct apply *apply, struct error *err)
{
    const struct options *options = apply->options;

    if (options->quiet)
        return options->diff ? show_diffs(apply, err) : 0;
    if (options->diff && apply->report.differs)
        return show_diffs(apply, err);
    if (apply->report.differs || apply->report.beaten || options->verbose)
        print_plan(apply);
    if (!apply->report.written && apply->report.differs && apply->here)
        print_variables(apply);
    else if (options->verbose)
        print_settings(apply);
    if (apply->report.differs)
        print_files(apply);
    else
        cli_print("unchanged  %s  %s", apply->environment.name, apply->environment.path);
    print_activation(apply);
    return 0;
}
