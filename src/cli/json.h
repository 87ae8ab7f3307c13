/*
 * What --json prints on stdout in place of text: one object for a whole run, with the errors and
 * notes that stderr has as ever. Its keys are in docs/output.schema.json. A command adds what it
 * has to tell as it goes; main.c prints it all at the end.
 *
 *     json_put("environment", json_environment(&environment));
 *     json_list("files", json_pack(...));
 *
 * Each takes the value. Without --json both drop it; a NULL is taken for memory that ran out.
 */
#pragma once

#include "cli/cli.h"
#include "export/plan_json.h"

void json_put(const char *key, json_t *value);

/* Adds to the list of this key, which need not be there yet. */
void json_list(const char *key, json_t *value);

/* A list of so many texts. */
json_t *json_texts(char *const *texts, size_t count);

json_t *json_environment(const struct environment *environment);

/* What a variable is now, and what it will be; NULL: not set. */
json_t *json_variable_row(const char *name, const char *now, const char *then);

/* Prints the object. status below 0 is the error's. -1 where memory ran out, which the error tells
   then. */
int json_finish(const struct options *options, int status, struct error *err);
