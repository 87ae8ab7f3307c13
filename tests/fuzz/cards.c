/*
 * The cards of a machine, which are the answer of the child that asks NVML. Of any bytes,
 * cards_decode either makes a list on which the rest can rely, or an error that leaves the list as
 * it was.
 *
 * An input whose first byte is even is the answer itself. One whose first byte is odd is a list of
 * changes to a right answer: a number of cards, then as often as there are bytes, an offset of two
 * bytes and the byte to put there.
 */
#include "fuzz/fuzz.h"

#include "base/scope.h"
#include "gpu/cards.h"

#include <string.h>

enum { MOST = 3, INSTANCES = 2, PROCESSES = 3 };

/* What a card is in the longest right answer. */
enum {
    CARD_SIZE = sizeof(struct card) + INSTANCES * sizeof(struct card_instance) +
                PROCESSES * sizeof(struct card_process)
};

static void require_sound(const struct card_list *cards)
{
    require(memchr(cards->driver, '\0', sizeof cards->driver) != NULL);
    for (size_t i = 0; i < cards->count; i++) {
        const struct card *card = &cards->items[i];
        char address[PCI_TEXT_SIZE];
        struct pci_address pci;
        require(card->device.number == i);
        require(memchr(card->device.name, '\0', sizeof card->device.name) != NULL);
        require(memchr(card->device.reason, '\0', sizeof card->device.reason) != NULL);
        require(pci_parse(pci_text(&card->device.pci, address), &pci) &&
                pci_equal(&pci, &card->device.pci));
        for (size_t k = 0; k < card->instance_count; k++)
            require(memchr(card->instances[k].device.name, '\0', DEVICE_NAME_SIZE) != NULL);
        for (size_t k = 0; k < card->process_count; k++)
            require(card->processes[k].instance <= card->instance_count);
    }
}

static void check_decode(const char *bytes, size_t length)
{
    scope(cards_release) struct card_list cards = {.driver = "as it was"};
    scope(error_release) struct error err = ERROR_INIT;

    int result = cards_decode(bytes, length, &cards, &err);
    require_contract(result, &err);
    if (result == 0) {
        require_sound(&cards);
        return;
    }
    require(err.status == STATUS_DRIVER);
    require(strcmp(cards.driver, "as it was") == 0 && !cards.items && !cards.count);
}

/* Instances and processes of zeros are right. */
static size_t right_answer(char *bytes, uint32_t count)
{
    const struct card_head head = {.count = count, .driver = "580.159.04"};

    memset(bytes, 0, sizeof head + count * CARD_SIZE);
    memcpy(bytes, &head, sizeof head);
    for (uint32_t i = 0; i < count; i++) {
        struct card card = {.device = {.number = i,
                                       .name = "NVIDIA A100-SXM4-80GB",
                                       .pci = {0, (uint8_t)(i + 1), 0, 0}},
                            .instance_count = INSTANCES,
                            .process_count = PROCESSES};
        card.device.uuid.bytes[0] = (unsigned char)(i + 1);
        memcpy(bytes + sizeof head + i * sizeof card, &card, sizeof card);
    }
    return sizeof head + count * CARD_SIZE;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct answer_format format = {
        .room = sizeof(struct card_head) + MOST * CARD_SIZE,
        .most = MOST,
        .right = right_answer,
        .decode = check_decode,
    };

    decode_answer(&format, data, size);
    return 0;
}
