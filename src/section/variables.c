#include "section/parts.h"

#include "base/scope.h"
#include "base/suggest.h"
#include "section/section.h"

#include <stdio.h>
#include <string.h>

#define REPLACED "${CONDA_PREFIX}, ${HOME} and ${USER}"

/* A `$NAME`, or a `${NAME` whatever follows. */
struct dollar {
    const char *name;
    size_t length;
    bool braced;
};

static struct dollar read_dollar(const char *text)
{
    struct dollar dollar = {.braced = text[1] == '{'};

    dollar.name = text + 1 + dollar.braced;
    dollar.length = *dollar.name >= '0' && *dollar.name <= '9' ? 0 : var_name_length(dollar.name);
    return dollar;
}

static bool is_named(const struct dollar *dollar, const char *name)
{
    return dollar->length == strlen(name) && strncmp(dollar->name, name, dollar->length) == 0;
}

/* "TEXT:$X" is meant as {prepend: TEXT}, "$X:TEXT" as {append: TEXT}. */
static int names_itself(const struct reading *in, const struct node *node, const char *text,
                        const char *at, const struct dollar *dollar)
{
    const char *behind = dollar->name + dollar->length;
    bool closed = !dollar->braced || *behind == '}';

    behind += closed && dollar->braced;
    bool append = closed && at == text && *behind == ':' && behind[1];
    bool prepend = closed && !*behind && at > text + 1 && at[-1] == ':';
    const char *rest = append ? behind + 1 : text;
    int length = append ? (int)strlen(rest) : prepend ? (int)(at - text) - 1 : 0;

    return keys_error(in, node,
                      "the value of a variable is not replaced in itself; to add to what is there "
                      "before, write {%s: %s%.*s%s}",
                      append ? "append" : "prepend", length ? "\"" : "TEXT",
                      length < 60 ? length : 60, rest, length ? "\"" : "");
}

static void note_dollar(const struct reading *in, const struct node *node,
                        const struct dollar *dollar)
{
    bool meant = is_named(dollar, "HOME") || is_named(dollar, "USER");
    const char *open = dollar->braced ? "{" : "", *close = dollar->braced ? "}" : "";

    error_at(&in->section->notes, document_place(in->doc, node),
             "%s: only " REPLACED
             " are replaced, so $%s%.*s%s stands in the value as it is%s%.*s%s",
             in->path, open, (int)dollar->length, dollar->name, close, meant ? "; write ${" : "",
             meant ? (int)dollar->length : 0, dollar->name, meant ? "}" : "");
}

#define DEVICE_VALUES_KNOWN "${gpu.uuids}, ${gpu.count}, ${gpu.pci} and ${gpu.egl}"

/* A ${gpu.NAME} that is none of those that there are. */
static int unknown_value(const struct reading *in, const struct node *node, const char *at)
{
    char name[16];
    const char *begin = at + strlen(DEVICE_VALUE_BEGIN);

    snprintf(name, sizeof name, "%.*s", (int)strcspn(begin, "}"), begin);
    const char *near = suggest(name, device_values, DEVICE_VALUES);
    if (near)
        return keys_error(in, node, "${gpu.%s} is unknown; did you mean ${gpu.%s}?", name, near);
    return keys_error(in, node, "${gpu.%s} is unknown; there are " DEVICE_VALUES_KNOWN, name);
}

/* $gpu.count */
static bool lacks_braces(const struct dollar *dollar)
{
    return !dollar->braced && is_named(dollar, "gpu") && dollar->name[dollar->length] == '.';
}

/* What people write by habit, as a shell would read it, and hooks do not. */
static int check_value(const struct reading *in, const struct node *node, const char *variable,
                       const char *text)
{
    const char *name;
    enum device_value value;
    bool noted = false;

    if (strncmp(text, "~/", 2) == 0)
        return keys_error(in, node, "~ is not replaced; write ${HOME}%.60s", text + 1);
    for (const char *at = text; (at = strchr(at, '$')); at++) {
        struct dollar dollar = read_dollar(at);
        if (!dollar.length || var_reference_length(at, &name) || device_value_length(at, &value))
            continue;
        if (strncmp(at, DEVICE_VALUE_BEGIN, strlen(DEVICE_VALUE_BEGIN)) == 0)
            return unknown_value(in, node, at);
        if (lacks_braces(&dollar))
            return keys_error(
                in, node, "$gpu. is not replaced without braces; there are " DEVICE_VALUES_KNOWN);
        if (is_named(&dollar, variable))
            return names_itself(in, node, text, at, &dollar);
        if (!dollar.braced && is_named(&dollar, "CONDA_PREFIX"))
            return keys_error(
                in, node, "$CONDA_PREFIX is not replaced without braces; write ${CONDA_PREFIX}");
        if (!noted)
            note_dollar(in, node, &dollar);
        noted = true;
    }
    return 0;
}

