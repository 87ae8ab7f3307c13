#include "cli/status.h"

#include "base/scope.h"
#include "cli/json.h"
#include "cli/who.h"

/* ---- Who is on the cards --------------------------------------------------------------------- */

static json_t *json_process(const struct card_process *process)
{
    const struct lease_holder who = who_is((pid_t)process->pid);
    json_t *told = who_json(&who);
    json_t *memory = json_known(process->memory != CARD_NOT_TOLD, process->memory);

    if (json_object_set_new(told, "memory", memory) == 0 &&
        json_object_set_new(told, "forgotten", json_boolean(who_forgot(&who.proc))) == 0)
        return told;
    json_decref(told);
    return NULL;
}

/* null where NVML tells of none. */
static json_t *json_processes(const struct seat *seat)
{
    const struct card *card = seat->card;

    if (!card || !card->processes_told)
        return json_null();
    json_t *list = json_array();
    for (uint32_t i = 0; i < card->process_count; i++)
        if (seat_has(seat, &card->processes[i]))
            list = json_append(list, json_process(&card->processes[i]));
    return list;
}

/* Of a whole card; null where it is below 0, not told. */
static json_t *json_reading(int32_t number)
{
    return json_known(number >= 0, (uint64_t)number);
}

static json_t *json_seat(const struct seat *seat)
{
    const struct device *device = &seat->device;
    const struct card *card = seat->card;
    const struct card *whole = device->mig ? NULL : card;
    bool split = device->mig && card;

    return json_pack(
        "{s:o, s:o, s:s, s:b, s:o, s:s, s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "number",
        json_known(seat->countable || split, device->number), "name", json_text(device->name),
        "uuid", UUID_TEXT(device), "mig", device->mig, "profile",
        json_text(split ? device_profile(device) : NULL), "pci_bus_id", PCI_TEXT(&device->pci),
        "memory", (json_int_t)device->memory, "memory_used",
        json_known(seat->memory_used != CARD_NOT_TOLD, seat->memory_used), "utilization",
        json_reading(whole ? whole->utilization : -1), "temperature",
        json_reading(whole ? whole->temperature : -1), "persistence",
        whole && whole->persistence >= 0 ? json_boolean(whole->persistence) : json_null(), "lease",
        seat->leased ? who_json(&seat->holder) : json_null(), "processes", json_processes(seat));
}

static json_t *json_reason(const struct seats *seats)
{
    if (!seats->count)
        return json_text(error_first(&seats->why_none));
    return json_text(seats->blind ? error_first(&seats->why_blind) : NULL);
}

void status_json_seats(const struct seats *seats)
{
    const struct card_list *cards = &seats->cards;

    json_put("driver", json_text(seats->blind ? NULL : cards->driver));
    json_put("not_known", json_reason(seats));
    json_put("gpus", json_list_of(i, seats->count, json_seat(&seats->items[i])));
    json_put("unusable", json_array());
    for (size_t i = 0; i < cards->count; i++)
        if (cards->items[i].problem)
            json_list("unusable", json_pack("{s:I, s:o}", "number", (json_int_t)i, "reason",
                                            json_text(cards->items[i].device.reason)));
}

/* ---- What is assigned ------------------------------------------------------------------------ */

static json_t *json_assigned(const struct situation *status)
{
    static const char *const words[] = {
        [SOURCE_UNCHANGED] = "unchanged", [SOURCE_SAME] = "same",   [SOURCE_DIFFERS] = "differs",
        [SOURCE_GONE] = "gone",           [SOURCE_WRONG] = "wrong", [SOURCE_UNKNOWN] = "unknown"};
    bool wrong = status->source_state == SOURCE_WRONG;

    return json_pack("{s:o, s:s, s:o, s:I}", "source",
                     json_text(*status->source ? status->source : NULL), "state",
                     words[status->source_state], "problem",
                     json_text(wrong ? error_first(&status->source_error) : NULL), "applied",
                     (json_int_t)status->applied);
}

static json_t *json_device(const struct situation *status, size_t i)
{
    const struct planned_device *planned = &status->chosen.planned.plan.devices.items[i];
    const struct status_device device = status_device(status, i);
    const struct seat *seat = device.seat;

    return json_pack("{s:s, s:o, s:o, s:s}", "uuid", UUID_TEXT(&planned->device), "number",
                     json_known(planned->number != PLAN_NO_NUMBER, planned->number), "number_now",
                     json_known(seat && seat->countable, seat ? seat->device.number : 0), "state",
                     !status->seats.count ? "not seen"
                     : !seat              ? "gone"
                     : device.moved       ? "moved"
                                          : "as assigned");
}

/* ---- What is in force ------------------------------------------------------------------------ */

static json_t *json_variable(const struct situation *status, const struct variable_standing *of)
{
    static const char *const words[] = {
        [STANDING_INACTIVE] = "inactive", [STANDING_AS_PLANNED] = "as planned",
        [STANDING_KEPT] = "kept",         [STANDING_EARLIER] = "earlier",
        [STANDING_MISSED] = "missed",     [STANDING_CHANGED] = "changed"};
    const struct rival *rival = status_beaten(status, of);

    return json_pack("{s:o, s:o, s:o, s:s, s:o}", "name", json_text(of->var->name), "now",
                     json_text(of->now), "then", json_text(of->then), "state",
                     rival ? "beaten" : words[of->standing], "script",
                     json_text(rival ? rival->file : NULL));
}

static void add_plan(const struct situation *status)
{
    const struct plan *plan = &status->chosen.planned.plan;

    json_put("plan", json_plan(plan));
    json_put("devices", json_list_of(i, plan->devices.count, json_device(status, i)));
    json_put("variables", json_list_of(i, status->standings.count,
                                       json_variable(status, &status->standings.items[i])));
    json_put("beware", json_texts(status->hints.items, status->hints.count));
}

static json_t *json_job(const struct options *options)
{
    scope(strbuf_release) struct strbuf job = STRBUF_INIT;

    status_add_job(&job, options->env);
    return job.failed ? NULL : json_text(job.length ? strbuf_text(&job) : NULL);
}

void status_json(const struct situation *status)
{
    if (status->chosen.environment.path)
        json_put("environment", json_environment(&status->chosen.environment));
    json_put("assigned", status->chosen.planned.applied ? json_assigned(status) : json_null());
    json_put("job", json_job(status->options));
    if (status->chosen.planned.applied)
        add_plan(status);
    json_put("out_of_step", json_boolean(status->out_of_step));
    status_json_seats(&status->seats);
}
