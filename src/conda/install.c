#include "conda/install.h"

#include "base/array.h"
#include "base/file.h"
#include "base/scope.h"
#include "base/utf8.h"
#include "hook/render.h"
#include "hook/templates.h"

#include <errno.h>
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
    char path[HOOK_PATH_SIZE];

    if (!name)
        return error_memory(err);
    if (templates_load(&source, install->wish->template_dir, name, err) < 0 ||
        render_hook(&text, in, shell, name, strbuf_text(&source), err) < 0)
        return -1;
    return hook_set_add(&install->files, install->prefix, hook_path(direction, shell, path), &text,
                        err);
}

/* ---- the parts of all machines ---- */

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

static int make_own(struct install *install, struct error *err)
{
    const struct install_wish *wish = install->wish;
    scope(free_text) char *host = as_text(wish->host);
    scope(free_text) char *source = absolute_source(wish->source);

    if (!host || !source)
        return error_memory(err);
    const struct part_head head = {host, source, wish->by_host};
    return part_make(&install->own, &head, wish->team, err);
}

/* The part that this machine's replaces. A machine that got the same under another name is the
   same: another container on it, say. */
static const struct receipt_host *find_replaced(const struct install *install)
{
    const struct receipt_host *own = &install->own;
    const struct receipt_host *part = part_find(install->earlier.receipt, own->host);

    return part && (strcmp(part->host, own->host) == 0 || part_is_same(part, own)) ? part : NULL;
}

/* The same section applied from another copy of the file is no change. */
static int keep_names(struct receipt_host *own, const struct receipt_host *replaced,
                      struct error *err)
{
    if (!replaced || !part_is_same(replaced, own) ||
        strcmp(path_name(replaced->source), path_name(own->source)) != 0)
        return 0;
    scope(free_text) char *host = strdup(replaced->host);
    scope(free_text) char *source = strdup(replaced->source);
    if (!host || !source)
        return error_memory(err);
    free(own->host);
    free(own->source);
    own->host = take(&host);
    own->source = take(&source);
    return 0;
}

static int by_host_name(const void *one, const void *other)
{
    return strcmp(((const struct receipt_host *)one)->host,
                  ((const struct receipt_host *)other)->host);
}

static int add_own(struct install *install, const struct receipt_host **gone, struct error *err)
{
    if (make_own(install, err) < 0)
        return -1;
    *gone = find_replaced(install);
    if (keep_names(&install->own, *gone, err) < 0)
        return -1;
    return array_add(&install->parts, install->own) < 0 ? error_memory(err) : 0;
}

static int find_forgotten(const struct install *install, const struct receipt_host **gone,
                          struct error *err)
{
    const struct receipt *receipt = install->earlier.receipt;
    const char *name = install->wish->forget, *path = install->prefix->path;
    const struct receipt_host *part = part_find(receipt, name);
    bool found = part && strcmp(part->host, name) == 0;

    *gone = part;
    if (found && receipt->hosts_count > 1)
        return 0;
    if (found)
        return error_add(err, STATUS_INPUT,
                         "%s serves no other machine than %s; conda-gpu remove takes the hooks "
                         "away altogether",
                         path, name);
    error_add(err, STATUS_INPUT, "%s: no apply has served a machine of the name '%s'%s", path, name,
              receipt && receipt->hosts_count ? "; these are served:" : "");
    for (unsigned i = 0; receipt && i < receipt->hosts_count; i++)
        error_detail(err, "%s", receipt->hosts[i].host);
    return -1;
}

static int list_parts(struct install *install, struct error *err)
{
    const struct receipt *receipt = install->earlier.receipt;
    const struct receipt_host *gone = NULL;
    int result =
        install->wish->forget ? find_forgotten(install, &gone, err) : add_own(install, &gone, err);

    if (result < 0)
        return -1;
    for (unsigned i = 0; receipt && i < receipt->hosts_count; i++)
        if (&receipt->hosts[i] != gone && array_add(&install->parts, receipt->hosts[i]) < 0)
            return error_memory(err);
    qsort(install->parts.items, install->parts.count, sizeof *install->parts.items, by_host_name);
    return 0;
}

static int list_plans(struct install *install, struct error *err)
{
    for (size_t i = 0; i < install->parts.count; i++) {
        const struct receipt_host *part = &install->parts.items[i];
        for (unsigned p = 0; p < part->plans_count; p++) {
            scope(plan_release) struct plan plan = {0};
            if (part_plan(&plan, &part->plans[p]) < 0 ||
                array_add(&install->plans, take(&plan)) < 0)
                return error_memory(err);
        }
    }
    return 0;
}

