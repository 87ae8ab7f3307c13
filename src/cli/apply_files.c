#include "cli/apply.h"

#include "base/file.h"
#include "base/scope.h"
#include "hook/render.h"
#include "hook/templates.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* What to call a source that is no file, for which the next run would have another name; NULL for a
   file. */
static const char *name_without_file(const char *path)
{
    static const char *const inputs[] = {"standard input", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"};
    struct stat st;

    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++)
        if (strcmp(path, inputs[i]) == 0)
            return "standard input";
    bool descriptor = strncmp(path, "/dev/fd/", strlen("/dev/fd/")) == 0 ||
                      strncmp(path, "/proc/self/fd/", strlen("/proc/self/fd/")) == 0;
    return descriptor || (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) ? "a pipe" : NULL;
}

static int add_hook(struct apply *apply, const char *direction, const struct shell *shell,
                    const struct render *in, struct error *err)
{
    scope(strbuf_release) struct strbuf source = STRBUF_INIT;
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;
    scope(free_text) char *name = format_text("%s.%s", direction, shell->extension);
    scope(free_text) char *path = hook_path(direction, shell);

    if (!name || !path)
        return error_memory(err);
    if (templates_load(&source, apply->options->template_dir, name, err) < 0 ||
        render_hook(&text, in, shell, name, strbuf_text(&source), err) < 0)
        return -1;
    return hook_set_add(&apply->set, &apply->prefix, path, &text, err);
}

static int list_managed(struct apply *apply, struct error *err)
{
    int result = 0;

    for (size_t i = 0; i < apply->found.plan.variables.count && result == 0; i++)
        result = names_add(&apply->managed, apply->found.plan.variables.items[i].name);
    for (size_t i = 0; i < apply->earlier.managed.count && result == 0; i++)
        result = names_add(&apply->managed, apply->earlier.managed.items[i]);
    return result < 0 ? error_memory(err) : 0;
}

/* All hooks, in the order of writing: deactivation first. */
static int add_hooks(struct apply *apply, struct error *err)
{
    const char *name = name_without_file(apply->section.file);
    const struct render in = {&apply->found.plan,
                              &apply->managed,
                              apply->earlier.key,
                              apply->environment.name,
                              name ? name : path_name(apply->section.file),
                              VERSION};

    for (size_t d = 0; d < HOOK_DIRECTIONS; d++)
        for (size_t i = 0; i < shell_count; i++)
            if (add_hook(apply, hook_directions[d], &shells[i], &in, err) < 0)
                return -1;
    return 0;
}

/* While no hook changes, the receipt keeps the source that it names: the same section applied from
   another copy of the file is no change. */
static char *receipt_source(const struct apply *apply)
{
    const char *name = name_without_file(apply->section.file);

    if (apply->earlier.receipt && !hook_differs(&apply->set, apply->set.count - 1))
        return strdup(apply->earlier.receipt->source);
    if (name)
        return strdup(name);
    char *real = realpath(apply->section.file, NULL);
    return real || errno == ENOMEM ? real : strdup(apply->section.file);
}

static void fill_receipt(struct receipt *receipt, const struct apply *apply)
{
    for (unsigned i = 0; i < receipt->devices_count; i++) {
        const struct device *device = &apply->found.plan.devices[i].device;
        uuid_text(device, receipt->devices[i].uuid);
        pci_text(&device->pci, receipt->devices[i].address);
    }
    for (unsigned i = 0; i < receipt->files_count; i++) {
        const struct strbuf *text = &apply->set.items[i].text;
        receipt->files[i].path = apply->set.items[i].path;
        digest_text(digest_of(strbuf_text(text), text->length), receipt->files[i].digest);
    }
}

/* Writes the text of the receipt, the last file of the set. What it holds belongs to `apply`, but
   for the two arrays. */
static int write_receipt_text(struct apply *apply, struct error *err)
{
    struct hook_file *file = &apply->set.items[apply->set.count - 1];
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;
    scope(free_text) char *source = receipt_source(apply);
    char version[] = VERSION;
    struct receipt receipt = {
        .version = version,
        .source = source,
        .devices = calloc(apply->found.plan.device_count + 1, sizeof *receipt.devices),
        .devices_count = (unsigned)apply->found.plan.device_count,
        .variables = apply->managed.items,
        .variables_count = (unsigned)apply->managed.count,
        .files = calloc(apply->set.count, sizeof *receipt.files),
        .files_count = (unsigned)apply->set.count - 1,
        .kept = apply->kept,
        .kept_count = apply->kept_count,
        .folders = apply->earlier.folders.items,
        .folders_count = (unsigned)apply->earlier.folders.count,
    };
    int result = -1;

    snprintf(receipt.state, sizeof receipt.state, "%s", apply->earlier.key);
    if (!source || !receipt.devices || !receipt.files) {
        error_memory(err);
    } else {
        fill_receipt(&receipt, apply);
        result = receipt_print(&text, &receipt, err);
    }
    free(receipt.devices);
    free(receipt.files);
    if (result == 0)
        hook_file_set_text(file, &text);
    return result;
}

