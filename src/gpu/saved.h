/*
 * An inventory in the form in which a file has it, and its schema: for stock.h.
 */
#pragma once

#include "base/record.h"
#include "gpu/inventory.h"

enum { COMPUTE_SIZE = 16 };

/* A device, an instance that CUDA may not show, or a card that it does not show. */
struct saved_device {
    uint32_t number;
    char uuid[UUID_TEXT_SIZE]; /* "" for a card that NVML cannot describe, as the next two */
    char address[PCI_TEXT_SIZE];
    char name[DEVICE_NAME_SIZE];
    uint64_t memory;
    char compute[COMPUTE_SIZE];
    enum hidden why;
    char reason[HIDDEN_REASON_SIZE];
};

struct saved {
    unsigned format;
    char *host;
    unsigned driver_version;
    bool numbered;
    char *unseen; /* NULL: nothing is */
    char *untold; /* NULL: NVML has told */
    struct saved_device *devices, *instances, *hidden;
    unsigned devices_count, instances_count, hidden_count;
};

extern const cyaml_schema_value_t saved_value;

/* The form of a machine's inventory. NULL if memory ran out. */
struct saved *saved_make(const char *host, const struct inventory *inventory);

/* For what that or record_load returned, or NULL. */
void saved_free(struct saved **saved);
