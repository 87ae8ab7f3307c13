/*
 * Turns: who waits for cards, in the order in which they came. A waiter is in the line for every
 * card that would do; it waits for those who came before it and would take one of the same cards,
 * and for nobody else.
 *
 * A place in the line is a set of abstract sockets (abstract.h), which go with the process that
 * holds them: one for the place, conda-gpu/turn/NUMBER, and one for each card,
 * conda-gpu/turn/NUMBER/COUNT/UUID, where COUNT says how many cards are wanted. They are read in
 * /proc/net/unix, which anybody may. So nobody can hold a place without a living process, and there
 * is no file that somebody could spoil. Who is still joining is not in anybody's way. Names can
 * hold anything, even what looks like lines of that table, so a place counts only if somebody
 * listens there.
 *
 *     scope(turn_release) struct turn turn = {0};
 *     if (turn_join(&turn, uuids, count, wanted) < 0) ...
 *     struct turn_before before = {0};
 *     while (turn_find_before(&turn, 0, &before) > 0)
 *         ... poll(before.watch) until it hangs up ...
 *     ... the first now; turn_release() when the cards are taken ...
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct turn {
    unsigned long number; /* places count upwards; 0: none */
    const char *const *uuids;
    size_t count;
    int *sockets; /* the place's, then one for each card */
};

/* The waiter right before this one, and the first of the line: all those who would take one of our
   cards. */
struct turn_before {
    unsigned long number;
    int watch; /* hangs up (POLLHUP) when it is gone; the caller closes it. -1: it has gone, or so
                  many watch it that one has to look again from time to time */
    size_t wanted; /* how many cards it waits for, of those that it names */
    uid_t user;    /* NO_USER (base/proc.h): not known */
    pid_t process; /* 0: not known, or not of this PID namespace */
    unsigned long first;
    size_t first_wanted;
};

/* Joins the line for these cards, `wanted` of which are needed. The UUIDs must outlive the turn. -1
   with errno. */
int turn_join(struct turn *turn, const char *const *uuids, size_t count, size_t wanted);

/* The nearest of those who came earlier and would take one of our cards. `skip` leaves out those
   with a number up to it: they lost their turn. `before` is what the last call made of it, so that
   the same waiter is watched by the same descriptor, since each takes one of the places that it has
   for such. 1: there is one; 0: we are first; -1 with errno. */
int turn_find_before(const struct turn *turn, unsigned long skip, struct turn_before *before);

/* Whether somebody has this place, and not only names that say so. It takes one of the places that
   the waiter has for those who watch it. */
bool turn_is_there(unsigned long number);

void turn_release(struct turn *turn);
