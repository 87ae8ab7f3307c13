/*
 * Free cards for one command: it waits its turn, leases cards of a pool, and asks NVML about them
 * once they are leased, so that nobody slips in between the look and the lease. All the cards that
 * are wanted, or none.
 *
 *     const struct claim_wish wish = {.uuids = uuids, .count = count, .wanted = 1, ...};
 *     scope(claim_release) struct claim claim = {0};
 *     int got = claim_take(&claim, &wish, &err);
 *     if (got > 0 && claim_hand_on(&claim) == 0)
 *         ... execute the command; cards[i].chosen are its cards, in the pool's order ...
 *
 * A card is free if nobody has leased it, no process computes on it, and less memory is in use than
 * the limit. Where there is no NVML, leases alone decide (claim.blind).
 *
 * Only who is first in the line (turn.h) for a card leases it, so the first may lease more than it
 * needs, look, and give back the rest. Who does not take what it waits for although that has been
 * free for wish.patience, or whom a signal has stopped, loses its turn to those behind it. The
 * patience halves each time, so however many places somebody has who means harm, they cost a waiter
 * no more than twice as much.
 */
#pragma once

#include "gpu/cards.h"
#include "gpu/lease.h"
#include "gpu/turn.h"

/* Milliseconds: to wake up and lease takes some, on a machine that is loaded many. */
enum { CLAIM_PATIENCE = 2000 };

/* Which of the free ones: those at the head of the pool, or first of all ... */
enum claim_prefer {
    CLAIM_ANY,
    CLAIM_LAST,  /* those of wish.last, */
    CLAIM_COOL,  /* the coolest, */
    CLAIM_EMPTY, /* those with the least memory in use */
};

enum claim_state {
    CLAIM_FREE,
    CLAIM_LEASED,
    CLAIM_BUSY,    /* a process computes on it */
    CLAIM_FILLED,  /* memory is in use, by whomever */
    CLAIM_MISSING, /* NVML does not list it */
};

struct claim_card {
    const char *uuid; /* the wish's */
    enum claim_state state;
    int lease;                  /* -1: not ours */
    struct lease_holder holder; /* CLAIM_LEASED, where `waits` or the caller sees it */
    struct card_use use;        /* not told of those that others have leased */
    bool chosen;
};

struct claim {
    struct claim_card *cards; /* the pool */
    size_t count;
    struct turn turn;
    struct turn_before before; /* number 0: nobody is before us; without its watch */
    bool blind;                /* NVML tells nothing of other processes, */
    struct error why_blind;    /* for this reason */
};

struct claim_wish {
    const char *const *uuids; /* the pool; they must outlive the claim */
    size_t count;
    size_t wanted;
    uint64_t busy_memory; /* bytes; a card that has as much in use is not free */
    enum claim_prefer prefer;
    const char *const *last;
    size_t last_count;
    struct question nvml;
    long long deadline; /* clock_now() until which to wait, LLONG_MAX for ever; 0: not at all */
    long long patience; /* milliseconds */
    /* Told when the wait begins, and when it is for somebody else; may be NULL. */
    void (*waits)(const struct claim *claim, void *data);
    void *data;
};

/* 1: the cards are ours; 0: not so many are free, and `cards` and `before` say why, and `turn` is
   given up; -1 with an error. */
int claim_take(struct claim *claim, const struct claim_wish *wish, struct error *err);

/* What is executed from now on holds the chosen cards. -1 with errno. */
int claim_hand_on(struct claim *claim);

void claim_release(struct claim *claim);
