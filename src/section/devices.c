#include "section/parts.h"

#include "base/scope.h"
#include "section/advice.h"
#include "section/section.h"

#include <stdlib.h>
#include <string.h>

static int read_pattern(const struct reading *in, const struct node *node)
{
    char **pattern = in->target;

    if (!*in->text)
        return keys_wrong(in, node, in->accepted);
    *pattern = strdup(in->text);
    return *pattern ? 0 : error_memory(in->err);
}

typedef void give_advice(struct strbuf *out, const char *text);

/* A text that cannot be read, with advice on how it is written. */
static int wrong_text(const struct reading *in, const struct node *node, give_advice *advise,
                      const char *accepted)
{
    scope(strbuf_release) struct strbuf advice = STRBUF_INIT;

    advise(&advice, node_text(node));
    return advice.failed ? error_memory(in->err)
                         : keys_wrong_but(in, node, strbuf_text(&advice), accepted);
}

static int read_min_memory(const struct reading *in, const struct node *node)
{
    return size_parse(in->text, in->target) ? 0 : wrong_text(in, node, advice_memory, in->accepted);
}

static int read_min_compute(const struct reading *in, const struct node *node)
{
    struct item *item = in->target;

    return compute_parse(in->text, &item->min_major, &item->min_minor)
               ? 0
               : wrong_text(in, node, advice_compute, in->accepted);
}

static int read_count(const struct reading *in, const struct node *node)
{
    unsigned long *count = in->target;

    return number_parse(in->text, count) && *count ? 0 : keys_wrong(in, node, in->accepted);
}

/* The filter as it is written, on one line. */
static char *filter_text(const struct pairs *pairs)
{
    enum { MOST_SHOWN = 60 };
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;

    for (size_t i = 0; i < pairs->count; i++) {
        const struct node *value = pairs->items[i].value;
        const char *quote = node_is_plain(value) ? "" : "'";
        strbuf_addf(&text, "%s%s: %s%.*s%s%s", i ? ", " : "{", node_text(pairs->items[i].key),
                    quote, MOST_SHOWN, node_text(value), quote,
                    node_count(value) > MOST_SHOWN ? "..." : "");
    }
    strbuf_addc(&text, '}');
    return strbuf_take(&text);
}

static int read_filter(const struct reading *in, const struct node *node, struct item *item)
{
    static const struct key keys[] = {
        {"name", read_pattern, "a name or pattern in quotes, such as \"*A100*\"",
         offsetof(struct item, name)},
        {"mig", read_pattern,
         "a profile as 'nvidia-smi -L' shows it or a pattern, such as 3g.20gb or \"1g.*\"",
         offsetof(struct item, mig)},
        {"min_memory", read_min_memory, "a number with MB, GB, MiB or GiB, such as 40GiB",
         offsetof(struct item, min_memory)},
        {"min_compute", read_min_compute, "a compute capability such as \"8.0\"", 0},
        {"count", read_count, "a number from 1", offsetof(struct item, count)},
    };

    scope(pairs_release) struct pairs pairs = {0};

    item->kind = ITEM_FILTER;
    if (!node_count(node))
        return keys_wrong(
            in, node, "a filter with at least one of name, mig, min_memory, min_compute, count");
    if (keys_read(in, node, "", keys, sizeof keys / sizeof *keys, item) < 0 ||
        document_pairs(in->doc, node, &pairs, in->err) < 0)
        return -1;
    item->text = filter_text(&pairs);
    return item->text ? 0 : error_memory(in->err);
}

static int read_item(const struct reading *in, const struct node *node, const char *accepted,
                     struct item *item)
{
    item->place = document_place(in->doc, node);
    if (node_kind(node) == NODE_MAPPING)
        return read_filter(in, node, item);
    const char *text = keys_text(in, node, accepted);
    if (!text)
        return -1;
    item->text = strdup(text);
    if (!item->text)
        return error_memory(in->err);
    return item_parse(text, item) < 0 ? wrong_text(in, node, advice_item, accepted) : 0;
}

static int check_alone(const struct reading *in, const struct section *section)
{
    int result = 0;

    for (size_t i = 0; section->item_count > 1 && i < section->item_count; i++) {
        const struct item *item = &section->items[i];
        if (item->kind == ITEM_ALL || item->kind == ITEM_NONE)
            result = error_at(in->err, item->place,
                              "%s: '%s' stands beside other items; write it alone, or leave it out",
                              in->path, item->text);
    }
    return result;
}

int section_devices(const struct reading *in, const struct node *node)
{
    struct section *section = in->section;
    bool list = node_kind(node) == NODE_LIST;
    size_t count = list ? node_count(node) : 1;
    int result = 0;

    section->devices_place = document_place(in->doc, node);
    if (!count)
        return keys_error(in, node, "the list is empty; accepted as an item: " ITEM_ACCEPTED);
    if (count > SECTION_DEVICES_LIMIT)
        return keys_error(in, node, "%zu items; at most %d are accepted", count,
                          SECTION_DEVICES_LIMIT);
    section->items = calloc(count, sizeof *section->items);
    if (!section->items)
        return error_memory(in->err);
    for (size_t i = 0; i < count && !keys_is_enough(in->err); i++) {
        section->item_count++;
        const struct node *item = list ? document_item(in->doc, node, i) : node;
        if (read_item(in, item, list ? ITEM_ACCEPTED : DEVICES_ACCEPTED, &section->items[i]) < 0)
            result = -1;
    }
    return check_alone(in, section) < 0 ? -1 : result;
}
