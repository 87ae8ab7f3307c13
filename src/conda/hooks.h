/*
 * The set of files that apply writes into a prefix: for every shell a hook in deactivate.d and one
 * in activate.d, and the receipt. Compared with what is there, and written.
 *
 *     scope(hook_set_release) struct hook_set set = {0};
 *     hook_set_add(&set, &prefix, "etc/conda/deactivate.d/env_vars.sh", &text, &err)  ... and so on
 *     hook_claim(&set, &prefix, &policy, &err);
 *     hook_write(&set, &prefix, &err);
 *
 * The receipt is written first, since it tells what the hooks cannot: whose files stand aside, and
 * which folders were made. Then comes deactivate.d and then activate.d: a new deactivation script
 * undoes what any earlier activation script did, so each mixture that an interruption leaves is
 * sound.
 */
#pragma once

#include "base/array.h"
#include "conda/paths.h"
#include "conda/prefix.h"
#include "conda/receipt.h"
#include "hook/signature.h"

enum hook_state {
    HOOK_ABSENT,
    HOOK_SAME,
    HOOK_OURS,   /* as an earlier run wrote it */
    HOOK_EDITED, /* an earlier run's, changed since by somebody */
    HOOK_FOREIGN /* somebody else's */
};

struct hook_file {
    const char *path; /* below the prefix; not owned */
    struct strbuf text;
    enum hook_state state;
    struct strbuf found; /* what is there now, */
    enum hook_state was; /* and in which state, were it not the text */
    char *keep;          /* the name below the prefix under which that is kept; NULL: it is not */
};

/* What may be done with files that are not ours as we left them. */
struct hook_policy {
    bool adopt;   /* others' go on working under a name that conda sources before ours */
    bool replace; /* others' are kept under a name that conda does not source */
    bool force;   /* our own that somebody edited are kept so */
};

struct hook_set array_of(struct hook_file);

/* Takes the text and compares it with what is there; the path must outlive the set. An unreadable
   file, or a link or folder in its place, is an error. */
int hook_set_add(struct hook_set *set, const struct prefix *prefix, const char *path,
                 struct strbuf *text, struct error *err);
/* Gives a file that was added another text, which it takes. */
int hook_file_set_text(struct hook_file *file, struct strbuf *text, struct error *err);
void hook_set_release(struct hook_set *set);

bool hook_is_receipt(const struct hook_file *file);

/* True when one of the files would change. */
bool hook_differs(const struct hook_set *set);

/* Decides for every file that is not ours as we left it under which name it is kept, never that of
   another file; reports those for which the policy allows nothing. */
int hook_claim(struct hook_set *set, const struct prefix *prefix, const struct hook_policy *policy,
               struct error *err);

/* Writes what differs, and removes what killed runs left. Where a file is no longer as hook_set_add
   found it, it ends there. */
int hook_write(const struct hook_set *set, const struct prefix *prefix, struct error *err);
