/*
 * What the program writes for itself to read again: a YAML document, loaded and saved through
 * libcyaml by a schema. (What people write is read by section/document.h, with more advice.)
 *
 *     scope(record_fault_release) struct record_fault fault = {0};
 *     struct receipt *receipt = record_load(text, length, &receipt_value, &fault);
 *     if (!receipt && !fault.what) ... memory ran out
 *     ...
 *     record_free(&receipt_value, receipt);
 *
 * Keys that the schema does not have are passed over, so that a later version may add some; aliases
 * are refused, and so is what would take time beyond the text's size.
 */
#pragma once

#include "base/strbuf.h"

#include <cyaml/cyaml.h>

/* What is wrong with a text, in libcyaml's words or ours; NULL: memory ran out. */
struct record_fault {
    char *what;
    size_t line, column; /* from 1; line 0: nothing is known of where */
};

/* The schema's value must be a mapping with CYAML_FLAG_POINTER. NULL with a fault. */
void *record_load(const char *text, size_t length, const cyaml_schema_value_t *schema,
                  struct record_fault *fault);

/* Adds the value as a document, with lines '---' and '...' around it if `delimited`. -1 with a
   fault. Text in it must be UTF-8. */
int record_save(struct strbuf *out, const cyaml_schema_value_t *schema, const void *value,
                bool delimited, struct record_fault *fault);

/* For what record_load returned, or what was made of malloc'ed parts in its place; NULL is nothing.
 */
void record_free(const cyaml_schema_value_t *schema, void *value);

/*
 * Where a text that was loaded has the value of a key at its top level, or, where `list` is not
 * NULL, of a key of the mapping that is number `index` of that list. In a fault, whose `what` stays
 * as it is; line 0 where there is no such. -1 if memory ran out.
 */
int record_find(const char *text, size_t length, const char *list, size_t index, const char *key,
                struct record_fault *fault);

/* Schemas are made of these: that of a whole document, and that of an entry of a list. */
#define RECORD_DOCUMENT(type, ...) RECORD_MAPPING_(CYAML_FLAG_POINTER, type, __VA_ARGS__)
#define RECORD_ENTRY(type, ...)    RECORD_MAPPING_(CYAML_FLAG_DEFAULT, type, __VA_ARGS__)
#define RECORD_MAPPING_(flags, type, ...)                                                          \
    {                                                                                              \
        CYAML_VALUE_MAPPING(flags, type,                                                           \
                            ((const cyaml_schema_field_t[]){__VA_ARGS__, CYAML_FIELD_END}))        \
    }

/* And these of what is in them. Each list is left out where it is empty: libcyaml takes no NULL for
   one. */
#define RECORD_WORD(key, type, member, words)                                                      \
    CYAML_FIELD_ENUM(key, CYAML_FLAG_STRICT, type, member, words, CYAML_ARRAY_LEN(words))
#define RECORD_LIST(key, type, member, entry, limit)                                               \
    CYAML_FIELD_SEQUENCE(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type, member, &(entry), 0, \
                         limit)
/* The same for a list of base/array.h. */
#define RECORD_ARRAY(key, type, member, entry, limit)                                              \
    CYAML_FIELD_SEQUENCE_COUNT(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type, member.items,  \
                               member.count, &(entry), 0, limit)
#define RECORD_TEXT(key, type, member)                                                             \
    CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER, type, member, 0, CYAML_UNLIMITED)
#define RECORD_TEXT_OR_NONE(key, type, member)                                                     \
    CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type, member, 0,         \
                           CYAML_UNLIMITED)

/* The only key that is read first, whatever else a later format may hold. */
struct record_format {
    unsigned format;
};
extern const cyaml_schema_value_t record_format_value;

void record_fault_release(struct record_fault *fault);
