#include "conda/install.h"

#include "base/array.h"
#include "base/file.h"
#include "base/scope.h"
#include "base/utf8.h"
#include "hook/render.h"
#include "hook/templates.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

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
    char path[HOOK_PATH_SIZE];

    if (!name)
        return error_memory(err);
    if (templates_load(&source, install->wish->template_dir, name, err) < 0 ||
        render_hook(&text, in, shell, name, strbuf_text(&source), err) < 0)
        return -1;
    return hook_set_add(&install->files, install->prefix, hook_path(direction, shell, path), &text,
                        err);
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
    const struct branch everybody = {install->wish->plan};
    const struct render in = {.branches = &everybody,
                              .branch_count = 1,
                              .managed = &install->managed,
                              .key = install->earlier.key,
                              .prefix = install->prefix->path,
                              .environment = install->wish->environment,
                              .source = name ? name : path_name(install->wish->source),
                              .version = VERSION};

    for (size_t d = 0; d < HOOK_DIRECTIONS; d++)
        for (size_t i = 0; i < shell_count; i++)
            if (add_hook(install, hook_directions[d], &shells[i], &in, err) < 0)
                return -1;
    return 0;
}

/* Whether an earlier run kept a file under this name, which is still there. */
static bool was_kept(const struct install *install, const char *name)
{
    for (size_t i = 0; i < install->kept.count; i++)
        if (strcmp(install->kept.items[i].now, name) == 0)
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

    for (unsigned i = 0; receipt && i < receipt->kept_count; i++) {
        int got = prefix_has(install->prefix, receipt->kept[i].now, err);
        if (got < 0)
            return -1;
        if (got && array_add(&install->kept, receipt->kept[i]) < 0)
            return error_memory(err);
    }
    for (size_t i = 0; i < install->files.count; i++) {
        const struct hook_file *file = &install->files.items[i];
        const struct receipt_kept kept = {file->path, file->keep};
        if (file->keep && file->state == HOOK_FOREIGN && !was_kept(install, file->keep) &&
            array_add(&install->kept, kept) < 0)
            return error_memory(err);
    }
    if (install->kept.count)
        qsort(install->kept.items, install->kept.count, sizeof *install->kept.items, by_name);
    return 0;
}

/* Those that earlier runs made, and those that this one will have to make. */
static int list_folders(struct install *install, struct error *err)
{
    const struct receipt *receipt = install->earlier.receipt;

    for (unsigned i = 0; receipt && i < receipt->folders_count; i++)
        if (names_add(&install->folders, receipt->folders[i]) < 0)
            return error_memory(err);
    for (size_t i = 0; i < OUR_FOLDERS; i++) {
        int got = prefix_has_folder(install->prefix, our_folders[i], err);
        if (got < 0)
            return -1;
        if (!got && names_add(&install->folders, our_folders[i]) < 0)
            return error_memory(err);
    }
    return 0;
}

/* A path or a name may hold any bytes, YAML only text. */
static char *as_text(const char *bytes)
{
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;

    if (is_utf8(bytes, strlen(bytes)))
        return strdup(bytes);
    strbuf_add_printable(&text, bytes, strlen(bytes));
    return strbuf_take(&text);
}

static char *absolute_source(const char *source)
{
    const char *name = name_without_file(source);
    scope(free_text) char *real = name ? NULL : realpath(source, NULL);

    if (!name && !real && errno == ENOMEM)
        return NULL;
    return as_text(name ? name : real ? real : source);
}

/* The driver's name may hold any bytes. */
static void name_device(char name[DEVICE_NAME_SIZE], const char *given)
{
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;

    strbuf_add_printable(&text, given, strlen(given));
    snprintf(name, DEVICE_NAME_SIZE, "%s", strbuf_text(&text));
    while (!is_utf8(name, strlen(name)))
        name[strlen(name) - 1] = '\0'; /* a character that was cut */
}

