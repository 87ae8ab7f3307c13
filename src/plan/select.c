#include "plan/select.h"

#include "base/array.h"
#include "base/scope.h"
#include "section/keys.h"

#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct selecting {
    struct selection *selection;
    const struct device_list *machine;
    struct error *err;
};

__attribute__((format(printf, 3, 4))) static int missing(const struct selecting *in,
                                                         const struct item *item,
                                                         const char *format, ...)
{
    size_t last = in->machine->count - 1;
    struct place place = item->place;
    scope(strbuf_release) struct strbuf what = STRBUF_INIT;
    char numbers[32];
    va_list args;

    va_start(args, format);
    strbuf_vaddf(&what, format, args);
    va_end(args);
    if (what.failed)
        return error_memory(in->err);
    snprintf(numbers, sizeof numbers, last ? "GPUs 0 to %zu" : "only GPU %zu", last);
    return error_add(in->err, STATUS_DRIVER, "%s:%zu:%zu: gpu.devices: %s; this machine has %s",
                     place.file, place.line, place.column, strbuf_text(&what),
                     in->selection->by_uuid || !device_list_is_in_order(in->machine)
                         ? "the devices below"
                         : numbers);
}

/* What is chosen already and is this GPU, or this UUID where the driver did not list it. */
static const struct choice *find_choice(const struct selecting *in, const struct item *item,
                                        size_t number)
{
    for (size_t i = 0; i < in->selection->count; i++) {
        const struct choice *choice = &in->selection->items[i];
        if (choice->number == number &&
            (number != SELECT_NO_NUMBER || strcasecmp(choice->item->text, item->text) == 0))
            return choice;
    }
    return NULL;
}

static int add(const struct selecting *in, const struct item *item, size_t number)
{
    struct selection *selection = in->selection;
    const struct choice *earlier = find_choice(in, item, number);

    if (earlier)
        return error_at(in->err, item->place,
                        "gpu.devices: '%s' names the device that '%s' names already; remove one "
                        "of the two",
                        item->text, earlier->item->text);
    bool listed = number < in->machine->count;
    struct choice choice = {number, listed ? &in->machine->items[number] : NULL, item};
    return array_add(selection, choice) < 0 ? error_memory(in->err) : 0;
}

static int check_countable(const struct selecting *in, const struct item *item)
{
    if (device_list_is_countable(in->machine))
        return 0;
    if (!device_list_has_mig(in->machine))
        return error_at(
            in->err, item->place,
            "gpu.devices: '%s' counts GPUs, but CUDA does not show %s, which nvidia-smi "
            "numbers (it may be in MIG mode without an instance); write UUIDs",
            item->text, in->machine->unseen);
    return error_at(in->err, item->place,
                    "gpu.devices: '%s' counts GPUs, but this machine has one in MIG mode, and CUDA "
                    "then counts differently from nvidia-smi; write the UUIDs that 'nvidia-smi "
                    "-L' shows",
                    item->text);
}

/* The index of the device with that number, or the count. */
static size_t find_number(const struct device_list *machine, unsigned long number)
{
    size_t i = 0;

    while (i < machine->count && machine->items[i].number != number)
        i++;
    return i;
}

static int select_range(const struct selecting *in, const struct item *item)
{
    if (check_countable(in, item) < 0)
        return -1;
    for (unsigned long i = item->first; i <= item->last; i++) {
        size_t found = find_number(in->machine, i);
        if (found == in->machine->count)
            return missing(in, item, "no GPU %lu", i);
        if (add(in, item, found) < 0)
            return -1;
    }
    return 0;
}

/* A MIG instance need not be listed, and neither need a GPU beside one in MIG mode. */
static int select_uuid(const struct selecting *in, const struct item *item)
{
    size_t found = 0, fits = 0, length = strlen(item->text);

    for (size_t i = 0; i < in->machine->count; i++) {
        char text[UUID_TEXT_SIZE];
        if (strncasecmp(uuid_text(&in->machine->items[i], text), item->text, length) != 0)
            continue;
        found = i;
        fits++;
    }
    if (fits > 1)
        return error_at(in->err, item->place,
                        "gpu.devices: '%s' fits the UUIDs of %zu GPUs; write more of it",
                        item->text, fits);
    bool whole = length == UUID_TEXT_SIZE - 1;
    if (!fits && (!whole || (item->kind == ITEM_UUID && !in->selection->by_uuid)))
        return missing(in, item, "no GPU with UUID '%s'", item->text);
    return add(in, item, fits ? found : SELECT_NO_NUMBER);
}

static int select_pci(const struct selecting *in, const struct item *item)
{
    for (size_t i = 0; i < in->machine->count; i++) {
        const struct device *device = &in->machine->items[i];
        if (!pci_equal(&device->pci, &item->pci))
            continue;
        if (device->mig)
            return error_at(in->err, item->place,
                            "gpu.devices: the GPU at PCI bus ID %s is in MIG mode; name one of its "
                            "instances by the UUID that 'nvidia-smi -L' shows",
                            item->text);
        return add(in, item, i);
    }
    return missing(in, item, "no GPU at PCI bus ID %s", item->text);
}

bool select_fits(const struct item *item, const struct device *device)
{
    bool compute =
        device->compute_major > item->min_major ||
        (device->compute_major == item->min_major && device->compute_minor >= item->min_minor);

    return compute && device->memory >= item->min_memory &&
           (!item->name || fnmatch(item->name, device->name, 0) == 0);
}

