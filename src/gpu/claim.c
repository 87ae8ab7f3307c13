#include "gpu/claim.h"

#include "base/clock.h"
#include "base/scope.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

enum { TICK = 1000 }; /* milliseconds between two looks at what nobody announces */

/* What a round comes to; -1 with an error. */
enum { AGAIN, AT_ONCE, TAKEN, GIVEN_UP };

struct claiming {
    struct claim *claim;
    const struct claim_wish *wish;
    bool *held; /* as lease_list */
    struct pollfd *watched;
    unsigned long skip;   /* those up to here have lost their turn */
    unsigned long first;  /* who is first in the line, */
    long long idle_since; /* and since when it could have taken its cards; 0: it could not */
    unsigned long told;   /* whom we wait for, as we said last; ULONG_MAX: nothing said yet */
    struct error *err;
};

static int failed(const struct claiming *in, const char *what)
{
    return error_add(in->err, STATUS_SYSTEM, "cannot %s: %s", what, strerror(errno));
}

/* ---- What NVML tells of the pool ----------------------------------------------------------- */

static void see_memory(const struct claiming *in, struct claim_card *card)
{
    bool filled = card->memory_used != CARD_NOT_TOLD && card->memory_used >= in->wish->busy_memory;

    card->state = card->process_count ? CLAIM_BUSY : filled ? CLAIM_FILLED : CLAIM_FREE;
}

/* Of a whole card (instance: NULL) or of a MIG instance. */
static void see_card(const struct claiming *in, struct claim_card *ours, const struct card *card,
                     const struct card_instance *instance)
{
    ours->memory_used = instance ? instance->memory_used : card->memory_used;
    ours->temperature = card->temperature;
    ours->process_count = 0;
    for (uint32_t i = 0; i < card->process_count; i++) {
        if (instance && card->processes[i].instance != (uint32_t)(instance - card->instances))
            continue;
        ours->process = card->processes[i].pid;
        ours->process_count++;
    }
    see_memory(in, ours);
}

static bool is_uuid(const struct uuid *uuid, const struct uuid *other)
{
    return memcmp(uuid, other, sizeof *uuid) == 0;
}

static void see(const struct claiming *in, struct claim_card *ours, const struct card_list *cards)
{
    struct uuid uuid = {{0}};

    uuid_parse(ours->uuid, &uuid);
    ours->state = CLAIM_MISSING;
    for (size_t i = 0; i < cards->count; i++) {
        const struct card *card = &cards->items[i];
        if (!card->problem && is_uuid(&card->uuid, &uuid))
            see_card(in, ours, card, NULL);
        for (uint32_t k = 0; k < card->instance_count; k++)
            if (is_uuid(&card->instances[k].uuid, &uuid))
                see_card(in, ours, card, &card->instances[k]);
    }
}

/* The state of all cards that are not leased by others. */
static int look(struct claiming *in)
{
    struct claim *claim = in->claim;
    scope(cards_release) struct card_list cards = {0};

    error_release(&claim->why_blind);
    claim->blind = cards_read(&cards, &in->wish->nvml, &claim->why_blind) < 0;
    if (claim->blind && claim->why_blind.status == STATUS_SYSTEM)
        return error_join(in->err, &claim->why_blind);
    for (size_t i = 0; i < claim->count; i++) {
        struct claim_card *card = &claim->cards[i];
        if (card->state == CLAIM_LEASED)
            continue;
        card->state = CLAIM_FREE;
        if (!claim->blind)
            see(in, card, &cards);
    }
    return 0;
}

static size_t count_free(const struct claim *claim)
{
    size_t count = 0;

    for (size_t i = 0; i < claim->count; i++)
        count += claim->cards[i].state == CLAIM_FREE;
    return count;
}

/* Which cards others have leased, without leasing any. How many they have not. */
static int look_at_leases(struct claiming *in)
{
    struct claim *claim = in->claim;

    if (lease_list(in->wish->uuids, claim->count, in->held) < 0)
        return failed(in, "read /proc/net/unix");
    for (size_t i = 0; i < claim->count; i++)
        claim->cards[i].state = in->held[i] ? CLAIM_LEASED : CLAIM_FREE;
    return (int)count_free(claim);
}

