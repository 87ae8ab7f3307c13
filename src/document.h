/*
 * One YAML document with the place of every node: the only module, with config, that knows libyaml.
 * libyaml keeps nodes in one array and aliases as further references to the same node, so a file
 * full of aliases costs its own size and no more.
 *
 *     scope(document_release) struct document doc = {0};
 *     if (document_load(&doc, "environment.yml", text, length, &err) < 0) ...
 *     const yaml_node_t *root = yaml_document_get_root_node(&doc.yaml);
 *
 * UTF-8 with or without a byte order mark, and UTF-16 with one, are read; so is CRLF.
 */
#ifndef CONDA_GPU_DOCUMENT_H
#define CONDA_GPU_DOCUMENT_H

#include "error.h"

#include <stdbool.h>
#include <yaml.h>

enum { DOCUMENT_LIMIT = 16 << 20 }; /* bytes */

struct document {
    yaml_document_t yaml;
    const char *file; /* for places; not owned */
    bool live;
};

/* Reads a text that must be exactly one document, a mapping. Syntax errors, an empty file and a
   second document are reported with their place. */
int document_load(struct document *doc, const char *file, const char *text, size_t length,
                  struct error *err);

/* The same for an open file, which is read as libyaml wants it, so that its text need not be held
   beside the document. More than DOCUMENT_LIMIT bytes are an error. */
int document_read(struct document *doc, const char *file, int fd, struct error *err);

void document_release(struct document *doc);

const yaml_node_t *document_node(const struct document *doc, int index);

struct place document_place(const struct document *doc, const yaml_node_t *node);

/* The scalar's text, NUL-terminated; NULL for sequences and mappings. May hold NULs inside. */
const char *node_text(const yaml_node_t *node);

/* null, ~ or nothing, not in quotes. */
bool node_is_null(const yaml_node_t *node);

/* For "found …" in messages: the text in quotes, or "a list", "a mapping", "nothing". */
char *node_shown(const yaml_node_t *node);

#endif
