#include "section/document.h"

#include "base/scope.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct node {
    yaml_node_t yaml;
};

static struct place place_of(const struct document *doc, yaml_mark_t mark)
{
    return (struct place){doc->source.file, mark.line + 1, mark.column + 1};
}

static int report(const struct document *doc, const yaml_parser_t *parser, struct error *err)
{
    size_t line = parser->problem_mark.line + 1;
    struct place place;

    /* libyaml does not always say so when memory runs out, but gives a reason for all else. */
    if (parser->error == YAML_MEMORY_ERROR || parser->error == YAML_NO_ERROR)
        return error_memory(err);
    if (parser->error == YAML_COMPOSER_ERROR && parser->context)
        return error_at(err, place_of(doc, parser->problem_mark),
                        "the anchor here has the name of the one at line %zu; give it another",
                        parser->context_mark.line + 1);
    const char *oddity = source_oddity(&doc->source, line, &place);
    if (!oddity && line > 1)
        oddity = source_oddity(&doc->source, line - 1, &place);
    if (oddity)
        return error_at(err, place, "not YAML: %s", oddity);
    return error_at(err, place_of(doc, parser->problem_mark),
                    "not YAML: %s%s%s; mend this line or the one before it",
                    parser->context ? parser->context : "", parser->context ? ", " : "",
                    parser->problem);
}

static int load(struct document *doc, struct error *err)
{
    const struct strbuf *text = &doc->source.text;
    scope(yaml_parser_delete) yaml_parser_t parser;

    if (!yaml_parser_initialize(&parser)) {
        memset(&parser, 0, sizeof parser);
        return error_memory(err);
    }
    yaml_parser_set_input_string(&parser, (const unsigned char *)strbuf_text(text), text->length);
    doc->yaml = calloc(1, sizeof *doc->yaml);
    if (!doc->yaml)
        return error_memory(err);
    return yaml_parser_load(&parser, doc->yaml) ? 0 : report(doc, &parser, err);
}

static int check_mapping(const struct document *doc, struct error *err)
{
    const struct node *root = document_root(doc);

    if (!root)
        return error_at(err, (struct place){.file = doc->source.file},
                        "the file is empty; an environment file is a mapping such as 'name: pt'");
    if (node_kind(root) == NODE_MAPPING)
        return 0;
    scope(free_text) char *shown = document_shown(doc, root);
    if (!shown)
        return error_memory(err);
    return error_at(err, document_place(doc, root),
                    "found %s where the file should be a mapping such as 'name: pt'", shown);
}

static int fill(struct document *doc, const char *file, const char *text, size_t length,
                struct error *err)
{
    if (source_read(&doc->source, file, text, length, err) < 0 ||
        scan_tokens(&doc->scan, &doc->source, err) < 0 || load(doc, err) < 0 ||
        check_mapping(doc, err) < 0)
        return -1;
    if (!doc->scan.second.line)
        return 0;
    return error_at(err, doc->scan.second,
                    "a second YAML document begins here, and conda reads only one; remove the "
                    "'---' or put the rest into a file of its own");
}

int document_load(struct document *doc, const char *file, const char *text, size_t length,
                  struct error *err)
{
    scope(document_release) struct document loaded = {0};

    if (fill(&loaded, file, text, length, err) < 0)
        return -1;
    *doc = take(&loaded);
    return 0;
}

void document_release(struct document *doc)
{
    if (doc->yaml)
        yaml_document_delete(doc->yaml);
    free(doc->yaml);
    source_release(&doc->source);
    *doc = (struct document){0};
}

static const struct node *node_of(const struct document *doc, int index)
{
    return (const struct node *)yaml_document_get_node(doc->yaml, index);
}

const struct node *document_root(const struct document *doc)
{
    return node_of(doc, 1);
}

enum node_kind node_kind(const struct node *node)
{
    return node->yaml.type == YAML_SCALAR_NODE     ? NODE_TEXT
           : node->yaml.type == YAML_SEQUENCE_NODE ? NODE_LIST
                                                   : NODE_MAPPING;
}

size_t node_count(const struct node *node)
{
    switch (node_kind(node)) {
    case NODE_TEXT:
        return node->yaml.data.scalar.length;
    case NODE_LIST:
        return (size_t)(node->yaml.data.sequence.items.top - node->yaml.data.sequence.items.start);
    default:
        return (size_t)(node->yaml.data.mapping.pairs.top - node->yaml.data.mapping.pairs.start);
    }
}

const struct node *document_item(const struct document *doc, const struct node *list, size_t i)
{
    return node_of(doc, list->yaml.data.sequence.items.start[i]);
}

struct place document_place(const struct document *doc, const struct node *node)
{
    return place_of(doc, node->yaml.start_mark);
}

const char *document_behind(const struct document *doc, const struct node *node)
{
    const char *text = strbuf_text(&doc->source.text);

    for (size_t left = node->yaml.end_mark.index; left && *text; left--)
        do
            text++;
        while ((*text & 0xC0) == 0x80); /* a further byte of the character */
    return text;
}

const char *node_text(const struct node *node)
{
    return node_kind(node) == NODE_TEXT ? (const char *)node->yaml.data.scalar.value : NULL;
}

