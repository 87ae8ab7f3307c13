#include "conda/hooks.h"

#include "base/file.h"
#include "base/scope.h"
#include "hook/script.h"

#include <string.h>

bool hook_is_receipt(const struct hook_file *file)
{
    return strcmp(file->path, RECEIPT_PATH) == 0;
}

static enum hook_state state_of(const struct hook_file *file, const char *prefix)
{
    static const enum hook_state states[] = {
        [OWNER_US] = HOOK_OURS, [OWNER_US_EDITED] = HOOK_EDITED, [OWNER_OTHER] = HOOK_FOREIGN};
    const char *found = strbuf_text(&file->found);

    if (hook_is_receipt(file))
        return receipt_is_ours(found, file->found.length) ? HOOK_OURS : HOOK_FOREIGN;
    return states[signature_owner(found, file->found.length, prefix)];
}

int hook_set_add(struct hook_set *set, const struct prefix *prefix, const char *path,
                 struct strbuf *text, struct error *err)
{
    if (array_add(set, (struct hook_file){.path = path}) < 0)
        return error_memory(err);
    struct hook_file *file = &set->items[set->count - 1];
    int got = prefix_read(prefix, path, &file->found, err);
    file->was = got > 0 ? state_of(file, prefix->path) : HOOK_ABSENT;
    return hook_file_set_text(file, text, err) < 0 || got < 0 ? -1 : 0;
}

/* What we write, the next run must read. */
int hook_file_set_text(struct hook_file *file, struct strbuf *text, struct error *err)
{
    if (text->length > PREFIX_FILE_LIMIT)
        return error_add(err, STATUS_INPUT,
                         "%s would have %zu bytes, and %d are the most; set fewer or shorter "
                         "variables",
                         file->path, text->length, PREFIX_FILE_LIMIT);
    strbuf_release(&file->text);
    file->text = take(text);
    bool same = file->was != HOOK_ABSENT && strbuf_equal(&file->found, &file->text);
    file->state = same ? HOOK_SAME : file->was;
    return 0;
}

void hook_set_release(struct hook_set *set)
{
    for (size_t i = 0; i < set->count; i++) {
        strbuf_release(&set->items[i].text);
        strbuf_release(&set->items[i].found);
        free(set->items[i].keep);
    }
    free(set->items);
    *set = (struct hook_set){0};
}

bool hook_differs(const struct hook_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        if (set->items[i].state != HOOK_SAME)
            return true;
    return false;
}

static void show_first_lines(const struct strbuf *text, struct error *err)
{
    enum { SHOWN = 3 };
    const char *line = strbuf_text(text), *end = line + text->length;

    for (int i = 0; i < SHOWN && line < end; i++) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        const char *stop = newline ? newline : end;
        error_detail(err, "| %.*s", (int)(stop - line < 200 ? stop - line : 200), line);
        line = stop + 1;
    }
}

/* The first such name that is free. A killed run may have given the file this name already. */
static char *name_for_original(const struct prefix *prefix, const char *path)
{
    char *name = path_original(path, 0);

    for (unsigned i = 1; name && prefix_is_taken(prefix, name, path); i++) {
        free(name);
        name = path_original(path, i);
    }
    return name;
}

/* A receipt cannot be adopted: nothing sources it. */
static int report_foreign(const struct hook_file *file, const struct prefix *prefix,
                          struct error *err)
{
    error_add(err, STATUS_PREFIX,
              "%s/%s: conda-gpu did not write this file and leaves it alone; %s--replace keeps it "
              "as %s.orig%s. It begins:",
              prefix->path, file->path,
              hook_is_receipt(file) ? "" : "--adopt lets it go on working beside ours, ",
              path_name(file->path),
              hook_is_receipt(file) ? ", and the receipt gets its place" : "");
    show_first_lines(&file->found, err);
    return -1;
}

static int report_edited(const struct hook_file *file, const struct prefix *prefix,
                         struct error *err)
{
    return error_add(err, STATUS_PREFIX,
                     "%s/%s: somebody edited this file after conda-gpu wrote it; put the change "
                     "into the environment file, or give --force, which keeps this version as "
                     "%s.orig",
                     prefix->path, file->path, path_name(file->path));
}

/* An empty file, as conda's manual has people make it with `touch`, or comments only: it does
   nothing, so nobody need be asked before it is set aside. */
static bool does_nothing(const struct hook_file *file)
{
    return !hook_is_receipt(file) &&
           script_is_empty(strrchr(file->path, '.') + 1, strbuf_text(&file->found));
}

static int claim(struct hook_file *file, const struct prefix *prefix,
                 const struct hook_policy *policy, struct error *err)
{
    bool foreign = file->state == HOOK_FOREIGN, edited = file->state == HOOK_EDITED;

    if (foreign && !policy->adopt && !policy->replace && !does_nothing(file))
        return report_foreign(file, prefix, err);
    if (edited && !policy->force)
        return report_edited(file, prefix, err);
    if (!foreign && !edited)
        return 0;
    file->keep = foreign && policy->adopt && !hook_is_receipt(file)
                     ? path_adopted(file->path)
                     : name_for_original(prefix, file->path);
    if (!file->keep)
        return error_memory(err);
    if (prefix_is_taken(prefix, file->keep, file->path))
        return error_add(err, STATUS_PREFIX,
                         "%s/%s: --adopt would give the file beside it, %s, this name, but it is "
                         "taken; move one of the two away",
                         prefix->path, file->keep, path_name(file->path));
    return 0;
}

int hook_claim(struct hook_set *set, const struct prefix *prefix, const struct hook_policy *policy,
               struct error *err)
{
    int result = 0;

    for (size_t i = 0; i < set->count; i++)
        if (claim(&set->items[i], prefix, policy, err) < 0)
            result = -1;
    return result;
}

/* A file of somebody else's that was kept has two names now, and ours takes the first. */
static int write_file(const struct hook_file *file, const struct prefix *prefix, struct error *err)
{
    int moved = file->keep ? prefix_keep(prefix, file->path, file->keep, err) : 0;

    if (moved < 0)
        return -1;
    if (file->state == HOOK_SAME)
        return 0;
    return prefix_write(prefix, file->path, &file->text,
                        moved || file->state == HOOK_ABSENT ? NULL : &file->found, err);
}

/* All of one folder, which is on the disk then. */
static int write_folder(const struct hook_set *set, const struct prefix *prefix, const char *folder,
                        struct error *err)
{
    bool changed = false;

    prefix_sweep(prefix, folder);
    for (size_t i = 0; i < set->count; i++) {
        if (!path_is_in(set->items[i].path, folder))
            continue;
        changed = changed || set->items[i].state != HOOK_SAME;
        if (write_file(&set->items[i], prefix, err) < 0)
            return -1;
    }
    return changed ? prefix_sync(prefix, folder, err) : 0;
}

int hook_write(const struct hook_set *set, const struct prefix *prefix, struct error *err)
{
    for (size_t i = 0; i < OUR_FOLDERS; i++)
        if (write_folder(set, prefix, our_folders[i], err) < 0)
            return -1;
    return 0;
}
