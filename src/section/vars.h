/*
 * Environment variables by name, in order: what the written hooks set, unset or extend. Also which
 * names a plan may hold, and why not.
 */
#pragma once

#include "base/names.h"

#include <stdbool.h>
#include <stddef.h>

enum var_kind { VAR_SET, VAR_UNSET, VAR_PREPEND, VAR_APPEND };

/* "set", "unset", ... */
extern const char *const var_kind_names[];

/* ${NAME} of these is replaced at activation, in value and separator of VAR_SET, VAR_PREPEND and
   VAR_APPEND. */
extern const char *const var_references[];
extern const size_t var_reference_count;

/* The length of such a ${NAME} at the start of a text, and its name; 0 if there is none. */
size_t var_reference_length(const char *text, const char **name);

/* The first such ${NAME} in a text, with its length and name; NULL if there is none. */
const char *var_reference_find(const char *text, size_t *length, const char **name);

/* ${gpu.uuids} and so on in a value, which apply replaces by what it knows of the devices: see
   plan/derive.h. */
enum device_value { VALUE_UUIDS, VALUE_COUNT, VALUE_PCI, VALUE_EGL, DEVICE_VALUES };
extern const char *const device_values[DEVICE_VALUES];

#define DEVICE_VALUE_BEGIN "${gpu."

/* The length of such a reference at the start of a text, and which it is; 0 if there is none. */
size_t device_value_length(const char *text, enum device_value *value);

struct var {
    char *name;
    enum var_kind kind;
    char *value;         /* NULL for VAR_UNSET */
    char *separator;     /* NULL but for VAR_PREPEND and VAR_APPEND */
    size_t line, column; /* of the value in the section's file; 0: it is from nowhere there */
};

struct var_list array_of(struct var);

/* Adds a variable, with copies of all that is given. -1 if memory ran out. */
int vars_add(struct var_list *list, const char *name, enum var_kind kind, const char *value,
             const char *separator);

/* Adds a copy of a variable. -1 if memory ran out. */
int vars_copy(struct var_list *list, const struct var *var);

/* NULL if there is none of this name. */
const struct var *vars_find(const struct var_list *list, const char *name);

/* Whether it adds to what is there before: VAR_PREPEND and VAR_APPEND. */
bool var_is_list(const struct var *var);

bool var_is_same(const struct var *one, const struct var *other);

/* Whether both hold the same, in the same order. */
bool vars_are_same(const struct var_list *one, const struct var_list *other);

/* The bytes of all values together. */
size_t vars_size(const struct var_list *list);

void vars_release(struct var_list *list);

/* How many characters at the start of a text may stand in a name. */
size_t var_name_length(const char *text);

/* [A-Za-z_][A-Za-z0-9_]* */
bool var_name_has_shape(const char *name);

/* NULL for a name that a file may hold; else the reason why not, to follow "NAME". */
const char *var_name_refused(const char *name);

/* Those, and the two that every plan holds: what hooks may manage. */
bool var_name_is_manageable(const char *name);

enum {
    STATE_KEY_SIZE = 9,    /* of what hooks keep in a shell: 8 hexadecimal digits and a NUL */
    MANAGED_LIMIT = 10000, /* names that earlier generations are believed to have managed */
};
