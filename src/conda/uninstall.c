#include "conda/install.h"

#include "base/array.h"
#include "base/scope.h"

#include <string.h>

/* Every file that apply may have written, without a text: what is there is compared with none. */
static int list_files(struct hook_set *set, const struct prefix *prefix, struct error *err)
{
    struct strbuf none = STRBUF_INIT;

    if (hook_set_add(set, prefix, RECEIPT_PATH, &none, err) < 0)
        return -1;
    for (size_t d = 0; d < HOOK_DIRECTIONS; d++) {
        for (size_t i = 0; i < shell_count; i++) {
            scope(free_text) char *path = hook_path(hook_directions[d], &shells[i]);
            if (!path)
                return error_memory(err);
            if (hook_set_add(set, prefix, path, &none, err) < 0)
                return -1;
        }
    }
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

    for (unsigned i = receipt ? receipt->kept_count : 0; i-- > 0;) {
        const struct receipt_kept *kept = &receipt->kept[i];
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

/* The receipt goes last, since it tells what there is to do. */
static int take_away(struct removals *removals, const struct hook_set *set,
                     const struct earlier *earlier, const struct prefix *prefix, struct error *err)
{
    const struct hook_file *receipt = &set->items[0];
    const char *original = NULL;
    int result = hook_remove(set, prefix, err);

    removals->nothing = receipt->state != HOOK_OURS;
    for (size_t i = 1; i < set->count; i++) {
        if (report(removals, &set->items[i], prefix, err) < 0)
            result = -1;
        removals->nothing = removals->nothing && set->items[i].state != HOOK_OURS;
    }
    if (result < 0 || put_back(removals, earlier, prefix, &original, err) < 0 ||
        hook_forget(set, prefix, original, &earlier->folders, err) < 0 ||
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
    removals->damaged = earlier.damaged;
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
