#include "section/section.h"

#include "base/scope.h"
#include "base/suggest.h"
#include "section/parts.h"

#include <stdlib.h>
#include <string.h>

static int read_ids(const struct reading *in, const struct node *node, void *target)
{
    static const char *const words[] = {"index", "uuid", NULL};
    int word = keys_word(in, node, words, "index or uuid");

    if (word >= 0)
        ((struct section *)target)->ids = (enum ids)word;
    return word;
}

static int read_if_no_gpu(const struct reading *in, const struct node *node, void *target)
{
    static const char *const words[] = {"error", "cpu", "unconfirmed", NULL};
    int word = keys_word(in, node, words, "error, cpu or unconfirmed");

    if (word >= 0)
        ((struct section *)target)->if_no_gpu = (enum if_no_gpu)word;
    return word;
}

static int read_in_job(const struct reading *in, const struct node *node, void *target)
{
    static const char *const words[] = {"keep", "override", NULL};
    int word = keys_word(in, node, words, "keep or override");

    if (word >= 0)
        ((struct section *)target)->in_job = (enum in_job)word;
    return word;
}

static int read_if_set(const struct reading *in, const struct node *node, void *target)
{
    static const char *const words[] = {"override", "keep", NULL};
    int word = keys_word(in, node, words, "override or keep");

    if (word >= 0)
        ((struct section *)target)->if_set = (enum if_set)word;
    return word;
}

static int read_assign(const struct reading *in, const struct node *node, void *target)
{
    (void)target;
    return error_at(in->err, document_place(in->doc, node),
                    "%s: this version of conda-gpu reads no rules per user or host; remove the key "
                    "and give each its own file with -f",
                    in->path);
}

/* After a message that there is no section, one as it should be. */
static int show_section(const struct reading *in)
{
    return error_detail_lines(in->err, "gpu:\n  devices: 0\n");
}

/* Whether a key is one of those that a section needs, or is told to be one already. */
static bool has_purpose(const struct reading *in, const struct node *section)
{
    static const char *const purposes[] = {"devices", "variables"};
    scope(pairs_release) struct pairs pairs = {0};
    scope(error_release) struct error told = ERROR_INIT;

    if (document_pairs(in->doc, section, &pairs, &told) < 0)
        return true;
    for (size_t i = 0; i < pairs.count; i++) {
        const char *name = node_text(pairs.items[i].key);
        if (name && suggest(name, purposes, sizeof purposes / sizeof *purposes))
            return true;
    }
    return false;
}

static int read_section(const struct reading *in, const struct node *node)
{
    static const struct key keys[] = {
        {"devices", section_devices, false},  {"ids", read_ids, false},
        {"if_no_gpu", read_if_no_gpu, false}, {"in_job", read_in_job, false},
        {"if_set", read_if_set, false},       {"variables", section_variables, false},
        {"assign", read_assign, true},
    };

    int result = keys_read(in, node, "a mapping such as {devices: 0}", keys,
                           sizeof keys / sizeof *keys, in->section);
    if (node_kind(node) == NODE_MAPPING && !keys_is_enough(in->err) && !has_purpose(in, node))
        return error_at(in->err, document_place(in->doc, node),
                        "gpu: neither 'devices' nor 'variables' is here; at least one is needed, "
                        "such as 'devices: 0' or 'variables: {OMP_NUM_THREADS: 8}'");
    return result;
}

/* The top level's keys that are ours to read, and one that looks as if it were meant to be. */
struct outline {
    const struct node *name, *section_key, *section, *near;
};

static bool is_filled_text(const struct document *doc, const struct node *node)
{
    return node_kind(node) == NODE_TEXT && node_count(node) && !document_is_null(doc, node);
}

static int read_outline(const struct reading *in, struct outline *outline)
{
    static const char *const section[] = {"gpu"};
    scope(pairs_release) struct pairs pairs = {0};

    if (document_pairs(in->doc, document_root(in->doc), &pairs, in->err) < 0)
        return -1;
    for (size_t i = 0; i < pairs.count; i++) {
        const struct node *key = pairs.items[i].key, *value = pairs.items[i].value;
        const char *name = node_text(key);
        if (!name || strlen(name) != node_count(key))
            continue;
        if (source_begins_odd(name)) {
            error_at(in->err, document_place(in->doc, key), "found the key '%.60s'", name);
            return document_hint(in->doc, key, in->err);
        }
        if (strcmp(name, "name") == 0 && !outline->name && is_filled_text(in->doc, value)) {
            outline->name = value;
        } else if (strcmp(name, "gpu") == 0 && outline->section) {
            return error_at(in->err, document_place(in->doc, key),
                            "gpu: a second 'gpu:' section; join it with the first, at line %zu",
                            document_place(in->doc, outline->section_key).line);
        } else if (strcmp(name, "gpu") == 0) {
            outline->section_key = key;
            outline->section = value;
        } else if (suggest(name, section, 1)) {
            outline->near = key;
        }
    }
    return 0;
}

static int lacks_section(const struct reading *in, const struct outline *outline)
{
    struct place file = {.file = in->section->file};

    if (outline->section)
        error_at(in->err, document_place(in->doc, outline->section_key),
                 "gpu: the section is empty; its keys must stand indented below 'gpu:', for GPU 0 "
                 "of nvidia-smi for example:");
    else if (outline->near)
        error_at(in->err, document_place(in->doc, outline->near),
                 "no 'gpu:' section; did you mean 'gpu' by the key '%.60s'?",
                 node_text(outline->near));
    else
        error_at(in->err, file, "no 'gpu:' section; add one, for GPU 0 of nvidia-smi for example:");
    return show_section(in);
}

static int read_name(const struct reading *in, const struct node *node)
{
    const char *name = node_text(node);

    if (strlen(name) != node_count(node))
        return error_at(in->err, document_place(in->doc, node),
                        "name: the value holds a NUL, which no name of an environment can; remove "
                        "it");
    in->section->name = strdup(name);
    return in->section->name ? 0 : error_memory(in->err);
}

/* The top level: only `name` and `gpu` are ours to read. */
static int read_root(const struct reading *in)
{
    struct outline outline = {0};

    if (read_outline(in, &outline) < 0)
        return -1;
    int result = outline.name ? read_name(in, outline.name) : 0;
    if (!outline.section || document_is_null(in->doc, outline.section))
        return lacks_section(in, &outline);
    return read_section(in, outline.section) < 0 ? -1 : result;
}

int section_read(struct section *section, const char *file, const char *text, size_t length,
                 struct error *err)
{
    scope(section_release) struct section read = {.file = strdup(file)};
    scope(document_release) struct document doc = {0};

    if (!read.file)
        return error_memory(err);
    if (document_load(&doc, read.file, text, length, err) < 0)
        return -1;
    if (read_root(&(struct reading){&read, &doc, err, "gpu"}) < 0) {
        if (keys_is_enough(err))
            error_at(err, (struct place){.file = read.file},
                     "there may be more errors; mend these first");
        return -1;
    }
    *section = read;
    read = (struct section){0};
    return 0;
}

bool section_wants_no_gpu(const struct section *section)
{
    return section->item_count == 1 && section->items[0].kind == ITEM_NONE;
}

bool section_wants_all(const struct section *section)
{
    return section->item_count == 1 && section->items[0].kind == ITEM_ALL;
}

void section_release(struct section *section)
{
    for (size_t i = 0; i < section->item_count; i++)
        item_release(&section->items[i]);
    free(section->items);
    vars_release(&section->variables);
    error_release(&section->notes);
    free(section->name);
    free(section->file);
    *section = (struct section){0};
}
