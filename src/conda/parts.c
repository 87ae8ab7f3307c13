#include "conda/parts.h"

#include "base/file.h"
#include "base/scope.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- comparing ---- */

/* What this program writes has devices only where they are chosen; another's receipt may have more.
 */
static bool is_same_plan(const struct plan *a, const struct plan *b)
{
    bool same = a->devices.count == b->devices.count && plan_is_same(a, b);

    for (size_t i = 0; same && i < a->devices.count; i++)
        same = a->devices.items[i].number == b->devices.items[i].number &&
               strcmp(a->devices.items[i].address, b->devices.items[i].address) == 0;
    return same;
}

bool part_is_same(const struct receipt_host *a, const struct receipt_host *b)
{
    bool same = a->by_host == b->by_host && a->plans.count == b->plans.count &&
                a->rules.count == b->rules.count;

    for (size_t i = 0; same && i < a->plans.count; i++)
        same = is_same_plan(&a->plans.items[i], &b->plans.items[i]);
    for (size_t i = 0; same && i < a->rules.count; i++) {
        const struct share *one = &a->rules.items[i], *other = &b->rules.items[i];
        same = one->line == other->line && one->plan == other->plan &&
               names_are_same(&one->users, &other->users);
    }
    return same;
}

/* ---- finding ---- */

bool parts_differ_by_host(const struct receipt_hosts *parts)
{
    return parts->count > 1 || (parts->count && parts->items[0].by_host);
}

const struct receipt_host *part_serving(const struct receipt_hosts *parts, const char *host)
{
    if (parts->count && !parts_differ_by_host(parts))
        return parts->items;
    for (size_t i = 0; i < parts->count; i++)
        if (strcmp(parts->items[i].host, host) == 0)
            return &parts->items[i];
    return NULL;
}

const struct receipt_host *part_find(const struct receipt *receipt, const char *host)
{
    return receipt ? part_serving(&receipt->hosts, host) : NULL;
}

/* ---- one that this run makes ---- */

/* As it will be read back. */
static int tell_device(struct planned_device *told, const struct device *device)
{
    uuid_text(device, told->uuid);
    pci_text(&device->pci, told->address);
    told->compute = (unsigned)(device->compute_major * 10 + device->compute_minor);
    receipt_read_device(told);
    return device_name_text(device, told->device.name) ? 0 : -1;
}

/* All that `all` shows here differs from machine to machine, and is not what was decided. */
static int add_plan(struct receipt_host *part, const struct plan *plan)
{
    size_t count = plan->gpus == PLAN_GPUS_CHOSEN ? plan->devices.count : 0;

    if (array_add(&part->plans, *plan) < 0)
        return -1;
    struct planned_devices *devices = &part->plans.items[part->plans.count - 1].devices;
    *devices = (struct planned_devices){0};
    for (size_t i = 0; i < count; i++) {
        const struct planned_device *planned = &plan->devices.items[i];
        if (array_add(devices, *planned) < 0 ||
            tell_device(&devices->items[i], &planned->device) < 0)
            return -1;
    }
    return 0;
}

static void part_release(struct receipt_host *part)
{
    for (size_t i = 0; i < part->plans.count; i++)
        free(part->plans.items[i].devices.items);
    free(part->plans.items);
    free(part->host);
    free(part->source);
    *part = (struct receipt_host){0};
}

bool part_is_made_of(const struct receipt_host *part, const struct host_team *host)
{
    return part->rules.items == host->team.shares.items;
}

struct making {
    struct parts *parts;
    const struct receipt *receipt;
    const struct parts_wish *wish;
    const char *prefix;
    struct error *err;
};

/* What to call a source that is no file, for which the next run would have another name; NULL for a
   file. */