/* ---- Taking -------------------------------------------------------------------------------- */

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
        return (uint32_t)card->temperature < (uint32_t)other->temperature;
    case CLAIM_EMPTY:
        return card->memory_used < other->memory_used;
    case CLAIM_ANY:
        break;
    }
    return false;
}

static struct claim_card *find_best(const struct claiming *in)
{
    struct claim_card *best = NULL;

    for (size_t i = 0; i < in->claim->count; i++) {
        struct claim_card *card = &in->claim->cards[i];
        if (card->state == CLAIM_FREE && !card->chosen &&
            (!best || is_better(in->wish, card, best)))
            best = card;
    }
    return best;
}

static void give_back(struct claim *claim)
{
    for (size_t i = 0; i < claim->count; i++)
        if (!claim->cards[i].chosen)
            lease_release(&claim->cards[i].lease);
}

/* Leases what can be leased. How much that is. */
static int lease_all(struct claiming *in)
{
    struct claim *claim = in->claim;
    int count = 0;

    for (size_t i = 0; i < claim->count; i++) {
        struct claim_card *card = &claim->cards[i];
        int got = lease_take(&card->lease, card->uuid);
        if (got < 0)
            return failed(in, "make a lease");
        card->state = got == LEASE_OURS ? CLAIM_FREE : CLAIM_LEASED;
        count += got == LEASE_OURS;
    }
    return count;
}

/* TAKEN: all that are wanted are ours; AGAIN: none is. */
static int take_cards(struct claiming *in)
{
    struct claim *claim = in->claim;
    int leased = lease_all(in);
    int result = leased;

    if (leased >= 0 && (size_t)leased >= in->wish->wanted)
        result = look(in);
    bool enough = result >= 0 && count_free(claim) >= in->wish->wanted;
    struct claim_card *best;
    for (size_t i = 0; enough && i < in->wish->wanted && (best = find_best(in)); i++)
        best->chosen = true;
    give_back(claim);
    return result < 0 ? -1 : enough ? TAKEN : AGAIN;
}

/* ---- Waiting ------------------------------------------------------------------------------- */

/* Keeps account of whether the first in the line could take its cards, as far as leases tell. */
static int watch_first(struct claiming *in)
{
    const struct turn_before *before = &in->claim->before;
    int unleased = look_at_leases(in);

    if (unleased < 0)
        return -1;
    if ((size_t)unleased < before->first_wanted)
        in->idle_since = 0;
    else if (!in->idle_since || (in->first != before->first && in->first > in->skip))
        in->idle_since = clock_now();
    in->first = before->first;
    return 0;
}

/* Whoever could take its cards for long enough has lost its turn; a name with nobody behind it
   costs no further wait. Who does not wait wants to know at once whether it could by more than the
   leases. */
static int expect_first(struct claiming *in)
{
    const struct turn_before *before = &in->claim->before;

    if (watch_first(in) < 0)
        return -1;
    bool late = in->idle_since && clock_now() - in->idle_since >= in->wish->patience;
    if (!late && (in->wish->deadline || !in->idle_since))
        return AGAIN;
    if (late && !turn_is_there(before->first)) {
        in->skip = before->first;
        return AT_ONCE;
    }
    if (look(in) < 0)
        return -1;
    bool could = count_free(in->claim) >= before->first_wanted;
    if (could && !late)
        return AGAIN;
    in->idle_since = 0;
    if (!could)
        return AGAIN;
    in->skip = before->first;
    return AT_ONCE;
}

static void tell(struct claiming *in)
{
    unsigned long whom = in->claim->before.number;

    if (whom == in->told || !in->wish->waits)
        return;
    in->told = whom;
    claim_ask_holders(in->claim);
    in->wish->waits(in->claim, in->wish->data);
}

/* False where one has ended already. */
static bool watch_leases(struct claiming *in, nfds_t *count)
{
    for (size_t i = 0; i < in->claim->count; i++) {
        const struct claim_card *card = &in->claim->cards[i];
        int fd = card->state == CLAIM_LEASED ? lease_watch(card->uuid) : -1;
        if (fd >= 0)
            in->watched[(*count)++] = (struct pollfd){fd, POLLIN, 0};
        else if (card->state == CLAIM_LEASED && errno == ECONNREFUSED)
            return false;
    }
    return true;
}

static int time_to_wait(const struct claim_wish *wish)
{
    long long left = wish->deadline - clock_now();

    return !wish->deadline || left > TICK ? TICK : left > 0 ? (int)left : 0;
}

