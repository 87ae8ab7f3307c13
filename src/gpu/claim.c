#include "gpu/claim.h"

#include "base/clock.h"
#include "base/scope.h"
#include "gpu/prefer.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

/* Milliseconds between two looks at what nobody announces, and so many times that for those who are
   far from the first. */
enum { TICK = 1000, FARTHEST = 5 };

/* What a round comes to; -1 with an error. */
enum { AGAIN, AT_ONCE, TAKEN, GIVEN_UP };

struct claiming {
    struct claim *claim;
    const struct claim_wish *wish;
    struct pollfd *watched; /* the leases of the cards that others have; -1: not watched */
    long long patience;     /* with the next who does not take its cards */
    unsigned long skip;     /* those up to here have lost their turn */
    unsigned long first;    /* who is first in the line, */
    long long idle_since;   /* and since when it could have taken its cards; 0: it could not */
    unsigned long told;     /* whom we wait for, as we said last; ULONG_MAX: nothing said yet */
    struct error *err;
};

static int failed(const struct claiming *in, const char *what)
{
    return error_add(in->err, STATUS_SYSTEM, "cannot %s: %s", what, strerror(errno));
}

/* ---- What NVML tells of the pool ----------------------------------------------------------- */

static void see(const struct claiming *in, struct claim_card *card, const struct card_list *cards)
{
    struct uuid uuid = {{0}};

    uuid_parse(card->uuid, &uuid);
    if (!cards_find_use(cards, &uuid, &card->use)) {
        card->state = CLAIM_MISSING;
        return;
    }
    uint64_t used = card->use.memory_used;
    bool filled = used != CARD_NOT_TOLD && used >= in->wish->busy_memory;
    card->state = card->use.process_count ? CLAIM_BUSY : filled ? CLAIM_FILLED : CLAIM_FREE;
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
    scope(strbuf_release) struct strbuf table = STRBUF_INIT;

    if (abstract_read_table(&table) < 0)
        return failed(in, "read /proc/net/unix");
    for (size_t i = 0; i < claim->count; i++)
        claim->cards[i].state =
            lease_is_in(&table, claim->cards[i].uuid) ? CLAIM_LEASED : CLAIM_FREE;
    return (int)count_free(claim);
}

/* ---- Taking -------------------------------------------------------------------------------- */

static void give_back(struct claim *claim)
{
    for (size_t i = 0; i < claim->count; i++)
        if (!claim->cards[i].chosen)
            close_fd(&claim->cards[i].lease);
}

