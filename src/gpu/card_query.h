/*
 * What a child asks NVML, and its answer: one head, then for each card its struct card, its
 * instances and its processes. As in query.h the structs travel as they are (the pointers mean
 * nothing), and the reader trusts nothing in them (cards_decode).
 */
#pragma once

#include "gpu/cards.h"

enum card_answer {
    CARD_ANSWER_CARDS,
    CARD_ANSWER_NO_LIBRARY,  /* detail: what dlopen said */
    CARD_ANSWER_BAD_LIBRARY, /* detail: what dlopen or dlsym said */
    CARD_ANSWER_FAILED,      /* call, code; detail: NVML's text for it */
};

enum {
    CARD_MOST = 1024,
    CARD_MOST_INSTANCES = 256, /* of a card */
    CARD_MOST_PROCESSES = 65536,
};

#define CARD_MAGIC "cgcards"

struct card_head {
    char magic[8];
    int32_t kind;
    int32_t code;
    uint32_t count;
    uint32_t unused;
    char call[32];
    char detail[256];
    char driver[80];
};

/* A child_work for a struct card_question. */
void card_query(const void *question, struct strbuf *answer);
