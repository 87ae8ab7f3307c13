#include "conda/hooks.h"

#include "base/array.h"
#include "base/file.h"
#include "base/scope.h"
#include "hook/render.h"

#include <stdlib.h>
#include <string.h>

const char *const hook_directions[HOOK_DIRECTIONS] = {"deactivate", "activate"};

char *hook_path(const char *direction, const struct shell *shell)
{
    return format_text("etc/conda/%s.d/env_vars.%s", direction, shell->extension);
}

static bool is_receipt(const struct hook_file *file)
{
    return strcmp(file->path, RECEIPT_PATH) == 0;
}

static bool is_equal(const struct strbuf *one, const struct strbuf *other)
{
    return one->length == other->length &&
           memcmp(strbuf_text(one), strbuf_text(other), one->length) == 0;
}

static enum hook_state state_of(const struct hook_file *file)
{
    static const enum hook_state states[] = {
        [OWNER_US] = HOOK_OURS, [OWNER_US_EDITED] = HOOK_EDITED, [OWNER_OTHER] = HOOK_FOREIGN};
    const char *found = strbuf_text(&file->found);

    if (is_equal(&file->found, &file->text))
        return HOOK_SAME;
    if (is_receipt(file))
        return receipt_is_ours(found, file->found.length) ? HOOK_OURS : HOOK_FOREIGN;
    return states[render_owner(found, file->found.length)];
}

static struct hook_file *new_file(struct hook_set *set, const char *path)
{
    scope(free_text) char *copy = strdup(path);

    if (!copy || array_add(set, (struct hook_file){.path = copy}) < 0)
        return NULL;
    (void)take(&copy);
    return &set->items[set->count - 1];
}

int hook_set_add(struct hook_set *set, const struct prefix *prefix, const char *path,
                 struct strbuf *text, struct error *err)
{
    struct hook_file *file = new_file(set, path);

    if (!file)
        return error_memory(err);
    int got = prefix_read(prefix, path, &file->found, err);
    file->state = got > 0 ? HOOK_FOREIGN : HOOK_ABSENT;
    hook_file_set_text(file, text);
    return got < 0 ? -1 : 0;
}

void hook_file_set_text(struct hook_file *file, struct strbuf *text)
{
    strbuf_release(&file->text);
    file->text = *text;
    *text = (struct strbuf)STRBUF_INIT;
    if (file->state != HOOK_ABSENT)
        file->state = state_of(file);
}

void hook_set_release(struct hook_set *set)
{
    for (size_t i = 0; i < set->count; i++) {
        free(set->items[i].path);
        strbuf_release(&set->items[i].text);
        strbuf_release(&set->items[i].found);
        free(set->items[i].keep);
    }
    free(set->items);
    *set = (struct hook_set){0};
}

