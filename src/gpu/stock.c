#include "gpu/stock.h"

#include "base/record.h"
#include "base/scope.h"
#include "base/self.h"
#include "gpu/saved.h"
#include "gpu/sheets.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { DRIVER_LIMIT = 1000000, ERRORS_LIMIT = 50 };

/* ---- reading one document -------------------------------------------------------------------- */

struct reading {
    const struct sheets *sheets;
    const struct sheet *sheet;
    struct stock *stock;
    struct error *err;
};

static struct place place_in(const struct reading *in, const struct sheet *sheet, const char *list,
                             size_t index, const char *key)
{
    struct record_fault found = {0};

    if (record_find(strbuf_text(&sheet->text), sheet->text.length, list, index, key, &found) < 0)
        error_memory(in->err);
    return sheet_place(in->sheets, sheet, found.line, found.column);
}

/* One entry of a list. */
struct entry {
    const char *list;
    size_t index;
    const struct saved_device *saved;
};

static int wrong(const struct reading *in, const struct entry *entry, const char *key,
                 const char *found, const char *accepted)
{
    return error_at(in->err, place_in(in, in->sheet, entry->list, entry->index, key),
                    "%s: found '%s'; accepted: %s", key, found, accepted);
}

static bool compute_read(const char *text, struct device *device)
{
    char *end = NULL;

    if (!isdigit((unsigned char)text[0]))
        return false;
    unsigned long major = strtoul(text, &end, 10);
    if (end[0] != '.' || !isdigit((unsigned char)end[1]))
        return false;
    unsigned long minor = strtoul(end + 1, &end, 10);
    if (*end || major > 999 || minor > 999)
        return false;
    device->compute_major = (int)major;
    device->compute_minor = (int)minor;
    return true;
}

static bool read_uuid(const char *text, struct device *device)
{
    device->mig = strncmp(text, "MIG-", 4) == 0;
    return uuid_parse(text, &device->uuid) && !uuid_is_zero(&device->uuid);
}

static int read_device(const struct reading *in, const struct entry *entry, struct device *device)
{
    const struct saved_device *from = entry->saved;

    *device = (struct device){.number = from->number, .memory = from->memory, .hidden = from->why};
    memcpy(device->name, from->name, sizeof device->name);
    memcpy(device->reason, from->reason, sizeof device->reason);
    if (device->hidden == HIDDEN_LOST && !*from->uuid)
        return 0; /* NVML has told nothing but its number */
    if (!read_uuid(from->uuid, device))
        return wrong(in, entry, "uuid", from->uuid,
                     "a whole UUID, such as GPU-8932f937-d72c-4106-c12f-20bd9faed9f6");
    if (!pci_parse(from->address, &device->pci))
        return wrong(in, entry, "pci_bus_id", from->address, "a PCI bus ID, such as 0000:65:00.0");
    if (!compute_read(from->compute, device))
        return wrong(in, entry, "compute_capability", from->compute, "two numbers, such as 8.0");
    return 0;
}

static int read_list(const struct reading *in, const char *name, const struct saved_device *from,
                     size_t count, struct devices *list)
{
    int result = 0;

    for (size_t i = 0; i < count && in->err->count < ERRORS_LIMIT; i++) {
        struct device device;
        if (read_device(in, &(struct entry){name, i, &from[i]}, &device) < 0)
            result = -1;
        if (array_add(list, device) < 0)
            return error_memory(in->err);
    }
    return result;
}

/* Instances of one card have its number. */
static int check_number(const struct reading *in, const struct saved *saved, size_t index)
{
    const struct saved_device *device = &saved->devices[index];

    for (size_t i = 0; i < index; i++)
        if (saved->devices[i].number == device->number &&
            strcmp(saved->devices[i].address, device->address) != 0)
            return error_at(in->err, place_in(in, in->sheet, "devices", index, "number"),
                            "number: %u is the number of the card in line %zu already",
                            device->number, place_in(in, in->sheet, "devices", i, "number").line);
    return 0;
}