static const char *name_without_file(const char *path)
{
    static const char *const inputs[] = {"standard input", "/dev/stdin", "/dev/fd/0",
                                         "/proc/self/fd/0"};
    struct stat st;

    if (text_is_among(path, inputs, sizeof inputs / sizeof *inputs))
        return "standard input";
    bool descriptor = strncmp(path, "/dev/fd/", strlen("/dev/fd/")) == 0 ||
                      strncmp(path, "/proc/self/fd/", strlen("/proc/self/fd/")) == 0;
    return descriptor || (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) ? "a pipe" : NULL;
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

/* On failure the caller releases the part as well. */
static int make_own(const struct making *in, const struct host_team *of, struct receipt_host *part)
{
    static char version[] = VERSION;

    *part = (struct receipt_host){.host = as_text(of->host),
                                  .version = version,
                                  .source = absolute_source(in->wish->source),
                                  .by_host = in->wish->by_host,
                                  .rules = of->team.shares};
    if (!part->host || !part->source)
        return -1;
    for (size_t i = 0; i < of->team.plans.count; i++)
        if (add_plan(part, &of->team.plans.items[i]) < 0)
            return -1;
    return 0;
}

/* The part that a new one replaces. A machine that got the same under another name is the same:
   another container on it, say. */
static const struct receipt_host *find_replaced(const struct making *in,
                                                const struct receipt_host *own)
{
    const struct receipt_host *part = part_find(in->receipt, own->host);

    if (!part || strcmp(part->host, own->host) == 0)
        return part;
    return in->wish->host_count == 1 && part_is_same(part, own) ? part : NULL;
}

/* Whether `own` confirms some of what `kept` says, which is the same otherwise. */
static bool confirms(const struct receipt_host *own, const struct receipt_host *kept)
{
    for (size_t i = 0; i < own->plans.count; i++)
        if (kept->plans.items[i].unconfirmed && !own->plans.items[i].unconfirmed)
            return true;
    return false;
}

static int add_own(const struct making *in, const struct host_team *of)
{
    struct parts *parts = in->parts;
    scope(part_release) struct receipt_host own = {0};

    if (make_own(in, of, &own) < 0)
        return -1;
    const struct receipt_host *replaced = find_replaced(in, &own);
    bool same = replaced && part_is_same(replaced, &own);
    struct receipt_host part = own;
    /* The same section applied from another copy of the file is no change. */
    if (same && strcmp(path_name(replaced->source), path_name(own.source)) == 0) {
        part.host = replaced->host;
        part.source = replaced->source;
    }
    if (same && in->wish->keep_word) {
        parts->confirms = parts->confirms || confirms(&own, replaced);
        part.plans = replaced->plans;
    }
    size_t at = replaced ? (size_t)(replaced - in->receipt->hosts.items) : parts->all.count;
    if (at < parts->all.count)
        parts->all.items[at] = part;
    else if (array_add(&parts->all, part) < 0)
        return -1;
    return array_add(&parts->own, take(&own));
}

/* Takes the part away that is to be forgotten; `all` has the receipt's. */
static int forget(const struct making *in)
{
    const struct receipt *receipt = in->receipt;
    const char *name = in->wish->forget, *path = in->prefix;
    struct error *err = in->err;
    const struct receipt_host *part = part_find(receipt, name);
    bool found = part && strcmp(part->host, name) == 0;

    if (found && receipt->hosts.count > 1) {
        in->parts->all.items[part - receipt->hosts.items] =
            in->parts->all.items[--in->parts->all.count];
        return 0;
    }
    if (found)
        return error_add(err, STATUS_INPUT,
                         "%s serves no other machine than %s; conda-gpu remove takes the hooks "
                         "away altogether",
                         path, name);
    error_add(err, STATUS_INPUT, "%s: no apply has served a machine of the name '%s'%s", path, name,
              receipt && receipt->hosts.count ? "; these are served:" : "");
    for (size_t i = 0; receipt && i < receipt->hosts.count; i++)
        error_detail(err, "%s", receipt->hosts.items[i].host);
    return -1;
}

static int by_name(const void *one, const void *other)
{
    return strcmp(((const struct receipt_host *)one)->host,
                  ((const struct receipt_host *)other)->host);
}

static int fill(const struct making *in)
{
    struct receipt_hosts *all = &in->parts->all;

    for (size_t i = 0; in->receipt && i < in->receipt->hosts.count; i++)
        if (array_add(all, in->receipt->hosts.items[i]) < 0)
            return error_memory(in->err);
    if (in->wish->forget && forget(in) < 0)
        return -1;
    for (size_t i = 0; i < in->wish->host_count; i++)
        if (add_own(in, &in->wish->hosts[i]) < 0)
            return error_memory(in->err);
    if (all->count)
        qsort(all->items, all->count, sizeof *all->items, by_name);
    return 0;
}

int parts_make(struct parts *parts, const struct receipt *receipt, const struct parts_wish *wish,
               const char *prefix, struct error *err)
{
    scope(parts_release) struct parts made = {0};

    if (fill(&(struct making){&made, receipt, wish, prefix, err}) < 0)
        return -1;
    *parts = take(&made);
    return 0;
}

void parts_release(struct parts *parts)
{
    for (size_t i = 0; i < parts->own.count; i++)
        part_release(&parts->own.items[i]);
    free(parts->own.items);
    free(parts->all.items);
    *parts = (struct parts){0};
}
