#include "section/scan.h"

#include "base/scope.h"

#include <string.h>
#include <yaml.h>

struct scanning {
    struct scan *found;
    const struct source *source;
    struct error *err;
    size_t tokens, depth, anchors, directives, documents;
    bool inside; /* a document that has begun */
};

static struct place place_of(const struct scanning *in, yaml_mark_t mark)
{
    return (struct place){in->source->file, mark.line + 1, mark.column + 1};
}

static int too_many(const struct scanning *in, yaml_mark_t mark, int limit, const char *what)
{
    return error_at(in->err, place_of(in, mark), "more than %d %s; an environment file needs few",
                    limit, what);
}

static void begin_document(struct scanning *in, yaml_mark_t mark)
{
    in->inside = true;
    if (++in->documents == 2)
        in->found->second = place_of(in, mark);
}

static int take_opening(struct scanning *in, yaml_mark_t mark)
{
    if (++in->depth <= SCAN_DEPTH_LIMIT)
        return 0;
    return error_at(in->err, place_of(in, mark),
                    "lists and mappings are nested deeper than %d levels here; an environment file "
                    "needs three or four",
                    SCAN_DEPTH_LIMIT);
}

static int take_tag(struct scanning *in, yaml_mark_t mark)
{
    struct scan *found = in->found;

    if (found->tag_count == SCAN_TAGS_LIMIT)
        return too_many(in, mark, SCAN_TAGS_LIMIT, "tags (!)");
    found->tags[found->tag_count++] = mark.index;
    return 0;
}

/* libyaml compares each such line with all before it, and copies its text to every tag. */
static int take_directive(struct scanning *in, const yaml_token_t *token)
{
    const char *prefix = (const char *)token->data.tag_directive.prefix;

    if (++in->directives > SCAN_DIRECTIVES_LIMIT || strlen(prefix) > SCAN_PREFIX_LIMIT)
        return error_at(in->err, place_of(in, token->start_mark),
                        "more than %d %%TAG lines, or one of more than %d bytes; an environment "
                        "file needs none",
                        SCAN_DIRECTIVES_LIMIT, SCAN_PREFIX_LIMIT);
    return 0;
}

static int take_content(struct scanning *in, const yaml_token_t *token)
{
    yaml_mark_t mark = token->start_mark;

    if (!in->inside)
        begin_document(in, mark);
    switch (token->type) {
    case YAML_BLOCK_SEQUENCE_START_TOKEN:
    case YAML_BLOCK_MAPPING_START_TOKEN:
    case YAML_FLOW_SEQUENCE_START_TOKEN:
    case YAML_FLOW_MAPPING_START_TOKEN:
        return take_opening(in, mark);
    case YAML_BLOCK_END_TOKEN:
    case YAML_FLOW_SEQUENCE_END_TOKEN:
    case YAML_FLOW_MAPPING_END_TOKEN:
        in->depth -= in->depth > 0;
        return 0;
    case YAML_ANCHOR_TOKEN:
        return ++in->anchors <= SCAN_ANCHORS_LIMIT
                   ? 0
                   : too_many(in, mark, SCAN_ANCHORS_LIMIT, "anchors (&)");
    case YAML_TAG_TOKEN:
        return take_tag(in, mark);
    default:
        return 0;
    }
}

static int take_token(struct scanning *in, const yaml_token_t *token)
{
    if (++in->tokens > SCAN_TOKENS_LIMIT)
        return error_at(in->err, place_of(in, token->start_mark),
                        "more than %d words and signs before this; an environment file has a few "
                        "hundred",
                        SCAN_TOKENS_LIMIT);
    switch (token->type) {
    case YAML_STREAM_START_TOKEN:
    case YAML_STREAM_END_TOKEN:
    case YAML_VERSION_DIRECTIVE_TOKEN:
        return 0;
    case YAML_TAG_DIRECTIVE_TOKEN:
        return take_directive(in, token);
    case YAML_DOCUMENT_START_TOKEN:
        begin_document(in, token->start_mark);
        return 0;
    case YAML_DOCUMENT_END_TOKEN:
        in->inside = false;
        return 0;
    default:
        return take_content(in, token);
    }
}

int scan_tokens(struct scan *scan, const struct source *source, struct error *err)
{
    struct scanning in = {.found = scan, .source = source, .err = err};
    const unsigned char *text = (const unsigned char *)strbuf_text(&source->text);
    scope(yaml_parser_delete) yaml_parser_t parser;

    if (!yaml_parser_initialize(&parser)) {
        memset(&parser, 0, sizeof parser);
        return error_memory(err);
    }
    yaml_parser_set_input_string(&parser, text, source->text.length);
    for (;;) {
        scope(yaml_token_delete) yaml_token_t token;
        if (!yaml_parser_scan(&parser, &token))
            return 0;
        if (take_token(&in, &token) < 0)
            return -1;
        if (token.type == YAML_STREAM_END_TOKEN)
            return 0;
    }
}
