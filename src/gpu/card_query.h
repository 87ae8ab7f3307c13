/*
 * What a child asks NVML, and its answer: one head, then for each card its struct card, its
 * instances and its processes (the pointers mean nothing).
 */
#pragma once

#include "gpu/cards.h"

enum {
    CARD_MOST = 1024,
    CARD_MOST_INSTANCES = 256, /* of a card */
    CARD_MOST_PROCESSES = 65536,
};

struct card_head {
    uint64_t count;
    char driver[80];
};

/* For struct vendor. */
int card_query(const struct question *question, struct strbuf *answer, struct error *err);
