/*
 * The devices of this machine: those that CUDA lists, and what only NVML can add to them.
 *
 *     scope(child_end) struct child nvml = CHILD_INIT;
 *     if (machine_ask(&nvml, &question, &err) < 0) ...
 *     ... inventory_read(&machine, ...), which takes longer ...
 *     if (machine_complete(&machine, &nvml, &err) < 0) ...
 *
 * or, all of this: machine_read(&machine, &question, &err).
 *
 * NVML gives the numbers that nvidia-smi shows, all MIG instances with their profiles, and the
 * cards that CUDA does not show. Without it the devices stay numbered as they are listed, in PCI
 * order.
 */
#pragma once

#include "gpu/inventory.h"

/* Starts the question. That it cannot be asked is said by machine_complete; -1 if memory ran out.
 */
int machine_ask(struct child *child, const struct question *question, struct error *err);

/* Fills `untold`, or `instances`, `hidden` and the devices' numbers; `numbered` where NVML knows
   all of them. -1 if memory ran out. */
int machine_complete(struct inventory *machine, struct child *child, struct error *err);

/* Both, for all devices: as inventory_read. */
int machine_read(struct inventory *machine, const struct question *question, struct error *err);

/* All that there is to show of a machine, for a table: whole GPUs by address, also hidden ones,
   each with its instances behind it. malloc'ed, or NULL without memory. */
const struct device **machine_rows(const struct device_list *list, size_t *count);
