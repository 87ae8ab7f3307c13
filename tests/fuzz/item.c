/*
 * The text of one item of `devices`, and the values of its filter: whatever is accepted, printed in
 * its plainest form and read again, means the same; a size is the number that it says; what is
 * refused leaves its output alone.
 */
#include "fuzz/fuzz.h"

#include "base/scope.h"
#include "base/suggest.h"
#include "section/item.h"
#include "section/vars.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static bool same_item(const struct item *a, const struct item *b)
{
    return a->kind == b->kind && a->first == b->first && a->last == b->last &&
           pci_equal(&a->pci, &b->pci);
}

/* In upper or lower case, as all three kinds that have letters may be. */
static char *in_case(const char *text, int (*turn)(int))
{
    char *turned = strdup(text);

    require(turned != NULL);
    for (char *c = turned + 4; *c; c++)
        *c = (char)turn((unsigned char)*c);
    return turned;
}

static char *plainest(const struct item *item, const char *text)
{
    char address[PCI_TEXT_SIZE];

    switch (item->kind) {
    case ITEM_RANGE:
        return format_text("%lu-%lu", item->first, item->last);
    case ITEM_PCI:
        return strdup(pci_text(&item->pci, address));
    case ITEM_UUID:
    case ITEM_MIG:
        return in_case(text, toupper);
    default:
        return strdup(item->kind == ITEM_ALL ? "all" : "none");
    }
}

static void check_item(const char *text)
{
    struct item item = {.kind = ITEM_FILTER, .min_memory = 7}, before = item, again = item;

    if (item_parse(text, &item) < 0) {
        require(memcmp(&item, &before, sizeof item) == 0);
        return;
    }
    require(item.kind != ITEM_FILTER && item.first <= item.last && item.min_memory == 7);
    scope(free_text) char *plain = plainest(&item, text);
    require(plain && item_parse(plain, &again) == 0 && same_item(&item, &again));
    if (item.kind == ITEM_UUID || item.kind == ITEM_MIG)
        require(strlen(text) < UUID_TEXT_SIZE);
}

static void check_size(const char *text)
{
    static const char *const units[] = {"MB", "GB", "MiB", "GiB"};
    static const long double factors[] = {1e6L, 1e9L, 1048576.0L, 1073741824.0L};
    uint64_t bytes = 0;
    char *unit;

    if (!size_parse(text, &bytes))
        return;
    long double number = strtold(text, &unit);
    unit += *unit == ' ';
    size_t i = 0;
    while (i < 4 && strcmp(unit, units[i]) != 0)
        i++;
    require(i < 4 && bytes > 0 && fabsl(number * factors[i] - (long double)bytes) <= 1);
}

static void check_numbers(const char *text)
{
    unsigned long number = 7, again = 8;
    int major = 7, minor = 7, major_again = 8, minor_again = 8;

    if (number_parse(text, &number)) {
        scope(free_text) char *plain = format_text("%lu", number);
        require(number <= 999999999 && number_parse(plain, &again) && number == again);
    } else {
        require(number == 7);
    }
    if (compute_parse(text, &major, &minor)) {
        scope(free_text) char *plain = format_text("%d.%d", major, minor);
        require(major >= 0 && minor >= 0 && compute_parse(plain, &major_again, &minor_again));
        require(major == major_again && minor == minor_again);
    } else {
        require(major == 7 && minor == 7);
    }
}

static void check_address(const char *text)
{
    struct pci_address pci = {1, 2, 3, 4}, again;
    char plain[PCI_TEXT_SIZE], plain_again[PCI_TEXT_SIZE];

    if (!pci_parse(text, &pci)) {
        require(pci_equal(&pci, &(struct pci_address){1, 2, 3, 4}));
        return;
    }
    pci_text(&pci, plain);
    require(pci_parse(plain, &again) && pci_equal(&pci, &again));
    require(same_text(plain, pci_text(&again, plain_again)));
}

/* What the errors about such text show: a near word, which is one of those known. */
static void check_words(const char *text)
{
    static const char *const words[] = {"devices", "ids", "if_no_gpu", "in_job", "variables"};
    const char *near = suggest(text, words, 5);

    for (size_t i = 0; near && near != words[i]; i++)
        require(i < 4);
    if (!var_name_refused(text))
        require(var_name_has_shape(text) && strlen(text) == var_name_length(text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    scope(free_text) char *text = input_text(data, size);

    check_item(text);
    check_size(text);
    check_numbers(text);
    check_address(text);
    check_words(text);
    return 0;
}