bool hook_differs(const struct hook_set *set, size_t count)
{
    for (size_t i = 0; i < count; i++)
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

/* ".orig" behind the path, and a number where that is taken. A killed run may have given the file
   this name already. */
static char *name_for_original(const struct prefix *prefix, const char *path)
{
    char *name = format_text("%s.orig", path);

    for (unsigned i = 1; name && prefix_is_taken(prefix, name, path); i++) {
        free(name);
        name = format_text("%s.orig.%u", path, i);
    }
    return name;
}

/* env_vars-adopted.sh: conda sources it, and before env_vars.sh. */
static char *name_for_adopted(const char *path)
{
    const char *dot = strrchr(path, '.');

    return format_text("%.*s-adopted%s", (int)(dot - path), path, dot);
}

/* A receipt cannot be adopted: nothing sources it. */
static int report_foreign(const struct hook_file *file, const struct prefix *prefix,
                          struct error *err)
{
    error_add(err, STATUS_PREFIX,
              "%s/%s: conda-gpu did not write this file and leaves it alone; %s--replace keeps it "
              "as %s.orig%s. It begins:",
              prefix->path, file->path,
              is_receipt(file) ? "" : "--adopt lets it go on working beside ours, ",
              path_name(file->path), is_receipt(file) ? ", and the receipt gets its place" : "");
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

static int claim(struct hook_file *file, const struct prefix *prefix,
                 const struct hook_policy *policy, struct error *err)
{
    bool foreign = file->state == HOOK_FOREIGN, edited = file->state == HOOK_EDITED;

    if (foreign && !policy->adopt && !policy->replace)
        return report_foreign(file, prefix, err);
    if (edited && !policy->force)
        return report_edited(file, prefix, err);
    if (!foreign && !edited)
        return 0;
    file->keep = foreign && policy->adopt && !is_receipt(file)
                     ? name_for_adopted(file->path)
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

/* The folder of a path below the prefix. */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? strndup(path, (size_t)(slash - path)) : NULL;
}

static bool is_right_in(const char *path, const char *folder)
{
    size_t length = strlen(folder);

    return strncmp(path, folder, length) == 0 && path[length] == '/' &&
           !strchr(path + length + 1, '/');
}

/* Somebody's receipt stands aside since the interim one was written. */
static int write_file(const struct hook_file *file, const struct prefix *prefix, struct error *err)
{
    if (file->keep && !is_receipt(file) && prefix_keep(prefix, file->path, file->keep, err) < 0)
        return -1;
    if (file->state == HOOK_SAME)
        return 0;
    return prefix_write(prefix, file->path, strbuf_text(&file->text), file->text.length, err);
}

/* Folder by folder, each on the disk before the next one begins. */
static int write_all(const struct hook_set *set, const struct prefix *prefix, struct error *err)
{
    for (size_t i = 0; i < set->count;) {
        scope(free_text) char *folder = folder_of(set->items[i].path);
        bool changed = false;
        if (!folder)
            return error_memory(err);
        prefix_sweep(prefix, folder);
        for (; i < set->count && is_right_in(set->items[i].path, folder); i++) {
            changed = changed || set->items[i].state != HOOK_SAME;
            if (write_file(&set->items[i], prefix, err) < 0)
                return -1;
        }
        if (changed && prefix_sync(prefix, folder, err) < 0)
            return -1;
    }
    return 0;
}

static int write_interim(const struct hook_set *set, const struct prefix *prefix,
                         const struct strbuf *interim, struct error *err)
{
    if (!interim->length)
        return 0;
    for (size_t i = 0; i < set->count; i++) {
        const struct hook_file *file = &set->items[i];
        if (is_receipt(file) && file->keep && prefix_keep(prefix, file->path, file->keep, err) < 0)
            return -1;
    }
    return prefix_write(prefix, RECEIPT_PATH, strbuf_text(interim), interim->length, err);
}

int hook_missing_folders(const struct prefix *prefix, struct names *folders, struct error *err)
{
    for (size_t i = 0; i < RECEIPT_FOLDERS; i++) {
        int got = prefix_has_folder(prefix, receipt_folders[i], err);
        if (got < 0)
            return -1;
        if (!got && names_add(folders, receipt_folders[i]) < 0)
            return error_memory(err);
    }
    return 0;
}

static int settle(const struct prefix *prefix, const struct names *folders, struct error *err)
{
    for (size_t i = 0; i < folders->count; i++)
        if (prefix_settle(prefix, folders->items[i], err) < 0)
            return -1;
    return 0;
}

/* The driver may have taken long to answer since the files were read. */
static int look_again(const struct hook_set *set, const struct prefix *prefix, struct error *err)
{
    int result = 0;

    for (size_t i = 0; i < set->count; i++) {
        scope(strbuf_release) struct strbuf now = STRBUF_INIT;
        const struct hook_file *file = &set->items[i];
        if (file->state == HOOK_SAME)
            continue;
        int got = prefix_read(prefix, file->path, &now, err);
        if (got < 0)
            return -1;
        if (got != (file->state != HOOK_ABSENT) || !is_equal(&now, &file->found))
            result = error_add(err, STATUS_PREFIX,
                               "%s/%s: somebody changed this file while conda-gpu ran, so nothing "
                               "was written; run it again",
                               prefix->path, file->path);
    }
    return result;
}

int hook_write(const struct hook_set *set, const struct prefix *prefix,
               const struct strbuf *interim, const struct names *folders, struct error *err)
{
    scope(error_release) struct error also = ERROR_INIT;

    if (look_again(set, prefix, err) < 0)
        return -1;
    if (write_interim(set, prefix, interim, err) == 0 && write_all(set, prefix, err) == 0)
        return settle(prefix, folders, err);
    for (size_t i = RECEIPT_FOLDERS; i-- > 0;)
        if (names_have(folders, receipt_folders[i]))
            prefix_remove_folder(prefix, receipt_folders[i], 0, &also);
    return -1;
}

static bool is_activation(const struct hook_file *file)
{
    return strncmp(file->path, "etc/conda/activate.d/", strlen("etc/conda/activate.d/")) == 0;
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

int hook_remove(const struct hook_set *set, const struct prefix *prefix, struct error *err)
{
    int result = 0;

    for (size_t i = set->count; i-- > 0;) {
        const struct hook_file *file = &set->items[i];
        if (file->state == HOOK_EDITED)
            result = report_staying(set, file, prefix, err);
        if (file->state != HOOK_OURS || is_receipt(file) ||
            (!is_activation(file) && has_counterpart(set, file, HOOK_EDITED)))
            continue;
        if (prefix_remove(prefix, file->path, err) < 0)
            return -1; /* never the deactivation script before the activation script */
    }
    return result;
}

static bool has_receipt(const struct hook_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        if (is_receipt(&set->items[i]) && set->items[i].state == HOOK_OURS)
            return true;
    return false;
}

static int remove_receipt(const struct prefix *prefix, const char *original, struct error *err)
{
    int put = original ? prefix_put_over(prefix, original, RECEIPT_PATH, err) : 0;

    return put ? (put < 0 ? -1 : 0) : prefix_remove(prefix, RECEIPT_PATH, err);
}

/* Marks those of the folders that hold nothing but what goes: the receipt, and such folders. The
   mode of one that stays is nobody's to change, also for a moment. */
static void mark_going(const struct prefix *prefix, const struct names *folders, bool receipt_goes,
                       mode_t modes[RECEIPT_FOLDERS])
{
    bool goes[RECEIPT_FOLDERS] = {false};

    for (size_t i = RECEIPT_FOLDERS; i-- > 0;) {
        const char *folder = receipt_folders[i];
        int going = receipt_goes && is_right_in(RECEIPT_PATH, folder);
        for (size_t j = i + 1; j < RECEIPT_FOLDERS; j++)
            going += goes[j] && is_right_in(receipt_folders[j], folder);
        prefix_sweep(prefix, folder);
        goes[i] = names_have(folders, folder) && prefix_count(prefix, folder) == going;
        modes[i] = goes[i] ? prefix_mark(prefix, folder) : 0;
    }
}

/* While the receipt is there, it tells of the folders; once it is gone, their marks do. */
int hook_forget(const struct hook_set *set, const struct prefix *prefix, const char *original,
                const struct names *folders, struct error *err)
{
    mode_t modes[RECEIPT_FOLDERS] = {0};
    bool ours = has_receipt(set);

    mark_going(prefix, folders, ours && !original, modes);
    if (ours && remove_receipt(prefix, original, err) < 0) {
        for (size_t i = 0; i < RECEIPT_FOLDERS; i++)
            prefix_unmark(prefix, receipt_folders[i], modes[i], err);
        return -1;
    }
    int result = 0;
    for (size_t i = RECEIPT_FOLDERS; i-- > 0 && result == 0;)
        if (names_have(folders, receipt_folders[i]))
            result = prefix_remove_folder(prefix, receipt_folders[i], modes[i], err);
    return result;
}
