/*
 * A plan for some of its devices only, and which these may be. Pure.
 */
#pragma once

#include "gpu/cards.h"
#include "plan/plan.h"

/* Leaves of the plan's devices those that the list names, in the list's order: items as in
   `gpu.devices`, with commas between them. `option` is what gave the list, for errors: STATUS_INPUT
   where it cannot be read, STATUS_DRIVER where an item is none of the plan's devices, which a table
   behind the error shows. */
int plan_narrow(struct plan *plan, const char *option, const char *list, struct error *err);

/* The same for chosen ones: indexes of the plan's devices, in order. Also for a plan of a section
   without `devices` whose devices were filled in. */
int plan_keep(struct plan *plan, const size_t *chosen, size_t count, struct error *err);

/* Where a section leaves open which devices these are: makes those of the machine the plan's, as
   NVML lists them, which takes a tenth of the time that CUDA takes. They are all whole cards or,
   where each is in MIG mode, all instances, since CUDA shows a process only one of the two kinds.
   They have numbers where CUDA counts as NVML. */
int plan_list_cards(struct plan *plan, const struct card_list *cards, struct error *err);
