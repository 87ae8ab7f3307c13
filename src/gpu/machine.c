#include "gpu/machine.h"

#include "base/array.h"
#include "base/scope.h"
#include "gpu/cards.h"

#include <stdlib.h>
#include <string.h>

enum { R570 = 12080 }; /* the first CUDA version of which a process sees all its MIG instances */

int machine_ask(struct child *child, const struct question *question, struct error *err)
{
    scope(error_release) struct error unseen = ERROR_INIT;

    cards_ask(child, question, &unseen);
    return unseen.no_memory ? error_memory(err) : 0;
}

/* Whether CUDA shows the card as a GPU. */
static bool is_shown(const struct device_list *list, const struct card_list *cards,
                     const struct card *card)
{
    for (size_t i = 0; i < list->count; i++)
        if (!list->items[i].mig && cards_find(cards, &list->items[i]) == card)
            return true;
    return false;
}

static enum hidden find_reason(const struct inventory *machine, const struct card *card)
{
    if (card->problem)
        return HIDDEN_LOST;
    if (card->mig == 1)
        return card->instance_count ? HIDDEN_SPLIT : HIDDEN_EMPTY;
    bool beside = machine->driver_version < R570 && device_list_has_mig(&machine->devices);
    return beside ? HIDDEN_BESIDE : HIDDEN_UNTOLD;
}

static int add_card(struct inventory *machine, const struct card_list *cards,
                    const struct card *card)
{
    struct device_list *list = &machine->devices;
    struct device device = card->device;

    device.hidden = find_reason(machine, card);
    if (!is_shown(list, cards, card) && array_add(&list->hidden, device) < 0)
        return -1;
    for (uint32_t i = 0; i < card->instance_count; i++)
        if (array_add(&list->instances, card->instances[i].device) < 0)
            return -1;
    return 0;
}

/* All numbers, or none. */
static void number(struct device_list *list, const struct card_list *cards)
{
    for (size_t i = 0; i < list->count; i++)
        if (!cards_find(cards, &list->items[i]))
            return;
    for (size_t i = 0; i < list->count; i++)
        list->items[i].number = cards_find(cards, &list->items[i])->device.number;
    list->numbered = list->count > 0;
}

static int be_untold(struct device_list *list, struct error *why, struct error *err)
{
    list->untold = why->status == STATUS_SYSTEM ? NULL : strdup(error_first(why));
    return list->untold ? 0 : error_memory(err);
}

int machine_complete(struct inventory *machine, struct child *child, struct error *err)
{
    scope(cards_release) struct card_list cards = {0};
    scope(error_release) struct error why = ERROR_INIT;
    int result = 0;

    if (child->guard < 0)
        error_add(&why, STATUS_DRIVER, "NVML could not be asked: no child process");
    else
        cards_answer(child, &cards, &why);
    if (why.status != STATUS_DONE)
        return be_untold(&machine->devices, &why, err);
    number(&machine->devices, &cards);
    for (size_t i = 0; i < cards.count && result == 0; i++)
        result = add_card(machine, &cards, &cards.items[i]);
    return result < 0 ? error_memory(err) : 0;
}

int machine_read(struct inventory *machine, const struct question *question, struct error *err)
{
    scope(child_end) struct child nvml = CHILD_INIT;

    if (machine_ask(&nvml, question, err) < 0 || inventory_read(machine, question, err) < 0)
        return -1;
    return machine_complete(machine, &nvml, err);
}

static bool is_instance(const struct device_list *list, const struct device *device)
{
    const struct device_list instances = {.items = list->instances.items,
                                          .count = list->instances.count};

    return device_list_find(&instances, &device->uuid) < instances.count;
}

/* Behind those of the same place, or of one before it; a card before its instances. */
static void insert(const struct device **rows, size_t *count, const struct device *device)
{
    size_t at = *count;

    while (at && pci_place(&rows[at - 1]->pci) > pci_place(&device->pci)) {
        rows[at] = rows[at - 1];
        at--;
    }
    rows[at] = device;
    ++*count;
}

const struct device **machine_rows(const struct device_list *list, size_t *count)
{
    size_t most = list->count + list->hidden.count + list->instances.count;
    const struct device **rows = calloc(most + 1, sizeof *rows);

    *count = 0;
    if (!rows)
        return NULL;
    for (size_t i = 0; i < list->hidden.count; i++)
        insert(rows, count, &list->hidden.items[i]);
    for (size_t i = 0; i < list->count; i++)
        if (!is_instance(list, &list->items[i]))
            insert(rows, count, &list->items[i]);
    for (size_t i = 0; i < list->instances.count; i++)
        insert(rows, count, &list->instances.items[i]);
    return rows;
}
