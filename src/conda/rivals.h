/*
 * Who else in an environment sets the variables of a plan, so that `apply` can say which values a
 * shell will really have. Scripts are read (hook/script.h), never run.
 *
 *   - Scripts in activate.d that run after our hook, because their name sorts after env_vars, and
 *     what they source in the prefix: their value is the one that the shell has.
 *   - Scripts in deactivate.d: what they set or unset is not as it was before the activation.
 *   - conda's own variables, in conda-meta/state and etc/conda/env_vars.d/NAME.json. conda sets
 *     them before the hooks run, so ours hold while the environment is active. But after our hook
 *     has put back what was there, conda takes them away or empties them (conda's activate.py and
 *     core/prefix_data.py). `conda env config vars unset` leaves `***unset***` there, which does
 *     the same: only the key's removal helps (seen with conda 24.11, 25.5, 26.1 and 26.7).
 *
 *     scope(rivals_release) struct rivals rivals = {0};
 *     if (rivals_find(&rivals, &prefix, &plan.variables, &install.files) < 0) ... memory ran out
 *     for (size_t i = 0; i < rivals.count; i++)
 *         rival_describe(&rivals.items[i], &prefix, &line);
 */
#pragma once

#include "base/array.h"
#include "conda/hooks.h"
#include "conda/prefix.h"
#include "section/vars.h"

enum rival_kind {
    RIVAL_BEATS,   /* a script that runs after ours at activation */
    RIVAL_HIDES,   /* a script of deactivate.d */
    RIVAL_CONDA,   /* conda's own variable, set with `conda env config vars set` */
    RIVAL_LEFT,    /* what `conda env config vars unset` leaves of one */
    RIVAL_PACKAGE, /* conda's own variable, of a package */
    RIVAL_UNREAD,  /* a file or folder that may hold such, and that cannot be read */
};

struct rival {
    enum rival_kind kind;
    char *file;     /* below the prefix */
    size_t line;    /* 0 for conda's own variables */
    char *variable; /* of the plan; "" for RIVAL_UNREAD */
    bool unsets;
    bool sometimes; /* in a condition or a function */
    bool extends;   /* adds to the value that is there */
    char *value;    /* NULL: it cannot be told without running the script; of RIVAL_UNREAD: why */
};

struct rivals array_of(struct rival);

/* `files` is what will be written: this run may adopt scripts. -1 if memory ran out. */
int rivals_find(struct rivals *rivals, const struct prefix *prefix,
                const struct var_list *variables, const struct hook_set *files);

/* Adds what a file does to a variable, once; NULL if memory ran out. */
struct rival *rivals_add(struct rivals *rivals, enum rival_kind kind, const char *file,
                         const char *variable, const char *value);

/* The same for a file that could not be read, with what errno says of it; after ENOMEM, -1. */
int rivals_add_unread(struct rivals *rivals, const char *file);

/* The script that has the last word on a variable at activation; NULL if that is our hook. */
const struct rival *rivals_beat(const struct rivals *rivals, const char *variable);

/* Adds a sentence for the user: who does what to which variable, and what to do about it. */
void rival_describe(const struct rival *rival, const struct prefix *prefix, struct strbuf *out);

void rivals_release(struct rivals *rivals);