/* Whether an earlier run kept a file under this name, which is still there. */
static bool was_kept(const struct apply *apply, const char *name)
{
    for (unsigned i = 0; i < apply->kept_count; i++)
        if (strcmp(apply->kept[i].now, name) == 0)
            return true;
    return false;
}

static int by_name(const void *one, const void *other)
{
    return strcmp(((const struct receipt_kept *)one)->now,
                  ((const struct receipt_kept *)other)->now);
}

/* The files of others that earlier runs and this one put under another name. A killed run may have
   announced more than it did. */
static int list_kept(struct apply *apply, struct error *err)
{
    const struct receipt *receipt = apply->earlier.receipt;
    unsigned earlier = receipt ? receipt->kept_count : 0;

    apply->kept_count = 0;
    apply->kept = calloc(earlier + apply->set.count + 1, sizeof *apply->kept);
    if (!apply->kept)
        return error_memory(err);
    for (unsigned i = 0; i < earlier; i++) {
        int got = prefix_has(&apply->prefix, receipt->kept[i].now, err);
        if (got < 0)
            return -1;
        if (got)
            apply->kept[apply->kept_count++] = receipt->kept[i];
    }
    for (size_t i = 0; i < apply->set.count; i++) {
        const struct hook_file *file = &apply->set.items[i];
        if (!file->keep || file->state != HOOK_FOREIGN)
            continue;
        apply->sets_aside = true;
        if (!was_kept(apply, file->keep))
            apply->kept[apply->kept_count++] = (struct receipt_kept){file->path, file->keep};
    }
    qsort(apply->kept, apply->kept_count, sizeof *apply->kept, by_name);
    return 0;
}

/* The receipt for the time in which files of others already stand aside: what the last one said,
   and where they are. */
static int print_interim(const struct apply *apply, struct strbuf *out, struct error *err)
{
    const struct receipt *last = apply->earlier.receipt;
    scope(free_text) char *source = last ? NULL : receipt_source(apply);
    char version[] = VERSION;
    struct receipt receipt = last ? *last : (struct receipt){.version = version, .source = source};

    if (!apply->sets_aside)
        return 0;
    if (!receipt.source)
        return error_memory(err);
    snprintf(receipt.state, sizeof receipt.state, "%s", apply->earlier.key);
    receipt.kept = apply->kept;
    receipt.kept_count = apply->kept_count;
    receipt.folders = apply->earlier.folders.items;
    receipt.folders_count = (unsigned)apply->earlier.folders.count;
    return receipt_print(out, &receipt, err);
}

int apply_diff(const struct apply *apply, const struct hook_file *file, struct strbuf *out,
               struct error *err)
{
    scope(free_text) char *path = path_join(apply->environment.path, file->path);

    if (!path)
        return error_memory(err);
    return cli_diff(out, file->path, file->state == HOOK_ABSENT ? "/dev/null" : path, &file->text,
                    err);
}

/* Decides what becomes of files that are not ours as we left them; an edit that nobody allowed to
   be replaced is shown as the diff that would undo it, where one can be made. */
static int claim(struct apply *apply, struct error *err)
{
    const struct options *options = apply->options;
    const struct hook_policy policy = {options->adopt, options->replace, options->force};

    if (hook_claim(&apply->set, &apply->prefix, &policy, err) == 0)
        return 0;
    for (size_t i = 0; i < apply->set.count && !options->force; i++) {
        scope(strbuf_release) struct strbuf diff = STRBUF_INIT;
        scope(error_release) struct error unseen = ERROR_INIT;
        const struct hook_file *file = &apply->set.items[i];
        if (file->state == HOOK_EDITED && apply_diff(apply, file, &diff, &unseen) == 0)
            error_detail_lines(err, strbuf_text(&diff));
    }
    return -1;
}

int apply_prepare(struct apply *apply, struct error *err)
{
    struct strbuf none = STRBUF_INIT;

    if (earlier_read(&apply->earlier, &apply->prefix, err) < 0 || list_managed(apply, err) < 0 ||
        add_hooks(apply, err) < 0 ||
        hook_set_add(&apply->set, &apply->prefix, RECEIPT_PATH, &none, err) < 0 ||
        claim(apply, err) < 0 || list_kept(apply, err) < 0 ||
        hook_missing_folders(&apply->prefix, &apply->earlier.folders, err) < 0)
        return -1;
    return write_receipt_text(apply, err);
}

int apply_write(const struct apply *apply, struct error *err)
{
    scope(strbuf_release) struct strbuf interim = STRBUF_INIT;

    if (print_interim(apply, &interim, err) < 0)
        return -1;
    return hook_write(&apply->set, &apply->prefix, &interim, &apply->earlier.folders, err);
}
