/*
 * Reading the mappings of a file key by key, each by a function of its own, so that every mistake
 * in them is told in one run.
 *
 *     static const struct key keys[] = {{"devices", read_devices, NULL, 0}, ...};
 *     keys_read(&in, node, "a mapping such as {devices: 0}", keys, count, section);
 */
#pragma once

#include "section/document.h"

enum {
    KEYS_VALUE_LIMIT = 120000, /* bytes; Linux allows 131,071 for NAME=VALUE (execve(2)) */
    KEYS_ERRORS_LIMIT = 50,    /* lines about one file, then no further ones are looked for */
};

struct section;

/* What every reader of a value gets. */
struct reading {
    struct section *section;
    const struct document *doc;
    struct error *err;
    const char *path;            /* the key as messages name it: "gpu.devices" */
    void *target;                /* the key's member of what keys_read was given */
    const char *accepted, *text; /* of a key whose value is a text; else NULL */
};

/* -1 if the value is wrong. */
typedef int read_value(const struct reading *in, const struct node *value);

struct key {
    const char *name;
    read_value *read;     /* NULL: it must be a text, no more, and is not suggested */
    const char *accepted; /* the value must be a text, such as this says; NULL: it need not */
    size_t offset;        /* of the member that the value is for */
};

/* True when KEYS_ERRORS_LIMIT is reached. */
bool keys_is_enough(const struct error *err);

/* "PATH: ", what the format says, and the node's place. Returns -1. */
int keys_error(const struct reading *in, const struct node *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* "PATH: found ...; accepted: ...", with the node's place. */
int keys_wrong(const struct reading *in, const struct node *node, const char *accepted);

/* The same, but with advice in place of what is accepted, if there is any: "write none". */
int keys_wrong_but(const struct reading *in, const struct node *node, const char *advice,
                   const char *accepted);

/* A scalar that is not null, holds no NUL and is not too long; else NULL, and it is told. */
const char *keys_text(const struct reading *in, const struct node *node, const char *accepted);

/* Reads each key of a mapping by its own function, and goes on after an error to find them all. */
int keys_read(const struct reading *in, const struct node *node, const char *accepted,
              const struct key *keys, size_t count, void *target);
