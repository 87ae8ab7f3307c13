/*
 * The devices that a plan has to choose from where its section leaves that open: all of the
 * machine, as NVML lists them, which takes a tenth of the time that CUDA takes. Pure.
 */
#pragma once

#include "gpu/cards.h"
#include "plan/plan.h"

/* Makes them the plan's devices: all whole cards or, where each is in MIG mode, all instances,
   since CUDA shows a process only one of the two kinds. They have numbers where CUDA counts as
   NVML. */
int pool_fill(struct plan *plan, const struct card_list *cards, struct error *err);
