/*
 * One item of `gpu.devices`: which devices it asks for. The grammar, in text:
 *
 *     1                   the GPU that nvidia-smi numbers 1 (PCI bus order)
 *     0-3                 that range, both ends included
 *     GPU-8932f937        the GPU whose UUID begins so; at least one digit
 *     MIG-…               the MIG instance with this UUID, whole
 *     0000:65:00.0        the GPU at this PCI bus ID; also 65:00.0
 *     all, none
 *
 * and, as a YAML mapping that section reads key by key, a filter on name, memory and compute
 * capability of GPUs or, with `mig`, of MIG instances with this profile.
 */
#pragma once

#include "base/error.h"
#include "gpu/device.h"

enum item_kind {
    ITEM_RANGE,
    ITEM_UUID,
    ITEM_MIG,
    ITEM_PCI,
    ITEM_ALL,
    ITEM_NONE,
    ITEM_FILTER,
};

struct item {
    enum item_kind kind;
    struct place place;
    char *text;          /* as written, for messages; owned */
    unsigned long first; /* RANGE: a number alone is both */
    unsigned long last;
    struct pci_address pci;
    char *name;          /* FILTER: a glob, or NULL; owned */
    char *mig;           /* FILTER: a glob for the profile of an instance, or NULL; owned */
    uint64_t min_memory; /* bytes, 0: any */
    int min_major, min_minor;
    unsigned long count; /* 0: all that match */
};

/* Reads all but filters. 0, or -1 when the text is no item; then *item is untouched. For UUID and
   MIG the text itself is the value. The caller sets text and place. */
int item_parse(const char *text, struct item *item);

/* "40GiB", "1.5 GB": MB and GB are powers of 1000, MiB and GiB of 1024. False for other text and
   for 0. */
bool size_parse(const char *text, uint64_t *bytes);

/* "8.0", or "8" for 8.0. False for "80", which is the 8.0 of sm_80. */
bool compute_parse(const char *text, int *major, int *minor);

/* A whole number without sign, up to 999,999,999. */
bool number_parse(const char *text, unsigned long *number);

void item_release(struct item *item);
