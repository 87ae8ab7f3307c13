#include "cli/seats.h"

#include "base/scope.h"
#include "plan/plan.h"

#include <string.h>

static int add(struct seats *seats, const struct card *card, uint32_t instance)
{
    bool whole = instance == card->instance_count;

    return array_add(
        seats, ((struct seat){.device = whole ? card->device : card->instances[instance].device,
                              .countable = whole,
                              .memory_used =
                                  whole ? card->memory_used : card->instances[instance].memory_used,
                              .card = card,
                              .instance = instance}));
}

/* Each card, and then the instances that it is split into. */
static int list_cards(struct seats *seats, struct error *err)
{
    for (size_t i = 0; i < seats->cards.count; i++) {
        const struct card *card = &seats->cards.items[i];
        if (card->problem)
            continue;
        int result = add(seats, card, card->instance_count);
        for (uint32_t k = 0; k < card->instance_count && result == 0; k++)
            result = add(seats, card, k);
        if (result < 0)
            return error_memory(err);
    }
    return 0;
}

static int list_devices(struct seats *seats, const struct device_list *devices, struct error *err)
{
    bool countable = device_list_is_countable(devices);

    for (size_t i = 0; i < devices->count; i++)
        if (array_add(seats, ((struct seat){.device = devices->items[i],
                                            .countable = countable,
                                            .memory_used = CARD_NOT_TOLD})) < 0)
            return error_memory(err);
    return 0;
}

static int ask_driver(struct seats *seats, const struct options *options, struct error *err)
{
    const struct question question = {options->driver, NULL, PLAN_ORDER, options->timeout, NULL};
    scope(inventory_release) struct inventory machine = {0};

    if (inventory_read(&machine, &question, &seats->why_none) == 0)
        return list_devices(seats, &machine.devices, err);
    return seats->why_none.status == STATUS_SYSTEM ? error_join(err, &seats->why_none) : 0;
}

/* First one look that takes no place in the leases' queues, then a question to those that are
   held. */
static int ask_leases(struct seats *seats, struct error *err)
{
    scope(strbuf_release) struct strbuf table = STRBUF_INIT;
    char uuid[UUID_TEXT_SIZE];

    if (abstract_read_table(&table) < 0)
        return table.failed ? error_memory(err) : 0;
    for (size_t i = 0; i < seats->count; i++) {
        struct seat *seat = &seats->items[i];
        uuid_text(&seat->device, uuid);
        seat->leased = lease_is_in(&table, uuid) && lease_ask(uuid, &seat->holder) == 1;
    }
    return 0;
}

int seats_read(struct seats *seats, const struct options *options, struct error *err)
{
    const struct question question = {.driver = options->driver, .timeout = options->timeout};

    seats->blind = cards_read(&seats->cards, &question, &seats->why_blind) < 0;
    if (seats->why_blind.status == STATUS_SYSTEM)
        return error_join(err, &seats->why_blind);
    if ((seats->blind ? ask_driver(seats, options, err) : list_cards(seats, err)) < 0)
        return -1;
    return ask_leases(seats, err);
}

const struct seat *seats_find(const struct seats *seats, const struct device *device)
{
    for (size_t i = 0; i < seats->count; i++)
        if (memcmp(&seats->items[i].device.uuid, &device->uuid, sizeof device->uuid) == 0)
            return &seats->items[i];
    return NULL;
}

bool seat_has(const struct seat *seat, const struct card_process *process)
{
    return process->instance == seat->instance;
}

void seats_release(struct seats *seats)
{
    free(seats->items);
    cards_release(&seats->cards);
    error_release(&seats->why_blind);
    error_release(&seats->why_none);
}
