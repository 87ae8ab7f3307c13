/*
 * Reading the mappings of a file key by key, each by a function of its own, so that every mistake
 * in them is told in one run: what the readers of config.c share.
 *
 *     static const struct key keys[] = {{"devices", config_devices, false}, ...};
 *     reading_keys(&in, node, "a mapping such as {devices: 0}", keys, count, config);
 */
#ifndef CONDA_GPU_READING_H
#define CONDA_GPU_READING_H

#include "config.h"
#include "document.h"

/* What every reader of a value gets. `path` is the key as messages name it: "gpu.devices". */
struct reading {
    struct config *config;
    const struct document *doc;
    struct error *err;
    const char *path;
};

typedef int read_value(const struct reading *in, const struct node *value, void *target);

struct key {
    const char *name;
    read_value *read;
    bool hidden; /* read for its message alone, so nobody is told to write it */
};

/* No more errors than these are told of one file. */
bool reading_is_enough(const struct error *err);

/* "PATH: found ...; accepted: ...", with the node's place. */
int reading_wrong(const struct reading *in, const struct node *node, const char *accepted);

/* A scalar that is not null, holds no NUL and is not too long; else NULL, and it is told. */
const char *reading_text(const struct reading *in, const struct node *node, const char *accepted);

/* One of a few words; *target is an enum whose values are the words' indices. */
int reading_word(const struct reading *in, const struct node *node, const char *const words[2],
                 const char *accepted, int *target);

/* True when a pair of the mapping before this one has the same key. */
bool reading_is_repeated(const struct document *doc, const struct node *mapping, size_t pair);

/* Reads each key of a mapping by its own function, and goes on after an error to find them all. */
int reading_keys(const struct reading *in, const struct node *node, const char *accepted,
                 const struct key *keys, size_t count, void *target);

/* What messages say of gpu.devices. */
#define ITEM_ACCEPTED                                                                              \
    "a number as in nvidia-smi, a range such as 0-3, GPU-..., a whole MIG-..., a PCI bus ID such " \
    "as 65:00.0, all, none, or {name: ..., min_memory: ..., min_compute: ..., count: ...}"
#define DEVICES_ACCEPTED ITEM_ACCEPTED ", or a list of these, such as [1, 3]"

/* Read the values of gpu.devices and gpu.variables into the config. */
read_value config_devices, config_variables;

#endif