/* After a message that nothing matches: a name without a * or ? is often meant as a part. */
static int explain_name(const struct selecting *in, const struct item *item)
{
    if (!item->name || strpbrk(item->name, "*?["))
        return -1;
    for (size_t i = 0; i < in->machine->count; i++)
        if (strcmp(item->name, in->machine->items[i].name) == 0)
            return -1;
    return error_detail(
        in->err, "the whole name must match; for a part of it write name: \"*%.60s*\"", item->name);
}

static int select_filter(const struct selecting *in, const struct item *item)
{
    unsigned long found = 0;

    if (check_countable(in, item) < 0)
        return -1;
    for (size_t i = 0; i < in->machine->count && (!item->count || found < item->count); i++) {
        if (!select_fits(item, &in->machine->items[i]))
            continue;
        found++;
        if (add(in, item, i) < 0)
            return -1;
    }
    if (found && found >= item->count)
        return 0;
    if (found)
        return missing(in, item, "only %lu GPU%s %s", found, found > 1 ? "s match" : " matches",
                       item->text);
    missing(in, item, "no GPU matches %s", item->text);
    return explain_name(in, item);
}

static bool is_mig(const struct choice *choice)
{
    return choice->device ? choice->device->mig : choice->item->kind == ITEM_MIG;
}

/* CUDA cuts its list where another kind begins. */
static int check_one_kind(const struct selecting *in)
{
    const struct selection *selection = in->selection;

    for (size_t i = 1; i < selection->count; i++) {
        const struct item *first = selection->items[0].item, *other = selection->items[i].item;
        if (is_mig(&selection->items[i]) != is_mig(&selection->items[0]))
            return error_at(in->err, other->place,
                            "gpu.devices: of '%s' and '%s' one is a MIG instance and one a whole "
                            "GPU, and CUDA shows a process only one kind; leave one of them out",
                            first->text, other->text);
    }
    return 0;
}

/* Reads every item by the function of its kind. */
static int select_each(struct selecting *in, const struct section *section,
                       int (*const by_kind[])(const struct selecting *, const struct item *))
{
    int result = 0;

    for (size_t i = 0; i < section->item_count && !keys_is_enough(in->err); i++)
        if (by_kind[section->items[i].kind](in, &section->items[i]) < 0)
            result = -1;
    return result < 0 ? -1 : check_one_kind(in);
}

int select_devices(struct selection *selection, const struct section *section,
                   const struct device_list *machine, struct error *err)
{
    static int (*const by_kind[])(const struct selecting *, const struct item *) = {
        [ITEM_INDEX] = select_range, [ITEM_RANGE] = select_range, [ITEM_UUID] = select_uuid,
        [ITEM_MIG] = select_uuid,    [ITEM_PCI] = select_pci,     [ITEM_FILTER] = select_filter,
    };
    scope(selection_release) struct selection chosen = {.by_uuid = machine->unseen ||
                                                                   device_list_has_mig(machine)};
    struct selecting in = {&chosen, machine, err};

    if (select_each(&in, section, by_kind) < 0)
        return -1;
    *selection = take(&chosen);
    return 0;
}

static int needs_driver(const struct selecting *in, const struct item *item)
{
    struct place place = item->place;

    return error_add(in->err, STATUS_DRIVER,
                     "%s:%zu:%zu: gpu.devices: only a driver can say which GPU '%s' is, and there "
                     "is none here; 'if_no_gpu: unconfirmed' takes numbers, ranges and whole UUIDs",
                     place.file, place.line, place.column, item->text);
}

static int take_range(const struct selecting *in, const struct item *item)
{
    if (item->last - item->first >= SECTION_DEVICES_LIMIT)
        return error_at(in->err, item->place,
                        "gpu.devices: '%s' is more than %d GPUs; no machine has so many",
                        item->text, SECTION_DEVICES_LIMIT);
    for (unsigned long i = item->first; i <= item->last; i++)
        if (add(in, item, i) < 0)
            return -1;
    return 0;
}

static int take_uuid(const struct selecting *in, const struct item *item)
{
    if (strlen(item->text) < UUID_TEXT_SIZE - 1)
        return needs_driver(in, item);
    return add(in, item, SELECT_NO_NUMBER);
}

/* Only a driver knows the UUID of a number, and CUDA reads no list that has both. */
static int check_one_form(const struct selecting *in, enum ids ids)
{
    const struct selection *selection = in->selection;
    bool uuids =
        ids == IDS_UUID || !selection->count || selection->items[0].number == SELECT_NO_NUMBER;

    for (size_t i = 0; i < selection->count; i++) {
        const struct choice *choice = &selection->items[i];
        if (uuids != (choice->number == SELECT_NO_NUMBER))
            return error_at(in->err, choice->item->place,
                            "gpu.devices: '%s' must be %s without a driver, since CUDA reads no "
                            "list of both%s",
                            choice->item->text, uuids ? "a whole UUID" : "a number",
                            ids == IDS_UUID ? ", and 'ids: uuid' asks for UUIDs" : "");
    }
    return 0;
}

int select_unconfirmed(struct selection *selection, const struct section *section,
                       struct error *err)
{
    static int (*const by_kind[])(const struct selecting *, const struct item *) = {
        [ITEM_INDEX] = take_range, [ITEM_RANGE] = take_range, [ITEM_UUID] = take_uuid,
        [ITEM_MIG] = take_uuid,    [ITEM_PCI] = needs_driver, [ITEM_FILTER] = needs_driver,
    };
    static const struct device_list unknown = {0};
    scope(selection_release) struct selection chosen = {0};
    struct selecting in = {&chosen, &unknown, err};

    if (select_each(&in, section, by_kind) < 0 || check_one_form(&in, section->ids) < 0)
        return -1;
    *selection = take(&chosen);
    return 0;
}

void selection_release(struct selection *selection)
{
    free(selection->items);
    *selection = (struct selection){0};
}
