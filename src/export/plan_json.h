/*
 * A plan as JSON; docs/output.schema.json describes it. Only for those that know jansson.
 */
#pragma once

#include "plan/plan.h"

#include <jansson.h>

/* Text that JSON can hold: bytes that are no UTF-8 are shown as \xNN. NULL: null, or no memory. */
json_t *json_text(const char *text);

/* {"gpus": ..., "devices": [...], "variables": [...], ...} */
json_t *json_plan(const struct plan *plan);

/* Adds the text with its line end, and takes the value, which may be NULL. -1: no memory. */
int json_print(struct strbuf *out, json_t *value);
