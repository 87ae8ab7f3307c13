#include "gpu/cards.h"

#include "base/scope.h"

#include <stdlib.h>
#include <string.h>

static const struct vendor nvml = {"NVML", cards_query};

int cards_ask(struct child *child, const struct question *question, struct error *err)
{
    return asking_start(child, &nvml, question, err);
}

int cards_answer(struct child *child, struct card_list *cards, struct error *err)
{
    scope(strbuf_release) struct strbuf bytes = STRBUF_INIT;

    if (asking_answer(child, &nvml, &bytes, err) < 0)
        return -1;
    return cards_decode(strbuf_text(&bytes), bytes.length, cards, err);
}

int cards_read(struct card_list *cards, const struct question *question, struct error *err)
{
    struct child child = CHILD_INIT;

    if (cards_ask(&child, question, err) < 0)
        return -1;
    return cards_answer(&child, cards, err);
}

static bool is_uuid(const struct uuid *uuid, const struct uuid *other)
{
    return memcmp(uuid, other, sizeof *uuid) == 0;
}

/* Of an instance, or of the whole card where that is its count. */
static struct card_use use_of(const struct card *card, uint32_t instance)
{
    bool whole = instance == card->instance_count;
    struct card_use use = {.memory_used =
                               whole ? card->memory_used : card->instances[instance].memory_used,
                           .temperature = card->temperature};

    for (uint32_t i = 0; i < card->process_count; i++)
        if (whole || card->processes[i].instance == instance) {
            use.process = card->processes[i].pid;
            use.process_count++;
        }
    return use;
}

bool cards_find_use(const struct card_list *cards, const struct uuid *uuid, struct card_use *use)
{
    for (size_t i = 0; i < cards->count; i++) {
        const struct card *card = &cards->items[i];
        for (uint32_t k = 0; k <= card->instance_count && !card->problem; k++) {
            bool whole = k == card->instance_count;
            if (is_uuid(whole ? &card->device.uuid : &card->instances[k].device.uuid, uuid))
                return *use = use_of(card, k), true;
        }
    }
    return false;
}

const struct card *cards_find(const struct card_list *cards, const struct device *device)
{
    const struct card *found = NULL;

    for (size_t i = 0; i < cards->count; i++) {
        const struct card *card = &cards->items[i];
        if (card->problem)
            continue;
        if (is_uuid(&card->device.uuid, &device->uuid))
            return card;
        if (!found && pci_equal(&card->device.pci, &device->pci))
            found = card;
    }
    return found;
}

void cards_release(struct card_list *cards)
{
    free(cards->items);
    *cards = (struct card_list){0};
}

/* Decoding */

static int check_card(struct card *card, size_t number, struct error *err)
{
    const char *fault = device_fault(&card->device);

    if (!fault && !card->problem && uuid_is_zero(&card->device.uuid))
        fault = "has no UUID";
    if (card->device.number != number || card->instance_count > CARD_MOST_INSTANCES ||
        card->process_count > CARD_MOST_PROCESSES)
        fault = "has a number that is out of range";
    return fault ? asking_nonsense(&nvml, err, ": a card %s", fault) : 0;
}

/* What the cards have is in `size` bytes behind them: instances, then processes. */
static int find_parts(struct card_list *cards, size_t size, struct error *err)
{
    struct card *end = cards->items + cards->count;
    uint64_t instances = 0, processes = 0;

    for (const struct card *card = cards->items; card < end; card++) {
        instances += card->instance_count;
        processes += card->process_count;
    }
    if (size != instances * sizeof *end->instances + processes * sizeof *end->processes)
        return asking_nonsense(&nvml, err, ": it is cut short, or too long");
    struct card_instance *instance = (void *)end;
    const struct card_process *process = (void *)(instance + instances);
    for (struct card *card = cards->items; card < end; card++) {
        card->instances = instance;
        card->processes = process;
        for (size_t i = 0; i < card->instance_count; i++)
            if (device_fault(&(instance++)->device))
                return asking_nonsense(&nvml, err, ": an instance is none");
        for (size_t i = 0; i < card->process_count; i++)
            if ((process++)->instance > card->instance_count)
                return asking_nonsense(&nvml, err,
                                       ": a process is on an instance that is not there");
    }
    return 0;
}

int cards_decode(const char *bytes, size_t length, struct card_list *cards, struct error *err)
{
    scope(cards_release) struct card_list read = {0};
    struct card_head head = {.count = UINT64_MAX};
    size_t size = length > sizeof head ? length - sizeof head : 0;

    if (length >= sizeof head)
        memcpy(&head, bytes, sizeof head);
    if (!memchr(head.driver, '\0', sizeof head.driver) || head.count > size / sizeof *read.items)
        return asking_nonsense(&nvml, err, ": it is not in our form");
    read.items = malloc(size + 1);
    if (!read.items)
        return error_memory(err);
    memcpy(read.items, bytes + sizeof head, size);
    memcpy(read.driver, head.driver, sizeof read.driver);
    for (; read.count < head.count; read.count++)
        if (check_card(&read.items[read.count], read.count, err) < 0)
            return -1;
    if (find_parts(&read, size - read.count * sizeof *read.items, err) < 0)
        return -1;
    *cards = take(&read);
    return 0;
}
