#include "gpu/prefer.h"

#include <string.h>

/* The least is to be taken first, and of equal ones the first of the pool. */
static uint64_t cost_of(const struct claim_wish *wish, const struct claim_card *card)
{
    size_t place = 0;

    switch (wish->prefer) {
    case CLAIM_LAST:
        while (place < wish->last_count && strcmp(wish->last[place], card->uuid) != 0)
            place++;
        return place;
    case CLAIM_COOL:
        return (uint32_t)card->use.temperature;
    case CLAIM_EMPTY:
        return card->use.memory_used;
    case CLAIM_ANY:
        break;
    }
    return 0;
}

struct claim_card *prefer_best(struct claim *claim, const struct claim_wish *wish)
{
    struct claim_card *best = NULL;

    for (size_t i = 0; i < claim->count; i++) {
        struct claim_card *card = &claim->cards[i];
        if (card->state == CLAIM_FREE && !card->chosen &&
            (!best || cost_of(wish, card) < cost_of(wish, best)))
            best = card;
    }
    return best;
}
