#include "plan/selecting.h"

#include "base/array.h"
#include "section/keys.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *choice_uuid(const struct choice *choice, char text[UUID_TEXT_SIZE])
{
    if (choice->device)
        return uuid_text(choice->device, text);
    /* As written, but for the case, which the driver minds. */
    snprintf(text, UUID_TEXT_SIZE, "%s", choice->item->text);
    for (char *c = text + 4; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    return text;
}

/* The same number, or the same UUID where there is none. */
static bool is_same(const struct choice *one, const struct choice *other)
{
    return one->number == other->number &&
           (one->number != SELECT_NO_NUMBER || strcmp(CHOICE_UUID(one), CHOICE_UUID(other)) == 0);
}

int selecting_add(const struct selecting *in, const struct item *item, size_t number,
                  const struct device *device)
{
    struct selection *selection = in->selection;
    const struct choice choice = {number, device, item};

    for (size_t i = 0; i < selection->count; i++)
        if (is_same(&selection->items[i], &choice))
            return error_at(in->err, item->place,
                            "gpu.devices: '%s' names the device that '%s' names already; remove "
                            "one of the two",
                            item->text, selection->items[i].item->text);
    return array_add(selection, choice) < 0 ? error_memory(in->err) : 0;
}

static bool is_mig(const struct choice *choice)
{
    return choice->device ? choice->device->mig : choice->item->kind == ITEM_MIG;
}

/* CUDA cuts its list where another kind begins. */
static int check_one_kind(const struct selecting *in)
{
    const struct selection *selection = in->selection;

    for (size_t i = 1; i < selection->count; i++) {
        const struct item *first = selection->items[0].item, *other = selection->items[i].item;
        if (is_mig(&selection->items[i]) != is_mig(&selection->items[0]))
            return error_at(in->err, other->place,
                            "gpu.devices: of '%s' and '%s' one is a MIG instance and one a whole "
                            "GPU, and CUDA shows a process only one kind; leave one of them out",
                            first->text, other->text);
    }
    return 0;
}

int selecting_each(const struct selecting *in, const struct section *section,
                   select_item *const by_kind[])
{
    int result = 0;

    for (size_t i = 0; i < section->item_count && !keys_is_enough(in->err); i++)
        if (by_kind[section->items[i].kind](in, &section->items[i]) < 0)
            result = -1;
    return result < 0 ? -1 : check_one_kind(in);
}

void selection_release(struct selection *selection)
{
    free(selection->items);
    *selection = (struct selection){0};
}