static int read_lists(const struct reading *in, struct saved *saved, struct inventory *inventory)
{
    struct device_list *list = &inventory->devices;
    struct devices shown = {0};

    inventory->driver_version = (int)saved->driver_version;
    list->numbered = saved->numbered;
    list->unseen = take(&saved->unseen);
    list->untold = take(&saved->untold);
    int result = read_list(in, "devices", saved->devices, saved->devices_count, &shown);
    list->items = shown.items;
    list->count = shown.count;
    for (size_t i = 0; i < list->count && in->err->count < ERRORS_LIMIT; i++)
        if (check_number(in, saved, i) < 0)
            result = -1;
    if (result < 0 ||
        read_list(in, "instances", saved->instances, saved->instances_count, &list->instances) < 0)
        return -1;
    return read_list(in, "hidden", saved->hidden, saved->hidden_count, &list->hidden);
}

static int read_head(const struct reading *in, const struct saved *saved)
{
    if (saved->driver_version > DRIVER_LIMIT)
        return error_at(in->err, place_in(in, in->sheet, NULL, 0, "driver_cuda_version"),
                        "driver_cuda_version: found %u; accepted: a number such as 12040, for CUDA "
                        "12.4",
                        saved->driver_version);
    if (host_is_sound(saved->host))
        return 0;
    return error_at(in->err, place_in(in, in->sheet, NULL, 0, "host"),
                    "host: found '%s'; accepted: a name of letters, digits and _.- only, since "
                    "hooks have to tell the machine by it",
                    saved->host);
}

static void stocked_release(struct stocked *stocked)
{
    free(stocked->host);
    inventory_release(&stocked->inventory);
}

static int report(const struct reading *in, const struct record_fault *fault)
{
    if (!fault->what)
        return error_memory(in->err);
    return error_at(in->err, sheet_place(in->sheets, in->sheet, fault->line, fault->column),
                    "this is no inventory: %s; 'conda-gpu devices --yaml' prints one", fault->what);
}

static int check_format(const struct reading *in)
{
    const struct strbuf *text = &in->sheet->text;
    scope(record_fault_release) struct record_fault fault = {0};
    struct record_format *any =
        record_load(strbuf_text(text), text->length, &record_format_value, &fault);
    unsigned format = any ? any->format : STOCK_FORMAT;

    record_free(&record_format_value, any);
    if (!any)
        return report(in, &fault);
    if (format == STOCK_FORMAT)
        return 0;
    return error_at(in->err, place_in(in, in->sheet, NULL, 0, "format"),
                    "format: found %u; accepted: %d%s", format, STOCK_FORMAT,
                    format ? ". A newer conda-gpu wrote this; use that one here" : "");
}

static int read_sheet(const struct reading *in)
{
    const struct strbuf *text = &in->sheet->text;
    scope(record_fault_release) struct record_fault fault = {0};
    scope(stocked_release) struct stocked read = {0};

    if (check_format(in) < 0)
        return -1;
    scope(saved_free) struct saved *saved =
        record_load(strbuf_text(text), text->length, &saved_value, &fault);
    if (!saved)
        return report(in, &fault);
    if (read_head(in, saved) < 0 || read_lists(in, saved, &read.inventory) < 0)
        return -1;
    read.host = take(&saved->host);
    read.inventory.devices.host = read.host;
    return array_add(in->stock, take(&read)) < 0 ? error_memory(in->err) : 0;
}

/* ---- all of them together -------------------------------------------------------------------- */

/* A card can be in one machine only. */
struct seen {
    const struct uuid *uuid;
    size_t host, device;
};

static int by_uuid(const void *one, const void *other)
{
    const struct seen *a = one, *b = other;
    int order = memcmp(a->uuid, b->uuid, sizeof *a->uuid);

    return order                ? order
           : a->host != b->host ? (a->host > b->host) - (a->host < b->host)
                                : (a->device > b->device) - (a->device < b->device);
}

