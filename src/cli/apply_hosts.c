#include "cli/apply.h"

#include "base/file.h"
#include "base/scope.h"
#include "base/self.h"
#include "section/job.h"
#include "section/keys.h"

#include <string.h>

const char *apply_stock_name(const struct options *options)
{
    return strcmp(options->inventory, "-") == 0 ? "standard input" : options->inventory;
}

int apply_read_stock(struct stock *stock, const struct options *options, struct error *err)
{
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;
    const char *name = apply_stock_name(options);

    if (file_read_named(options->inventory, STOCK_FILE_LIMIT, options->timeout, &text) == 0)
        return stock_read(stock, name, strbuf_text(&text), text.length, err);
    if (text.failed || errno == ENOMEM)
        return error_memory(err);
    if (errno == EOVERFLOW)
        return error_add(err, STATUS_INPUT, "%s: larger than %d MiB; an inventory is not", name,
                         STOCK_FILE_LIMIT >> 20);
    return error_add(err, STATUS_INPUT, "%s: cannot read the inventory: %s", name,
                     file_reason(errno));
}

/* Adds a machine, or what is wrong there and was not said of another. */
static int add_host(struct apply *apply, const char *name, struct inventory *inventory,
                    struct error *err)
{
    const struct options *options = apply->options;
    const struct driver driver = {options->driver, options->timeout, job_is_running(options->env),
                                  inventory};
    struct host_team host = {.host = name};
    scope(error_release) struct error wrong = ERROR_INIT;

    if (resolve_team(&host.team, &apply->section, name, &driver, &wrong) < 0)
        return error_join(err, &wrong);
    if (array_add(&apply->hosts, host) == 0)
        return 0;
    team_release(&host.team);
    return error_memory(err);
}

static int add_hosts(struct apply *apply, struct error *err)
{
    int result = 0;

    if (!apply->options->inventory)
        return add_host(apply, apply->host, NULL, err);
    if (apply_read_stock(&apply->stock, apply->options, err) < 0)
        return -1;
    for (size_t i = 0; i < apply->stock.count && !keys_is_enough(err); i++) {
        struct stocked *stocked = &apply->stock.items[i];
        if (add_host(apply, stocked->host, &stocked->inventory, err) < 0)
            result = -1;
    }
    return result;
}

static void show(struct apply *apply, const struct host_team *host)
{
    apply->shown = host;
    apply->plan = team_plan(&host->team, apply->user);
}

int apply_resolve(struct apply *apply, struct error *err)
{
    apply->host = self_host();
    apply->user = self_user(apply->options->env);
    if (!apply->user)
        return error_memory(err);
    if (add_hosts(apply, err) < 0)
        return -1;
    show(apply, apply->hosts.items);
    return 0;
}

void apply_find_here(struct apply *apply)
{
    const struct parts *parts = &apply->install.parts;
    const struct receipt_host *part = part_serving(&parts->all, apply->host);

    apply->served = part != NULL;
    for (size_t i = 0; part && i < apply->hosts.count; i++)
        if (part_is_made_of(part, &apply->hosts.items[i])) {
            apply->here = true;
            show(apply, &apply->hosts.items[i]);
        }
}
