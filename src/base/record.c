#include "base/record.h"

#include "base/scope.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

const cyaml_schema_value_t record_format_value =
    RECORD_DOCUMENT(struct record_format,
                    CYAML_FIELD_UINT("format", CYAML_FLAG_DEFAULT, struct record_format, format));

/* What we never write, and what libyaml takes the square of its number in time for: lines such as
   "%TAG", and lists such as "[[[". Brackets in values are counted as well. */
static const char *find_bomb(const char *text, size_t length)
{
    enum { MOST_OPEN = 10000 };
    size_t open = 0;

    if ((length && *text == '%') || memmem(text, length, "\n%", 2))
        return "it holds a YAML directive";
    for (size_t i = 0; i < length && open <= MOST_OPEN; i++) {
        if (text[i] == '[' || text[i] == '{')
            open++;
        else if (open && (text[i] == ']' || text[i] == '}'))
            open--;
    }
    return open > MOST_OPEN ? "it holds too many brackets" : NULL;
}

/* From " (line: 3, column: 9)". */
static void read_place(const char *text, struct record_fault *fault)
{
    char *end = NULL;

    fault->line = strtoul(text + strlen(" (line: "), &end, 10);
    if (strncmp(end, ", column: ", strlen(", column: ")) == 0)
        fault->column = strtoul(end + strlen(", column: "), NULL, 10);
}

/* What libcyaml logs of an error: "Load: REASON", then where, from the inside out: "  in mapping
   field 'KEY' (line: 3, column: 9)". */
__attribute__((format(printf, 3, 0))) static void hear(cyaml_log_t level, void *context,
                                                       const char *format, va_list args)
{
    struct record_fault *fault = context;
    scope(strbuf_release) struct strbuf line = STRBUF_INIT;

    (void)level;
    strbuf_vaddf(&line, format, args);
    const char *text = strbuf_text(&line), *place = strstr(text, " (line: ");
    bool is_reason = strncmp(text, "Load: ", 6) == 0 && strncmp(text, "Load: Backtrace", 15) != 0;
    if (is_reason && !fault->what)
        fault->what = format_text("%.*s", (int)strcspn(text + 6, "\n"), text + 6);
    else if (!fault->line && place)
        read_place(place, fault);
}

static cyaml_config_t config_of(struct record_fault *fault)
{
    return (cyaml_config_t){
        .log_fn = hear,
        .log_ctx = fault,
        .mem_fn = cyaml_mem,
        .log_level = CYAML_LOG_ERROR,
        .flags = CYAML_CFG_NO_ALIAS | CYAML_CFG_IGNORE_UNKNOWN_KEYS,
    };
}

static void say(struct record_fault *fault, const char *what)
{
    free(fault->what);
    fault->what = what ? strdup(what) : NULL;
}

void *record_load(const char *text, size_t length, const cyaml_schema_value_t *schema,
                  struct record_fault *fault)
{
    const cyaml_config_t config = config_of(fault);
    const char *bomb = find_bomb(text, length);
    cyaml_data_t *data = NULL;

    if (bomb)
        return say(fault, bomb), NULL;
    errno = 0; /* libcyaml says of all that went wrong in libyaml the same */
    cyaml_err_t result =
        cyaml_load_data((const uint8_t *)text, length, &config, schema, &data, NULL);
    if (result == CYAML_OK && data)
        return data;
    if (errno == ENOMEM)
        say(fault, NULL);
    else if (result == CYAML_OK || !fault->what)
        say(fault, result == CYAML_OK ? "it is empty" : cyaml_strerror(result));
    return NULL;
}

int record_save(struct strbuf *out, const cyaml_schema_value_t *schema, const void *value,
                bool delimited, struct record_fault *fault)
{
    cyaml_config_t config = config_of(fault);
    char *text = NULL;
    size_t length = 0, before = out->length;

    config.flags |= delimited ? CYAML_CFG_DOCUMENT_DELIM : 0;
    errno = 0;
    cyaml_err_t result = cyaml_save_data(&text, &length, &config, schema, value, 0);
    if (result != CYAML_OK)
        return say(fault, errno == ENOMEM ? NULL : cyaml_strerror(result)), -1;
    strbuf_add(out, text, length);
    cyaml_mem(NULL, text, 0);
    if (out->failed)
        return say(fault, NULL), -1;
    const char *bomb = find_bomb(strbuf_text(out) + before, length);
    return bomb ? say(fault, bomb), -1 : 0;
}

void record_free(const cyaml_schema_value_t *schema, void *value)
{
    scope(record_fault_release) struct record_fault unseen = {0};
    const cyaml_config_t config = config_of(&unseen);

    cyaml_free(&config, schema, value, 0);
}

/* ---- finding --------------------------------------------------------------------------------- */

/* The next event, in place of the last one. */
static bool next(yaml_parser_t *parser, yaml_event_t *event)
{
    yaml_event_delete(event);
    return yaml_parser_parse(parser, event);
}

/* From the event with which a node begins to the one with which it ends. */
static bool pass_node(yaml_parser_t *parser, yaml_event_t *event)
{
    int open = 0;

    do {
        open += event->type == YAML_SEQUENCE_START_EVENT || event->type == YAML_MAPPING_START_EVENT;
        open -= event->type == YAML_SEQUENCE_END_EVENT || event->type == YAML_MAPPING_END_EVENT;
    } while (open > 0 && next(parser, event));
    return open == 0;
}

/* In a mapping that begins: to the value of a key. */
static bool find_value(yaml_parser_t *parser, yaml_event_t *event, const char *key)
{
    while (next(parser, event) && event->type == YAML_SCALAR_EVENT) {
        bool found = strcmp((const char *)event->data.scalar.value, key) == 0;
        if (!next(parser, event))
            return false;
        if (found || !pass_node(parser, event))
            return found;
    }
    return false;
}

/* In a list that begins: to an entry. */
static bool find_entry(yaml_parser_t *parser, yaml_event_t *event, size_t index)
{
    bool found = next(parser, event);

    for (size_t i = 0; found && i < index; i++)
        found = pass_node(parser, event) && next(parser, event);
    return found;
}

int record_find(const char *text, size_t length, const char *list, size_t index, const char *key,
                struct record_fault *fault)
{
    yaml_event_t event = {.type = YAML_NO_EVENT};
    yaml_parser_t parser;

    fault->line = 0;
    if (!yaml_parser_initialize(&parser))
        return -1;
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, length);
    bool found = true;
    /* The stream begins, its document, and the mapping in it. */
    for (int i = 0; found && i < 3; i++)
        found = next(&parser, &event);
    if (list)
        found = found && find_value(&parser, &event, list) && find_entry(&parser, &event, index);
    if (found && find_value(&parser, &event, key)) {
        fault->line = event.start_mark.line + 1;
        fault->column = event.start_mark.column + 1;
    }
    int result = parser.error == YAML_NO_ERROR ? 0 : -1; /* the text itself is sound */
    yaml_event_delete(&event);
    yaml_parser_delete(&parser);
    return result;
}

void record_fault_release(struct record_fault *fault)
{
    free(fault->what);
    *fault = (struct record_fault){0};
}
