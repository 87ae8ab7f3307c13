#include "gpu/cards.h"

#include "base/scope.h"
#include "gpu/card_query.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct vendor nvml = {"NVML", card_query};

int cards_ask(struct child *child, const struct question *question, struct error *err)
{
    return asking_start(child, &nvml, question, err);
}

int cards_answer(struct child *child, struct card_list *cards, struct error *err)
{
    scope(strbuf_release) struct strbuf bytes = STRBUF_INIT;
    int result = asking_answer(child, &nvml, &bytes, err);

    cards->absent = result == ASKING_ABSENT;
    return result < 0 ? -1 : cards_decode(strbuf_text(&bytes), bytes.length, cards, err);
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
    for (size_t i = 0; i < cards->count; i++) {
        free(cards->items[i].instances);
        free(cards->items[i].processes);
    }
    free(cards->items);
    *cards = (struct card_list){0};
}

/* Decoding */

struct decoding {
    const char *at;
    size_t left;
    struct error *err;
};

static int nonsense(const struct decoding *in, const char *what)
{
    return asking_nonsense(&nvml, in->err, ": %s", what);
}

static int take_bytes(struct decoding *in, void *to, size_t size)
{
    if (size > in->left)
        return nonsense(in, "it is cut short");
    memcpy(to, in->at, size);
    in->at += size;
    in->left -= size;
    return 0;
}

static bool is_text(const char *text, size_t size)
{
    return memchr(text, '\0', size) != NULL;
}

static int take_instances(struct decoding *in, struct card *card)
{
    size_t count = card->instance_count;
    const char *fault;

    card->instances = calloc(count + 1, sizeof *card->instances);
    if (!card->instances)
        return error_memory(in->err);
    if (take_bytes(in, card->instances, count * sizeof *card->instances) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        if ((fault = device_fault(&card->instances[i].device)))
            return asking_nonsense(&nvml, in->err, ": an instance %s", fault);
    return 0;
}

static int take_processes(struct decoding *in, struct card *card)
{
    size_t count = card->process_count;

    card->processes = calloc(count + 1, sizeof *card->processes);
    if (!card->processes)
        return error_memory(in->err);
    if (take_bytes(in, card->processes, count * sizeof *card->processes) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (card->processes[i].instance > card->instance_count)
            return nonsense(in, "a process is on an instance that is not there");
    return 0;
}

static int take_card(struct decoding *in, struct card *card, uint32_t number)
{
    struct card read;

    if (take_bytes(in, &read, sizeof read) < 0)
        return -1;
    read.instances = NULL;
    read.processes = NULL;
    *card = read;
    if (card->device.number != number || card->instance_count > CARD_MOST_INSTANCES ||
        card->process_count > CARD_MOST_PROCESSES)
        return nonsense(in, "a number is out of range");
    const char *fault = device_fault(&card->device);
    if (!fault && !card->problem && uuid_is_zero(&card->device.uuid))
        fault = "has no UUID";
    if (fault)
        return asking_nonsense(&nvml, in->err, ": a card %s", fault);
    return take_instances(in, card) < 0 ? -1 : take_processes(in, card);
}

int cards_decode(const char *bytes, size_t length, struct card_list *cards, struct error *err)
{
    struct decoding in = {bytes, length, err};
    scope(cards_release) struct card_list read = {0};
    struct card_head head = {0};

    if (take_bytes(&in, &head, sizeof head) < 0)
        return -1;
    if (!is_text(head.driver, sizeof head.driver) || head.count > CARD_MOST)
        return nonsense(&in, "it is not in our form");
    read.items = calloc(head.count + 1, sizeof *read.items);
    if (!read.items)
        return error_memory(err);
    memcpy(read.driver, head.driver, sizeof read.driver);
    for (uint32_t i = 0; i < head.count; i++) {
        read.count = i + 1;
        if (take_card(&in, &read.items[i], i) < 0)
            return -1;
    }
    if (in.left)
        return nonsense(&in, "it is too long");
    *cards = take(&read);
    return 0;
}
