#include "plan/pool.h"

#include <stdlib.h>

/* Whether all are there, whole, and in the order of their addresses. */
static bool is_countable(const struct card_list *cards)
{
    for (size_t i = 0; i < cards->count; i++)
        if (cards->items[i].problem || cards->items[i].mig == 1 ||
            (i &&
             pci_place(&cards->items[i - 1].device.pci) >= pci_place(&cards->items[i].device.pci)))
            return false;
    return true;
}

static void add(struct plan *plan, struct device device, bool countable)
{
    plan->devices[plan->device_count++] =
        (struct planned_device){countable ? device.number : PLAN_NO_NUMBER, device};
}

static void add_whole(struct plan *plan, const struct card_list *cards)
{
    bool countable = is_countable(cards);

    for (size_t i = 0; i < cards->count; i++)
        if (!cards->items[i].problem && cards->items[i].mig != 1)
            add(plan, cards->items[i].device, countable);
}

static void add_instances(struct plan *plan, const struct card_list *cards)
{
    for (size_t i = 0; i < cards->count; i++)
        for (uint32_t k = 0; k < cards->items[i].instance_count; k++)
            add(plan, cards->items[i].instances[k].device, false);
}

int pool_fill(struct plan *plan, const struct card_list *cards, struct error *err)
{
    size_t room = cards->count;

    for (size_t i = 0; i < cards->count; i++)
        room += cards->items[i].instance_count;
    free(plan->devices);
    plan->devices = calloc(room + 1, sizeof *plan->devices);
    plan->device_count = 0;
    if (!plan->devices)
        return error_memory(err);
    add_whole(plan, cards);
    if (!plan->device_count)
        add_instances(plan, cards);
    return 0;
}
