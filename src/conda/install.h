/*
 * The files by which an environment does what a plan says: hooks for every shell, and a receipt.
 * Made, compared with what is there, written; and removed again. For apply and remove.
 *
 *     scope(install_release) struct install install = {0};
 *     const struct install_wish wish = {.parts = {.hosts = hosts, ...}, .environment = "pt", ...};
 *     if (install_prepare(&install, &prefix, &wish, &err) < 0) ... nothing was touched
 *     ... install.files says of every file what would become of it ...
 *     if (install_write(&install, &err) < 0) ...
 *
 * Whoever writes or removes holds the prefix's lock from before install_prepare on.
 */
#pragma once

#include "base/array.h"
#include "conda/earlier.h"
#include "conda/hooks.h"
#include "conda/parts.h"
#include "hook/decision.h"

struct install_wish {
    struct parts_wish parts;
    const char *environment;  /* its name */
    const char *template_dir; /* of the hooks; NULL: those that are built in */
    struct hook_policy policy;
};

/* The prefix and the wish must outlive it. */
struct install {
    const struct prefix *prefix;
    const struct install_wish *wish;
    struct earlier earlier;
    struct parts parts;
    struct array_of(struct served) served;
    struct decision decision; /* of all parts */
    bool unconfirmed;         /* no driver has seen the devices of some of them */
    struct hook_set files;    /* the hooks, in the order of writing, and then the receipt */
    struct receipt receipt; /* `managed` by these hooks, then by earlier ones; `folders` that apply
                               made here, or will; what it has of files and parts is theirs */
};

/* Puts this machine's part beside those of others, renders all files, compares them with what is
   there, and decides what becomes of those that are not ours as we left them. Where the policy does
   not allow that, `files` are there all the same, to show what an edit was. */
int install_prepare(struct install *install, const struct prefix *prefix,
                    const struct install_wish *wish, struct error *err);

int install_write(const struct install *install, struct error *err);

void install_release(struct install *install);

/* What install_remove did with a file. */
enum removal {
    REMOVAL_DONE,
    REMOVAL_NOT_OURS, /* somebody else's, which stays */
    REMOVAL_PUT_BACK, /* what stood there before is there again */
    REMOVAL_LEFT,     /* what stood there before stays as `now`, since another file has its place */
};

struct removed {
    const char *path; /* below the prefix; of the files or the receipt */
    const char *now;  /* for REMOVAL_LEFT */
    enum removal what;
};

struct removals {
    struct removed *items;
    size_t count;
    size_t room;
    bool nothing; /* there was nothing of ours */
    struct hook_set files;
};

/* Removes what apply wrote, and only that, and puts back what stood there before. `removals` tells
   what was done, also where something could not be. The receipt is the prefix's, or NULL, and must
   outlive them. */
int install_remove(struct removals *removals, const struct prefix *prefix,
                   const struct receipt *receipt, struct error *err);

void removals_release(struct removals *removals);
