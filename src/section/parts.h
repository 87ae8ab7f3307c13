/*
 * The readers of the `gpu:` section and of its two large keys, each in a file of its own.
 */
#pragma once

#include "section/keys.h"

/* What messages say of gpu.devices. */
#define ITEM_ACCEPTED                                                                              \
    "a number as in nvidia-smi, a range such as 0-3, GPU-..., a whole MIG-..., a PCI bus ID such " \
    "as 65:00.0, all, none, or {name: ..., mig: ..., min_memory: ..., min_compute: ..., count: "   \
    "...}"
#define DEVICES_ACCEPTED ITEM_ACCEPTED ", or a list of these, such as [1, 3]"

/* Read the values of these keys into the section. */
read_value section_devices, section_variables, section_assign;
read_value section_ids, section_if_no_gpu, section_in_job, section_if_set;

/* The keys that a section has and a rule may replace, for a table of `struct key`. */
#define SECTION_KEYS                                                                               \
    {"devices", section_devices, NULL, 0}, {"ids", section_ids, "index or uuid", 0},               \
        {"if_no_gpu", section_if_no_gpu, "error, cpu or unconfirmed", 0},                          \
        {"in_job", section_in_job, "keep or override", 0},                                         \
        {"if_set", section_if_set, "override or keep", 0},                                         \
    {                                                                                              \
        "variables", section_variables, NULL, 0                                                    \
    }

/* Reads the section itself; with_name: it is the top level of gpu.yml, where `name` stands too. */
int section_keys(const struct reading *in, const struct node *node, bool with_name);
