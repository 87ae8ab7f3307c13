/*
 * One YAML document with the place of every node, loaded by libyaml, which only this module and
 * scan.h know. All that could cost time or memory beyond the size of the file has a limit.
 *
 *     scope(document_release) struct document doc = {0};
 *     if (document_load(&doc, "environment.yml", text, length, &err) < 0) ...
 *     scope(pairs_release) struct pairs pairs = {0};
 *     if (document_pairs(&doc, document_root(&doc), &pairs, &err) < 0) ...
 *     for (size_t i = 0; i < pairs.count; i++)
 *         ... pairs.items[i].key, pairs.items[i].value ...
 */
#pragma once

#include "base/array.h"
#include "section/scan.h"

enum {
    DOCUMENT_PAIRS_LIMIT = 2000, /* of a mapping that merges others */
    DOCUMENT_MERGED_LIMIT = 100, /* mappings in one */
};

enum node_kind { NODE_TEXT, NODE_LIST, NODE_MAPPING };

struct node; /* libyaml's, in the document */

struct document {
    struct source source;
    struct scan scan;
    struct yaml_document_s *yaml; /* NULL before it is loaded */
};

/* Reads a text that must be exactly one document, a mapping. Text that is none, syntax errors, an
   empty file, a second document and what exceeds a limit are reported with their place. */
int document_load(struct document *doc, const char *file, const char *text, size_t length,
                  struct error *err);

void document_release(struct document *doc);

const struct node *document_root(const struct document *doc);

enum node_kind node_kind(const struct node *node);

/* Bytes of a text, items of a list, or pairs of a mapping as written. */
size_t node_count(const struct node *node);

/* A node may be within itself. */
const struct node *document_item(const struct document *doc, const struct node *list, size_t i);

struct pair {
    const struct node *key, *value;
};

struct pairs array_of(struct pair);

/*
 * The pairs of a mapping: its own, then, for a key `<<` (yaml.org/type/merge), those of the mapping
 * or the list of mappings that it names, but for keys that are there already. Own pairs with the
 * same key are all there.
 */
int document_pairs(const struct document *doc, const struct node *mapping, struct pairs *pairs,
                   struct error *err);
/* Whether one of the first `count` pairs has the same key, a text. */
bool pairs_have(const struct pairs *pairs, size_t count, const struct node *key);
void pairs_release(struct pairs *pairs);

struct place document_place(const struct document *doc, const struct node *node);
/* What stands in the file behind a text, or behind a list or mapping in brackets, such as a
   comment. */
const char *document_behind(const struct document *doc, const struct node *node);

/* The text, NUL-terminated; NULL for lists and mappings. May hold NULs inside. */
const char *node_text(const struct node *node);

/* Without quotes. */
bool node_is_plain(const struct node *node);

/* null, ~ or nothing, without quotes or another tag; or anything with the tag !!null. */
bool document_is_null(const struct document *doc, const struct node *node);

/* The tag of a text that is none of YAML's own for texts, numbers and truth; else NULL. */
const char *node_odd_tag(const struct node *node);

/* For "found ..." in messages: the text in quotes, or "a list", "a mapping", "nothing". */
char *document_shown(const struct document *doc, const struct node *node);

/* After a message about this node: what is odd about its line. Returns -1. */
int document_hint(const struct document *doc, const struct node *node, struct error *err);
