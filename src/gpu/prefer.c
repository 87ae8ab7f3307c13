#include "gpu/prefer.h"

#include <string.h>

static size_t place_in_last(const struct claim_wish *wish, const char *uuid)
{
    size_t i = 0;

    while (i < wish->last_count && strcmp(wish->last[i], uuid) != 0)
        i++;
    return i;
}

/* Whether the first is to be taken before the other, which is further on in the pool. */
static bool is_better(const struct claim_wish *wish, const struct claim_card *card,
                      const struct claim_card *other)
{
    switch (wish->prefer) {
    case CLAIM_LAST:
        return place_in_last(wish, card->uuid) < place_in_last(wish, other->uuid);
    case CLAIM_COOL:
        return (uint32_t)card->use.temperature < (uint32_t)other->use.temperature;
    case CLAIM_EMPTY:
        return card->use.memory_used < other->use.memory_used;
    case CLAIM_ANY:
        break;
    }
    return false;
}

struct claim_card *prefer_best(struct claim *claim, const struct claim_wish *wish)
{
    struct claim_card *best = NULL;

    for (size_t i = 0; i < claim->count; i++) {
        struct claim_card *card = &claim->cards[i];
        if (card->state == CLAIM_FREE && !card->chosen && (!best || is_better(wish, card, best)))
            best = card;
    }
    return best;
}
