/*
 * The inventory, which is the answer of the child that asks the driver: this version saves none to
 * a file, so the bytes in the pipe are its only form. Of any bytes, inventory_decode either
 * makes a list on which the rest can rely, or an error that leaves the inventory as it was.
 *
 * An input whose first byte is even is the answer itself. One whose first byte is odd is a list of
 * changes to a right answer: a number of devices, then as often as there are bytes, an offset of
 * two bytes and the byte to put there. So the fuzzer need not find out by itself what is right.
 */
#include "fuzz/fuzz.h"

#include "base/scope.h"
#include "gpu/inventory.h"
#include "plan/plan.h"

#include <string.h>

static void require_sound(const struct inventory *inventory)
{
    const struct device_list *list = &inventory->devices;
    static const struct uuid zero = {{0}};

    require(list->count >= 1 && list->count <= ANSWER_MOST_DEVICES && !inventory->absent);
    require(inventory->driver_version >= 0);
    for (size_t i = 0; i < list->count; i++) {
        const struct device *device = &list->items[i];
        struct pci_address pci;
        char address[PCI_TEXT_SIZE], uuid[UUID_TEXT_SIZE];
        require(memcmp(&device->uuid, &zero, sizeof zero) != 0);
        require(device_list_find(list, &device->uuid) == i);
        require(memchr(device->name, '\0', sizeof device->name) != NULL);
        require(pci_parse(pci_text(&device->pci, address), &pci) && pci_equal(&pci, &device->pci));
        require(strlen(uuid_text(device, uuid)) == UUID_TEXT_SIZE - 1);
        require(device->compute_major >= 0 && device->compute_minor >= 0);
    }
}

/* Every device of an accepted answer can be chosen and planned. */
static void plan_all(const struct inventory *inventory)
{
    struct item all = {.kind = ITEM_FILTER, .place = {"f", 1, 1}, .text = (char[]){"{}"}};
    const struct section config = {.items = &all, .item_count = 1};
    scope(selection_release) struct selection selection = {0};
    scope(plan_release) struct plan plan = {0};
    scope(error_release) struct error err = ERROR_INIT;

    int result = select_devices(&selection, &config, &inventory->devices, &err);
    require_contract(result, &err);
    require((result < 0) ==
            (!device_list_is_countable(&inventory->devices) || !inventory->devices.count));
    if (result < 0)
        return;
    require(plan_make(&plan, &config, &selection, &err) == 0);
    require(plan_confirm(&plan, &selection, &inventory->devices, &err) == 0);
    require(plan.devices.count == inventory->devices.count);
}

static void check_decode(const char *bytes, size_t length)
{
    scope(inventory_release) struct inventory inventory = {.driver_version = 7};
    scope(error_release) struct error err = ERROR_INIT;

    int result = inventory_decode(bytes, length, &inventory, &err);
    require_contract(result, &err);
    if (result == 0) {
        require_sound(&inventory);
        plan_all(&inventory);
        return;
    }
    require(err.status == STATUS_DRIVER);
    require(inventory.driver_version == 7 && !inventory.devices.items && !inventory.devices.count);
}

static size_t right_answer(char *bytes, uint32_t count)
{
    const struct answer_head head = {.driver_version = 12040, .count = count};

    memcpy(bytes, &head, sizeof head);
    for (uint32_t i = 0; i < count; i++) {
        struct device device = {.name = "NVIDIA A100-SXM4-80GB",
                                .pci = {.bus = (uint8_t)(i + 1)},
                                .memory = 85100000000,
                                .compute_major = 8};
        device.uuid.bytes[15] = (unsigned char)(i + 1);
        memcpy(bytes + sizeof head + i * sizeof device, &device, sizeof device);
    }
    return sizeof head + count * sizeof(struct device);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { MOST = 4 };
    static const struct answer_format format = {
        .room = sizeof(struct answer_head) + MOST * sizeof(struct device),
        .most = MOST,
        .right = right_answer,
        .decode = check_decode,
    };

    decode_answer(&format, data, size);
    return 0;
}
