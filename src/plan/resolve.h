/*
 * From a section to a plan that the driver has confirmed. What apply, exec, export and status
 * share.
 *
 *     scope(resolution_release) struct resolution found = {0};
 *     const struct driver driver = {.timeout = 60};
 *     if (resolve(&found, &section, &driver, &err) < 0) ...
 *     ... found.plan ...
 *
 * The driver is asked twice: for the devices of this machine, among which the section chooses, and
 * then, with the planned values, for what a program will really see. Errors about devices end with
 * a table of those that this machine has.
 */
#ifndef CONDA_GPU_RESOLVE_H
#define CONDA_GPU_RESOLVE_H

#include "gpu/inventory.h"
#include "plan/plan.h"

/* Whom to ask, and how. */
struct driver {
    const char *library; /* NULL: libcuda.so.1 where it usually is */
    unsigned timeout;    /* seconds, for each question */
    bool in_job;         /* asked from within a scheduler's job, which may hide GPUs */
};

struct resolution {
    struct plan plan;
    struct inventory machine; /* all devices of this machine; none where the driver was not asked */
    struct error absent;      /* why there is no GPU here, where the plan was made without one;
                                 machine.absent is not set if a driver is there that fails */
};

/* STATUS_INPUT where the section is wrong, STATUS_DRIVER where a device or the driver is missing.
 */
int resolve(struct resolution *resolution, const struct section *section,
            const struct driver *driver, struct error *err);

void resolution_release(struct resolution *resolution);

#endif
