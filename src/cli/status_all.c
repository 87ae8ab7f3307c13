#include "cli/status.h"

#include "base/file.h"
#include "base/scope.h"
#include "base/table.h"
#include "cli/json.h"
#include "cli/who.h"

#include <string.h>

/* An environment that apply has served here, and what it has. */
struct served {
    const char *path;
    struct planned planned;
};

struct known {
    struct names paths; /* of all environments */
    struct array_of(struct served) served;
    struct seats seats;
    bool out_of_step;
};

static void known_release(struct known *known)
{
    for (size_t i = 0; i < known->served.count; i++)
        planned_release(&known->served.items[i].planned);
    free(known->served.items);
    names_release(&known->paths);
    seats_release(&known->seats);
}

/* One that cannot be read is said to be so, and does not keep the others from being shown. */
static int read_plan(struct known *known, const char *path, char *const *env, struct error *err)
{
    scope(prefix_close) struct prefix prefix = PREFIX_INIT;
    scope(planned_release) struct planned planned = {0};
    scope(error_release) struct error wrong = ERROR_INIT;

    if (prefix_open(&prefix, path, &wrong) < 0 ||
        planned_read(&planned, &prefix, env, &wrong) < 0) {
        if (wrong.status == STATUS_SYSTEM)
            return error_join(err, &wrong);
        cli_note("%s", error_first(&wrong));
        known->out_of_step = true;
    } else if (planned.applied &&
               array_add(&known->served, (struct served){path, take(&planned)}) < 0) {
        return error_memory(err);
    }
    return 0;
}

static bool has(const struct plan *plan, const struct seat *seat)
{
    for (size_t i = 0; i < plan->devices.count; i++)
        if (memcmp(&plan->devices.items[i].device.uuid, &seat->device.uuid, sizeof(struct uuid)) ==
            0)
            return true;
    return plan->gpus == PLAN_GPUS_ALL && !seat->device.mig;
}

static void add_environments(struct strbuf *text, const struct known *known,
                             const struct seat *seat)
{
    for (size_t i = 0; i < known->served.count; i++) {
        const struct served *served = &known->served.items[i];
        if (has(&served->planned.plan, seat))
            strbuf_addf(text, "%s%s", text->length ? ", " : "", path_name(served->path));
    }
}

static void add_row(struct table *table, const struct known *known, const struct seat *seat)
{
    const char *profile = device_profile(&seat->device);
    scope(strbuf_release) struct strbuf holder = STRBUF_INIT;
    scope(strbuf_release) struct strbuf environments = STRBUF_INIT;
    uint32_t count = 0;

    for (uint32_t i = 0; seat->card && i < seat->card->process_count; i++)
        count += seat_has(seat, &seat->card->processes[i]);
    if (seat->leased)
        who_add_user(&holder, seat->holder.user);
    add_environments(&environments, known, seat);
    table_cellf(table,
                seat->device.mig  ? " MIG"
                : seat->countable ? "GPU %u"
                                  : "GPU -",
                seat->device.number);
    table_cell(table, seat->card && profile ? profile : UUID_SHORT(&seat->device));
    table_cell(table, seat->memory_used != CARD_NOT_TOLD ? MEMORY_TEXT(seat->memory_used) : "-");
    table_cellf(table, seat->card ? "%u" : "-", count);
    table_cell_of(table, &environments);
    table_cell_of(table, &holder);
}

static void print_table(const struct known *known)
{
    static const char *const heads[] = {"",          "UUID",         "used",
                                        "processes", "environments", "leased by"};
    enum { ENVIRONMENTS = 4, HOLDER = 5, COLUMNS = sizeof heads / sizeof *heads };
    scope(table_release) struct table table = TABLE_INIT(COLUMNS);

    table_row(&table, heads);
    for (size_t i = 0; i < known->seats.count; i++)
        add_row(&table, known, &known->seats.items[i]);
    cli_write_table(&table, 1u << ENVIRONMENTS | 1u << HOLDER);
}

static void print_seats(const struct known *known)
{
    if (known->seats.blind)
        cli_note("nothing is known of memory and processes: %s",
                 error_first(&known->seats.why_blind));
    if (known->seats.count)
        print_table(known);
    else
        cli_note("nothing is known of this machine's GPUs: %s",
                 error_first(&known->seats.why_none));
}

/* "/opt/envs/pt  GPUs: 1,3" */
static void tell_environment(struct known *known, const struct served *served)
{
    const struct plan *plan = &served->planned.plan;
    const char *visible = plan_visible(plan);
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;
    json_t *gone = json_array();

    strbuf_adds(&text,
                plan->gpus == PLAN_GPUS_CHOSEN && visible ? visible : plan_gpus_names[plan->gpus]);
    for (size_t i = 0; i < plan->devices.count && known->seats.count; i++) {
        const struct device *device = &plan->devices.items[i].device;
        if (seats_find(&known->seats, device))
            continue;
        known->out_of_step = true;
        strbuf_addf(&text, ", of which %s is gone", UUID_SHORT(device));
        gone = json_append(gone, json_string(UUID_TEXT(device)));
    }
    cli_print("%s  GPUs: %s", served->path, strbuf_text(&text));
    json_list("environments", json_pack("{s:o, s:o, s:o}", "prefix", json_text(served->path),
                                        "plan", json_plan(plan), "gone", gone));
}

int status_all(const struct options *options, struct error *err)
{
    scope(known_release) struct known known = {0};

    if (find_environments(&known.paths, options->env) < 0)
        return error_memory(err);
    for (size_t i = 0; i < known.paths.count; i++)
        if (read_plan(&known, known.paths.items[i], options->env, err) < 0)
            return -1;
    if (seats_read(&known.seats, options, err) < 0)
        return -1;
    if (!options->json)
        print_seats(&known);
    json_put("environments", json_array());
    for (size_t i = 0; i < known.served.count; i++)
        tell_environment(&known, &known.served.items[i]);
    json_put("out_of_step", json_boolean(known.out_of_step));
    status_json_seats(&known.seats);
    return known.out_of_step ? STATUS_DIFFERS : STATUS_DONE;
}
