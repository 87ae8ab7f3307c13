#include "plan/selecting.h"

#include "base/scope.h"
#include "section/rules.h"

#include <fnmatch.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

__attribute__((format(printf, 3, 4))) static int missing(const struct selecting *in,
                                                         const struct item *item,
                                                         const char *format, ...)
{
    size_t last = in->machine->count - 1;
    scope(strbuf_release) struct strbuf what = STRBUF_INIT;
    char numbers[32];
    va_list args;

    va_start(args, format);
    strbuf_vaddf(&what, format, args);
    va_end(args);
    if (what.failed)
        return error_memory(in->err);
    snprintf(numbers, sizeof numbers, last ? "GPUs 0 to %zu" : "only GPU %zu", last);
    return error_of(in->err, STATUS_DRIVER, item->place, "gpu.devices: %s; %s has %s",
                    strbuf_text(&what), device_list_owner(in->machine),
                    in->selection->by_uuid || !device_list_is_in_order(in->machine)
                        ? "the devices below"
                        : numbers);
}

/* What the machine has, one after the other: first what CUDA lists, then what only NVML does; NULL
   behind the last. */
static const struct device *device_at(const struct device_list *machine, size_t at)
{
    if (at < machine->count)
        return &machine->items[at];
    at -= machine->count;
    return at < machine->hidden.count ? &machine->hidden.items[at] : NULL;
}

static int add(const struct selecting *in, const struct item *item, const struct device *device,
               size_t at)
{
    if (!device->hidden || device->hidden == HIDDEN_BESIDE)
        return selecting_add(in, item, device->hidden ? SELECT_NO_NUMBER : at, device);
    return error_of(in->err, STATUS_DRIVER, item->place,
                    "gpu.devices: '%s' is GPU %u, which CUDA does not show: %s", item->text,
                    device->number, HIDDEN_TEXT(device));
}

static int check_countable(const struct selecting *in, const struct item *item)
{
    const struct device *divided = device_list_divided(in->machine);

    if (device_list_is_countable(in->machine))
        return 0;
    if (divided)
        return error_at(in->err, item->place,
                        "gpu.devices: '%s' counts GPUs, but CUDA shows the one at %s as several "
                        "devices, as MPS makes them of its locality domains; write their UUIDs",
                        item->text, PCI_TEXT(&divided->pci));
    if (in->machine->hidden.count)
        return error_at(in->err, item->place,
                        "gpu.devices: '%s' counts GPUs, but NVML cannot describe GPU %u, and so "
                        "does not tell which is which; write UUIDs",
                        item->text, in->machine->hidden.items[0].number);
    if (!device_list_has_mig(in->machine))
        return error_at(
            in->err, item->place,
            "gpu.devices: '%s' counts GPUs, but CUDA does not show %s, which nvidia-smi "
            "numbers (it may be in MIG mode without an instance); write UUIDs",
            item->text, in->machine->unseen);
    return error_at(in->err, item->place,
                    "gpu.devices: '%s' counts GPUs, but %s has one in MIG mode, and CUDA then "
                    "counts differently from nvidia-smi; write the UUIDs that 'nvidia-smi "
                    "-L' shows",
                    item->text, device_list_owner(in->machine));
}

static int select_number(const struct selecting *in, const struct item *item, unsigned long number)
{
    const struct device *device;

    for (size_t i = 0; (device = device_at(in->machine, i)); i++)
        if (!device->mig && device->number == number)
            return add(in, item, device, i);
    return missing(in, item, "no GPU %lu", number);
}

static int select_range(const struct selecting *in, const struct item *item)
{
    if (check_countable(in, item) < 0)
        return -1;
    for (unsigned long i = item->first; i <= item->last; i++)
        if (select_number(in, item, i) < 0)
            return -1;
    return 0;
}

