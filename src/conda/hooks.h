/*
 * The set of files that apply writes into a prefix: for every shell a hook in deactivate.d and one
 * in activate.d, and the receipt. Compared, written and removed together.
 *
 *     scope(hook_set_release) struct hook_set set = {0};
 *     hook_set_add(&set, &prefix, "etc/conda/deactivate.d/env_vars.sh", &text, &err)  ... and so on
 *     hook_claim(&set, &prefix, &policy, &err);
 *     hook_write(&set, &prefix, &interim, &folders, &err);
 *
 * Files are written in the order in which they were added: deactivate.d goes before activate.d and
 * the receipt last: a new deactivation script undoes what any earlier activation script did, so
 * each mixture that an interruption leaves is sound. What the next run could not see in the hooks
 * is on the disk before they are: whose file stands aside (an interim receipt) and which folders
 * were made (a mark, see prefix.h).
 */
#ifndef CONDA_GPU_HOOK_H
#define CONDA_GPU_HOOK_H

#include "conda/prefix.h"
#include "conda/receipt.h"
#include "hook/shell.h"
#include "section/vars.h"

enum hook_state {
    HOOK_ABSENT,
    HOOK_SAME,
    HOOK_OURS,   /* as an earlier run wrote it */
    HOOK_EDITED, /* an earlier run's, changed since by somebody */
    HOOK_FOREIGN /* somebody else's */
};

struct hook_file {
    char *path; /* below the prefix */
    struct strbuf text;
    enum hook_state state;
    struct strbuf found; /* what is there now */
    char *keep;          /* the name below the prefix under which that is kept; NULL: it is not */
};

/* What may be done with files that are not ours as we left them. */
struct hook_policy {
    bool adopt;   /* others' go on working under a name that conda sources before ours */
    bool replace; /* others' are kept under a name that conda does not source */
    bool force;   /* our own that somebody edited are kept so */
};

struct hook_set {
    struct hook_file *items;
    size_t count;
    size_t room;
};

/* "deactivate" and "activate": the order of writing. */
enum { HOOK_DIRECTIONS = 2 };
extern const char *const hook_directions[HOOK_DIRECTIONS];

/* "etc/conda/activate.d/env_vars.sh" for "activate" and the first shell; malloc'ed. */
char *hook_path(const char *direction, const struct shell *shell);

/* Takes the text and compares it with what is there. An unreadable file, or a link or folder in its
   place, is an error. */
int hook_set_add(struct hook_set *set, const struct prefix *prefix, const char *path,
                 struct strbuf *text, struct error *err);
/* Gives a file that was added another text, which it takes. */
void hook_file_set_text(struct hook_file *file, struct strbuf *text);
void hook_set_release(struct hook_set *set);

/* True when one of the first `count` files would change. */
bool hook_differs(const struct hook_set *set, size_t count);

/* Decides for every file that is not ours as we left it under which name it is kept, never that of
   another file; reports those for which the policy allows nothing. */
int hook_claim(struct hook_set *set, const struct prefix *prefix, const struct hook_policy *policy,
               struct error *err);

/* Adds those of receipt_folders that hook_write will have to make. */
int hook_missing_folders(const struct prefix *prefix, struct names *folders, struct error *err);

/* Writes what differs, and removes what killed runs left; nothing, where a file that is to be
   replaced is no longer as hook_set_add found it. `interim` is a receipt for the time until
   that of the set is written, "" where none is needed. `folders` are those that were made here, now
   or earlier: at the end they lose their mark, on failure they are removed where they are empty. */
int hook_write(const struct hook_set *set, const struct prefix *prefix,
               const struct strbuf *interim, const struct names *folders, struct error *err);

/* Removes the hooks that are ours and unchanged, in the reverse order of writing. Edited ones stay
   and are reported; with one of activate.d stays what puts back in deactivate.d what it sets.
   Others are left alone, and so is the receipt. */
int hook_remove(const struct hook_set *set, const struct prefix *prefix, struct error *err);

/* Removes the receipt, if it is ours, and those of the folders that are empty then. `original` is
   where somebody's own receipt stands, which takes its place; NULL: there is none. */
int hook_forget(const struct hook_set *set, const struct prefix *prefix, const char *original,
                const struct names *folders, struct error *err);

#endif
