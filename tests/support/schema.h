/*
 * Holds JSON against docs/output.schema.json: as much of JSON Schema as that uses (type, enum,
 * properties, required, additionalProperties, items, oneOf, $ref within the file). A keyword that
 * is not known here fails the test.
 */
#pragma once

#include <jansson.h>

/* NULL where it holds; else what does not, malloc'ed. */
char *schema_fault(json_t *schema, json_t *value);
