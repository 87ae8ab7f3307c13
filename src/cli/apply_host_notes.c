#include "cli/apply.h"

#include "base/scope.h"

#include <stdio.h>
#include <string.h>

/* ---- one of the machines ---- */

/* What nvidia-smi calls 0 need not be CUDA's 0, which is in CUDA_VISIBLE_DEVICES. */
static void note_order(struct apply *apply, const struct host_team *host)
{
    const struct device_list *machine = &host->team.machine.devices;

    if (team_plan(&host->team, apply->user)->gpus == PLAN_GPUS_CHOSEN && machine->numbered &&
        !device_list_is_ascending(machine))
        cli_note("nvidia-smi does not number the GPUs of %s in the order of their PCI bus IDs, "
                 "in which CUDA counts; 'devices' in %s counts as nvidia-smi does",
                 device_list_owner(machine), apply->section.file);
}

static void note_absence(struct apply *apply, const struct host_team *host)
{
    const struct plan *plan = team_plan(&host->team, apply->user);
    const char *why = error_first(&host->team.absent);

    if (!host->team.absent.count)
        return;
    if (plan->gpus == PLAN_GPUS_NONE)
        cli_note("no GPU here, so as if_no_gpu: cpu asks, none is shown: %s", why);
    else if (plan->unconfirmed)
        cli_note("no GPU here, so as if_no_gpu: unconfirmed asks, 'devices' is taken as written: "
                 "%s",
                 why);
    else if (!host->team.machine.absent)
        cli_note("this machine's GPUs cannot be shown: %s", why);
}

/* Who gets this device: by rules that name users. */
static size_t add_holders(struct strbuf *text, const struct team *team, const struct uuid *uuid)
{
    size_t count = 0;

    for (size_t i = 0; i < team->shares.count; i++) {
        const struct share *share = &team->shares.items[i];
        const struct plan *plan = &team->plans.items[share->plan];
        bool has = false;
        for (size_t d = 0; d < plan->devices.count && plan->gpus == PLAN_GPUS_CHOSEN; d++)
            has = has || memcmp(&plan->devices.items[d].device.uuid, uuid, sizeof *uuid) == 0;
        for (size_t u = 0; has && u < share->users.count; u++)
            strbuf_addf(text, "%s%s (line %u)", count++ ? ", " : "", share->users.items[u],
                        share->line);
    }
    return count;
}

/* Two users who get the same GPU. It may be meant so. */
static void note_shared_devices(struct apply *apply, const struct host_team *host)
{
    const struct device_list *machine = &host->team.machine.devices;
    const char *of = machine->host ? " of " : "";

    for (size_t i = 0; i < machine->count; i++) {
        scope(strbuf_release) struct strbuf holders = STRBUF_INIT;
        char name[UUID_TEXT_SIZE + 8];
        if (device_list_is_countable(machine))
            snprintf(name, sizeof name, "GPU %u", machine->items[i].number);
        else
            uuid_short(&machine->items[i], name);
        if (add_holders(&holders, &host->team, &machine->items[i].uuid) > 1)
            cli_note("%s: %s%s%s is given to several users: %s", apply->section.file, name, of,
                     *of ? machine->host : "", strbuf_text(&holders));
    }
}

/* ---- cards that are not what they were ---- */

static const struct device *find_number(const struct device_list *machine, size_t number)
{
    for (size_t i = 0; i < machine->count; i++)
        if (!machine->items[i].mig && machine->items[i].number == number)
            return &machine->items[i];
    for (size_t i = 0; i < machine->hidden.count; i++)
        if (machine->hidden.items[i].number == number)
            return &machine->hidden.items[i];
    return NULL;
}