/* Until somebody before us goes, or a lease ends, or it is time to look again. */
static void pause_for(struct claiming *in)
{
    struct claim *claim = in->claim;
    nfds_t count = 0;
    bool ended = !claim->before.number && !watch_leases(in, &count);

    if (claim->before.number)
        in->watched[count++] = (struct pollfd){take_fd(&claim->before.watch), POLLIN, 0};
    if (!ended)
        poll(in->watched, count, time_to_wait(in->wish));
    for (nfds_t i = 0; i < count; i++)
        close_fd(&in->watched[i].fd);
}

static int go_round(struct claiming *in)
{
    struct claim *claim = in->claim;
    bool waits = in->wish->deadline != 0;
    int got, before = turn_find_before(&claim->turn, in->skip, &claim->before);

    if (before < 0)
        return failed(in, "read who waits for cards");
    if (!before)
        claim->before = (struct turn_before){.watch = -1};
    if ((got = before ? expect_first(in) : take_cards(in)) != AGAIN)
        return got;
    if (in->wish->deadline <= clock_now() && (waits || !before || !in->idle_since))
        return GIVEN_UP;
    if (waits)
        tell(in);
    pause_for(in);
    return AGAIN;
}

/* What the cards are when we give up; AGAIN where that was too early, since somebody had leased
   more than it took. */
static int look_back(struct claiming *in)
{
    if (look_at_leases(in) < 0 || look(in) < 0)
        return -1;
    claim_ask_holders(in->claim);
    return !in->claim->before.number && count_free(in->claim) >= in->wish->wanted ? AGAIN
                                                                                  : GIVEN_UP;
}

static int claim_in_turn(struct claiming *in)
{
    struct turn_before *before = &in->claim->before;
    int got;

    do {
        got = go_round(in);
        close_fd(&before->watch);
        before->watch = -1;
    } while (got == AGAIN || got == AT_ONCE || (got == GIVEN_UP && (got = look_back(in)) == AGAIN));
    return got == GIVEN_UP ? 0 : got == TAKEN ? 1 : -1;
}

static int prepare(struct claim *claim, const struct claim_wish *wish)
{
    claim->cards = calloc(wish->count + 1, sizeof *claim->cards);
    if (!claim->cards)
        return -1;
    claim->count = wish->count;
    for (size_t i = 0; i < wish->count; i++)
        claim->cards[i] = (struct claim_card){.uuid = wish->uuids[i],
                                              .lease = LEASE_INIT,
                                              .memory_used = CARD_NOT_TOLD,
                                              .temperature = -1};
    return 0;
}

static void free_room(struct claiming *in)
{
    free(in->held);
    free(in->watched);
}

int claim_take(struct claim *claim, const struct claim_wish *wish, struct error *err)
{
    scope(claim_release) struct claim made = {0};
    scope(free_room) struct claiming in = {.claim = &made,
                                           .wish = wish,
                                           .held = calloc(wish->count + 1, sizeof *in.held),
                                           .watched = calloc(wish->count + 1, sizeof *in.watched),
                                           .told = ULONG_MAX,
                                           .err = err};

    if (!in.held || !in.watched || prepare(&made, wish) < 0)
        return error_memory(err);
    if (turn_join(&made.turn, wish->uuids, wish->count, wish->wanted) < 0)
        return failed(&in, "join the line for cards");
    int got = claim_in_turn(&in);
    turn_release(&made.turn);
    if (got < 0)
        return -1;
    *claim = take(&made);
    return got;
}

void claim_ask_holders(struct claim *claim)
{
    for (size_t i = 0; i < claim->count; i++) {
        struct claim_card *card = &claim->cards[i];
        if (card->state == CLAIM_LEASED && lease_ask(card->uuid, &card->holder) == 0)
            card->state = CLAIM_FREE;
    }
}

int claim_hand_on(struct claim *claim)
{
    for (size_t i = 0; i < claim->count; i++)
        if (claim->cards[i].chosen && lease_hand_on(&claim->cards[i].lease) < 0)
            return -1;
    return 0;
}

void claim_release(struct claim *claim)
{
    for (size_t i = 0; i < claim->count; i++)
        lease_release(&claim->cards[i].lease);
    free(claim->cards);
    turn_release(&claim->turn);
    error_release(&claim->why_blind);
    *claim = (struct claim){0};
}
