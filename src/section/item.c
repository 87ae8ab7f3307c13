#include "section/item.h"

#include <stdlib.h>
#include <string.h>

enum {
    MOST_DIGITS = 9,
    MOST_MAJOR = 49, /* CUDA is at 12; "80" is sm_80, which is 8.0 */
};

/* Reads digits and moves past them; no sign, no space, no overflow. */
static bool take_number(const char **text, unsigned long *number)
{
    size_t digits = strspn(*text, "0123456789");

    if (!digits || digits > MOST_DIGITS)
        return false;
    *number = strtoul(*text, NULL, 10);
    *text += digits;
    return true;
}

bool number_parse(const char *text, unsigned long *number)
{
    unsigned long value;

    if (!take_number(&text, &value) || *text)
        return false;
    *number = value;
    return true;
}

/* "8-4-4-4-12" hexadecimal digits, or the beginning of that. */
static bool is_uuid(const char *text, bool whole)
{
    static const char shape[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    size_t i = 0;

    for (; text[i]; i++) {
        bool fits =
            i < sizeof shape - 1 &&
            (shape[i] == '-' ? text[i] == '-' : strchr("0123456789abcdefABCDEF", text[i]) != NULL);
        if (!fits)
            return false;
    }
    return whole ? i == sizeof shape - 1 : i > 0;
}

static bool parse_range(const char *text, struct item *item)
{
    if (!take_number(&text, &item->first))
        return false;
    item->kind = ITEM_RANGE;
    item->last = item->first;
    return !*text || (*text++ == '-' && take_number(&text, &item->last) && !*text &&
                      item->last >= item->first);
}

/* A domain has 4 or 8 digits here, or is left out; pci_parse also reads what the driver prints. */
static bool is_address(const char *text)
{
    size_t digits = strcspn(text, ":");

    return digits == 2 || digits == 4 || digits == 8;
}

int item_parse(const char *text, struct item *item)
{
    struct item found = *item;

    if (strcmp(text, "all") == 0)
        found.kind = ITEM_ALL;
    else if (strcmp(text, "none") == 0)
        found.kind = ITEM_NONE;
    else if (strncmp(text, "GPU-", 4) == 0 && is_uuid(text + 4, false))
        found.kind = ITEM_UUID;
    else if (strncmp(text, "MIG-", 4) == 0 && is_uuid(text + 4, true))
        found.kind = ITEM_MIG;
    else if (is_address(text) && pci_parse(text, &found.pci))
        found.kind = ITEM_PCI;
    else if (!parse_range(text, &found))
        return -1;
    *item = found;
    return 0;
}

bool size_parse(const char *text, uint64_t *bytes)
{
    static const struct {
        const char *unit;
        uint64_t bytes;
    } units[] = {
        {"MB", UINT64_C(1000) * 1000},
        {"GB", UINT64_C(1000) * 1000 * 1000},
        {"MiB", UINT64_C(1) << 20},
        {"GiB", UINT64_C(1) << 30},
    };
    unsigned long whole, fraction = 0;
    uint64_t scale = 1;

    if (!take_number(&text, &whole))
        return false;
    if (*text == '.') {
        size_t digits = strspn(++text, "0123456789");
        if (!take_number(&text, &fraction))
            return false;
        while (digits--)
            scale *= 10;
    }
    text += *text == ' ';
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strcmp(text, units[i].unit) == 0) {
            *bytes = whole * units[i].bytes + fraction * units[i].bytes / scale;
            return *bytes > 0;
        }
    }
    return false;
}

bool compute_parse(const char *text, int *major, int *minor)
{
    unsigned long high, low = 0;

    if (!take_number(&text, &high) || (*text == '.' && (text++, !take_number(&text, &low))) ||
        *text || high > MOST_MAJOR)
        return false;
    *major = (int)high;
    *minor = (int)low;
    return true;
}

void item_release(struct item *item)
{
    free(item->text);
    free(item->name);
    free(item->mig);
    *item = (struct item){0};
}
