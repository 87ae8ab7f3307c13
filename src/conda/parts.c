#include "conda/parts.h"

#include "base/file.h"
#include "base/scope.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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

    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++)
        if (strcmp(path, inputs[i]) == 0)
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

static int make_own(const struct making *in, const struct host_team *of, struct receipt_host *part)
{
    scope(free_text) char *host = as_text(of->host);
    scope(free_text) char *source = absolute_source(in->wish->source);

    if (!host || !source)
        return error_memory(in->err), -1;
    const struct part_head head = {host, source, in->wish->by_host};
    return part_make(part, &head, &of->team, in->err);
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

/* The same section applied from another copy of the file is no change. */
static int keep_names(struct receipt_host *own, const struct receipt_host *replaced,
                      struct error *err)
{
    if (strcmp(path_name(replaced->source), path_name(own->source)) != 0)
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

static int replace(const struct making *in, struct receipt_host *own,
                   const struct receipt_host *replaced)
{
    if (array_add(&in->parts->gone, replaced) < 0)
        return error_memory(in->err);
    if (!part_is_same(replaced, own))
        return 0;
    if (in->wish->keep_word && part_keep_word(own, replaced))
        in->parts->confirms = true;
    return keep_names(own, replaced, in->err);
}

static int add_own(const struct making *in, const struct host_team *of)
{
    scope(part_release) struct receipt_host own = {0};

    if (make_own(in, of, &own) < 0)
        return -1;
    const struct receipt_host *replaced = find_replaced(in, &own);
    if (replaced && replace(in, &own, replaced) < 0)
        return -1;
    if (array_add(&in->parts->own, own) < 0)
        return error_memory(in->err);
    own = (struct receipt_host){0};
    return 0;
}

static int find_forgotten(const struct making *in, const struct receipt_host **gone)
{
    const struct receipt *receipt = in->receipt;
    const char *name = in->wish->forget, *path = in->prefix;
    struct error *err = in->err;
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

static bool stays(const struct parts *parts, const struct receipt_host *part)
{
    for (size_t i = 0; i < parts->gone.count; i++)
        if (parts->gone.items[i] == part)
            return false;
    return true;
}

static int by_name(const void *one, const void *other)
{
    return strcmp(((const struct receipt_host *)one)->host,
                  ((const struct receipt_host *)other)->host);
}

static int list_all(const struct making *in)
{
    struct parts *parts = in->parts;
    unsigned count = in->receipt ? in->receipt->hosts_count : 0;

    for (size_t i = 0; i < parts->own.count; i++)
        if (array_add(&parts->all, parts->own.items[i]) < 0)
            return error_memory(in->err);
    for (unsigned i = 0; i < count; i++)
        if (stays(parts, &in->receipt->hosts[i]) &&
            array_add(&parts->all, in->receipt->hosts[i]) < 0)
            return error_memory(in->err);
    if (parts->all.count)
        qsort(parts->all.items, parts->all.count, sizeof *parts->all.items, by_name);
    return 0;
}

int parts_make(struct parts *parts, const struct receipt *receipt, const struct parts_wish *wish,
               const char *prefix, struct error *err)
{
    scope(parts_release) struct parts made = {0};
    const struct making in = {&made, receipt, wish, prefix, err};
    const struct receipt_host *forgotten = NULL;

    if (wish->forget && find_forgotten(&in, &forgotten) < 0)
        return -1;
    if (forgotten && array_add(&made.gone, forgotten) < 0)
        return error_memory(err);
    for (size_t i = 0; i < wish->host_count; i++)
        if (add_own(&in, &wish->hosts[i]) < 0)
            return -1;
    if (list_all(&in) < 0)
        return -1;
    *parts = take(&made);
    return 0;
}

void parts_release(struct parts *parts)
{
    for (size_t i = 0; i < parts->own.count; i++)
        part_release(&parts->own.items[i]);
    free(parts->own.items);
    free(parts->gone.items);
    free(parts->all.items);
    *parts = (struct parts){0};
}