/* NVML may tell the UUID of a card that it cannot describe otherwise. */
static bool has_uuid(const struct item *item, const struct device *device)
{
    bool untold = device->hidden && uuid_is_zero(&device->uuid);

    return !untold && strncasecmp(UUID_TEXT(device), item->text, strlen(item->text)) == 0;
}

/* A whole UUID that nobody lists: NVML may be missing, and CUDA show one MIG instance only. */
static int take_unlisted(const struct selecting *in, const struct item *item)
{
    bool whole = strlen(item->text) == UUID_TEXT_SIZE - 1;

    if (!whole || (item->kind == ITEM_UUID && !in->selection->by_uuid))
        return missing(in, item, "no GPU with UUID '%s'", item->text);
    return selecting_add(in, item, SELECT_NO_NUMBER, NULL);
}

static int select_uuid(const struct selecting *in, const struct item *item)
{
    const struct device *device, *found = NULL;
    size_t at = 0, fits = 0;

    for (size_t i = 0; (device = device_at(in->machine, i)); i++)
        if (has_uuid(item, device)) {
            found = device;
            at = i;
            fits++;
        }
    if (fits > 1)
        return error_at(in->err, item->place,
                        "gpu.devices: '%s' fits the UUIDs of %zu GPUs; write more of it",
                        item->text, fits);
    return found ? add(in, item, found, at) : take_unlisted(in, item);
}

static int select_mig(const struct selecting *in, const struct item *item)
{
    for (size_t i = 0; i < in->machine->instances.count; i++)
        if (has_uuid(item, &in->machine->instances.items[i]))
            return selecting_add(in, item, SELECT_NO_NUMBER, &in->machine->instances.items[i]);
    return select_uuid(in, item);
}

static int select_pci(const struct selecting *in, const struct item *item)
{
    const struct device *device;
    bool divided = false;

    for (size_t i = 0; (device = device_at(in->machine, i)); i++) {
        if (device->hidden == HIDDEN_LOST || !pci_equal(&device->pci, &item->pci))
            continue;
        if (!device->mig)
            return add(in, item, device, i);
        divided = true;
    }
    if (!divided)
        return missing(in, item, "no GPU at PCI bus ID %s", item->text);
    return error_at(in->err, item->place,
                    "gpu.devices: the GPU at PCI bus ID %s is in MIG mode; name one of its "
                    "instances by the UUID that 'nvidia-smi -L' shows",
                    item->text);
}

static bool has_name(const struct item *item, const struct device *device)
{
    char card[DEVICE_NAME_SIZE];

    return !item->name || fnmatch(item->name, device->name, 0) == 0 ||
           fnmatch(item->name, device_card_name(device, card), 0) == 0;
}

static bool has_profile(const struct item *item, const struct device *device)
{
    const char *profile = device_profile(device);

    return !item->mig || (profile && fnmatch(item->mig, profile, 0) == 0);
}

bool select_fits(const struct item *item, const struct device *device)
{
    bool compute =
        device->compute_major > item->min_major ||
        (device->compute_major == item->min_major && device->compute_minor >= item->min_minor);

    return compute && device->memory >= item->min_memory && has_name(item, device) &&
           has_profile(item, device);
}

/* After a message that nothing matches: a name without a * or ? is often meant as a part. */
static int explain_name(const struct selecting *in, const struct item *item)
{
    const struct device *device;

    if (!item->name || is_pattern(item->name))
        return -1;
    for (size_t i = 0; (device = device_at(in->machine, i)); i++)
        if (!device->hidden && strcmp(item->name, device->name) == 0)
            return -1;
    return error_detail(
        in->err, "the whole name must match; for a part of it write name: \"*%.60s*\"", item->name);
}

/* After all that match were added. */
static int check_count(const struct selecting *in, const struct item *item, unsigned long found)
{
    const char *kind = item->mig ? "MIG instance" : "GPU";

    if (found && found >= item->count)
        return 0;
    if (found)
        return missing(in, item, "only %lu %s%s %s", found, kind,
                       found > 1 ? "s match" : " matches", item->text);
    missing(in, item, "no %s matches %s", kind, item->text);
    return explain_name(in, item);
}

