/*
 * A plan for some of its devices only. Pure.
 */
#ifndef CONDA_GPU_NARROW_H
#define CONDA_GPU_NARROW_H

#include "plan/plan.h"

/* Leaves of the plan's devices those that the list names, in the list's order: items as in
   `gpu.devices`, with commas between them. `option` is what gave the list, for errors: STATUS_INPUT
   where it cannot be read, STATUS_DRIVER where an item is none of the plan's devices, which a table
   behind the error shows. */
int plan_narrow(struct plan *plan, const char *option, const char *list, struct error *err);

#endif
