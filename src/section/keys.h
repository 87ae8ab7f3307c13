/*
 * Reading the mappings of a file key by key, each by a function of its own, so that every mistake
 * in them is told in one run.
 *
 *     static const struct key keys[] = {{"devices", read_devices, false}, ...};
 *     keys_read(&in, node, "a mapping such as {devices: 0}", keys, count, section);
 */
#pragma once

#include "section/document.h"

enum {
    KEYS_VALUE_LIMIT = 120000, /* bytes; Linux allows 131,071 for NAME=VALUE (execve(2)) */
    KEYS_ERRORS_LIMIT = 50,    /* lines about one file, then no further ones are looked for */
};

struct section;

/* What every reader of a value gets. `path` is the key as messages name it: "gpu.devices". */
struct reading {
    struct section *section;
    const struct document *doc;
    struct error *err;
    const char *path;
};

typedef int read_value(const struct reading *in, const struct node *value, void *target);

struct key {
    const char *name;
    read_value *read;
    bool hidden; /* read only for its message, and not suggested */
};

/* True when KEYS_ERRORS_LIMIT is reached. */
bool keys_is_enough(const struct error *err);

/* "PATH: found ...; accepted: ...", with the node's place. */
int keys_wrong(const struct reading *in, const struct node *node, const char *accepted);

/* The same, but with advice in place of what is accepted, if there is any: "write none". */
int keys_wrong_but(const struct reading *in, const struct node *node, const char *advice,
                   const char *accepted);

/* A scalar that is not null, holds no NUL and is not too long; else NULL, and it is told. */
const char *keys_text(const struct reading *in, const struct node *node, const char *accepted);

/* One of a few words, of which the last is followed by NULL; its index, or -1. */
int keys_word(const struct reading *in, const struct node *node, const char *const words[],
              const char *accepted);

/* True when a pair before this one has the same key, a text. */
bool keys_is_repeated(const struct pairs *pairs, size_t pair);

/* Reads each key of a mapping by its own function, and goes on after an error to find them all. */
int keys_read(const struct reading *in, const struct node *node, const char *accepted,
              const struct key *keys, size_t count, void *target);
