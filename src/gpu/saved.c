#include "gpu/saved.h"

#include "base/scope.h"
#include "base/utf8.h"
#include "gpu/stock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEVICE_FIELDS                                                                              \
    CYAML_FIELD_UINT("number", CYAML_FLAG_DEFAULT, struct saved_device, number),                   \
        CYAML_FIELD_STRING("uuid", CYAML_FLAG_DEFAULT, struct saved_device, uuid, 0),              \
        CYAML_FIELD_STRING("pci_bus_id", CYAML_FLAG_DEFAULT, struct saved_device, address, 0),     \
        CYAML_FIELD_STRING("name", CYAML_FLAG_DEFAULT, struct saved_device, name, 0),              \
        CYAML_FIELD_UINT("memory", CYAML_FLAG_DEFAULT, struct saved_device, memory),               \
        CYAML_FIELD_STRING("compute_capability", CYAML_FLAG_DEFAULT, struct saved_device, compute, \
                           0)

static const cyaml_schema_value_t device_value = RECORD_ENTRY(struct saved_device, DEVICE_FIELDS);

static const cyaml_strval_t whys[] = {{"split", HIDDEN_SPLIT},
                                      {"empty", HIDDEN_EMPTY},
                                      {"beside", HIDDEN_BESIDE},
                                      {"lost", HIDDEN_LOST},
                                      {"untold", HIDDEN_UNTOLD}};

static const cyaml_schema_value_t hidden_value = RECORD_ENTRY(
    struct saved_device, DEVICE_FIELDS, RECORD_WORD("why", struct saved_device, why, whys),
    CYAML_FIELD_STRING("reason", CYAML_FLAG_DEFAULT, struct saved_device, reason, 0));

const cyaml_schema_value_t saved_value = RECORD_DOCUMENT(
    struct saved, CYAML_FIELD_UINT("format", CYAML_FLAG_DEFAULT, struct saved, format),
    RECORD_TEXT("host", struct saved, host),
    CYAML_FIELD_UINT("driver_cuda_version", CYAML_FLAG_DEFAULT, struct saved, driver_version),
    CYAML_FIELD_BOOL("numbered", CYAML_FLAG_DEFAULT, struct saved, numbered),
    RECORD_TEXT_OR_NONE("unseen", struct saved, unseen),
    RECORD_TEXT_OR_NONE("untold", struct saved, untold),
    CYAML_FIELD_SEQUENCE("devices", CYAML_FLAG_POINTER, struct saved, devices, &device_value, 1,
                         ANSWER_MOST_DEVICES),
    RECORD_LIST("instances", struct saved, instances, device_value, STOCK_INSTANCES_LIMIT),
    RECORD_LIST("hidden", struct saved, hidden, hidden_value, ANSWER_MOST_DEVICES));

void saved_free(struct saved **saved)
{
    record_free(&saved_value, *saved);
}

static int save_device(struct saved_device *saved, const struct device *device)
{
    saved->number = device->number;
    if (!uuid_is_zero(&device->uuid)) {
        uuid_text(device, saved->uuid);
        pci_text(&device->pci, saved->address);
    }
    saved->memory = device->memory;
    snprintf(saved->compute, sizeof saved->compute, "%u.%u", (unsigned)device->compute_major % 1000,
             (unsigned)device->compute_minor % 1000);
    saved->why = device->hidden;
    if (is_utf8(device->reason, strlen(device->reason)))
        memcpy(saved->reason, device->reason, sizeof saved->reason);
    return device_name_text(device, saved->name) ? 0 : -1;
}

/* What messages hold may be any bytes. */
static int save_text(char **saved, const char *text)
{
    scope(strbuf_release) struct strbuf printable = STRBUF_INIT;

    if (!text)
        return 0;
    strbuf_add_printable(&printable, text, strlen(text));
    *saved = strbuf_take(&printable);
    return *saved ? 0 : -1;
}

static int save_devices(struct saved_device **saved, unsigned *saved_count,
                        const struct device *devices, size_t count)
{
    *saved = count ? calloc(count, sizeof **saved) : NULL;
    if (count && !*saved)
        return -1;
    *saved_count = (unsigned)count;
    for (size_t i = 0; i < count; i++)
        if (save_device(&(*saved)[i], &devices[i]) < 0)
            return -1;
    return 0;
}

struct saved *saved_make(const char *host, const struct inventory *inventory)
{
    const struct device_list *list = &inventory->devices;
    scope(saved_free) struct saved *saved = calloc(1, sizeof *saved);

    if (!saved || save_text(&saved->host, host) < 0 ||
        save_text(&saved->unseen, list->unseen) < 0 ||
        save_text(&saved->untold, list->untold) < 0 ||
        save_devices(&saved->devices, &saved->devices_count, list->items, list->count) < 0 ||
        save_devices(&saved->instances, &saved->instances_count, list->instances.items,
                     list->instances.count) < 0 ||
        save_devices(&saved->hidden, &saved->hidden_count, list->hidden.items, list->hidden.count) <
            0)
        return NULL;
    saved->format = STOCK_FORMAT;
    saved->driver_version = (unsigned)inventory->driver_version;
    saved->numbered = list->numbered;
    return take(&saved);
}
