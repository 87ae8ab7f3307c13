/*
 * The cards of this machine as nvidia-smi shows them, and who is on them: asked of NVML in a child
 * process, as inventory.h asks CUDA. NVML is there with every NVIDIA driver, but need not be in a
 * container; it takes a hundredth of a second, where CUDA takes a fifth.
 *
 *     scope(cards_release) struct card_list cards = {0};
 *     if (cards_read(&cards, &(struct question){.timeout = 60}, &err) < 0) ...
 *
 * What NVML does not tell of a card is CARD_NOT_TOLD or -1: a card in MIG mode has no utilisation,
 * a driver of some years ago no MIG. Errors have STATUS_DRIVER.
 */
#pragma once

#include "gpu/asking.h"
#include "gpu/device.h"

#define CARD_NOT_TOLD UINT64_MAX /* as NVML has it for the memory of a process */

struct card_process {
    uint32_t pid;      /* the host's, also in a container */
    uint32_t instance; /* index in the card's instances; their count where it is on none */
    uint64_t memory;   /* bytes; CARD_NOT_TOLD */
};

/* A MIG instance. Its name is CUDA's as well: "NVIDIA A100-SXM4-40GB MIG 3g.20gb", or without the
   last two words if NVML does not tell the profile. */
struct card_instance {
    struct device device;
    uint64_t memory_used; /* bytes */
};

struct card {
    struct device device;   /* as CUDA would describe it; the number is nvidia-smi's */
    int32_t problem;        /* NVML's code for a card that it cannot describe, for device.reason */
    uint64_t memory_used;   /* bytes */
    int32_t utilization;    /* per cent */
    int32_t temperature;    /* degrees Celsius */
    int32_t persistence;    /* 1: on */
    int32_t mig;            /* 1: in MIG mode */
    int32_t processes_told; /* 0: there may be others than `processes` */
    uint32_t instance_count, process_count;
    const struct card_instance *instances;
    const struct card_process *processes; /* that compute, not those that only draw */
};

struct card_list {
    struct card *items; /* by number; in one block with all that they point to */
    size_t count;
    char driver[80]; /* "580.159.04" */
};

/* Asks and waits for the answer. */
int cards_read(struct card_list *cards, const struct question *question, struct error *err);

/* The same in two steps, for another question meanwhile; see inventory_ask. */
int cards_ask(struct child *child, const struct question *question, struct error *err);
int cards_answer(struct child *child, struct card_list *cards, struct error *err);

/* Who is on a whole card or on a MIG instance. */
struct card_use {
    uint64_t memory_used;   /* bytes; CARD_NOT_TOLD */
    int32_t temperature;    /* the card's; -1: not told */
    uint32_t process;       /* one of them */
    uint32_t process_count; /* that compute there */
};

/* False, and *use untouched, where none has this UUID, or only a card that cannot be described. */
bool cards_find_use(const struct card_list *cards, const struct uuid *uuid, struct card_use *use);

/* The card that the device is, or is a part of: by UUID, else by address. NULL if it is none that
   NVML describes. */
const struct card *cards_find(const struct card_list *cards, const struct device *device);

void cards_release(struct card_list *cards);

enum {
    CARD_MOST = 1024,
    CARD_MOST_INSTANCES = 256, /* of a card */
    CARD_MOST_PROCESSES = 65536,
};

/* What a child answers: one head, all cards (their pointers mean nothing), all instances of the
   first card, of the second and so on, and in the same way all processes. */
struct card_head {
    uint64_t count;
    char driver[80];
};

/* Asks NVML, in the child: for struct vendor. */
int cards_query(const struct question *question, struct strbuf *answer, struct error *err);

/* Reads that. Pure; for cards_answer and the tests. */
int cards_decode(const char *bytes, size_t length, struct card_list *cards, struct error *err);
