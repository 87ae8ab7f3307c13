/*
 * Inventories of machines in a file. Of any bytes, stock_read makes machines on which the rest can
 * rely, which are the same once printed and read again, or an error that leaves the list as it was.
 */
#include "fuzz/fuzz.h"

#include "base/scope.h"
#include "gpu/stock.h"

#include <string.h>

static void require_sound(const struct stock *stock)
{
    require(stock->count >= 1 && stock->count <= STOCK_HOSTS_LIMIT);
    for (size_t i = 0; i < stock->count; i++) {
        const struct device_list *list = &stock->items[i].inventory.devices;
        require(stock_find(stock, stock->items[i].host) == &stock->items[i]);
        require(list->count >= 1 && list->count <= ANSWER_MOST_DEVICES);
        for (size_t d = 0; d < list->count; d++) {
            require(device_list_find(list, &list->items[d].uuid) == d);
            require(memchr(list->items[d].name, '\0', DEVICE_NAME_SIZE) != NULL);
        }
    }
}

static void require_same(const struct stocked *a, const struct stocked *b)
{
    const struct device_list *one = &a->inventory.devices, *other = &b->inventory.devices;

    require(same_text(a->host, b->host) && one->count == other->count);
    require(a->inventory.driver_version == b->inventory.driver_version);
    require(one->numbered == other->numbered && same_text(one->unseen, other->unseen));
    for (size_t i = 0; i < one->count; i++) {
        const struct device *x = &one->items[i], *y = &other->items[i];
        char text[DEVICE_NAME_SIZE];
        require(memcmp(&x->uuid, &y->uuid, sizeof x->uuid) == 0 && x->mig == y->mig);
        require(x->number == y->number && x->memory == y->memory && pci_equal(&x->pci, &y->pci));
        require(x->compute_major == y->compute_major && x->compute_minor == y->compute_minor);
        require(same_text(device_name_text(x, text), y->name));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    scope(stock_release) struct stock stock = {0};
    scope(stock_release) struct stock again = {0};
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;
    scope(error_release) struct error err = ERROR_INIT;

    int result = stock_read(&stock, "f", (const char *)data, size, &err);
    require_contract(result, &err);
    if (result < 0) {
        require(!stock.items && !stock.count);
        return 0;
    }
    require_sound(&stock);
    for (size_t i = 0; i < stock.count; i++)
        require(stock_print(&text, stock.items[i].host, &stock.items[i].inventory, &err) == 0);
    require(stock_read(&again, "f", text.text, text.length, &err) == 0);
    require(again.count == stock.count);
    for (size_t i = 0; i < stock.count; i++)
        require_same(&stock.items[i], &again.items[i]);
    return 0;
}