static int select_instances(const struct selecting *in, const struct item *item)
{
    const struct device_list *machine = in->machine;
    unsigned long found = 0;

    if (machine->untold)
        return error_of(in->err, STATUS_DRIVER, item->place,
                        "gpu.devices: only NVML can say which MIG instances %s is; %s; "
                        "without it, write the UUIDs that 'nvidia-smi -L' shows",
                        item->text, machine->untold);
    for (size_t i = 0; i < machine->instances.count && (!item->count || found < item->count); i++) {
        if (!select_fits(item, &machine->instances.items[i]))
            continue;
        found++;
        if (selecting_add(in, item, SELECT_NO_NUMBER, &machine->instances.items[i]) < 0)
            return -1;
    }
    return check_count(in, item, found);
}

static int select_filter(const struct selecting *in, const struct item *item)
{
    const struct device *device;
    unsigned long found = 0, most = item->count ? item->count : ULONG_MAX;

    if (item->mig)
        return select_instances(in, item);
    if (check_countable(in, item) < 0)
        return -1;
    for (size_t i = 0; found < most && (device = device_at(in->machine, i)); i++) {
        bool can = !device->mig && (!device->hidden || device->hidden == HIDDEN_BESIDE);
        if (!can || !select_fits(item, device))
            continue;
        found++;
        if (add(in, item, device, i) < 0)
            return -1;
    }
    return check_count(in, item, found);
}

int select_devices(struct selection *selection, const struct section *section,
                   const struct device_list *machine, struct error *err)
{
    static select_item *const by_kind[] = {
        [ITEM_RANGE] = select_range, [ITEM_UUID] = select_uuid,     [ITEM_MIG] = select_mig,
        [ITEM_PCI] = select_pci,     [ITEM_FILTER] = select_filter,
    };
    scope(selection_release) struct selection chosen = {
        .numbered = device_list_is_countable(machine),
        .by_uuid = machine->unseen || machine->hidden.count || device_list_has_mig(machine) ||
                   device_list_divided(machine)};
    struct selecting in = {&chosen, machine, err};

    if (selecting_each(&in, section, by_kind) < 0)
        return -1;
    *selection = take(&chosen);
    return 0;
}

static int needs_driver(const struct selecting *in, const struct item *item)
{
    return error_of(in->err, STATUS_DRIVER, item->place,
                    "gpu.devices: only a driver can say which GPU '%s' is, and there "
                    "is none here; 'if_no_gpu: unconfirmed' takes numbers, ranges and whole UUIDs",
                    item->text);
}

static int take_range(const struct selecting *in, const struct item *item)
{
    if (item->last - item->first >= SECTION_DEVICES_LIMIT)
        return error_at(in->err, item->place,
                        "gpu.devices: '%s' is more than %d GPUs; no machine has so many",
                        item->text, SECTION_DEVICES_LIMIT);
    for (unsigned long i = item->first; i <= item->last; i++)
        if (selecting_add(in, item, i, NULL) < 0)
            return -1;
    return 0;
}

static int take_uuid(const struct selecting *in, const struct item *item)
{
    if (strlen(item->text) < UUID_TEXT_SIZE - 1)
        return needs_driver(in, item);
    return selecting_add(in, item, SELECT_NO_NUMBER, NULL);
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
    static select_item *const by_kind[] = {
        [ITEM_RANGE] = take_range, [ITEM_UUID] = take_uuid,      [ITEM_MIG] = take_uuid,
        [ITEM_PCI] = needs_driver, [ITEM_FILTER] = needs_driver,
    };
    static const struct device_list unknown = {0};
    scope(selection_release) struct selection chosen = {0};
    struct selecting in = {&chosen, &unknown, err};

    if (selecting_each(&in, section, by_kind) < 0 || check_one_form(&in, section->ids) < 0)
        return -1;
    *selection = take(&chosen);
    return 0;
}
