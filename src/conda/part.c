#include "conda/part.h"

#include "base/array.h"

#include <stdlib.h>
#include <string.h>

static int tell_device(struct receipt_device *told, const struct planned_device *planned)
{
    const struct device *device = &planned->device;

    told->number = planned->number == PLAN_NO_NUMBER ? RECEIPT_NO_NUMBER : (int)planned->number;
    uuid_text(device, told->uuid);
    pci_text(&device->pci, told->address);
    told->memory = device->memory;
    told->compute = (unsigned)(device->compute_major * 10 + device->compute_minor);
    return device_name_text(device, told->name) ? 0 : -1;
}

/* All that `all` shows here differs from machine to machine, and is not what was decided. */
int part_add_plan(struct receipt_host *part, const struct plan *plan)
{
    size_t count = plan->gpus == PLAN_GPUS_CHOSEN ? plan->device_count : 0;

    if (array_add(&part->plans, (struct receipt_plan){.plan = *plan}) < 0)
        return -1;
    struct receipt_plan *told = &part->plans.items[part->plans.count - 1];
    told->plan.devices = NULL;
    for (size_t i = 0; i < count; i++) {
        struct receipt_device device = {0};
        if (tell_device(&device, &plan->devices[i]) < 0 || array_add(&told->devices, device) < 0)
            return -1;
    }
    return receipt_plan_complete(told);
}

void part_release(struct receipt_host *part)
{
    for (size_t i = 0; i < part->plans.count; i++) {
        free(part->plans.items[i].devices.items);
        free(part->plans.items[i].plan.devices);
    }
    free(part->plans.items);
    free(part->host);
    free(part->source);
    *part = (struct receipt_host){0};
}

/* ---- comparing ---- */

static bool is_same_plan(const struct receipt_plan *a, const struct receipt_plan *b)
{
    bool same = plan_is_same(&a->plan, &b->plan);

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
