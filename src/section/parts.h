/*
 * The readers of the `gpu:` section and of its two large keys, each in a file of its own.
 */
#ifndef CONDA_GPU_CONFIG_PARTS_H
#define CONDA_GPU_CONFIG_PARTS_H

#include "section/keys.h"

/* What messages say of gpu.devices. */
#define ITEM_ACCEPTED                                                                              \
    "a number as in nvidia-smi, a range such as 0-3, GPU-..., a whole MIG-..., a PCI bus ID such " \
    "as 65:00.0, all, none, or {name: ..., min_memory: ..., min_compute: ..., count: ...}"
#define DEVICES_ACCEPTED ITEM_ACCEPTED ", or a list of these, such as [1, 3]"

/* Read the values of gpu.devices and gpu.variables into the section. */
read_value section_devices, section_variables;

/* Reads the section itself; with_name: it is the top level of gpu.yml, where `name` stands too. */
int section_keys(const struct reading *in, const struct node *node, bool with_name);

#endif
