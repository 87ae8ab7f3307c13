/*
 * Asks the CUDA driver which devices a process would see. The driver is asked in a child process,
 * because it reads CUDA_VISIBLE_DEVICES and CUDA_DEVICE_ORDER once, at cuInit, and because a driver
 * that hangs, crashes or prints must harm nobody.
 *
 *     struct inquiry inquiry = INQUIRY_INIT;
 *     scope(inventory_release) struct inventory machine = {0};
 *     struct question question = {.order = "PCI_BUS_ID", .timeout = 60};
 *     if (inventory_ask(&inquiry, &question, &err) < 0 ||
 *         inventory_answer(&inquiry, &machine, &err) < 0) ...
 *
 * Several inquiries may be under way at once: cuInit takes a tenth of a second on a real GPU.
 * Errors of the driver have STATUS_DRIVER; when the reason is that this machine simply has no GPU
 * (no library, no driver loaded, CUDA_ERROR_NO_DEVICE), machine.absent is set as well.
 */
#ifndef CONDA_GPU_INVENTORY_H
#define CONDA_GPU_INVENTORY_H

#include "base/error.h"
#include "gpu/device.h"

#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

struct question {
    const char *library; /* NULL: libcuda.so.1 where it usually is */
    const char *visible; /* CUDA_VISIBLE_DEVICES; NULL: unset */
    const char *order;   /* CUDA_DEVICE_ORDER; NULL: unset */
    unsigned timeout;    /* seconds */
};

struct inventory {
    int driver_version; /* the CUDA version that the driver supports: 12080 is 12.8 */
    struct device_list devices;
    bool absent;
};

struct inquiry {
    pid_t child;
    int answer; /* the pipe's end to read from */
    struct question question;
    struct timespec deadline;
};

#define INQUIRY_INIT                                                                               \
    {                                                                                              \
        -1, -1, {0},                                                                               \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }

int inventory_ask(struct inquiry *inquiry, const struct question *question, struct error *err);

/* Waits for the answer, ends the child and everything that it started (but for a process that made
   itself a group of its own, when the child has ended before). *inventory is only changed on
   success, but for `absent`. */
int inventory_answer(struct inquiry *inquiry, struct inventory *inventory, struct error *err);

/* Ends an inquiry whose answer is not wanted any more; nothing for one that was not begun, or whose
   answer was taken. For scope(). */
void inventory_cancel(struct inquiry *inquiry);

void inventory_release(struct inventory *inventory);

/* Reads the bytes that a child sent. Pure; for inventory_answer and the tests. */
int inventory_decode(const char *bytes, size_t length, struct inventory *inventory,
                     struct error *err);

#endif
