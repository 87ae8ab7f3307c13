/*
 * `conda-gpu exec --free N`: cards of the plan that nobody uses, leased for the command.
 *
 *     scope(free_cards_release) struct free_cards cards = {0};
 *     if (free_cards_take(&cards, &plan, options, &err) < 0) ...     // STATUS_TAKEN
 *     ... the plan has only these devices now ...
 *     free_cards_put(&plan, &env), free_cards_hand_on(&cards, &err), execve
 */
#pragma once

#include "base/env.h"
#include "cli/options.h"
#include "gpu/claim.h"
#include "plan/plan.h"

struct free_cards {
    const struct plan *plan; /* with the whole pool, while cards are claimed */
    const struct options *options;
    struct names uuids; /* of the pool */
    struct claim claim;
};

/* Leases N of the plan's devices, of a plan that has none N of all that the machine has, and leaves
   only those in the plan. */
int free_cards_take(struct free_cards *cards, struct plan *plan, const struct options *options,
                    struct error *err);

/* Sets what a scheduler would set: the two variables of CUDA, and CONDA_GPU_LEASE, by which the
   hooks know that they stand. Makes the plan one that lets them stand, and says so where its hooks
   do not. */
void free_cards_put(struct plan *plan, struct env *env);

/* What is executed from now on has the leases. */
int free_cards_hand_on(struct free_cards *cards, struct error *err);

void free_cards_release(struct free_cards *cards);
