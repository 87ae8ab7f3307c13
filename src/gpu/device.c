#include "gpu/device.h"

#include "base/scope.h"
#include "base/strbuf.h"
#include "base/utf8.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void device_list_release(struct device_list *list)
{
    free(list->items);
    free(list->unseen);
    free(list->untold);
    free(list->instances.items);
    free(list->hidden.items);
    *list = (struct device_list){0};
}

const char *device_list_owner(const struct device_list *list)
{
    return list->host ? list->host : "this machine";
}

size_t device_list_find(const struct device_list *list, const struct uuid *uuid)
{
    size_t i = 0;

    while (i < list->count && memcmp(&list->items[i].uuid, uuid, sizeof *uuid) != 0)
        i++;
    return i;
}

bool device_list_has_mig(const struct device_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].mig)
            return true;
    return false;
}

const struct device *device_list_divided(const struct device_list *list)
{
    for (size_t i = 1; i < list->count; i++)
        if (!list->items[i].mig && pci_equal(&list->items[i].pci, &list->items[i - 1].pci))
            return &list->items[i];
    return NULL;
}

bool device_list_is_countable(const struct device_list *list)
{
    return !device_list_divided(list) &&
           (list->numbered || (!list->unseen && !list->hidden.count && !device_list_has_mig(list)));
}

bool device_list_is_in_order(const struct device_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].number != i)
            return false;
    return true;
}

bool device_list_is_ascending(const struct device_list *list)
{
    for (size_t i = 1; i < list->count; i++)
        if (list->items[i].number < list->items[i - 1].number)
            return false;
    return true;
}

static const char mig_word[] = " MIG ";

const char *device_profile(const struct device *device)
{
    const char *word = device->mig ? strstr(device->name, mig_word) : NULL;

    return word ? word + strlen(mig_word) : NULL;
}

const char *device_card_name(const struct device *device, char name[DEVICE_NAME_SIZE])
{
    const char *profile = device_profile(device);
    size_t length =
        profile ? (size_t)(profile - device->name) - strlen(mig_word) : strlen(device->name);

    memcpy(name, device->name, length);
    name[length] = '\0';
    return name;
}

const char *hidden_text(const struct device *device, char text[HIDDEN_TEXT_SIZE])
{
    static const char *const texts[] = {
        [HIDDEN_SPLIT] = "it is in MIG mode; name its instances, by UUID or as {mig: PROFILE}",
        [HIDDEN_EMPTY] = "it is in MIG mode and has no instance; its administrator makes them with "
                         "'nvidia-smi mig'",
        [HIDDEN_BESIDE] = "a driver before R570 shows one MIG instance and nothing beside it; name "
                          "it by its number or UUID",
        [HIDDEN_LOST] = "NVML cannot describe it",
        [HIDDEN_UNTOLD] = "only NVML lists it; see 'dmesg | grep NVRM', and whether this driver "
                          "still supports it",
    };

    bool lost = device->hidden == HIDDEN_LOST;
    snprintf(text, HIDDEN_TEXT_SIZE, "%s%s%s%s", texts[device->hidden], lost ? " (" : "",
             device->reason, lost ? "); see 'dmesg | grep NVRM'" : "");
    return text;
}

const char *uuid_text(const struct device *device, char text[UUID_TEXT_SIZE])
{
    const unsigned char *b = device->uuid.bytes;

    snprintf(text, UUID_TEXT_SIZE,
             "%s-%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
             device->mig ? "MIG" : "GPU", b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8],
             b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
    return text;
}

const char *device_name_text(const struct device *device, char text[DEVICE_NAME_SIZE])
{
    scope(strbuf_release) struct strbuf name = STRBUF_INIT;

    strbuf_add_printable(&name, device->name, strlen(device->name));
    if (name.failed)
        return NULL;
    snprintf(text, DEVICE_NAME_SIZE, "%s", strbuf_text(&name));
    while (!is_utf8(text, strlen(text)))
        text[strlen(text) - 1] = '\0'; /* a character that was cut */
    return text;
}

const char *uuid_short(const struct device *device, char text[UUID_TEXT_SIZE])
{
    uuid_text(device, text);
    if (!device->mig)
        text[strlen("GPU-01234567")] = '\0';
    return text;
}

