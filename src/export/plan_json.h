/*
 * A plan as JSON; docs/output.schema.json describes it. Only for those that know jansson.
 */
#pragma once

#include "plan/plan.h"

#include <jansson.h>

/* Text that JSON can hold: bytes that are no UTF-8 are shown as \xNN. NULL: null, or no memory. */
json_t *json_text(const char *text);

/* null where it is not known. */
json_t *json_known(bool known, uint64_t number);

/* Adds a value to a list and takes it. Returns the list; NULL, and the list is gone, where either
   is NULL or memory runs out. */
json_t *json_append(json_t *list, json_t *value);

/* A list of so many values, each of which `value` makes of its index `i`. */
#define json_list_of(i, number, value)                                                             \
    __extension__({                                                                                \
        json_t *list_ = json_array();                                                              \
        for (size_t i = 0; i < (number); i++)                                                      \
            list_ = json_append(list_, value);                                                     \
        list_;                                                                                     \
    })

/* "as before", "all", ...: by enum plan_gpus. */
extern const char *const plan_gpus_names[];

/* {"gpus": ..., "devices": [...], "variables": [...], ...} */
json_t *json_plan(const struct plan *plan);

/* Adds the value's text with its line end, and takes the value, which may be NULL. -1: no memory.
 */
int json_print(struct strbuf *out, json_t *value);
