#include "plan/pool.h"

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

static int add(struct plan *plan, const struct device *device, bool countable)
{
    const struct planned_device planned = {.number = countable ? device->number : PLAN_NO_NUMBER,
                                           .device = *device};

    return array_add(&plan->devices, planned);
}

static int add_whole(struct plan *plan, const struct card_list *cards)
{
    bool countable = is_countable(cards);

    for (size_t i = 0; i < cards->count; i++)
        if (!cards->items[i].problem && cards->items[i].mig != 1 &&
            add(plan, &cards->items[i].device, countable) < 0)
            return -1;
    return 0;
}

static int add_instances(struct plan *plan, const struct card_list *cards)
{
    for (size_t i = 0; i < cards->count; i++)
        for (uint32_t k = 0; k < cards->items[i].instance_count; k++)
            if (add(plan, &cards->items[i].instances[k].device, false) < 0)
                return -1;
    return 0;
}

int pool_fill(struct plan *plan, const struct card_list *cards, struct error *err)
{
    plan->devices.count = 0;
    if (add_whole(plan, cards) < 0 || (!plan->devices.count && add_instances(plan, cards) < 0))
        return error_memory(err);
    return 0;
}