const char *pci_text(const struct pci_address *pci, char text[PCI_TEXT_SIZE])
{
    snprintf(text, PCI_TEXT_SIZE, "%0*" PRIx32 ":%02x:%02x.%x", pci->domain > 0xffff ? 8 : 4,
             pci->domain, pci->bus, pci->device, pci->function & 0xfu);
    return text;
}

const char *pci_short(const struct pci_address *pci, char text[PCI_TEXT_SIZE])
{
    if (pci->domain)
        return pci_text(pci, text);
    snprintf(text, PCI_TEXT_SIZE, "%02x:%02x.%x", pci->bus, pci->device, pci->function & 0xfu);
    return text;
}

void device_cells(struct table *table, const struct device *device, bool whole)
{
    char address[PCI_TEXT_SIZE], uuid[UUID_TEXT_SIZE];

    table_cell(table, whole ? pci_text(&device->pci, address) : pci_short(&device->pci, address));
    table_cell(table, whole ? uuid_text(device, uuid) : uuid_short(device, uuid));
}

static size_t hex_digits(const char *text)
{
    return strspn(text, "0123456789abcdefABCDEF");
}

bool uuid_is_zero(const struct uuid *uuid)
{
    static const struct uuid zero = {{0}};

    return memcmp(uuid, &zero, sizeof zero) == 0;
}

bool uuid_parse(const char *text, struct uuid *uuid)
{
    static const size_t groups[] = {8, 4, 4, 4, 12};
    struct uuid read = {{0}};
    size_t bytes = 0;

    if (strncmp(text, "GPU-", 4) != 0 && strncmp(text, "MIG-", 4) != 0)
        return false;
    text += 3;
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        if (*text++ != '-' || hex_digits(text) != groups[i])
            return false;
        for (const char *end = text + groups[i]; text < end; text += 2) {
            const char pair[] = {text[0], text[1], '\0'};
            read.bytes[bytes++] = (unsigned char)strtoul(pair, NULL, 16);
        }
    }
    if (*text)
        return false;
    *uuid = read;
    return true;
}

bool pci_parse(const char *text, struct pci_address *pci)
{
    size_t digits = hex_digits(text);
    unsigned long domain = 0;

    if (digits >= 4 && digits <= 8 && text[digits] == ':') {
        domain = strtoul(text, NULL, 16);
        text += digits + 1;
    }
    if (hex_digits(text) != 2 || text[2] != ':' || hex_digits(text + 3) != 2 || text[5] != '.' ||
        hex_digits(text + 6) != 1 || text[7] != '\0')
        return false;
    unsigned long bus = strtoul(text, NULL, 16), device = strtoul(text + 3, NULL, 16),
                  function = strtoul(text + 6, NULL, 16);
    if (device > 0x1f || function > 7)
        return false;
    *pci = (struct pci_address){(uint32_t)domain, (uint8_t)bus, (uint8_t)device, (uint8_t)function};
    return true;
}

uint64_t pci_place(const struct pci_address *pci)
{
    return (uint64_t)pci->domain << 24 | (uint64_t)pci->bus << 16 | (uint64_t)pci->device << 8 |
           pci->function;
}

bool pci_equal(const struct pci_address *a, const struct pci_address *b)
{
    return pci_place(a) == pci_place(b);
}

const char *device_fault(struct device *device)
{
    unsigned char mig;

    memcpy(&mig, &device->mig, sizeof mig);
    device->mig = mig != 0;
    device->hidden = HIDDEN_NOT;
    if (!memchr(device->name, '\0', sizeof device->name) ||
        !memchr(device->reason, '\0', sizeof device->reason))
        return "has a name without an end";
    if (device->pci.device > 0x1f || device->pci.function > 7)
        return "has no PCI bus ID";
    bool negative = device->compute_major < 0 || device->compute_minor < 0;
    return negative ? "has a negative compute capability" : NULL;
}

const char *memory_text(uint64_t bytes, char text[MEMORY_TEXT_SIZE])
{
    uint64_t tenths = bytes / (1u << 30) * 10 + bytes % (1u << 30) * 10 / (1u << 30);

    if (tenths % 10)
        snprintf(text, MEMORY_TEXT_SIZE, "%" PRIu64 ".%" PRIu64 " GiB", tenths / 10, tenths % 10);
    else
        snprintf(text, MEMORY_TEXT_SIZE, "%" PRIu64 " GiB", tenths / 10);
    return text;
}
