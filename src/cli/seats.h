/*
 * The places that this machine has for programs, whole cards and MIG instances, and who has them:
 * for status.
 *
 *     scope(seats_release) struct seats seats = {0};
 *     if (seats_read(&seats, options, &err) < 0) ... memory ran out
 */
#pragma once

#include "cli/options.h"
#include "gpu/cards.h"
#include "gpu/inventory.h"
#include "gpu/lease.h"

struct seat {
    struct device device;    /* with nvidia-smi's number */
    bool countable;          /* the number is one */
    uint64_t memory_used;    /* CARD_NOT_TOLD */
    const struct card *card; /* NULL: there is no NVML */
    uint32_t instance;       /* index in the card's instances; their count for a whole card */
    bool leased;
    struct lease_holder holder;
};

struct seats {
    struct seat *items;
    size_t count;
    size_t room;
    struct card_list cards; /* of NVML */
    bool blind;             /* nothing is known of processes, */
    struct error why_blind; /* for this reason; empty: NVML is not there */
    struct error why_none;  /* why nothing is known at all, not even the cards */
};

/* Asks NVML or, where that is not there, CUDA's driver. */
int seats_read(struct seats *seats, const struct options *options, struct error *err);

/* NULL: none has this UUID. */
const struct seat *seats_find(const struct seats *seats, const struct device *device);

/* Whether a process of the seat's card is on this seat. */
bool seat_has(const struct seat *seat, const struct card_process *process);

void seats_release(struct seats *seats);
