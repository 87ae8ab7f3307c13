#include "conda/planned.h"

#include "base/scope.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int add_variables(struct plan *plan, const struct receipt_host *host)
{
    for (unsigned i = 0; i < host->variables_count; i++) {
        const struct var *var = &host->variables[i];
        if (vars_add(&plan->variables, var->name, var->kind, var->value, var->separator) < 0)
            return -1;
    }
    return 0;
}

static void read_device(struct planned_device *planned, const struct receipt_device *told)
{
    struct device *device = &planned->device;

    planned->number = told->number == RECEIPT_NO_NUMBER ? PLAN_NO_NUMBER : (size_t)told->number;
    uuid_parse(told->uuid, &device->uuid);
    pci_parse(told->address, &device->pci);
    device->mig = strncmp(told->uuid, "MIG-", 4) == 0;
    snprintf(device->name, sizeof device->name, "%s", told->name);
    device->memory = told->memory;
    device->compute_major = (int)(told->compute / 10);
    device->compute_minor = (int)(told->compute % 10);
}

static enum plan_gpus gpus_of(const struct plan *plan)
{
    const struct var *visible = vars_find(&plan->variables, "CUDA_VISIBLE_DEVICES");

    if (!visible)
        return PLAN_GPUS_AS_BEFORE;
    if (!visible->value)
        return PLAN_GPUS_ALL;
    return strcmp(visible->value, PLAN_NO_GPU) == 0 ? PLAN_GPUS_NONE : PLAN_GPUS_CHOSEN;
}

static int read_host(struct plan *plan, const struct receipt_host *host)
{
    plan->in_job = host->in_job;
    plan->if_set = host->if_set;
    plan->unconfirmed = host->unconfirmed;
    plan->devices = calloc(host->devices_count + 1, sizeof *plan->devices);
    if (!plan->devices || add_variables(plan, host) < 0)
        return -1;
    for (unsigned i = 0; i < host->devices_count; i++)
        read_device(&plan->devices[i], &host->devices[i]);
    plan->device_count = host->devices_count;
    plan->gpus = gpus_of(plan);
    return 0;
}

int planned_read(struct planned *planned, const struct prefix *prefix, struct error *err)
{
    scope(planned_release) struct planned read = {0};

    if (earlier_read(&read.earlier, prefix, err) < 0)
        return -1;
    read.applied = read.earlier.receipt && read.earlier.receipt->hosts_count;
    if (read.applied && read_host(&read.plan, &read.earlier.receipt->hosts[0]) < 0)
        return error_memory(err);
    *planned = read;
    read = (struct planned){0};
    return 0;
}

void planned_release(struct planned *planned)
{
    plan_release(&planned->plan);
    earlier_release(&planned->earlier);
}
