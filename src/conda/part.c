#include "conda/part.h"

#include "base/array.h"

#include <stdlib.h>
#include <string.h>

/* As it will be read back. */
static int tell_device(struct planned_device *told, const struct device *device)
{
    uuid_text(device, told->uuid);
    pci_text(&device->pci, told->address);
    told->compute = (unsigned)(device->compute_major * 10 + device->compute_minor);
    receipt_read_device(told);
    return device_name_text(device, told->device.name) ? 0 : -1;
}

/* All that `all` shows here differs from machine to machine, and is not what was decided. */
int part_add_plan(struct receipt_host *part, const struct plan *plan)
{
    size_t count = plan->gpus == PLAN_GPUS_CHOSEN ? plan->devices.count : 0;

    if (array_add(&part->plans, *plan) < 0)
        return -1;
    struct planned_devices *devices = &part->plans.items[part->plans.count - 1].devices;
    *devices = (struct planned_devices){0};
    for (size_t i = 0; i < count; i++) {
        const struct planned_device *planned = &plan->devices.items[i];
        if (array_add(devices, *planned) < 0 ||
            tell_device(&devices->items[i], &planned->device) < 0)
            return -1;
    }
    return 0;
}

void part_release(struct receipt_host *part)
{
    for (size_t i = 0; i < part->plans.count; i++)
        free(part->plans.items[i].devices.items);
    free(part->plans.items);
    free(part->host);
    free(part->source);
    *part = (struct receipt_host){0};
}

/* ---- comparing ---- */

static bool is_same_plan(const struct plan *a, const struct plan *b)
{
    bool same = plan_is_same(a, b);

    for (size_t i = 0; same && i < a->devices.count; i++)
        same = a->devices.items[i].number == b->devices.items[i].number &&
               strcmp(a->devices.items[i].address, b->devices.items[i].address) == 0;
    return same;
}

bool part_is_same(const struct receipt_host *a, const struct receipt_host *b)
{
    bool same = a->by_host == b->by_host && a->plans.count == b->plans.count &&
                a->rules.count == b->rules.count;

    for (size_t i = 0; same && i < a->plans.count; i++)
        same = is_same_plan(&a->plans.items[i], &b->plans.items[i]);
    for (size_t i = 0; same && i < a->rules.count; i++) {
        const struct share *one = &a->rules.items[i], *other = &b->rules.items[i];
        same = one->line == other->line && one->plan == other->plan &&
               names_are_same(&one->users, &other->users);
    }
    return same;
}

/* ---- finding ---- */

bool parts_differ_by_host(const struct receipt_hosts *parts)
{
    return parts->count > 1 || (parts->count && parts->items[0].by_host);
}

const struct receipt_host *part_serving(const struct receipt_hosts *parts, const char *host)
{
    if (parts->count && !parts_differ_by_host(parts))
        return parts->items;
    for (size_t i = 0; i < parts->count; i++)
        if (strcmp(parts->items[i].host, host) == 0)
            return &parts->items[i];
    return NULL;
}

const struct receipt_host *part_find(const struct receipt *receipt, const char *host)
{
    return receipt ? part_serving(&receipt->hosts, host) : NULL;
}