static void list_devices(struct receipt_device *devices, const struct plan *plan)
{
    for (size_t i = 0; i < plan->device_count; i++) {
        const struct planned_device *planned = &plan->devices[i];
        devices[i].number =
            planned->number == PLAN_NO_NUMBER ? RECEIPT_NO_NUMBER : (int)planned->number;
        uuid_text(&planned->device, devices[i].uuid);
        pci_text(&planned->device.pci, devices[i].address);
        name_device(devices[i].name, planned->device.name);
        devices[i].memory = planned->device.memory;
        devices[i].compute =
            (unsigned)(planned->device.compute_major * 10 + planned->device.compute_minor);
    }
}

/* While no hook changes, the receipt keeps the source and the machine that it names: the same
   section applied from another copy of the file, or in another container, is no change. */
static const struct receipt_host *unchanged_host(const struct install *install)
{
    const struct receipt *receipt = install->earlier.receipt;

    return receipt && receipt->hosts_count &&
                   !hook_differs(&install->files, install->files.count - 1)
               ? receipt->hosts
               : NULL;
}

/* What belongs to nobody else is the caller's: host, source and devices. */
static int describe_host(struct receipt_host *host, const struct install *install,
                         struct error *err)
{
    static char version[] = VERSION;
    const struct plan *plan = install->wish->plan;
    const struct receipt_host *same = unchanged_host(install);
    struct utsname machine = {0};

    uname(&machine);
    *host = (struct receipt_host){
        .host = same ? strdup(same->host) : as_text(machine.nodename),
        .version = version,
        .source = same ? strdup(same->source) : absolute_source(install->wish->source),
        .in_job = plan->in_job,
        .if_set = plan->if_set,
        .unconfirmed = plan->unconfirmed,
        .devices = calloc(plan->device_count + 1, sizeof *host->devices),
        .devices_count = (unsigned)plan->device_count,
        .variables = plan->variables.items,
        .variables_count = (unsigned)plan->variables.count,
    };
    if (!host->host || !host->source || !host->devices)
        return error_memory(err);
    list_devices(host->devices, plan);
    return 0;
}

static int print_receipt(const struct install *install, struct receipt_host *host,
                         struct strbuf *text, struct error *err)
{
    struct receipt receipt = {
        .format = RECEIPT_FORMAT,
        .managed = install->managed.items,
        .managed_count = (unsigned)install->managed.count,
        .kept = install->kept.items,
        .kept_count = (unsigned)install->kept.count,
        .folders = install->folders.items,
        .folders_count = (unsigned)install->folders.count,
        .hosts = host,
        .hosts_count = 1,
    };

    memcpy(receipt.state, install->earlier.key, sizeof receipt.state);
    return receipt_print(text, &receipt, err);
}

/* The text of the receipt, which is the last of the files. */
static int write_receipt(struct install *install, struct error *err)
{
    struct hook_file *file = &install->files.items[install->files.count - 1];
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;
    struct receipt_host host = {0};
    int result = describe_host(&host, install, err);

    if (result == 0)
        result = print_receipt(install, &host, &text, err);
    free(host.host);
    free(host.source);
    free(host.devices);
    return result < 0 ? -1 : hook_file_set_text(file, &text, err);
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
        list_kept(install, err) < 0 || list_folders(install, err) < 0)
        return -1;
    return write_receipt(install, err);
}

bool install_differs(const struct install *install)
{
    return hook_differs(&install->files, install->files.count);
}

int install_write(const struct install *install, struct error *err)
{
    scope(error_release) struct error also = ERROR_INIT;

    if (hook_write(&install->files, install->prefix, err) == 0)
        return 0;
    for (size_t i = OUR_FOLDERS; i-- > 0;)
        if (names_have(&install->folders, our_folders[i]))
            prefix_remove_folder(install->prefix, our_folders[i], &also);
    return -1;
}

void install_release(struct install *install)
{
    earlier_release(&install->earlier);
    names_release(&install->managed);
    names_release(&install->folders);
    hook_set_release(&install->files);
    free(install->kept.items);
    *install = (struct install){0};
}
