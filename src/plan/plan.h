/*
 * What an environment is to do: one list of variables, from which activation and deactivation are
 * both written, and the devices behind it. Pure.
 *
 *     scope(plan_release) struct plan plan = {0};
 *     plan_make(&plan, &section, &selection, &err);
 *     ... ask the driver with plan_visible(&plan) and PLAN_ORDER ...
 *     plan_confirm(&plan, &selection, &seen, &err);
 */
#pragma once

#include "plan/select.h"

#define PLAN_ORDER  "PCI_BUS_ID" /* what CUDA_DEVICE_ORDER is always set to */
#define PLAN_NO_GPU "-1"         /* CUDA_VISIBLE_DEVICES that hides every GPU */

#define PLAN_NO_NUMBER SELECT_NO_NUMBER

struct planned_device {
    size_t number; /* nvidia-smi's; PLAN_NO_NUMBER for a MIG instance, and where it is not known */
    struct device device;
    char uuid[UUID_TEXT_SIZE]; /* these three are filled in a receipt only, see conda/receipt.h */
    char address[PCI_TEXT_SIZE];
    unsigned compute; /* 80 is 8.0 */
};

struct planned_devices array_of(struct planned_device);

/* Which GPUs a program will see. */
enum plan_gpus {
    PLAN_GPUS_AS_BEFORE, /* no `devices`: neither of the two variables is in the plan */
    PLAN_GPUS_ALL,       /* CUDA_VISIBLE_DEVICES is unset */
    PLAN_GPUS_NONE,      /* CUDA_VISIBLE_DEVICES is PLAN_NO_GPU */
    PLAN_GPUS_CHOSEN,
};

struct plan {
    struct var_list variables; /* CUDA_DEVICE_ORDER and CUDA_VISIBLE_DEVICES first */
    enum plan_gpus gpus;
    enum in_job in_job; /* for CUDA_VISIBLE_DEVICES; always override for `devices: none` */
    enum if_set if_set; /* the same outside of jobs */
    bool unconfirmed; /* no driver has seen the numbers or UUIDs of the file; if there are devices,
                         an inventory has them */
    struct planned_devices devices; /* what a program will see, in CUDA's order, if a driver told */
};

struct plans array_of(struct plan);

/* Whom one of several plans serves. */
struct share {
    unsigned line;      /* of the rule in the section's file; 0: the section's own keys */
    struct names users; /* names or patterns, as in section/rules.h; none: everybody */
    unsigned plan;      /* an index */
};

struct shares array_of(struct share); /* in order; the last one has no users */

/* The first that fits this user. */
const struct share *shares_find(const struct shares *shares, const char *user);

/* For devices that are chosen, at least one. The plan is unconfirmed until plan_confirm. */
int plan_make(struct plan *plan, const struct section *section, const struct selection *selection,
              struct error *err);

/* For what no device must be chosen for: all but PLAN_GPUS_CHOSEN. `devices: none` holds whatever
   was set before; PLAN_GPUS_NONE as `if_no_gpu: cpu` asks for it follows in_job and if_set. */
int plan_make_plain(struct plan *plan, const struct section *section, enum plan_gpus gpus,
                    struct error *err);

/* The planned value of CUDA_VISIBLE_DEVICES; NULL where it is unset or not in the plan. */
const char *plan_visible(const struct plan *plan);

/* The devices of a machine all of which a program will see: for PLAN_GPUS_ALL. */
int plan_list_all(struct plan *plan, const struct device_list *machine, struct error *err);

/* Adds two cells, "GPU 1" and the name. */
void planned_cells(struct table *table, const struct planned_device *planned);

/* Compares what the driver shows under the planned values with what was selected: the same UUIDs in
   the same order. On success they are the plan's devices; otherwise both lists are in the error. */
int plan_confirm(struct plan *plan, const struct selection *selection,
                 const struct device_list *seen, struct error *err);

/* In place of that, where an inventory and no driver has told of the devices: the plan stays
   unconfirmed, and lists what was selected, unless only a driver could say what that is. */
int plan_trust(struct plan *plan, const struct selection *selection, struct error *err);

/* Whether both do the same with every variable, and show the same devices, whether or not
   confirmed. */
bool plan_is_same(const struct plan *one, const struct plan *other);

void plan_release(struct plan *plan);