bool node_is_plain(const struct node *node)
{
    return node_kind(node) == NODE_TEXT && node->yaml.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

/* libyaml gives every text without a tag that of a string. */
static bool has_tag(const struct document *doc, const struct node *node)
{
    for (size_t i = 0; i < doc->scan.tag_count; i++)
        if (doc->scan.tags[i] >= node->yaml.start_mark.index &&
            doc->scan.tags[i] < node->yaml.end_mark.index)
            return true;
    return false;
}

bool document_is_null(const struct document *doc, const struct node *node)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};

    if (node_kind(node) != NODE_TEXT)
        return false;
    if (has_tag(doc, node))
        return strcmp((const char *)node->yaml.tag, YAML_NULL_TAG) == 0;
    return node_is_plain(node) &&
           text_is_among(node_text(node), nulls, sizeof nulls / sizeof *nulls);
}

const char *node_odd_tag(const struct node *node)
{
    static const char *const known[] = {YAML_STR_TAG, YAML_INT_TAG, YAML_FLOAT_TAG, YAML_BOOL_TAG,
                                        YAML_NULL_TAG};
    const char *tag = (const char *)node->yaml.tag;
    bool is_known = text_is_among(tag, known, sizeof known / sizeof *known);

    return node_kind(node) != NODE_TEXT || is_known ? NULL : tag;
}

char *document_shown(const struct document *doc, const struct node *node)
{
    enum { MOST_SHOWN = 60 };
    size_t count = node_count(node);

    if (node_kind(node) == NODE_LIST)
        return format_text("a list");
    if (node_kind(node) == NODE_MAPPING)
        return format_text("a mapping");
    if (document_is_null(doc, node))
        return format_text("nothing");
    return format_text("'%.*s'%s", (int)(count < MOST_SHOWN ? count : MOST_SHOWN), node_text(node),
                       count <= MOST_SHOWN ? "" : "...");
}

int document_hint(const struct document *doc, const struct node *node, struct error *err)
{
    struct place place;
    const char *oddity = source_oddity(&doc->source, node->yaml.start_mark.line + 1, &place);

    return oddity ? error_detail(err, "in this line, at column %zu: %s", place.column, oddity) : -1;
}

struct merging {
    const struct document *doc;
    struct pairs *pairs;
    struct error *err;
    const struct node
        *merged[DOCUMENT_MERGED_LIMIT]; /* each once, also where they name each other */
    size_t merged_count;
};

static bool is_merge(const struct document *doc, const struct node *key)
{
    return node_is_plain(key) && strcmp(node_text(key), "<<") == 0 && !has_tag(doc, key);
}

bool pairs_have(const struct pairs *pairs, size_t count, const struct node *key)
{
    const char *name = node_text(key);

    for (size_t i = 0; name && i < count; i++) {
        const char *there = node_text(pairs->items[i].key);
        if (there && strcmp(there, name) == 0)
            return true;
    }
    return false;
}

static int merge_mapping(struct merging *in, const struct node *mapping, bool own);

static int merge_value(struct merging *in, const struct node *value)
{
    enum node_kind kind = node_kind(value);

    if (kind == NODE_MAPPING)
        return merge_mapping(in, value, false);
    for (size_t i = 0; kind == NODE_LIST && i < node_count(value); i++) {
        const struct node *item = document_item(in->doc, value, i);
        kind = node_kind(item) == NODE_MAPPING ? NODE_LIST : NODE_TEXT;
        if (kind == NODE_LIST && merge_mapping(in, item, false) < 0)
            return -1;
    }
    if (kind == NODE_LIST)
        return 0;
    return error_at(in->err, document_place(in->doc, value),
                    "the key '<<' takes the keys of another mapping, such as '<<: *name', or of a "
                    "list of mappings");
}

static int merge_mapping(struct merging *in, const struct node *mapping, bool own)
{
    const yaml_node_pair_t *pairs = mapping->yaml.data.mapping.pairs.start;
    size_t count = node_count(mapping);

    for (size_t i = 0; i < in->merged_count; i++)
        if (in->merged[i] == mapping)
            return 0;
    if (in->merged_count == DOCUMENT_MERGED_LIMIT)
        return error_at(in->err, document_place(in->doc, mapping),
                        "more than %d mappings are merged into one", DOCUMENT_MERGED_LIMIT);
    in->merged[in->merged_count++] = mapping;
    for (size_t i = 0; i < count; i++) {
        struct pair pair = {node_of(in->doc, pairs[i].key), node_of(in->doc, pairs[i].value)};
        if (is_merge(in->doc, pair.key) ||
            (!own && pairs_have(in->pairs, in->pairs->count, pair.key)))
            continue;
        if (!own && in->pairs->count >= DOCUMENT_PAIRS_LIMIT)
            return error_at(in->err, document_place(in->doc, pair.key),
                            "more than %d keys are merged into one mapping", DOCUMENT_PAIRS_LIMIT);
        if (array_add(in->pairs, pair) < 0)
            return error_memory(in->err);
    }
    for (size_t i = 0; i < count; i++)
        if (is_merge(in->doc, node_of(in->doc, pairs[i].key)) &&
            merge_value(in, node_of(in->doc, pairs[i].value)) < 0)
            return -1;
    return 0;
}

int document_pairs(const struct document *doc, const struct node *mapping, struct pairs *pairs,
                   struct error *err)
{
    struct merging in = {.doc = doc, .pairs = pairs, .err = err};

    return merge_mapping(&in, mapping, true);
}

void pairs_release(struct pairs *pairs)
{
    free(pairs->items);
    *pairs = (struct pairs){0};
}
