/*
 * One YAML document with the place of every node, made of libyaml's events; with
 * yaml_input.h the only module that knows libyaml. An alias is one more reference to its node, so a
 * file full of aliases costs its own size and no more; and every kind of excess that would cost
 * time or memory beyond the size of the file has a limit, at which reading stops.
 *
 *     scope(document_release) struct document doc = {0};
 *     if (document_load(&doc, "environment.yml", text, length, &err) < 0) ...
 *     const struct node *root = document_root(&doc);
 *     for (size_t i = 0; i < root->count; i++)
 *         ... document_key(&doc, root, i), document_value(&doc, root, i) ...
 *
 * UTF-8 with or without a byte order mark, and UTF-16 with one, are read; so is CRLF.
 */
#ifndef CONDA_GPU_DOCUMENT_H
#define CONDA_GPU_DOCUMENT_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    DOCUMENT_DEPTH_LIMIT = 100,     /* lists and mappings within each other */
    DOCUMENT_NODES_LIMIT = 1000000, /* with aliases */
    DOCUMENT_ANCHORS_LIMIT = 100,
};

enum node_kind { NODE_TEXT, NODE_LIST, NODE_MAPPING };

struct node {
    enum node_kind kind;
    bool plain;            /* a text without quotes */
    uint32_t line, column; /* from 1 */
    uint32_t count;        /* bytes of the text, items of the list or pairs of the mapping */
    uint32_t first;        /* where they begin in the document's `text` or `children` */
};

struct document {
    const char *file;       /* for places; not owned */
    struct strbuf nodes;    /* struct node, the root first */
    struct strbuf children; /* uint32_t: a node's index; of a mapping, key and value by turns */
    struct strbuf text;     /* each text with a NUL behind it */
};

/* Reads a text that must be exactly one document, a mapping. Syntax errors, an empty file, a second
   document and what exceeds a limit are reported with their place. */
int document_load(struct document *doc, const char *file, const char *text, size_t length,
                  struct error *err);

void document_release(struct document *doc);

const struct node *document_root(const struct document *doc);

/* A list's item, a mapping's key and value. A node may be within itself. */
const struct node *document_item(const struct document *doc, const struct node *list, size_t i);
const struct node *document_key(const struct document *doc, const struct node *mapping, size_t i);
const struct node *document_value(const struct document *doc, const struct node *mapping, size_t i);

struct place document_place(const struct document *doc, const struct node *node);

/* The text, NUL-terminated; NULL for lists and mappings. May hold NULs inside: its length is
   node->count. */
const char *document_text(const struct document *doc, const struct node *node);

/* null, ~ or nothing, not in quotes. */
bool document_is_null(const struct document *doc, const struct node *node);

/* For "found …" in messages: the text in quotes, or "a list", "a mapping", "nothing". */
char *document_shown(const struct document *doc, const struct node *node);

#endif