static int list_served(struct install *install, struct error *err)
{
    const struct plan *plans = install->plans.items;

    for (size_t i = 0; i < install->parts.count; i++) {
        const struct receipt_host *part = &install->parts.items[i];
        for (unsigned r = 0; r < part->rules_count; r++) {
            const struct receipt_rule *rule = &part->rules[r];
            const struct served served = {part->host, rule->users, rule->users_count, rule->line,
                                          &plans[rule->plan]};
            if (array_add(&install->served, served) < 0)
                return error_memory(err);
        }
        plans += part->plans_count;
    }
    return 0;
}

static int decide(struct install *install, struct error *err)
{
    if (list_parts(install, err) < 0 || list_plans(install, err) < 0 ||
        list_served(install, err) < 0)
        return -1;
    return decision_make(&install->decision, install->served.items, install->served.count,
                         parts_differ_by_host(install->parts.items, install->parts.count), err);
}

/* ---- the hooks ---- */

static int list_managed(struct install *install, struct error *err)
{
    int result = 0;

    for (size_t b = 0; b < install->decision.branches.count; b++) {
        const struct var_list *variables = &install->decision.branches.items[b].plan->variables;
        for (size_t i = 0; i < variables->count && result == 0; i++)
            result = names_add(&install->managed, variables->items[i].name);
    }
    for (size_t i = 0; i < install->earlier.managed.count && result == 0; i++)
        result = names_add(&install->managed, install->earlier.managed.items[i]);
    return result < 0 ? error_memory(err) : 0;
}

/* "environment.yml", or those of all machines. */
static char *name_sources(const struct install *install)
{
    scope(names_release) struct names names = {0};
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;

    for (size_t i = 0; i < install->parts.count; i++)
        if (names_add(&names, path_name(install->parts.items[i].source)) < 0)
            return NULL;
    for (size_t i = 0; i < names.count; i++)
        strbuf_addf(&text, "%s%s", i ? " and " : "", names.items[i]);
    return strbuf_take(&text);
}

/* All hooks, in the order of writing: deactivation first. */
static int add_hooks(struct install *install, struct error *err)
{
    scope(free_text) char *source = name_sources(install);
    const struct render in = {.decision = &install->decision,
                              .managed = &install->managed,
                              .key = install->earlier.key,
                              .prefix = install->prefix->path,
                              .environment = install->wish->environment,
                              .source = source,
                              .version = VERSION};

    if (!source)
        return error_memory(err);
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

/* The text of the receipt, which is the last of the files. */
static int write_receipt(struct install *install, struct error *err)
{
    struct hook_file *file = &install->files.items[install->files.count - 1];
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;
    const struct receipt *earlier = install->earlier.receipt;
    struct receipt receipt = {
        .format = RECEIPT_FORMAT,
        .managed = install->managed.items,
        .managed_count = (unsigned)install->managed.count,
        .kept = install->kept.items,
        .kept_count = (unsigned)install->kept.count,
        .folders = install->folders.items,
        .folders_count = (unsigned)install->folders.count,
        .exports = earlier ? earlier->exports : NULL,
        .exports_count = earlier ? earlier->exports_count : 0,
        .hosts = install->parts.items,
        .hosts_count = (unsigned)install->parts.count,
    };

    memcpy(receipt.state, install->earlier.key, sizeof receipt.state);
    if (receipt_print(&text, &receipt, err) < 0)
        return -1;
    return hook_file_set_text(file, &text, err);
}

int install_prepare(struct install *install, const struct prefix *prefix,
                    const struct install_wish *wish, struct error *err)
{
    struct strbuf none = STRBUF_INIT;

    install->prefix = prefix;
    install->wish = wish;
    if (earlier_read(&install->earlier, prefix, err) < 0 || decide(install, err) < 0 ||
        list_managed(install, err) < 0 || add_hooks(install, err) < 0 ||
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
    for (size_t i = 0; i < install->plans.count; i++)
        plan_release(&install->plans.items[i]);
    free(install->plans.items);
    free(install->served.items);
    free(install->parts.items);
    decision_release(&install->decision);
    part_release(&install->own);
    earlier_release(&install->earlier);
    names_release(&install->managed);
    names_release(&install->folders);
    hook_set_release(&install->files);
    free(install->kept.items);
    *install = (struct install){0};
}
