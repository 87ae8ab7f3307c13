/*
 * ${gpu.NAME} in the values of a plan's variables, replaced by what is known of its devices:
 *
 *     uuids   their whole UUIDs, in the order in which programs number them, a comma between
 *     count   how many they are
 *     pci     their PCI addresses, as uuids; of a MIG instance that of its card
 *     egl     the number by which EGL knows the first of them
 *
 * With no device at all (`devices: none`, and `if_no_gpu: cpu` where there is no GPU) the first
 * three are "", 0 and "". Where nothing is known of the devices, a value that asks for them is an
 * error with its place: without `devices`, with `devices: all`, which leaves them open, and where
 * no driver has confirmed them.
 *
 * EGL is asked twice: with every GPU visible, where ordinals cannot be mistaken, and with the
 * planned CUDA_VISIBLE_DEVICES; the number must be that of the same GPU both times.
 */
#pragma once

#include "gpu/inventory.h"
#include "gpu/renderers.h"
#include "plan/plan.h"

/* Whom to ask, and how. */
struct driver {
    const char *library;         /* NULL: libcuda.so.1 where it usually is */
    unsigned timeout;            /* seconds, for each question */
    bool in_job;                 /* asked from within a scheduler's job, which may hide GPUs */
    struct inventory *inventory; /* not NULL: instead of asking, the machine's devices are taken out
                                    of it, and nothing is confirmed */
};

/* With this CUDA_VISIBLE_DEVICES; NULL: with every GPU visible. */
struct question driver_question(const struct driver *driver, const char *visible);

/* What was answered about EGL; of another machine, which is in an inventory, it cannot be asked. */
struct derivation {
    const struct driver *driver;
    struct array_of(struct derivation_answer) answers;
};

struct derivation_answer {
    char *visible; /* NULL: every GPU */
    struct renderers list;
};

/* After the plan is confirmed. `section`: the one that it was made of, for the places. */
int derive(struct plan *plan, const struct section *section, struct derivation *derivation,
           struct error *err);

void derivation_release(struct derivation *derivation);
