#include "cli/status.h"

#include "base/file.h"
#include "base/scope.h"
#include "base/table.h"
#include "cli/who.h"

/* Where texts begin, behind the heads of the parts. */
enum { COLUMN = 10 };

static void add_table(struct strbuf *out, struct table *table, unsigned fitted)
{
    table->indent = 2;
    table_fit(table, fitted, CLI_WIDTH - 2);
    table_print(table, out);
}

/* ---- What is assigned ------------------------------------------------------------------------ */

static void say_source(const struct situation *status, struct strbuf *text)
{
    static const char *const states[] = {
        [SOURCE_UNCHANGED] = "; the file has not changed since",
        [SOURCE_SAME] = "; the file is newer and asks for the same",
        [SOURCE_DIFFERS] = "; the file asks for something else now: 'conda-gpu apply --dry-run' "
                           "shows what, and 'conda-gpu apply' puts it into effect",
        [SOURCE_GONE] = "; the file is not there any more: name the new one with 'conda-gpu "
                        "apply -f', or run 'conda-gpu remove'",
        [SOURCE_WRONG] = "; what the file asks for now cannot be told: ",
        [SOURCE_UNKNOWN] = "",
    };

    strbuf_addf(text, "by %s, applied ", *status->source ? status->source : "an earlier conda-gpu");
    who_add_time(text, status->applied);
    strbuf_addf(text, "%s%s", states[status->source_state], error_first(&status->source_error));
}

static void state_cell(struct table *table, const struct situation *status, size_t i)
{
    const struct status_device device = status_device(status, i);

    if (!status->seats.count)
        table_cell(table, "cannot be seen now");
    else if (!device.seat)
        table_cell(table, "is gone");
    else if (device.moved)
        table_cellf(table, "is GPU %u now", device.seat->device.number);
    else
        table_cell(table, "as assigned");
}

static void add_devices(const struct situation *status, struct strbuf *out)
{
    enum { NAME = 2, COLUMNS = 6 };
    const struct plan *plan = &status->chosen.planned.plan;
    scope(table_release) struct table table = TABLE_INIT(COLUMNS);

    for (size_t i = 0; i < plan->devices.count; i++) {
        table_cellf(&table, "cuda:%zu", i);
        planned_cells(&table, &plan->devices.items[i]);
        device_cells(&table, &plan->devices.items[i].device, false);
        state_cell(&table, status, i);
    }
    add_table(out, &table, 1u << NAME);
}

static void add_assigned(const struct situation *status, struct strbuf *out)
{
    static const char *const gpus[] = {
        [PLAN_GPUS_AS_BEFORE] = "the GPUs are left alone",
        [PLAN_GPUS_ALL] = "all GPUs",
        [PLAN_GPUS_NONE] = "no GPU",
        [PLAN_GPUS_CHOSEN] = "GPUs that no driver has confirmed",
    };
    const struct plan *plan = &status->chosen.planned.plan;
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;

    if (!status->chosen.planned.applied) {
        cli_add_wrapped(out, "assigned", COLUMN,
                        "nothing: apply has written nothing here for this machine");
        return;
    }
    if (!plan->devices.count)
        strbuf_addf(&text, "%s, ", gpus[plan->gpus]);
    else if (plan->unconfirmed)
        strbuf_adds(&text, "from an inventory, which no driver has confirmed, ");
    say_source(status, &text);
    cli_add_wrapped(out, "assigned", COLUMN, strbuf_text(&text));
    add_devices(status, out);
    out->failed = out->failed || text.failed;
}

/* ---- What is in force ------------------------------------------------------------------------ */

static void standing_cell(struct table *table, const struct situation *status,
                          const struct variable_standing *of)
{
    static const char *const words[] = {
        [STANDING_INACTIVE] = "",
        [STANDING_AS_PLANNED] = "as planned",
        [STANDING_KEPT] = "kept, not ours",
        [STANDING_EARLIER] = "of an earlier apply",
        [STANDING_MISSED] = "hooks did not run",
        [STANDING_CHANGED] = "changed by hand",
    };
    const struct rival *rival = status_beaten(status, of);
    scope(strbuf_release) struct strbuf job = STRBUF_INIT;

    status_add_job(&job, status->options->env);
    if (rival)
        table_cellf(table, "beaten by %s:%zu", path_name(rival->file), rival->line);
    else if (of->standing == STANDING_KEPT && job.length)
        table_cellf(table, "kept from job %s", strbuf_text(&job));
    else
        table_cell(table, words[of->standing]);
}

static void add_variables(const struct situation *status, struct strbuf *out)
{
    static const char *const heads[] = {"variable", "here", "", "deactivated"};
    enum { NAME, NOW, STATE, THEN, COLUMNS };
    scope(table_release) struct table table = TABLE_INIT(COLUMNS);

    table_row(&table, heads);
    for (size_t i = 0; i < status->standings.count; i++) {
        const struct variable_standing *of = &status->standings.items[i];
        table_cell(&table, of->var->name);
        table_cell(&table, cli_shown(of->now));
        standing_cell(&table, status, of);
        table_cell(&table, cli_shown(of->then));
    }
    add_table(out, &table, 1u << NAME | 1u << NOW | 1u << STATE | 1u << THEN);
}

static void add_in_force(const struct situation *status, struct strbuf *out)
{
    bool again = false;

    if (!status->chosen.planned.applied)
        return;
    if (!status->chosen.environment.active) {
        cli_add_wrapped(out, "in force", COLUMN,
                        "nothing: the environment is not active in this shell");
        return;
    }
    for (size_t i = 0; i < status->standings.count; i++)
        again = again || status_is_astray(&status->standings.items[i]);
    cli_add_wrapped(
        out, "in force", COLUMN,
        again ? "the environment is active in this shell, but not all is as planned; activate "
                "it again"
              : "the environment is active in this shell");
    if (status->standings.count)
        add_variables(status, out);
}

