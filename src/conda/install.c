#include "conda/install.h"

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
    static const char *const inputs[] = {"standard input", "/dev/stdin", "/dev/fd/0",
                                         "/proc/self/fd/0"};
    struct stat st;

    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++)
        if (strcmp(path, inputs[i]) == 0)
            return "standard input";
    bool descriptor = strncmp(path, "/dev/fd/", strlen("/dev/fd/")) == 0 ||
                      strncmp(path, "/proc/self/fd/", strlen("/proc/self/fd/")) == 0;
    return descriptor || (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) ? "a pipe" : NULL;
}

static int add_hook(struct install *install, const char *direction, const struct shell *shell,
                    const struct render *in, struct error *err)
{
    scope(strbuf_release) struct strbuf source = STRBUF_INIT;
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;
    scope(free_text) char *name = format_text("%s.%s", direction, shell->extension);
    scope(free_text) char *path = hook_path(direction, shell);

    if (!name || !path)
        return error_memory(err);
    if (templates_load(&source, install->wish->template_dir, name, err) < 0 ||
        render_hook(&text, in, shell, name, strbuf_text(&source), err) < 0)
        return -1;
    return hook_set_add(&install->files, install->prefix, path, &text, err);
}

static int list_managed(struct install *install, struct error *err)
{
    int result = 0;

    for (size_t i = 0; i < install->wish->plan->variables.count && result == 0; i++)
        result = names_add(&install->managed, install->wish->plan->variables.items[i].name);
    for (size_t i = 0; i < install->earlier.managed.count && result == 0; i++)
        result = names_add(&install->managed, install->earlier.managed.items[i]);
    return result < 0 ? error_memory(err) : 0;
}

/* All hooks, in the order of writing: deactivation first. */
static int add_hooks(struct install *install, struct error *err)
{
    const char *name = name_without_file(install->wish->source);
    const struct render in = {install->wish->plan,
                              &install->managed,
                              install->earlier.key,
                              install->wish->environment,
                              name ? name : path_name(install->wish->source),
                              VERSION};

    for (size_t d = 0; d < HOOK_DIRECTIONS; d++)
        for (size_t i = 0; i < shell_count; i++)
            if (add_hook(install, hook_directions[d], &shells[i], &in, err) < 0)
                return -1;
    return 0;
}

/* While no hook changes, the receipt keeps the source that it names: the same section applied from
   another copy of the file is no change. */
static char *receipt_source(const struct install *install)
{
    const char *name = name_without_file(install->wish->source);

    if (install->earlier.receipt && !hook_differs(&install->files, install->files.count - 1))
        return strdup(install->earlier.receipt->source);
    if (name)
        return strdup(name);
    char *real = realpath(install->wish->source, NULL);
    return real || errno == ENOMEM ? real : strdup(install->wish->source);
}

static void fill_receipt(struct receipt *receipt, const struct install *install)
{
    for (unsigned i = 0; i < receipt->devices_count; i++) {
        const struct device *device = &install->wish->plan->devices[i].device;
        uuid_text(device, receipt->devices[i].uuid);
        pci_text(&device->pci, receipt->devices[i].address);
    }
    for (unsigned i = 0; i < receipt->files_count; i++) {
        const struct strbuf *text = &install->files.items[i].text;
        receipt->files[i].path = install->files.items[i].path;
        digest_text(digest_of(strbuf_text(text), text->length), receipt->files[i].digest);
    }
}

/* Writes the text of the receipt, the last file of the set. What it holds belongs to `install`, but
   for the two arrays. */
