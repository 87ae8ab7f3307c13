/*
 * What a child asks the CUDA driver, and its answer: one head, then one record per device. Both
 * ends are this program, on one machine, so structs travel as they are; the reader trusts nothing
 * in them all the same (inventory_decode).
 */
#pragma once

#include "base/strbuf.h"
#include "gpu/device.h"

enum answer_kind {
    ANSWER_DEVICES,
    ANSWER_NO_LIBRARY,  /* detail: what dlopen said */
    ANSWER_BAD_LIBRARY, /* detail: what dlopen or dlsym said */
    ANSWER_PLACEHOLDER, /* the library is an empty file; detail: what dlopen said */
    ANSWER_FAILED,      /* call, code; detail: the driver's name and text for it */
    ANSWER_ODD,         /* detail: an answer of the driver's that cannot be */
};

enum { ANSWER_MOST_DEVICES = 1024 };

struct answer_head {
    char magic[8];
    int32_t kind;
    int32_t code;
    int32_t driver_version;
    uint32_t count;
    char call[32];
    char detail[480];
    char unseen[256]; /* see kernel_add_unseen; "" also where only some devices were asked for */
};

struct answer_device {
    struct uuid uuid;
    char pci[24];
    char name[DEVICE_NAME_SIZE];
    uint64_t memory;
    int32_t compute_major;
    int32_t compute_minor;
    int32_t mig;
    int32_t unused;
};

#define ANSWER_MAGIC "cudevs1"

struct question {
    const char *library; /* NULL: libcuda.so.1 where it usually is */
    const char *visible; /* CUDA_VISIBLE_DEVICES; NULL: unset */
    const char *order;   /* CUDA_DEVICE_ORDER; NULL: unset */
    unsigned timeout;    /* seconds */
    const char *root;    /* where /proc and /dev are, for tests; NULL: as usual */
};

/* A child_work for a struct question: makes its environment, opens the library and asks it. */
void query_cuda(const void *question, struct strbuf *answer);
