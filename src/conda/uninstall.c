#include "conda/install.h"

#include "base/array.h"
#include "base/file.h"
#include "base/scope.h"

#include <string.h>

struct removing {
    struct removals *removals;
    const struct prefix *prefix;
    const struct receipt *receipt;
    const char *original; /* where somebody's own receipt stands, which takes its place; or NULL */
    struct error *err;
};

/* Every file that apply may have written, without a text: what is there is compared with none. */
static int list_files(struct removing *in)
{
    struct hook_set *files = &in->removals->files;
    struct strbuf none = STRBUF_INIT;

    if (hook_set_add(files, in->prefix, RECEIPT_PATH, &none, in->err) < 0)
        return -1;
    for (size_t i = 0; i < OUR_HOOKS; i++)
        if (hook_set_add(files, in->prefix, hook_places[i].path, &none, in->err) < 0)
            return -1;
    return 0;
}

static int add(struct removing *in, enum removal what, const char *path, const char *now)
{
    const struct removed removed = {path, now, what};

    return array_add(in->removals, removed) < 0 ? error_memory(in->err) : 0;
}

/* Somebody's own receipt waits for the place that ours still has. */
static int find_original(struct removing *in, const struct receipt_kept *kept)
{
    int got = prefix_has(in->prefix, kept->now, in->err);

    if (got > 0 && in->original)
        return PREFIX_TAKEN;
    if (got > 0)
        in->original = kept->now;
    return got < 0 ? -1 : PREFIX_NOT_KEPT;
}

/* What stood in the hooks' places before them goes back there, the last one first: of several files
   that had one place it gets it, unless somebody has put another there since. An adopted one sorts
   before the others: it goes on working where it is. */
static int put_back(struct removing *in)
{
    int result = 0;

    for (size_t i = in->receipt ? in->receipt->kept.count : 0; i-- > 0;) {
        const struct receipt_kept *kept = &in->receipt->kept.items[i];
        int put = strcmp(kept->path, RECEIPT_PATH) == 0
                      ? find_original(in, kept)
                      : prefix_put_back(in->prefix, kept->now, kept->path, false, in->err);
        if (put < 0 ||
            (put == PREFIX_PUT_BACK && add(in, REMOVAL_PUT_BACK, kept->path, NULL) < 0) ||
            (put == PREFIX_TAKEN && add(in, REMOVAL_LEFT, kept->path, kept->now) < 0))
            result = -1;
    }
    return result;
}

/* What became of a file; nothing, where it could not be removed. */
static int report(struct removing *in, const struct hook_file *file)
{
    scope(error_release) struct error unseen = ERROR_INIT;

    if (file->state == HOOK_OURS && !prefix_has(in->prefix, file->path, &unseen))
        return add(in, REMOVAL_DONE, file->path, NULL);
    return file->state == HOOK_FOREIGN ? add(in, REMOVAL_NOT_OURS, file->path, NULL) : 0;
}

static bool is_activation(const struct hook_file *file)
{
    return path_is_in(file->path, "etc/conda/activate.d");
}

/* Whether the set has a file in this state for the same shell in the other folder. */
static bool has_counterpart(const struct hook_set *set, const struct hook_file *file,
                            enum hook_state state)
{
    for (size_t i = 0; i < set->count; i++) {
        const struct hook_file *other = &set->items[i];
        if (other != file && other->state == state &&
            strcmp(path_name(other->path), path_name(file->path)) == 0)
            return true;
    }
    return false;
}

static int report_staying(const struct removing *in, const struct hook_file *file)
{
    bool both = is_activation(file) && has_counterpart(&in->removals->files, file, HOOK_OURS);

    return error_add(in->err, STATUS_PREFIX,
                     "%s/%s: somebody edited this file after conda-gpu wrote it, so it stays%s; "
                     "remove it by hand if it is not wanted, and run again",
                     in->prefix->path, file->path,
                     both ? ", and its counterpart in deactivate.d with it" : "");
}

/* Removes the hooks that are ours and unchanged, in the reverse order of writing. Edited ones stay
   and are reported; with one of activate.d stays what puts back in deactivate.d what it sets. */
static int remove_hooks(const struct removing *in)
{
    const struct hook_set *set = &in->removals->files;
    int result = 0;

    for (size_t i = set->count; i-- > 0;) {
        const struct hook_file *file = &set->items[i];
        if (file->state == HOOK_EDITED)
            result = report_staying(in, file);
        if (file->state != HOOK_OURS || hook_is_receipt(file) ||
            (!is_activation(file) && has_counterpart(set, file, HOOK_EDITED)))
            continue;
        if (prefix_remove(in->prefix, file->path, &file->found, in->err) < 0)
            return -1; /* never the deactivation script before the activation script */
    }
    return result;
}

static int remove_receipt(const struct removing *in, const struct hook_file *receipt)
{
    int put = in->original ? prefix_put_back(in->prefix, in->original, RECEIPT_PATH, true, in->err)
                           : PREFIX_NOT_KEPT;

    if (put != PREFIX_NOT_KEPT || receipt->state != HOOK_OURS)
        return put < 0 ? -1 : 0;
    return prefix_remove(in->prefix, RECEIPT_PATH, &receipt->found, in->err);
}

/* Removes the folders that apply made and that are empty now, and the receipt, which tells of them:
   as late as can be. */
static int forget(const struct removing *in, const struct hook_file *receipt)
{
    for (size_t i = OUR_FOLDERS; i-- > 0;) {
        const char *folder = our_folders[i];
        if (path_is_in(RECEIPT_PATH, folder) && remove_receipt(in, receipt) < 0)
            return -1;
        prefix_sweep(in->prefix, folder);
        if (in->receipt && names_have(&in->receipt->folders, folder) &&
            prefix_remove_folder(in->prefix, folder, in->err) < 0)
            return -1;
    }
    return 0;
}

int install_remove(struct removals *removals, const struct prefix *prefix,
                   const struct receipt *receipt, struct error *err)
{
    struct removing in = {removals, prefix, receipt, NULL, err};
    const struct hook_set *files = &removals->files;

    if (list_files(&in) < 0)
        return -1;
    int result = remove_hooks(&in);
    removals->nothing = true;
    for (size_t i = 0; i < files->count; i++) {
        if (i && report(&in, &files->items[i]) < 0)
            result = -1;
        removals->nothing = removals->nothing && files->items[i].state != HOOK_OURS;
    }
    if (result < 0 || put_back(&in) < 0 || forget(&in, &files->items[0]) < 0 ||
        report(&in, &files->items[0]) < 0)
        return -1;
    return in.original && prefix_has(prefix, RECEIPT_PATH, err) > 0
               ? add(&in, REMOVAL_PUT_BACK, RECEIPT_PATH, NULL)
               : 0;
}

void removals_release(struct removals *removals)
{
    free(removals->items);
    hook_set_release(&removals->files);
    *removals = (struct removals){0};
}
