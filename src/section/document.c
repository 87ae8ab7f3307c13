#include "section/document.h"

#include "base/scope.h"
#include "section/yaml_input.h"

#include <string.h>

static void parser_release(yaml_parser_t *parser)
{
    yaml_parser_delete(parser);
}

struct anchor {
    uint32_t name; /* where it is in the document's text */
    uint32_t node;
};

/* A list or mapping whose end has not come yet. */
struct open_node {
    uint32_t node;
    size_t first; /* its first child in `pending`, in bytes */
};

struct composing {
    yaml_parser_t *parser;
    struct yaml_input *input;
    struct document *doc;
    struct error *err;
    struct open_node open[DOCUMENT_DEPTH_LIMIT];
    size_t depth;
    struct strbuf pending; /* children of what is open, as in the document */
    struct strbuf anchors;
    size_t references; /* nodes and aliases */
};

static void event_release(yaml_event_t *event)
{
    yaml_event_delete(event);
}

static void composing_release(struct composing *in)
{
    strbuf_release(&in->pending);
    strbuf_release(&in->anchors);
}

static struct node *nodes_of(const struct document *doc)
{
    return (struct node *)(void *)doc->nodes.text;
}

static uint32_t add_text(struct composing *in, const void *text, size_t length)
{
    size_t first = in->doc->text.length;

    strbuf_add(&in->doc->text, text, length);
    strbuf_addc(&in->doc->text, '\0');
    return (uint32_t)first;
}

/* Makes a node the next child of what is open. */
static int refer(struct composing *in, uint32_t node, yaml_mark_t mark)
{
    strbuf_add(&in->pending, &node, sizeof node);
    if (++in->references <= DOCUMENT_NODES_LIMIT)
        return 0;
    return error_at(in->err, yaml_input_place(in->input, mark),
                    "more than %d values before this; an environment file has a few hundred",
                    DOCUMENT_NODES_LIMIT);
}

static int add_anchor(struct composing *in, const yaml_char_t *name, uint32_t node,
                      yaml_mark_t mark)
{
    if (!name)
        return 0;
    const struct anchor anchor = {add_text(in, name, strlen((const char *)name)), node};
    strbuf_add(&in->anchors, &anchor, sizeof anchor);
    if (in->anchors.length / sizeof anchor <= DOCUMENT_ANCHORS_LIMIT)
        return 0;
    return error_at(in->err, yaml_input_place(in->input, mark),
                    "more than %d anchors; an environment file needs few", DOCUMENT_ANCHORS_LIMIT);
}

static int add_node(struct composing *in, const struct node *node, const yaml_char_t *anchor,
                    yaml_mark_t mark)
{
    uint32_t index = (uint32_t)(in->doc->nodes.length / sizeof *node);

    strbuf_add(&in->doc->nodes, node, sizeof *node);
    return add_anchor(in, anchor, index, mark) < 0 ? -1 : refer(in, index, mark);
}

static struct node node_at(enum node_kind kind, yaml_mark_t mark)
{
    return (struct node){
        .kind = kind, .line = (uint32_t)mark.line + 1, .column = (uint32_t)mark.column + 1};
}

static int add_scalar(struct composing *in, const yaml_event_t *event)
{
    struct node node = node_at(NODE_TEXT, event->start_mark);

    node.plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    node.count = (uint32_t)event->data.scalar.length;
    node.first = add_text(in, event->data.scalar.value, event->data.scalar.length);
    return add_node(in, &node, event->data.scalar.anchor, event->start_mark);
}

static int begin(struct composing *in, enum node_kind kind, const yaml_char_t *anchor,
                 yaml_mark_t mark)
{
    const struct node node = node_at(kind, mark);

    if (in->depth == DOCUMENT_DEPTH_LIMIT)
        return error_at(in->err, yaml_input_place(in->input, mark),
                        "lists and mappings are nested deeper than %d levels here; an environment "
                        "file needs three or four",
                        DOCUMENT_DEPTH_LIMIT);
    in->open[in->depth].node = (uint32_t)(in->doc->nodes.length / sizeof node);
    if (add_node(in, &node, anchor, mark) < 0)
        return -1;
    in->open[in->depth++].first = in->pending.length;
    return 0;
}

/* All children are known: they move to the document, and leave what is open around them. */
static void end(struct composing *in)
{
    if (!in->depth)
        return; /* never: libyaml ends nothing that it did not begin */
    const struct open_node *open = &in->open[--in->depth];
    struct document *doc = in->doc;
    struct node *node = &nodes_of(doc)[open->node];
    size_t length = in->pending.length - open->first;

    node->first = (uint32_t)(doc->children.length / sizeof(uint32_t));
    node->count = (uint32_t)(length / sizeof(uint32_t) / (node->kind == NODE_MAPPING ? 2 : 1));
    strbuf_add(&doc->children, strbuf_text(&in->pending) + open->first, length);
    in->pending.length = open->first;
}

static int add_alias(struct composing *in, const yaml_event_t *event)
{
    const struct anchor *anchors = (const struct anchor *)(const void *)in->anchors.text;
    const char *name = (const char *)event->data.alias.anchor;

    for (size_t i = in->anchors.length / sizeof *anchors; i-- > 0;)
        if (strcmp(in->doc->text.text + anchors[i].name, name) == 0)
            return refer(in, anchors[i].node, event->start_mark);
    return error_at(in->err, yaml_input_place(in->input, event->start_mark),
                    "not YAML: found undefined alias; mend this line or the one before it");
}