/* What an earlier run wrote of a device, compared with the machine as it is now. */
static void note_swap(const struct host_team *host, const struct planned_device *was,
                      const char *when)
{
    const struct device *now = find_number(&host->team.machine.devices, was->number);
    char uuid[UUID_TEXT_SIZE], name[DEVICE_NAME_SIZE];

    if (now && !device_name_text(now, name))
        cli_lost();
    else if (!now)
        cli_note("%s has no GPU %zu now; it was %s, %s, %s", host->host, was->number,
                 was->device.name, was->uuid, when);
    else if (strcmp(uuid_text(now, uuid), was->uuid) != 0)
        cli_note("GPU %zu of %s is %s, %s, now; it was %s, %s, %s", was->number, host->host, name,
                 uuid, was->device.name, was->uuid, when);
}

/* Each device of the machine's part once. An instance's UUID is a new one each time that a card is
   divided, and says nothing. */
static void note_swaps(struct apply *apply, const struct host_team *host)
{
    const struct receipt_host *part = part_find(apply->install.earlier.receipt, host->host);
    scope(names_release) struct names seen = {0};

    if (part && strcmp(part->host, host->host) != 0)
        return; /* another machine's */
    for (size_t p = 0; part && host->team.machine.devices.count && p < part->plans.count; p++) {
        const struct plan *plan = &part->plans.items[p];
        const char *when = plan->unconfirmed ? "as an inventory said" : "as the driver said then";
        for (size_t d = 0; d < plan->devices.count; d++) {
            const struct planned_device *was = &plan->devices.items[d];
            if (was->number != PLAN_NO_NUMBER && !names_have(&seen, was->uuid))
                note_swap(host, was, when);
            names_add(&seen, was->uuid);
        }
    }
}

/* ---- all of them ---- */

/* The machines that the receipt served until now. */
static void add_hosts(struct strbuf *text, const struct receipt *receipt)
{
    enum { MOST = 5 };

    for (size_t i = 0; i < receipt->hosts.count && i < MOST; i++)
        strbuf_addf(text, "%s%s", i ? ", " : "", receipt->hosts.items[i].host);
    if (receipt->hosts.count > MOST)
        strbuf_addf(text, " and %zu more", receipt->hosts.count - MOST);
}

/* A machine that no apply has served, and one whose hooks served all so far. */
static void note_others(struct apply *apply)
{
    const struct receipt *receipt = apply->install.earlier.receipt;
    const struct parts *parts = &apply->install.parts;
    scope(strbuf_release) struct strbuf hosts = STRBUF_INIT;

    if (!receipt || !receipt->hosts.count)
        return;
    add_hosts(&hosts, receipt);
    bool adds = apply->here && !part_find(receipt, apply->host);
    if (adds && apply->options->check)
        cli_note("the hooks there serve %s so far, and on this machine, %s, they change nothing; "
                 "conda-gpu apply, run here, adds it",
                 strbuf_text(&hosts), apply->host);
    else if (adds)
        cli_note("the hooks there serve %s so far; this adds %s", strbuf_text(&hosts), apply->host);
    else if (!parts_differ_by_host(&receipt->hosts) && parts_differ_by_host(&parts->all))
        cli_note("the hooks of %s did the same on every machine so far; with this they tell "
                 "machines apart, and change nothing on one where apply has not run",
                 strbuf_text(&hosts));
}

/* This machine, which --inventory does not have. */
static void note_here(struct apply *apply)
{
    if (!apply->served)
        cli_note("this machine, %s, is not in %s, and the hooks change nothing on it", apply->host,
                 apply_stock_name(apply->options));
}

void apply_note_hosts(struct apply *apply)
{
    note_others(apply);
    note_here(apply);
    if (apply->install.parts.confirms)
        cli_note("the hooks were made from an inventory, and the driver confirms their devices");
    for (size_t i = 0; i < apply->hosts.count; i++) {
        const struct host_team *host = &apply->hosts.items[i];
        note_swaps(apply, host);
        note_shared_devices(apply, host);
        note_absence(apply, host);
        note_order(apply, host);
    }
}
