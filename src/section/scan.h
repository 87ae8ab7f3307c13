/*
 * A look at a text's YAML tokens before libyaml makes a document of them: whatever would cost time
 * or memory beyond the size of the file has a limit here, and what libyaml's document does not keep
 * is noted. For document.c.
 */
#pragma once

#include "section/source.h"

enum {
    SCAN_DEPTH_LIMIT = 100,     /* lists and mappings within each other */
    SCAN_TOKENS_LIMIT = 500000, /* "a: b" has four */
    SCAN_ANCHORS_LIMIT = 100,
    SCAN_TAGS_LIMIT = 100,
    SCAN_DIRECTIVES_LIMIT = 100, /* %TAG lines */
    SCAN_PREFIX_LIMIT = 1000,    /* bytes that a %TAG line puts before each tag */
};

struct scan {
    size_t tags[SCAN_TAGS_LIMIT]; /* where they stand, in characters */
    size_t tag_count;
    struct place second; /* where a second document begins; line 0: there is none */
};

/* A text that is no YAML is no error: loading it will say why. */
int scan_tokens(struct scan *scan, const struct source *source, struct error *err);
