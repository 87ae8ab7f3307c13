/*
 * What an environment is to do: one list of variables, from which activation and deactivation are
 * both written, and the devices behind it. Pure.
 *
 *     scope(plan_release) struct plan plan = {0};
 *     plan_make(&plan, &section, &selection, &err);
 *     ... ask the driver with plan_visible(&plan) and PLAN_ORDER ...
 *     plan_confirm(&plan, &selection, &seen, &err);
 */
#ifndef CONDA_GPU_PLAN_H
#define CONDA_GPU_PLAN_H

#include "plan/select.h"

#define PLAN_ORDER  "PCI_BUS_ID" /* what CUDA_DEVICE_ORDER is always set to */
#define PLAN_NO_GPU "-1"         /* CUDA_VISIBLE_DEVICES that hides every GPU */

#define PLAN_NO_NUMBER SIZE_MAX

struct planned_device {
    size_t number; /* nvidia-smi's; PLAN_NO_NUMBER for a MIG instance, and where any GPU is in MIG
                      mode */
    struct device device;
};

struct plan {
    struct var_list variables; /* CUDA_DEVICE_ORDER and CUDA_VISIBLE_DEVICES first */
    enum in_job in_job;        /* for CUDA_VISIBLE_DEVICES; always override for `devices: none` */
    struct planned_device *devices; /* in CUDA's order; none before plan_confirm */
    size_t device_count;
};

/* For a selection of at least one device. */
int plan_make(struct plan *plan, const struct section *section, const struct selection *selection,
              struct error *err);

/* For no GPU: as `devices: none` asks, which holds in every job, or as `if_no_gpu: cpu` does on a
   machine without one, where in_job holds as written. */
int plan_make_cpu(struct plan *plan, const struct section *section, struct error *err);

/* The planned value of CUDA_VISIBLE_DEVICES. */
const char *plan_visible(const struct plan *plan);

/* Compares what the driver shows under the planned values with what was selected: the same UUIDs in
   the same order. On success they are the plan's devices; otherwise both lists are in the error. */
int plan_confirm(struct plan *plan, const struct selection *selection,
                 const struct device_list *seen, struct error *err);

void plan_release(struct plan *plan);

#endif
