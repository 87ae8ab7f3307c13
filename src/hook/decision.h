/*
 * Who gets what, and where: the rules of all machines, as the branches of one `case`. Pure.
 *
 *     scope(decision_release) struct decision decision = {0};
 *     if (decision_make(&decision, served, count, by_host, &err) < 0) ...
 *
 * Rules whose result is the same share a branch, so long as nobody is served by another for it. The
 * branches come in the order of the rules, with that which serves whom no rule names at the end.
 */
#pragma once

#include "base/array.h"
#include "base/error.h"
#include "plan/plan.h"

/* A rule on one machine. Its last one has no users. */
struct served {
    const char *host;
    const struct share *rule;
    const struct plan *plan;
};

struct branch {
    const struct plan *plan;
    struct names who; /* patterns: of users, of "USER@HOST", or just hosts */
    struct names lines;
    bool own_keys; /* the section's own keys are among what it serves */
    struct array_of(const struct served *) served; /* while it is made */
};

/* See picks.h. */
struct pick {
    struct names users;
    size_t number; /* of the branch, from 1 on */
};

struct machine {
    const char *host;                   /* of decision.hosts */
    struct array_of(struct pick) picks; /* to be tried in this order */
};

struct decision {
    bool by_user;
    bool by_host;
    struct names hosts; /* by_host: those that are served, and no others */
    /* At least one; the only one, if neither by user nor by host, is for everybody. */
    struct array_of(struct branch) branches;
    /* None, or one for each host: then branches may be told by their numbers, from 1 on. */
    struct picks array_of(struct machine) picks;
};

/* Each host's rules stand together and in order. All of it must outlive the decision.
   STATUS_PREFIX for a host whose name no hook can hold. */
int decision_make(struct decision *decision, const struct served *served, size_t count,
                  bool by_host, struct error *err);

void decision_release(struct decision *decision);

/* The same decision about one thing only, of which plans have some kind or other; `by_number`: the
   branches are told by their numbers. */
struct groups {
    struct group {
        int kind;
        struct names who; /* patterns as in a branch, to be tried in this order */
    } * items;
    size_t count;
    size_t room;
};

/* -1 if memory ran out. */
int decision_group(struct groups *groups, const struct decision *decision, bool by_number,
                   int (*kind)(const struct plan *));

void groups_release(struct groups *groups);