struct join {
    const char *variable;
    const char *prepend, *append, *separator;
};

static int read_joined(const struct reading *in, const struct node *node, const char **text)
{
    const struct join *join = in->target;

    if (!*in->text)
        return keys_wrong(in, node,
                          "text that is not empty: an empty element means the current folder");
    *text = in->text;
    return check_value(in, node, join->variable, *text);
}

static int read_prepend(const struct reading *in, const struct node *node)
{
    return read_joined(in, node, &((struct join *)in->target)->prepend);
}

static int read_append(const struct reading *in, const struct node *node)
{
    return read_joined(in, node, &((struct join *)in->target)->append);
}

static int read_separator(const struct reading *in, const struct node *node)
{
    (void)node;
    *(const char **)in->target = in->text;
    return 0;
}

static int add_variable(const struct reading *in, const struct node *node, const char *name,
                        enum var_kind kind, const char *value, const char *separator)
{
    struct var_list *list = &in->section->variables;
    struct place place = document_place(in->doc, node);

    if (vars_add(list, name, kind, value, separator) < 0)
        return error_memory(in->err);
    list->items[list->count - 1].line = place.line;
    list->items[list->count - 1].column = place.column;
    return 0;
}

static int read_join(const struct reading *in, const struct node *node, const char *name)
{
    static const struct key keys[] = {
        {"prepend", read_prepend, "text", 0},
        {"append", read_append, "text", 0},
        {"separator", read_separator, "text such as \":\"", offsetof(struct join, separator)},
    };
    struct join join = {.variable = name, .separator = ":"};

    if (keys_read(in, node, "", keys, sizeof keys / sizeof *keys, &join) < 0)
        return -1;
    if (!join.prepend == !join.append)
        return keys_error(in, node, "%s; write {prepend: TEXT} or {append: TEXT}",
                          join.prepend ? "both prepend and append" : "neither prepend nor append");
    return add_variable(in, node, name, join.prepend ? VAR_PREPEND : VAR_APPEND,
                        join.prepend ? join.prepend : join.append, join.separator);
}

static int read_variable(const struct reading *in, const struct node *node, const char *name)
{
    if (node_kind(node) == NODE_MAPPING)
        return read_join(in, node, name);
    if (document_is_null(in->doc, node))
        return add_variable(in, node, name, VAR_UNSET, NULL, NULL);
    const char *text = keys_text(in, node, "a value, null, {prepend: TEXT} or {append: TEXT}");
    if (!text || check_value(in, node, name, text) < 0)
        return -1;
    return add_variable(in, node, name, VAR_SET, text, NULL);
}

static int read_variable_pair(const struct reading *in, const struct pairs *pairs, size_t pair)
{
    const struct node *key = pairs->items[pair].key;
    const char *name = node_text(key);

    if (!name)
        return keys_wrong(in, key, "the name of a variable");
    if (node_count(key) > SECTION_NAME_LIMIT)
        return keys_error(in, key, "the name '%.20s...' has %zu bytes; at most %d are accepted",
                          name, node_count(key), SECTION_NAME_LIMIT);
    const char *reason = strlen(name) == node_count(key) ? var_name_refused(name) : "holds a NUL";
    if (reason)
        return keys_error(in, key, "'%.60s' %s", name, reason);
    if (pairs_have(pairs, pair, key))
        return keys_error(in, key, "'%.60s' stands here a second time; remove one of the two",
                          name);
    scope(free_text) char *path = format_text("%s.%s", in->path, name);
    if (!path)
        return error_memory(in->err);
    struct reading inner = *in;
    inner.path = path;
    return read_variable(&inner, pairs->items[pair].value, name);
}

int section_variables(const struct reading *in, const struct node *node)
{
    scope(pairs_release) struct pairs pairs = {0};
    int result = 0;

    if (node_kind(node) != NODE_MAPPING)
        return keys_wrong(in, node, "a mapping such as {OMP_NUM_THREADS: 8}");
    if (document_pairs(in->doc, node, &pairs, in->err) < 0)
        return -1;
    if (pairs.count > SECTION_VARIABLES_LIMIT)
        return keys_error(in, node, "%zu variables; at most %d are accepted", pairs.count,
                          SECTION_VARIABLES_LIMIT);
    for (size_t i = 0; i < pairs.count && !keys_is_enough(in->err); i++)
        if (read_variable_pair(in, &pairs, i) < 0)
            result = -1;
    if (vars_size(&in->section->variables) > SECTION_TOTAL_LIMIT)
        return keys_error(in, node,
                          "the values have %zu bytes together; at most %d are accepted, since "
                          "Linux starts no program with many more",
                          vars_size(&in->section->variables), SECTION_TOTAL_LIMIT);
    return result;
}
