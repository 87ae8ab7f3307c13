/*
 * The inventories of several machines in a file: what `conda-gpu devices --yaml` prints on each of
 * them, one after the other, for `conda-gpu apply --inventory` where there is no GPU. A machine is
 * one YAML document between lines '---' and '...':
 *
 *     ---
 *     format: 1
 *     host: dgx-01
 *     driver_cuda_version: 12040
 *     numbered: true
 *     devices:
 *     - number: 0
 *       uuid: GPU-8932f937-d72c-4106-c12f-20bd9faed9f6
 *       pci_bus_id: 0000:0f:00.0
 *       name: NVIDIA A100-SXM4-80GB
 *       memory: 85899345920
 *       compute_capability: 8.0
 *     ...
 *
 * The devices are in the order in which the driver numbers them. Lists `instances` and `hidden`,
 * with the same keys, hold what only NVML tells: see struct device_list. What `srun --label` gives
 * is read as well: every line begins with its task's label, and the lines of different tasks may be
 * mixed. Without labels, srun may mix lines so that nobody can tell whose they are; the two lines
 * around each document show that, and that a file was cut off.
 *
 *     scope(stock_release) struct stock stock = {0};
 *     if (stock_read(&stock, "gpus.yml", text, length, &err) < 0) ...
 */
#pragma once

#include "base/error.h"
#include "gpu/inventory.h"

enum {
    STOCK_FORMAT = 1,
    STOCK_FILE_LIMIT = 4 << 20, /* bytes */
    STOCK_HOSTS_LIMIT = 1024,
    STOCK_INSTANCES_LIMIT = 4096, /* of a machine */
};

struct stocked {
    char *host; /* a name that hooks can tell a machine by: letters, digits and _.- */
    struct inventory inventory; /* its devices are those of `host` */
};

/* At least one; no host and no UUID is there twice. */
struct stock array_of(struct stocked);

/* All machines of a file, or STATUS_INPUT with the places of what is wrong in it. */
int stock_read(struct stock *stock, const char *file, const char *text, size_t length,
               struct error *err);

/* Adds a machine's document. */
int stock_print(struct strbuf *out, const char *host, const struct inventory *inventory,
                struct error *err);

/* The machine of this name, or NULL. */
const struct stocked *stock_find(const struct stock *stock, const char *host);

void stock_release(struct stock *stock);
