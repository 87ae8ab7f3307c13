/*
 * How select.c adds devices to a selection: each once, all of one kind.
 */
#pragma once

#include "plan/select.h"

struct selecting {
    struct selection *selection;
    const struct device_list *machine;
    struct error *err;
};

typedef int select_item(const struct selecting *in, const struct item *item);

/* `device` and `number` as in struct choice. */
int selecting_add(const struct selecting *in, const struct item *item, size_t number,
                  const struct device *device);

/* Reads every item by the function of its kind. */
int selecting_each(const struct selecting *in, const struct section *section,
                   select_item *const by_kind[]);
