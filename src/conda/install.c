#include "conda/install.h"

#include "base/file.h"
#include "base/scope.h"
#include "hook/render.h"
#include "hook/templates.h"

#include <stdlib.h>
#include <string.h>

static int add_hook(struct install *install, const struct hook_place *place,
                    const struct render *in, struct error *err)
{
    scope(strbuf_release) struct strbuf source = STRBUF_INIT;
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;

    if (templates_load(&source, install->wish->template_dir, place->template, err) < 0 ||
        render_hook(&text, in, place->shell, place->template, strbuf_text(&source), err) < 0)
        return -1;
    return hook_set_add(&install->files, install->prefix, place->path, &text, err);
}

/* ---- the parts of all machines ---- */

static int list_served(struct install *install, struct error *err)
{
    for (size_t i = 0; i < install->parts.all.count; i++) {
        const struct receipt_host *part = &install->parts.all.items[i];
        for (size_t r = 0; r < part->rules.count; r++) {
            const struct share *rule = &part->rules.items[r];
            const struct plan *plan = &part->plans.items[rule->plan];
            install->unconfirmed = install->unconfirmed || plan->unconfirmed;
            if (array_add(&install->served, (struct served){part->host, rule, plan}) < 0)
                return error_memory(err);
        }
    }
    return 0;
}

static int decide(struct install *install, struct error *err)
{
    if (parts_make(&install->parts, install->earlier.receipt, &install->wish->parts,
                   install->prefix->path, err) < 0 ||
        list_served(install, err) < 0)
        return -1;
    return decision_make(&install->decision, install->served.items, install->served.count,
                         parts_differ_by_host(&install->parts.all), err);
}

/* ---- the hooks ---- */

static int list_managed(struct install *install, struct error *err)
{
    int result = 0;

    for (size_t b = 0; b < install->decision.branches.count; b++) {
        const struct var_list *variables = &install->decision.branches.items[b].plan->variables;
        for (size_t i = 0; i < variables->count && result == 0; i++)
            result = names_add(&install->receipt.managed, variables->items[i].name);
    }
    if (result == 0)
        result = names_add_all(&install->receipt.managed, &install->earlier.managed);
    return result < 0 ? error_memory(err) : 0;
}

/* "environment.yml", or those of all machines. */
static char *name_sources(const struct install *install)
{
    scope(names_release) struct names names = {0};
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;

    for (size_t i = 0; i < install->parts.all.count; i++)
        if (names_add(&names, path_name(install->parts.all.items[i].source)) < 0)
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
                              .unconfirmed = install->unconfirmed,
                              .managed = &install->receipt.managed,
                              .key = install->earlier.key,
                              .prefix = install->prefix->path,
                              .environment = install->wish->environment,
                              .source = source,
                              .version = VERSION};

    if (!source)
        return error_memory(err);
    for (size_t i = 0; i < OUR_HOOKS; i++)
        if (add_hook(install, &hook_places[i], &in, err) < 0)
            return -1;
    return 0;
}

/* Whether an earlier run kept a file under this name, which is still there. */
static bool was_kept(const struct install *install, const char *name)
{
    for (size_t i = 0; i < install->receipt.kept.count; i++)
        if (strcmp(install->receipt.kept.items[i].now, name) == 0)
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

    for (size_t i = 0; receipt && i < receipt->kept.count; i++) {
        int got = prefix_has(install->prefix, receipt->kept.items[i].now, err);
        if (got < 0)
            return -1;
        if (got && array_add(&install->receipt.kept, receipt->kept.items[i]) < 0)
            return error_memory(err);
    }
    for (size_t i = 0; i < install->files.count; i++) {
        const struct hook_file *file = &install->files.items[i];
        const struct receipt_kept kept = {file->path, file->keep};
        if (file->keep && file->state == HOOK_FOREIGN && !was_kept(install, file->keep) &&
            array_add(&install->receipt.kept, kept) < 0)
            return error_memory(err);
    }
    if (install->receipt.kept.count)
        qsort(install->receipt.kept.items, install->receipt.kept.count,
              sizeof *install->receipt.kept.items, by_name);
    return 0;
}

/* Those that earlier runs made, and those that this one will have to make. */
static int list_folders(struct install *install, struct error *err)
{
    const struct receipt *receipt = install->earlier.receipt;

    if (receipt && names_add_all(&install->receipt.folders, &receipt->folders) < 0)
        return error_memory(err);
    for (size_t i = 0; i < OUR_FOLDERS; i++) {
        int got = prefix_has_folder(install->prefix, our_folders[i], err);
        if (got < 0)
            return -1;
        if (!got && names_add(&install->receipt.folders, our_folders[i]) < 0)
            return error_memory(err);
    }
    return 0;
}

/* The text of the receipt, which is the last of the files. */
static int write_receipt(struct install *install, struct error *err)
{
    struct hook_file *file = &install->files.items[install->files.count - 1];
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;
    struct receipt *receipt = &install->receipt;

    receipt->format = RECEIPT_FORMAT;
    receipt->hosts = install->parts.all;
    if (install->earlier.receipt)
        receipt->exports = install->earlier.receipt->exports;
    memcpy(receipt->state, install->earlier.key, sizeof receipt->state);
    if (receipt_print(&text, receipt, err) < 0)
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

int install_write(const struct install *install, struct error *err)
{
    scope(error_release) struct error also = ERROR_INIT;

    if (hook_write(&install->files, install->prefix, err) == 0)
        return 0;
    for (size_t i = OUR_FOLDERS; i-- > 0;)
        if (names_have(&install->receipt.folders, our_folders[i]))
            prefix_remove_folder(install->prefix, our_folders[i], &also);
    return -1;
}

void install_release(struct install *install)
{
    free(install->served.items);
    decision_release(&install->decision);
    parts_release(&install->parts);
    earlier_release(&install->earlier);
    names_release(&install->receipt.managed);
    names_release(&install->receipt.folders);
    hook_set_release(&install->files);
    free(install->receipt.kept.items);
    *install = (struct install){0};
}
