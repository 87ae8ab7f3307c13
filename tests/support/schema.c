#include "support/schema.h"

#include "base/scope.h"
#include "base/strbuf.h"

#include <string.h>

struct check {
    json_t *root;
    const char *at; /* where in the value, for faults */
};

static char *fault_of(const struct check *in, json_t *schema, json_t *value);

static bool is_of_type(json_t *value, const char *type)
{
    return (strcmp(type, "object") == 0 && json_is_object(value)) ||
           (strcmp(type, "array") == 0 && json_is_array(value)) ||
           (strcmp(type, "string") == 0 && json_is_string(value)) ||
           (strcmp(type, "integer") == 0 && json_is_integer(value)) ||
           (strcmp(type, "boolean") == 0 && json_is_boolean(value)) ||
           (strcmp(type, "null") == 0 && json_is_null(value));
}

static char *check_type(const struct check *in, json_t *types, json_t *schema, json_t *value)
{
    (void)schema;
    for (size_t i = 0; i < json_array_size(types); i++)
        if (is_of_type(value, json_string_value(json_array_get(types, i))))
            return NULL;
    if (json_is_string(types) && is_of_type(value, json_string_value(types)))
        return NULL;
    return format_text("%s has another type", in->at);
}

static char *check_enum(const struct check *in, json_t *words, json_t *schema, json_t *value)
{
    (void)schema;
    for (size_t i = 0; i < json_array_size(words); i++)
        if (json_equal(json_array_get(words, i), value))
            return NULL;
    return format_text("%s is none of the accepted words", in->at);
}

static char *check_properties(const struct check *in, json_t *properties, json_t *schema,
                              json_t *value)
{
    const char *key;
    json_t *member;

    (void)schema;
    json_object_foreach(value, key, member)
    {
        scope(free_text) char *at = format_text("%s.%s", in->at, key);
        const struct check inner = {in->root, at};
        json_t *known = json_object_get(properties, key);
        char *fault = known ? fault_of(&inner, known, member) : NULL;
        if (fault)
            return fault;
    }
    return NULL;
}

static char *check_required(const struct check *in, json_t *names, json_t *schema, json_t *value)
{
    (void)schema;
    for (size_t i = 0; i < json_array_size(names); i++)
        if (!json_object_get(value, json_string_value(json_array_get(names, i))))
            return format_text("%s lacks %s", in->at, json_string_value(json_array_get(names, i)));
    return NULL;
}

static char *check_no_others(const struct check *in, json_t *may, json_t *schema, json_t *value)
{
    json_t *known = json_object_get(schema, "properties"), *member;
    const char *key;

    json_object_foreach(
        value, key,
        member) if (json_is_false(may) &&
                    !json_object_get(
                        known, key)) return format_text("%s has %s, which is not in the schema",
                                                        in->at, key);
    return NULL;
}

static char *check_items(const struct check *in, json_t *item, json_t *schema, json_t *value)
{
    (void)schema;
    for (size_t i = 0; i < json_array_size(value); i++) {
        scope(free_text) char *at = format_text("%s[%zu]", in->at, i);
        const struct check inner = {in->root, at};
        char *fault = fault_of(&inner, item, json_array_get(value, i));
        if (fault)
            return fault;
    }
    return NULL;
}

static char *check_one_of(const struct check *in, json_t *choices, json_t *schema, json_t *value)
{
    scope(strbuf_release) struct strbuf faults = STRBUF_INIT;
    size_t fit = 0;

    (void)schema;
    for (size_t i = 0; i < json_array_size(choices); i++) {
        scope(free_text) char *fault = fault_of(in, json_array_get(choices, i), value);
        fit += !fault;
        strbuf_addf(&faults, "\n  %s", fault ? fault : "fits");
    }
    return fit == 1 ? NULL : format_text("%zu of the choices fit:%s", fit, strbuf_text(&faults));
}

static char *check_ref(const struct check *in, json_t *ref, json_t *schema, json_t *value)
{
    static const char begins[] = "#/definitions/";
    const char *path = json_string_value(ref);
    json_t *definitions = json_object_get(in->root, "definitions");

    (void)schema;
    if (strncmp(path, begins, strlen(begins)) != 0 ||
        !json_object_get(definitions, path + strlen(begins)))
        return format_text("the schema has no %s", path);
    return fault_of(in, json_object_get(definitions, path + strlen(begins)), value);
}

static const struct {
    const char *name;
    char *(*check)(const struct check *in, json_t *keyword, json_t *schema, json_t *value);
} keywords[] = {
    {"type", check_type},
    {"enum", check_enum},
    {"properties", check_properties},
    {"required", check_required},
    {"additionalProperties", check_no_others},
    {"items", check_items},
    {"oneOf", check_one_of},
    {"$ref", check_ref},
    {"description", NULL},
    {"title", NULL},
    {"$schema", NULL},
    {"definitions", NULL},
};
enum { KEYWORDS = sizeof keywords / sizeof *keywords };

static char *fault_of(const struct check *in, json_t *schema, json_t *value)
{
    const char *key;
    json_t *keyword;

    json_object_foreach(schema, key, keyword)
    {
        size_t i = 0;
        while (i < KEYWORDS && strcmp(keywords[i].name, key) != 0)
            i++;
        if (i == KEYWORDS)
            return format_text("the schema has '%s', which is not known here", key);
        char *fault = keywords[i].check ? keywords[i].check(in, keyword, schema, value) : NULL;
        if (fault)
            return fault;
    }
    return NULL;
}

char *schema_fault(json_t *schema, json_t *value)
{
    const struct check in = {schema, "it"};

    return fault_of(&in, schema, value);
}