/* ---- Who is on the cards --------------------------------------------------------------------- */

static void add_reading(struct table *table, int32_t number, const char *unit)
{
    table_cellf(table, number < 0 ? "-" : "%d %s", number, unit);
}

static void add_seat_row(struct table *table, const struct seat *seat)
{
    const struct device *device = &seat->device;
    const struct card *card = device->mig ? NULL : seat->card;
    const char *profile = seat->card ? device_profile(device) : NULL;

    table_cellf(table, device->mig ? " MIG" : seat->countable ? "GPU %u" : "GPU -", device->number);
    table_cellf(table, "%s%s%s", profile ? profile : "", profile ? " " : "",
                device->mig ? UUID_TEXT(device) : device->name);
    table_cell(table, seat->memory_used != CARD_NOT_TOLD ? MEMORY_TEXT(seat->memory_used) : "-");
    table_cell(table, MEMORY_TEXT(device->memory));
    add_reading(table, card ? card->utilization : -1, "%");
    add_reading(table, card ? card->temperature : -1, "C");
}

static void add_cards(const struct situation *status, struct strbuf *out)
{
    static const char *const heads[] = {"", "name", "used", "of", "busy", "heat"};
    enum { NAME = 1, COLUMNS = sizeof heads / sizeof *heads };
    scope(table_release) struct table table = TABLE_INIT(COLUMNS);

    table_row(&table, heads);
    for (size_t i = 0; i < status->seats.count; i++)
        add_seat_row(&table, &status->seats.items[i]);
    add_table(out, &table, 1u << NAME);
}

/* A row of who is there: a process on a card, or the holder of a lease. */
static void add_person(struct table *table, const struct seat *seat, const char *memory,
                       const struct lease_holder *who)
{
    const struct proc *proc = &who->proc;
    scope(strbuf_release) struct strbuf user = STRBUF_INIT;
    scope(strbuf_release) struct strbuf since = STRBUF_INIT;

    if (who->user != NO_USER)
        who_add_user(&user, who->user);
    who_add_time(&since, proc->since);
    table_cellf(table, "%s %u", seat->device.mig ? "MIG of" : "GPU", seat->device.number);
    table_cell(table, memory);
    table_cell_of(table, &user);
    table_cell_of(table, &since);
    table_cellf(table, who->process ? "%d" : "-", (int)who->process);
    table_cell(table, proc->there ? proc->command : "(cannot be seen)");
    table_cell(table, who_forgot(proc) ? "yours, forgotten?" : "");
}

static void add_process(struct table *table, const struct seat *seat,
                        const struct card_process *process)
{
    const struct lease_holder who = who_is((pid_t)process->pid);

    add_person(table, seat, process->memory != CARD_NOT_TOLD ? MEMORY_TEXT(process->memory) : "-",
               &who);
}

static size_t add_people(struct table *table, const struct seat *seat)
{
    size_t count = seat->leased;

    if (seat->leased)
        add_person(table, seat, "leased", &seat->holder);
    for (uint32_t i = 0; seat->card && i < seat->card->process_count; i++)
        if (seat_has(seat, &seat->card->processes[i])) {
            add_process(table, seat, &seat->card->processes[i]);
            count++;
        }
    return count;
}

static void add_processes(const struct situation *status, struct strbuf *out)
{
    static const char *const heads[] = {"on", "memory", "user", "since", "process", "command", ""};
    enum { COMMAND = 5, COLUMNS = sizeof heads / sizeof *heads };
    scope(table_release) struct table table = TABLE_INIT(COLUMNS);
    size_t count = 0;

    table_row(&table, heads);
    for (size_t i = 0; i < status->seats.count; i++)
        count += add_people(&table, &status->seats.items[i]);
    if (count)
        add_table(out, &table, 1u << COMMAND);
}

static void add_who(const struct situation *status, struct strbuf *out)
{
    const struct seats *seats = &status->seats;
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;

    if (!seats->count)
        strbuf_addf(&text, "nothing is known: %s", error_first(&seats->why_none));
    else if (seats->blind)
        strbuf_addf(&text, "nothing is known of memory and processes: %s",
                    error_first(&seats->why_blind));
    else
        strbuf_addf(&text, "driver %s", seats->cards.driver);
    cli_add_wrapped(out, "GPUs", COLUMN, strbuf_text(&text));
    if (seats->count)
        add_cards(status, out);
    add_processes(status, out);
    for (size_t i = 0; i < seats->cards.count; i++)
        if (seats->cards.items[i].problem)
            strbuf_addf(out, "  GPU %zu cannot be used: %s\n", i,
                        seats->cards.items[i].device.reason);
    out->failed = out->failed || text.failed;
}

/* ---- All of it ------------------------------------------------------------------------------- */

static void add_environment(const struct situation *status, struct strbuf *out)
{
    const struct environment *environment = &status->chosen.environment;

    if (environment->path)
        cli_print("%-*s%s  %s", COLUMN, "name", environment->name, environment->path);
    else
        cli_add_wrapped(out, "name", COLUMN,
                        "no environment is active, and none was named with -n or -p");
}

void status_print(const struct situation *status)
{
    scope(strbuf_release) struct strbuf out = STRBUF_INIT;

    add_environment(status, &out);
    if (status->chosen.environment.path)
        add_assigned(status, &out);
    add_in_force(status, &out);
    add_who(status, &out);
    for (size_t i = 0; i < status->hints.count; i++)
        cli_add_wrapped(&out, i ? "" : "beware", COLUMN, status->hints.items[i]);
    cli_write_foreign(&out);
}
