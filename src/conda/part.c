#include "conda/part.h"

#include "base/scope.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- from plans ---- */

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
static int tell_plan(struct receipt_plan *told, const struct plan *plan)
{
    size_t count = plan->gpus == PLAN_GPUS_CHOSEN ? plan->device_count : 0;

    *told = (struct receipt_plan){
        .in_job = plan->in_job,
        .if_set = plan->if_set,
        .unconfirmed = plan->unconfirmed,
        .devices = count ? calloc(count, sizeof *told->devices) : NULL,
        .variables = plan->variables.items,
        .variables_count = (unsigned)plan->variables.count,
    };
    if (count && !told->devices)
        return -1;
    told->devices_count = (unsigned)count;
    for (size_t i = 0; i < count; i++)
        if (tell_device(&told->devices[i], &plan->devices[i]) < 0)
            return -1;
    return 0;
}

static struct receipt_rule tell_share(const struct share *share)
{
    struct receipt_rule told = {.plan = (unsigned)share->plan};

    if (share->rule) {
        told.line = (unsigned)share->rule->place.line;
        told.users = share->rule->users.items;
        told.users_count = (unsigned)share->rule->users.count;
    }
    return told;
}

int part_make(struct receipt_host *part, const struct part_head *head, const struct team *team,
              struct error *err)
{
    static char version[] = VERSION;
    scope(part_release) struct receipt_host made = {
        .host = strdup(head->host),
        .version = version,
        .source = strdup(head->source),
        .by_host = head->by_host,
        .plans = calloc(team->plans.count, sizeof *made.plans),
        .rules = calloc(team->shares.count, sizeof *made.rules),
    };

    if (!made.host || !made.source || !made.plans || !made.rules)
        return error_memory(err);
    for (size_t i = 0; i < team->plans.count; i++, made.plans_count++)
        if (tell_plan(&made.plans[i], &team->plans.items[i]) < 0)
            return error_memory(err);
    for (size_t i = 0; i < team->shares.count; i++, made.rules_count++)
        made.rules[i] = tell_share(&team->shares.items[i]);
    *part = take(&made);
    return 0;
}

void part_release(struct receipt_host *part)
{
    for (unsigned i = 0; i < part->plans_count; i++)
        free(part->plans[i].devices);
    free(part->plans);
    free(part->rules);
    free(part->host);
    free(part->source);
    *part = (struct receipt_host){0};
}

/* ---- to plans ---- */

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

int part_plan(struct plan *plan, const struct receipt_plan *told)
{
    scope(plan_release) struct plan read = {
        .in_job = told->in_job,
        .if_set = told->if_set,
        .unconfirmed = told->unconfirmed,
        .devices = calloc(told->devices_count + 1ul, sizeof *read.devices),
        .device_count = told->devices_count,
    };

    if (!read.devices)
        return -1;
    for (unsigned i = 0; i < told->variables_count; i++) {
        const struct var *var = &told->variables[i];
        if (vars_add(&read.variables, var->name, var->kind, var->value, var->separator) < 0)
            return -1;
    }
    for (unsigned i = 0; i < told->devices_count; i++)
        read_device(&read.devices[i], &told->devices[i]);
    read.gpus = gpus_of(&read);
    *plan = take(&read);
    return 0;
}

/* ---- comparing ---- */

static bool is_same_device(const struct receipt_device *a, const struct receipt_device *b)
{
    return a->number == b->number && strcmp(a->uuid, b->uuid) == 0 &&
           strcmp(a->address, b->address) == 0;
}

static struct var_list variables_of(const struct receipt_plan *plan)
{
    return (struct var_list){plan->variables, plan->variables_count, 0};
}

static bool is_same_plan(const struct receipt_plan *a, const struct receipt_plan *b)
{
    const struct var_list one = variables_of(a), other = variables_of(b);
    bool same =
        a->in_job == b->in_job && a->if_set == b->if_set && a->devices_count == b->devices_count &&
        (a->devices_count || a->unconfirmed == b->unconfirmed) && vars_are_same(&one, &other);

    for (unsigned i = 0; same && i < a->devices_count; i++)
        same = is_same_device(&a->devices[i], &b->devices[i]);
    return same;
}

static bool is_same_rule(const struct receipt_rule *a, const struct receipt_rule *b)
{
    bool same = a->line == b->line && a->plan == b->plan && a->users_count == b->users_count;

    for (unsigned i = 0; same && i < a->users_count; i++)
        same = strcmp(a->users[i], b->users[i]) == 0;
    return same;
}

bool part_is_same(const struct receipt_host *a, const struct receipt_host *b)
{
    bool same = a->by_host == b->by_host && a->plans_count == b->plans_count &&
                a->rules_count == b->rules_count;

    for (unsigned i = 0; same && i < a->plans_count; i++)
        same = is_same_plan(&a->plans[i], &b->plans[i]);
    for (unsigned i = 0; same && i < a->rules_count; i++)
        same = is_same_rule(&a->rules[i], &b->rules[i]);
    return same;
}

bool part_keep_word(struct receipt_host *part, const struct receipt_host *kept)
{
    bool lost = false;

    for (unsigned i = 0; i < part->plans_count; i++) {
        struct receipt_plan *plan = &part->plans[i];
        const struct receipt_plan *other = &kept->plans[i];
        lost = lost || (other->unconfirmed && !plan->unconfirmed);
        plan->unconfirmed = other->unconfirmed;
        for (unsigned d = 0; d < plan->devices_count; d++)
            plan->devices[d] = other->devices[d];
    }
    return lost;
}

/* ---- finding ---- */

bool parts_differ_by_host(const struct receipt_host *parts, size_t count)
{
    return count > 1 || (count && parts[0].by_host);
}

const struct receipt_host *part_serving(const struct receipt_host *parts, size_t count,
                                        const char *host)
{
    if (count && !parts_differ_by_host(parts, count))
        return parts;
    for (size_t i = 0; i < count; i++)
        if (strcmp(parts[i].host, host) == 0)
            return &parts[i];
    return NULL;
}

const struct receipt_host *part_find(const struct receipt *receipt, const char *host)
{
    return receipt ? part_serving(receipt->hosts, receipt->hosts_count, host) : NULL;
}

static bool fits(const struct receipt_rule *rule, const char *user)
{
    for (unsigned i = 0; i < rule->users_count; i++)
        if (fnmatch(rule->users[i], user, 0) == 0)
            return true;
    return !rule->users_count;
}

const struct receipt_plan *part_serve(const struct receipt_host *part, const char *user)
{
    const struct receipt_rule *rule = part->rules;

    while (!fits(rule, user))
        rule++;
    return &part->plans[rule->plan];
}
