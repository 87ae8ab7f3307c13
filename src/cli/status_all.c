#include "cli/status.h"

#include "base/file.h"
#include "base/scope.h"
#include "base/table.h"
#include "cli/json.h"
#include "cli/who.h"

#include <string.h>

/* The environments that apply has served here, and what they have. */
struct known {
    struct names paths;
    struct planned *planned; /* as many */
    struct seats seats;
    bool out_of_step;
};

static void known_release(struct known *known)
{
    for (size_t i = 0; known->planned && i < known->paths.count; i++)
        planned_release(&known->planned[i]);
    free(known->planned);
    names_release(&known->paths);
    seats_release(&known->seats);
}

/* One that cannot be read is said to be so, and does not keep the others from being shown. */
static int read_plans(struct known *known, const struct options *options, struct error *err)
{
    known->planned = calloc(known->paths.count + 1, sizeof *known->planned);
    if (!known->planned)
        return error_memory(err);
    for (size_t i = 0; i < known->paths.count; i++) {
        scope(prefix_close) struct prefix prefix = PREFIX_INIT;
        scope(error_release) struct error wrong = ERROR_INIT;
        if (prefix_open(&prefix, known->paths.items[i], &wrong) == 0 &&
            planned_read(&known->planned[i], &prefix, options->env, &wrong) == 0)
            continue;
        if (wrong.status == STATUS_SYSTEM)
            return error_join(err, &wrong);
        cli_note("%s", error_first(&wrong));
        known->out_of_step = true;
    }
    return 0;
}

static bool has(const struct plan *plan, const struct seat *seat)
{
    for (size_t i = 0; i < plan->device_count; i++)
        if (memcmp(&plan->devices[i].device.uuid, &seat->device.uuid, sizeof(struct uuid)) == 0)
            return true;
    return plan->gpus == PLAN_GPUS_ALL && !seat->device.mig;
}

static void add_environments(struct strbuf *text, const struct known *known,
                             const struct seat *seat)
{
    for (size_t i = 0; i < known->paths.count; i++)
        if (known->planned[i].applied && has(&known->planned[i].plan, seat))
            strbuf_addf(text, "%s%s", text->length ? ", " : "", path_name(known->paths.items[i]));
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

static bool is_gone(const struct known *known, const struct planned_device *planned)
{
    return known->seats.count && !seats_find(&known->seats, &planned->device);
}

static void look_for_gone(struct known *known)
{
    for (size_t i = 0; i < known->paths.count; i++) {
        const struct plan *plan = &known->planned[i].plan;
        for (size_t k = 0; k < plan->device_count; k++)
            known->out_of_step = known->out_of_step || is_gone(known, &plan->devices[k]);
    }
}

/* "/opt/envs/pt  GPUs: 1,3" */
static void print_environment(const struct known *known, size_t i)
{
    static const char *const gpus[] = {[PLAN_GPUS_AS_BEFORE] = "as before",
                                       [PLAN_GPUS_ALL] = "all",
                                       [PLAN_GPUS_NONE] = "none",
                                       [PLAN_GPUS_CHOSEN] = ""};
    const struct plan *plan = &known->planned[i].plan;
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;
    const char *visible = plan_visible(plan);

    strbuf_adds(&text, plan->gpus == PLAN_GPUS_CHOSEN && visible ? visible : gpus[plan->gpus]);
    for (size_t k = 0; k < plan->device_count; k++)
        if (is_gone(known, &plan->devices[k]))
            strbuf_addf(&text, ", of which %s is gone", UUID_SHORT(&plan->devices[k].device));
    cli_print("%s  GPUs: %s", known->paths.items[i], strbuf_text(&text));
}

static void print(const struct known *known)
{
    if (known->seats.blind)
        cli_note("nothing is known of memory and processes: %s",
                 error_first(&known->seats.why_blind));
    if (!known->seats.count)
        cli_note("nothing is known of this machine's GPUs: %s",
                 error_first(&known->seats.why_none));
    if (known->seats.count)
        print_table(known);
    for (size_t i = 0; i < known->paths.count; i++)
        if (known->planned[i].applied)
            print_environment(known, i);
}

static json_t *json_gone(const struct known *known, const struct plan *plan)
{
    json_t *list = json_array();

    for (size_t k = 0; k < plan->device_count; k++)
        if (is_gone(known, &plan->devices[k]))
            list = json_append(list, json_string(UUID_TEXT(&plan->devices[k].device)));
    return list;
}

static void add_to_json(const struct known *known)
{
    json_t *list = json_array();

    for (size_t i = 0; i < known->paths.count; i++)
        if (known->planned[i].applied)
            list = json_append(list, json_pack("{s:o, s:o, s:o}", "prefix",
                                               json_text(known->paths.items[i]), "plan",
                                               json_plan(&known->planned[i].plan), "gone",
                                               json_gone(known, &known->planned[i].plan)));
    json_put("environments", list);
    json_put("out_of_step", json_boolean(known->out_of_step));
    status_json_seats(&known->seats);
}

int status_all(const struct options *options, struct error *err)
{
    scope(known_release) struct known known = {0};

    if (find_environments(&known.paths, options->env) < 0)
        return error_memory(err);
    if (read_plans(&known, options, err) < 0 || seats_read(&known.seats, options, err) < 0)
        return -1;
    look_for_gone(&known);
    if (options->json)
        add_to_json(&known);
    else
        print(&known);
    return known.out_of_step ? STATUS_DIFFERS : STATUS_DONE;
}
