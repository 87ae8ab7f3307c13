/*
 * Asks the CUDA driver which devices a process would see. The driver is asked in a child process,
 * because it reads CUDA_VISIBLE_DEVICES and CUDA_DEVICE_ORDER once, at cuInit, and because a driver
 * that hangs, crashes or prints must harm nobody.
 *
 *     scope(inventory_release) struct inventory machine = {0};
 *     struct question question = {.order = "PCI_BUS_ID", .timeout = 60};
 *     if (inventory_read(&machine, &question, &err) < 0) ...
 *
 * Errors of the driver have STATUS_DRIVER; when the reason is that this machine simply has no GPU
 * (no library, no driver loaded, CUDA_ERROR_NO_DEVICE), machine.absent is set as well.
 */
#pragma once

#include "gpu/asking.h"
#include "gpu/device.h"

enum { ANSWER_MOST_DEVICES = 1024 };

struct inventory {
    int driver_version; /* the CUDA version that the driver supports: 12080 is 12.8 */
    struct device_list devices;
    bool absent;
};

/* Asks and waits for the answer. *inventory is only changed on success, but for `absent`. */
int inventory_read(struct inventory *inventory, const struct question *question, struct error *err);

/* The same in two steps, for several questions at once: cuInit takes a fifth of a second on a real
   GPU. child_end() for an answer that is not wanted any more. */
int inventory_ask(struct child *child, const struct question *question, struct error *err);
int inventory_answer(struct child *child, struct inventory *inventory, struct error *err);

void inventory_release(struct inventory *inventory);

/* What a child answers: one head, then the devices. */
struct answer_head {
    int32_t driver_version;
    uint32_t count;
    char unseen[256]; /* see kernel_add_unseen; "" also where only some devices were asked for */
};

/* Reads that. Pure; for inventory_answer and the tests. */
int inventory_decode(const char *bytes, size_t length, struct inventory *inventory,
                     struct error *err);
