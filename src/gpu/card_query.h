/*
 * What a child asks NVML, and its answer: one head, all cards (their pointers mean nothing), all
 * instances of the first card, of the second and so on, and in the same way all processes.
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
