#include "section/parts.h"

#include "base/scope.h"
#include "section/section.h"

#include <string.h>

struct join {
    const char *prepend, *append, *separator;
};

static int read_joined(const struct reading *in, const struct node *node, const char **text)
{
    static const char accepted[] = "text";

    *text = keys_text(in, node, accepted);
    if (*text && !**text) {
        *text = NULL;
        return keys_wrong(in, node,
                          "text that is not empty: an empty element means the current folder");
    }
    return *text ? 0 : -1;
}

static int read_prepend(const struct reading *in, const struct node *node, void *target)
{
    return read_joined(in, node, &((struct join *)target)->prepend);
}

static int read_append(const struct reading *in, const struct node *node, void *target)
{
    return read_joined(in, node, &((struct join *)target)->append);
}

static int read_separator(const struct reading *in, const struct node *node, void *target)
{
    struct join *join = target;

    join->separator = keys_text(in, node, "text such as \":\"");
    return join->separator ? 0 : -1;
}

static int read_join(const struct reading *in, const struct node *node, const char *name)
{
    static const struct key keys[] = {
        {"prepend", read_prepend, false},
        {"append", read_append, false},
        {"separator", read_separator, false},
    };
    struct join join = {NULL, NULL, ":"};

    if (keys_read(in, node, "", keys, sizeof keys / sizeof *keys, &join) < 0)
        return -1;
    if (!join.prepend == !join.append)
        return error_at(in->err, document_place(in->doc, node),
                        "%s: %s; write {prepend: TEXT} or {append: TEXT}", in->path,
                        join.prepend ? "both prepend and append" : "neither prepend nor append");
    if (vars_add(&in->section->variables, name, join.prepend ? VAR_PREPEND : VAR_APPEND,
                 join.prepend ? join.prepend : join.append, join.separator) < 0)
        return error_memory(in->err);
    return 0;
}

static int read_variable(const struct reading *in, const struct node *node, const char *name)
{
    if (node_kind(node) == NODE_MAPPING)
        return read_join(in, node, name);
    if (document_is_null(in->doc, node))
        return vars_add(&in->section->variables, name, VAR_UNSET, NULL, NULL) < 0
                   ? error_memory(in->err)
                   : 0;
    const char *text = keys_text(in, node, "a value, null, {prepend: TEXT} or {append: TEXT}");
    if (!text)
        return -1;
    return vars_add(&in->section->variables, name, VAR_SET, text, NULL) < 0 ? error_memory(in->err)
                                                                            : 0;
}

static int read_variable_pair(const struct reading *in, const struct pairs *pairs, size_t pair)
{
    const struct node *key = pairs->items[pair].key;
    const char *name = node_text(key);

    if (!name)
        return keys_wrong(in, key, "the name of a variable");
    if (node_count(key) > SECTION_NAME_LIMIT)
        return error_at(in->err, document_place(in->doc, key),
                        "%s: the name '%.20s...' has %zu bytes; at most %d are accepted", in->path,
                        name, node_count(key), SECTION_NAME_LIMIT);
    const char *reason = strlen(name) == node_count(key) ? var_name_refused(name) : "holds a NUL";
    if (reason)
        return error_at(in->err, document_place(in->doc, key), "%s: '%.60s' %s", in->path, name,
                        reason);
    if (keys_is_repeated(pairs, pair))
        return error_at(in->err, document_place(in->doc, key),
                        "%s: '%.60s' stands here a second time; remove one of the two", in->path,
                        name);
    scope(free_text) char *path = format_text("%s.%s", in->path, name);
    if (!path)
        return error_memory(in->err);
    struct reading inner = {in->section, in->doc, in->err, path};
    return read_variable(&inner, pairs->items[pair].value, name);
}

static size_t total_size(const struct var_list *list)
{
    size_t size = 0;

    for (size_t i = 0; i < list->count; i++)
        size += list->items[i].value ? strlen(list->items[i].value) : 0;
    return size;
}

int section_variables(const struct reading *in, const struct node *node, void *target)
{
    scope(pairs_release) struct pairs pairs = {0};
    int result = 0;

    (void)target;
    if (node_kind(node) != NODE_MAPPING)
        return keys_wrong(in, node, "a mapping such as {OMP_NUM_THREADS: 8}");
    if (document_pairs(in->doc, node, &pairs, in->err) < 0)
        return -1;
    if (pairs.count > SECTION_VARIABLES_LIMIT)
        return error_at(in->err, document_place(in->doc, node),
                        "%s: %zu variables; at most %d are accepted", in->path, pairs.count,
                        SECTION_VARIABLES_LIMIT);
    for (size_t i = 0; i < pairs.count && !keys_is_enough(in->err); i++)
        if (read_variable_pair(in, &pairs, i) < 0)
            result = -1;
    if (total_size(&in->section->variables) > SECTION_TOTAL_LIMIT)
        return error_at(in->err, document_place(in->doc, node),
                        "%s: the values have %zu bytes together; at most %d are accepted, since "
                        "Linux starts no program with many more",
                        in->path, total_size(&in->section->variables), SECTION_TOTAL_LIMIT);
    return result;
}