static int write_receipt_text(struct install *install, struct error *err)
{
    struct hook_file *file = &install->files.items[install->files.count - 1];
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;
    scope(free_text) char *source = receipt_source(install);
    char version[] = VERSION;
    struct receipt receipt = {
        .version = version,
        .source = source,
        .devices = calloc(install->wish->plan->device_count + 1, sizeof *receipt.devices),
        .devices_count = (unsigned)install->wish->plan->device_count,
        .variables = install->managed.items,
        .variables_count = (unsigned)install->managed.count,
        .files = calloc(install->files.count, sizeof *receipt.files),
        .files_count = (unsigned)install->files.count - 1,
        .kept = install->kept,
        .kept_count = install->kept_count,
        .folders = install->earlier.folders.items,
        .folders_count = (unsigned)install->earlier.folders.count,
    };
    int result = -1;

    snprintf(receipt.state, sizeof receipt.state, "%s", install->earlier.key);
    if (!source || !receipt.devices || !receipt.files) {
        error_memory(err);
    } else {
        fill_receipt(&receipt, install);
        result = receipt_print(&text, &receipt, err);
    }
    free(receipt.devices);
    free(receipt.files);
    if (result == 0)
        hook_file_set_text(file, &text);
    return result;
}

/* Whether an earlier run kept a file under this name, which is still there. */
static bool was_kept(const struct install *install, const char *name)
{
    for (unsigned i = 0; i < install->kept_count; i++)
        if (strcmp(install->kept[i].now, name) == 0)
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
static int list_kept(struct install *install, struct error *err)
{
    const struct receipt *receipt = install->earlier.receipt;
    unsigned earlier = receipt ? receipt->kept_count : 0;

    install->kept_count = 0;
    install->kept = calloc(earlier + install->files.count + 1, sizeof *install->kept);
    if (!install->kept)
        return error_memory(err);
    for (unsigned i = 0; i < earlier; i++) {
        int got = prefix_has(install->prefix, receipt->kept[i].now, err);
        if (got < 0)
            return -1;
        if (got)
            install->kept[install->kept_count++] = receipt->kept[i];
    }
    for (size_t i = 0; i < install->files.count; i++) {
        const struct hook_file *file = &install->files.items[i];
        if (!file->keep || file->state != HOOK_FOREIGN)
            continue;
        install->sets_aside = true;
        if (!was_kept(install, file->keep))
            install->kept[install->kept_count++] = (struct receipt_kept){file->path, file->keep};
    }
    qsort(install->kept, install->kept_count, sizeof *install->kept, by_name);
    return 0;
}

/* The receipt for the time in which files of others already stand aside: what the last one said,
   and where they are. */
static int print_interim(const struct install *install, struct strbuf *out, struct error *err)
{
    const struct receipt *last = install->earlier.receipt;
    scope(free_text) char *source = last ? NULL : receipt_source(install);
    char version[] = VERSION;
    struct receipt receipt = last ? *last : (struct receipt){.version = version, .source = source};

    if (!install->sets_aside)
        return 0;
    if (!receipt.source)
        return error_memory(err);
    snprintf(receipt.state, sizeof receipt.state, "%s", install->earlier.key);
    receipt.kept = install->kept;
    receipt.kept_count = install->kept_count;
    receipt.folders = install->earlier.folders.items;
    receipt.folders_count = (unsigned)install->earlier.folders.count;
    return receipt_print(out, &receipt, err);
}

int install_prepare(struct install *install, const struct prefix *prefix,
                    const struct install_wish *wish, struct error *err)
{
    struct strbuf none = STRBUF_INIT;

    install->prefix = prefix;
    install->wish = wish;
    if (earlier_read(&install->earlier, prefix, err) < 0 || list_managed(install, err) < 0 ||
        add_hooks(install, err) < 0 ||
        hook_set_add(&install->files, prefix, RECEIPT_PATH, &none, err) < 0 ||
        hook_claim(&install->files, prefix, &wish->policy, err) < 0 ||
        list_kept(install, err) < 0 ||
        hook_missing_folders(prefix, &install->earlier.folders, err) < 0)
        return -1;
    return write_receipt_text(install, err);
}

bool install_differs(const struct install *install)
{
    return hook_differs(&install->files, install->files.count);
}

int install_write(const struct install *install, struct error *err)
{
    scope(strbuf_release) struct strbuf interim = STRBUF_INIT;

    if (print_interim(install, &interim, err) < 0)
        return -1;
    return hook_write(&install->files, install->prefix, &interim, &install->earlier.folders, err);
}

void install_release(struct install *install)
{
    earlier_release(&install->earlier);
    names_release(&install->managed);
    hook_set_release(&install->files);
    free(install->kept);
    *install = (struct install){0};
}
