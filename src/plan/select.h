/*
 * Decides which devices the items of `gpu.devices` mean on a machine. Pure.
 */
#pragma once

#include "gpu/device.h"
#include "section/section.h"

#define SELECT_NO_NUMBER SIZE_MAX

/* What is chosen, in the order in which CUDA will number it. */
struct choice {
    size_t number; /* CUDA's in PCI order, an index in the machine's list; SELECT_NO_NUMBER
                      for a UUID that is not listed there */
    const struct device *device; /* points into the machine's lists; NULL where only the
                                    confirmation will tell: see select_devices */
    const struct item *item;     /* points into the section */
};

struct selection {
    struct choice *items;
    size_t count;
    size_t room;
    bool numbered; /* the devices' numbers are nvidia-smi's */
    bool by_uuid;  /* the driver's numbers may not be nvidia-smi's here */
};

/*
 * Not for `none` and `all`, which need no machine: see section_wants_no_gpu and section_wants_all.
 *
 * `machine` in PCI bus order. Where a GPU is in MIG mode, the driver lists one instance or all in
 * place of the GPUs, depending on its version (NVIDIA MIG User Guide, "CUDA Device Enumeration").
 * Then NVML tells which number and which instance is which; without it numbers and filters are
 * refused, since they would not count as nvidia-smi does, and a whole UUID that is not listed is
 * taken as it stands, for plan_confirm to check. Instances are chosen in the order of `nvidia-smi
 * -L`.
 *
 * Reports every item that names no device, one that CUDA does not show, or one that is taken, with
 * its place: STATUS_DRIVER where a device is missing, STATUS_INPUT where the file is wrong.
 */
int select_devices(struct selection *selection, const struct section *section,
                   const struct device_list *machine, struct error *err);

/* Without a driver: numbers, ranges and whole UUIDs as they stand. The rest is an error with
   STATUS_DRIVER, since only a driver can say which GPUs it means. */
int select_unconfirmed(struct selection *selection, const struct section *section,
                       struct error *err);

/* The UUID that a choice means: the device's, or the item's text, in lower case. */
const char *choice_uuid(const struct choice *choice, char text[UUID_TEXT_SIZE]);
#define CHOICE_UUID(choice) choice_uuid(choice, (char[UUID_TEXT_SIZE]){0})

/* Whether a filter's name, profile, memory and compute capability fit. */
bool select_fits(const struct item *filter, const struct device *device);

void selection_release(struct selection *selection);
