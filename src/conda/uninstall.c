#include "conda/install.h"

#include "base/array.h"
#include "base/file.h"
#include "base/scope.h"

#include <string.h>

/* Every file that apply may have written, without a text: what is there is compared with none. */
static int list_files(struct hook_set *set, const struct prefix *prefix, struct error *err)
{
    struct strbuf none = STRBUF_INIT;

    if (hook_set_add(set, prefix, RECEIPT_PATH, &none, err) < 0)
        return -1;
    for (size_t i = 0; i < OUR_HOOKS; i++)
        if (hook_set_add(set, prefix, hook_places[i].path, &none, err) < 0)
            return -1;
    return 0;
}

static int add(struct removals *removals, enum removal what, const char *path, const char *now,
               struct error *err)
{
    struct removed removed = {strdup(path), now ? strdup(now) : NULL, what};

    if (removed.path && (removed.now || !now) && array_add(removals, removed) == 0)
        return 0;
    free(removed.path);
    free(removed.now);
    return error_memory(err);
}

/* Somebody's own receipt waits for the place that ours still has; `original` is set to where. */
static int find_original(const struct receipt_kept *kept, const struct prefix *prefix,
                         const char **original, struct error *err)
{
    int got = prefix_has(prefix, kept->now, err);

    if (got > 0 && *original)
        return PREFIX_TAKEN;
    if (got > 0)
        *original = kept->now;
    return got < 0 ? -1 : PREFIX_NOT_KEPT;
}

/* What stood in the hooks' places before them goes back there, the last one first: of several files
   that had one place it gets it, unless somebody has put another there since. An adopted one sorts
   before the others: it goes on working where it is. */
static int put_back(struct removals *removals, const struct earlier *earlier,
                    const struct prefix *prefix, const char **original, struct error *err)
{
    const struct receipt *receipt = earlier->receipt;
    int result = 0;

    for (size_t i = receipt ? receipt->kept.count : 0; i-- > 0;) {
        const struct receipt_kept *kept = &receipt->kept.items[i];
        int put = strcmp(kept->path, RECEIPT_PATH) == 0
                      ? find_original(kept, prefix, original, err)
                      : prefix_put_back(prefix, kept->now, kept->path, err);
        if (put < 0 ||
            (put == PREFIX_PUT_BACK &&
             add(removals, REMOVAL_PUT_BACK, kept->path, NULL, err) < 0) ||
            (put == PREFIX_TAKEN && add(removals, REMOVAL_LEFT, kept->path, kept->now, err) < 0))
            result = -1;
    }
    return result;
}

/* What became of a file; nothing, where it could not be removed. */
static int report(struct removals *removals, const struct hook_file *file,
                  const struct prefix *prefix, struct error *err)
{
    scope(error_release) struct error unseen = ERROR_INIT;

    if (file->state == HOOK_OURS && !prefix_has(prefix, file->path, &unseen))
        return add(removals, REMOVAL_DONE, file->path, NULL, err);
    if (file->state == HOOK_FOREIGN)
        return add(removals, REMOVAL_NOT_OURS, file->path, NULL, err);
    return 0;
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

static int report_staying(const struct hook_set *set, const struct hook_file *file,
                          const struct prefix *prefix, struct error *err)
{
    bool both = is_activation(file) && has_counterpart(set, file, HOOK_OURS);

    return error_add(err, STATUS_PREFIX,
                     "%s/%s: somebody edited this file after conda-gpu wrote it, so it stays%s; "
                     "remove it by hand if it is not wanted, and run again",
                     prefix->path, file->path,
                     both ? ", and its counterpart in deactivate.d with it" : "");
}

/* Removes the hooks that are ours and unchanged, in the reverse order of writing. Edited ones stay
   and are reported; with one of activate.d stays what puts back in deactivate.d what it sets. */
static int remove_hooks(const struct hook_set *set, const struct prefix *prefix, struct error *err)
{
    int result = 0;

    for (size_t i = set->count; i-- > 0;) {
        const struct hook_file *file = &set->items[i];
        if (file->state == HOOK_EDITED)
            result = report_staying(set, file, prefix, err);
        if (file->state != HOOK_OURS || hook_is_receipt(file) ||
            (!is_activation(file) && has_counterpart(set, file, HOOK_EDITED)))
            continue;
        if (prefix_remove(prefix, file->path, &file->found, err) < 0)
            return -1; /* never the deactivation script before the activation script */
    }
    return result;
}

/* `original` is where somebody's own receipt stands, which takes its place; NULL: there is none. */
static int remove_receipt(const struct hook_file *receipt, const struct prefix *prefix,
                          const char *original, struct error *err)
{
    int put = original ? prefix_put_over(prefix, original, RECEIPT_PATH, err) : PREFIX_NOT_KEPT;

    if (put != PREFIX_NOT_KEPT || receipt->state != HOOK_OURS)
        return put < 0 ? -1 : 0;
    return prefix_remove(prefix, RECEIPT_PATH, &receipt->found, err);
}

/* Removes the folders that apply made and that are empty now, and the receipt, which tells of them:
   as late as can be. */
static int forget(const struct hook_file *receipt, const struct earlier *earlier,
                  const struct prefix *prefix, const char *original, struct error *err)
{
    for (size_t i = OUR_FOLDERS; i-- > 0;) {
        if (path_is_in(RECEIPT_PATH, our_folders[i]) &&
            remove_receipt(receipt, prefix, original, err) < 0)
            return -1;
        prefix_sweep(prefix, our_folders[i]);
        if (earlier->receipt && names_have(&earlier->receipt->folders, our_folders[i]) &&
            prefix_remove_folder(prefix, our_folders[i], err) < 0)
            return -1;
    }
    return 0;
}

static int take_away(struct removals *removals, const struct hook_set *set,
                     const struct earlier *earlier, const struct prefix *prefix, struct error *err)
{
    const struct hook_file *receipt = &set->items[0];
    const char *original = NULL;
    int result = remove_hooks(set, prefix, err);

    removals->nothing = receipt->state != HOOK_OURS;
    for (size_t i = 1; i < set->count; i++) {
        if (report(removals, &set->items[i], prefix, err) < 0)
            result = -1;
        removals->nothing = removals->nothing && set->items[i].state != HOOK_OURS;
    }
    if (result < 0 || put_back(removals, earlier, prefix, &original, err) < 0 ||
        forget(receipt, earlier, prefix, original, err) < 0 ||
        report(removals, receipt, prefix, err) < 0)
        return -1;
    if (original && prefix_has(prefix, RECEIPT_PATH, err) > 0)
        return add(removals, REMOVAL_PUT_BACK, RECEIPT_PATH, NULL, err);
    return 0;
}

int install_remove(struct removals *removals, const struct prefix *prefix, struct error *err)
{
    scope(earlier_release) struct earlier earlier = {0};
    scope(hook_set_release) struct hook_set set = {0};

    if (earlier_read(&earlier, prefix, err) < 0 || list_files(&set, prefix, err) < 0)
        return -1;
    return take_away(removals, &set, &earlier, prefix, err);
}

void removals_release(struct removals *removals)
{
    for (size_t i = 0; i < removals->count; i++) {
        free(removals->items[i].path);
        free(removals->items[i].now);
    }
    free(removals->items);
    *removals = (struct removals){0};
}