/* Leases what can be leased. How much that is. */
static int lease_all(struct claiming *in)
{
    struct claim *claim = in->claim;
    int count = 0;

    for (size_t i = 0; i < claim->count; i++) {
        struct claim_card *card = &claim->cards[i];
        card->lease = lease_take(card->uuid);
        if (card->lease < 0 && errno != EADDRINUSE)
            return failed(in, "make a lease");
        card->state = card->lease < 0 ? CLAIM_LEASED : CLAIM_FREE;
        count += card->lease >= 0;
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
    for (size_t i = 0; enough && i < in->wish->wanted && (best = prefer_best(claim, in->wish)); i++)
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

/* Whether the first in the line, which could take its cards, is not going to: it has let enough
   time go by, or somebody has stopped it. */
static bool is_late(const struct claiming *in)
{
    const struct turn_before *before = &in->claim->before;
    struct proc proc = {0};

    if (in->idle_since && before->number == before->first)
        proc_read(&proc, before->process);
    return in->idle_since && (proc.stopped || clock_now() - in->idle_since >= in->patience);
}

/* Somebody who holds many places costs us no more than twice the patience. */
static int pass_first(struct claiming *in, bool was_there)
{
    in->skip = in->claim->before.first;
    if (was_there)
        in->patience /= 2;
    return AT_ONCE;
}

/* Whoever could take its cards and does not has lost its turn; a name with nobody behind it costs
   no further wait. Who does not wait wants to know at once whether it could by more than the
   leases. */
static int expect_first(struct claiming *in)
{
    const struct turn_before *before = &in->claim->before;

    if (watch_first(in) < 0)
        return -1;
    bool late = is_late(in);
    if (!late && (in->wish->deadline || !in->idle_since))
        return AGAIN;
    if (late && !turn_is_there(before->first))
        return pass_first(in, false);
    if (look(in) < 0)
        return -1;
    bool could = count_free(in->claim) >= before->first_wanted;
    if (could && !late)
        return AGAIN;
    in->idle_since = 0;
    return could ? pass_first(in, true) : AGAIN;
}

/* Who has the cards that are leased. A lease that has ended is CLAIM_FREE then. */
static void ask_holders(struct claim *claim)
{
    for (size_t i = 0; i < claim->count; i++) {
        struct claim_card *card = &claim->cards[i];
        if (card->state == CLAIM_LEASED && lease_ask(card->uuid, &card->holder) == 0)
            card->state = CLAIM_FREE;
    }
}

static void tell(struct claiming *in)
{
    unsigned long whom = in->claim->before.number;

    if (whom == in->told || !in->wish->waits)
        return;
    in->told = whom;
    ask_holders(in->claim);
    in->wish->waits(in->claim, in->wish->data);
}

/* A watch stays until the lease ends, since each takes one of the places that a lease has for such.
   False where one has ended already. */
static bool watch_leases(struct claiming *in)
{
    for (size_t i = 0; i < in->claim->count; i++) {
        const struct claim_card *card = &in->claim->cards[i];
        if (card->state != CLAIM_LEASED || in->watched[i].fd >= 0)
            continue;
        in->watched[i] = (struct pollfd){lease_watch(card->uuid), POLLIN, 0};
        if (in->watched[i].fd < 0 && errno == ECONNREFUSED)
            return false;
    }
    return true;
}

/* Whether all that can help is announced: enough leases that end. */
static bool is_announced(const struct claiming *in)
{
    size_t leased = 0;

    for (size_t i = 0; i < in->claim->count; i++) {
        bool is = in->claim->cards[i].state == CLAIM_LEASED;
        leased += is;
        if (is && in->watched[i].fd < 0)
            return false;
    }
    return in->claim->count - leased < in->wish->wanted;
}

/* How long to wait at most. Those further back look less often, so that hundreds who wait are no
   load; whoever is nearer to the first than they are sees to it. */
static int time_to_wait(const struct claiming *in)
{
    const struct turn_before *before = &in->claim->before;
    long long now = clock_now(), left = in->wish->deadline - now, most = TICK;

    if (!in->wish->deadline)
        return TICK / 10;
    if (!before->number)
        most = is_announced(in) ? INT_MAX : TICK;
    else if (in->idle_since)
        most = in->idle_since + in->patience - now;
    else if (before->watch >= 0 && before->number - before->first < FARTHEST)
        most = TICK * (long long)(1 + before->number - before->first);
    else if (before->watch >= 0)
        most = (long long)TICK * FARTHEST;
    most = left < most ? left : most;
    return most < 0 ? 0 : most < INT_MAX ? (int)most : INT_MAX;
}

/* Until the one before us goes, or a lease ends, or it is time to look again. */
static void pause_for(struct claiming *in)
{
    struct turn_before *before = &in->claim->before;
    size_t count = in->claim->count;

    if (!before->number && !watch_leases(in))
        return;
    in->watched[count] = (struct pollfd){before->watch, POLLIN, 0};
    poll(in->watched, count + 1, time_to_wait(in));
    for (size_t i = 0; i < count; i++)
        if (in->watched[i].revents)
            close_fd(&in->watched[i].fd);
    if (in->watched[count].revents)
        close_fd(&before->watch);
}

static int go_round(struct claiming *in)
{
    struct claim *claim = in->claim;
    bool waits = in->wish->deadline != 0;
    int got, before = turn_find_before(&claim->turn, in->skip, &claim->before);

    if (before < 0)
        return failed(in, "read who waits for cards");
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
    ask_holders(in->claim);
    return !in->claim->before.number && count_free(in->claim) >= in->wish->wanted ? AGAIN
                                                                                  : GIVEN_UP;
}

static int claim_in_turn(struct claiming *in)
{
    int got;

    do
        got = go_round(in);
    while (got == AGAIN || got == AT_ONCE || (got == GIVEN_UP && (got = look_back(in)) == AGAIN));
    close_fd(&in->claim->before.watch);
    return got == GIVEN_UP ? 0 : got == TAKEN ? 1 : -1;
}

static int prepare(struct claiming *in)
{
    size_t count = in->wish->count;

    in->claim->cards = calloc(count + 1, sizeof *in->claim->cards);
    in->watched = in->claim->cards ? calloc(count + 1, sizeof *in->watched) : NULL;
    if (!in->watched)
        return -1;
    in->claim->count = count;
    for (size_t i = 0; i < count; i++) {
        in->watched[i].fd = -1;
        in->claim->cards[i] = (struct claim_card){
            .uuid = in->wish->uuids[i], .lease = -1, .use = {CARD_NOT_TOLD, -1, 0, 0}};
    }
    return 0;
}

static void free_room(struct claiming *in)
{
    for (size_t i = 0; in->watched && i < in->wish->count; i++)
        close_fd(&in->watched[i].fd);
    free(in->watched);
}

int claim_take(struct claim *claim, const struct claim_wish *wish, struct error *err)
{
    scope(claim_release) struct claim made = {.before.watch = -1};
    scope(free_room) struct claiming in = {
        .claim = &made, .wish = wish, .patience = wish->patience, .told = ULONG_MAX, .err = err};

    if (prepare(&in) < 0)
        return error_memory(err);
    if (turn_join(&made.turn, wish->uuids, wish->count, wish->wanted) < 0)
        return failed(&in, "join the line for cards");
    int got = claim_in_turn(&in);
    turn_release(&made.turn);
    if (got >= 0)
        *claim = take(&made);
    return got;
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
        close_fd(&claim->cards[i].lease);
    free(claim->cards);
    turn_release(&claim->turn);
    error_release(&claim->why_blind);
    *claim = (struct claim){0};
}