static int check_uuids(const struct reading *in)
{
    const struct stocked *hosts = in->stock->items;
    struct array_of(struct seen) all = {0};
    int result = 0;

    for (size_t h = 0; h < in->stock->count; h++)
        for (size_t d = 0; d < hosts[h].inventory.devices.count && result == 0; d++)
            result =
                array_add(&all, (struct seen){&hosts[h].inventory.devices.items[d].uuid, h, d});
    if (result < 0)
        return free(all.items), error_memory(in->err);
    if (all.count)
        qsort(all.items, all.count, sizeof *all.items, by_uuid);
    for (size_t i = 1; i < all.count && in->err->count < ERRORS_LIMIT; i++) {
        const struct seen *first = &all.items[i - 1], *again = &all.items[i];
        if (memcmp(first->uuid, again->uuid, sizeof *again->uuid) != 0)
            continue;
        result = error_at(
            in->err,
            place_in(in, &in->sheets->items[again->host], "devices", again->device, "uuid"),
            "uuid: this one is a device of %s in line %zu already, and a card can be in one "
            "machine only",
            hosts[first->host].host,
            place_in(in, &in->sheets->items[first->host], "devices", first->device, "uuid").line);
    }
    free(all.items);
    return result;
}

static int check_hosts(const struct reading *in)
{
    const struct stocked *hosts = in->stock->items;
    int result = 0;

    for (size_t i = 1; i < in->stock->count && in->err->count < ERRORS_LIMIT; i++) {
        size_t first = (size_t)(stock_find(in->stock, hosts[i].host) - hosts);
        if (first < i)
            result = error_at(in->err, place_in(in, &in->sheets->items[i], NULL, 0, "host"),
                              "host: '%s' has its devices in line %zu already; one task on each "
                              "machine is enough (srun --ntasks-per-node=1)",
                              hosts[i].host,
                              place_in(in, &in->sheets->items[first], NULL, 0, "host").line);
    }
    return result;
}

int stock_read(struct stock *stock, const char *file, const char *text, size_t length,
               struct error *err)
{
    scope(sheets_release) struct sheets sheets = {0};
    scope(stock_release) struct stock read = {0};
    struct reading in = {.sheets = &sheets, .stock = &read, .err = err};
    int result = 0;

    if (sheets_read(&sheets, file, text, length, STOCK_HOSTS_LIMIT, err) < 0)
        return -1;
    for (size_t i = 0; i < sheets.count && err->count < ERRORS_LIMIT; i++) {
        in.sheet = &sheets.items[i];
        if (read_sheet(&in) < 0)
            result = -1;
    }
    if (result < 0 || check_hosts(&in) < 0 || check_uuids(&in) < 0)
        return -1;
    *stock = take(&read);
    return 0;
}

const struct stocked *stock_find(const struct stock *stock, const char *host)
{
    for (size_t i = 0; i < stock->count; i++)
        if (strcmp(stock->items[i].host, host) == 0)
            return &stock->items[i];
    return NULL;
}

void stock_release(struct stock *stock)
{
    for (size_t i = 0; i < stock->count; i++)
        stocked_release(&stock->items[i]);
    free(stock->items);
    *stock = (struct stock){0};
}

int stock_print(struct strbuf *out, const char *host, const struct inventory *inventory,
                struct error *err)
{
    scope(record_fault_release) struct record_fault fault = {0};
    scope(saved_free) struct saved *saved = saved_make(host, inventory);

    if (!saved)
        return error_memory(err);
    if (record_save(out, &saved_value, saved, true, &fault) == 0)
        return 0;
    return fault.what
               ? error_add(err, STATUS_SYSTEM, "the devices cannot be written: %s", fault.what)
               : error_memory(err);
}