static int check_tags(struct composing *in, const yaml_event_t *event)
{
    if (event->data.document_start.tag_directives.end -
            event->data.document_start.tag_directives.start <=
        YAML_INPUT_TAGS_LIMIT)
        return 0;
    return yaml_input_report_tags(in->input, event->end_mark, in->err);
}

static int add_event(struct composing *in, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        return check_tags(in, event);
    case YAML_SCALAR_EVENT:
        return add_scalar(in, event);
    case YAML_SEQUENCE_START_EVENT:
        return begin(in, NODE_LIST, event->data.sequence_start.anchor, event->start_mark);
    case YAML_MAPPING_START_EVENT:
        return begin(in, NODE_MAPPING, event->data.mapping_start.anchor, event->start_mark);
    case YAML_ALIAS_EVENT:
        return add_alias(in, event);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        end(in);
        return 0;
    default:
        return 0;
    }
}

/* Takes events up to the end of the document, or of a file without one. */
static int compose(struct composing *in)
{
    const struct document *doc = in->doc;

    for (;;) {
        scope(event_release) yaml_event_t event;
        if (!yaml_parser_parse(in->parser, &event))
            return yaml_input_report(in->input, in->err);
        if (add_event(in, &event) < 0)
            return -1;
        if (doc->nodes.failed || doc->children.failed || doc->text.failed || in->pending.failed ||
            in->anchors.failed)
            return error_memory(in->err);
        if (event.type == YAML_DOCUMENT_END_EVENT || event.type == YAML_STREAM_END_EVENT)
            return 0;
    }
}

static int check_mapping(const struct document *doc, struct error *err)
{
    if (!doc->nodes.length)
        return error_at(err, (struct place){.file = doc->file},
                        "the file is empty; an environment file is a mapping such as 'name: pt'");
    const struct node *root = document_root(doc);
    if (root->kind == NODE_MAPPING)
        return 0;
    scope(free_text) char *shown = document_shown(doc, root);
    if (!shown)
        return error_memory(err);
    return error_at(err, document_place(doc, root),
                    "found %s where the file should be a mapping such as 'name: pt'", shown);
}

static int check_single(struct composing *in)
{
    scope(event_release) yaml_event_t event;

    if (!yaml_parser_parse(in->parser, &event))
        return yaml_input_report(in->input, in->err);
    if (event.type != YAML_DOCUMENT_START_EVENT)
        return 0;
    return error_at(in->err, (struct place){in->input->file, event.start_mark.line + 1, 1},
                    "a second YAML document begins here, and conda reads only one; remove "
                    "the '---' or put the rest into a file of its own");
}

int document_load(struct document *doc, const char *file, const char *text, size_t length,
                  struct error *err)
{
    struct yaml_input input = {.file = file, .text = text, .length = length};
    scope(parser_release) yaml_parser_t parser;
    scope(document_release) struct document loaded = {.file = file};
    scope(composing_release) struct composing in = {
        .parser = &parser, .input = &input, .doc = &loaded, .err = err};

    if (!yaml_parser_initialize(&parser)) {
        memset(&parser, 0, sizeof parser);
        return error_memory(err);
    }
    yaml_input_open(&input, &parser);
    if (compose(&in) < 0 || check_mapping(&loaded, err) < 0 || check_single(&in) < 0)
        return -1;
    *doc = loaded;
    loaded = (struct document){0};
    return 0;
}

void document_release(struct document *doc)
{
    strbuf_release(&doc->nodes);
    strbuf_release(&doc->children);
    strbuf_release(&doc->text);
}

const struct node *document_root(const struct document *doc)
{
    return nodes_of(doc);
}

const struct node *document_item(const struct document *doc, const struct node *list, size_t i)
{
    const uint32_t *children = (const uint32_t *)(const void *)doc->children.text;

    return &nodes_of(doc)[children[list->first + i]];
}

const struct node *document_key(const struct document *doc, const struct node *mapping, size_t i)
{
    return document_item(doc, mapping, 2 * i);
}

const struct node *document_value(const struct document *doc, const struct node *mapping, size_t i)
{
    return document_item(doc, mapping, 2 * i + 1);
}

struct place document_place(const struct document *doc, const struct node *node)
{
    return (struct place){doc->file, node->line, node->column};
}

const char *document_text(const struct document *doc, const struct node *node)
{
    return node->kind == NODE_TEXT ? doc->text.text + node->first : NULL;
}

bool document_is_null(const struct document *doc, const struct node *node)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};

    if (node->kind != NODE_TEXT || !node->plain)
        return false;
    for (size_t i = 0; i < sizeof nulls / sizeof *nulls; i++)
        if (strcmp(document_text(doc, node), nulls[i]) == 0)
            return true;
    return false;
}

char *document_shown(const struct document *doc, const struct node *node)
{
    enum { MOST_SHOWN = 60 };

    if (node->kind == NODE_LIST)
        return format_text("a list");
    if (node->kind == NODE_MAPPING)
        return format_text("a mapping");
    if (document_is_null(doc, node))
        return format_text("nothing");
    return format_text("'%.*s'%s", (int)(node->count < MOST_SHOWN ? node->count : MOST_SHOWN),
                       document_text(doc, node), node->count <= MOST_SHOWN ? "" : "...");
}
