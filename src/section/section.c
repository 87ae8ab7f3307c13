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

/* At the top level of gpu.yml, where it was read already. */
static int read_name_again(const struct reading *in, const struct node *node, void *target)
{
    (void)target;
    return keys_text(in, node, "the name of an environment") ? 0 : -1;
}

int section_keys(const struct reading *in, const struct node *node, bool with_name)
{
    static const struct key keys[] = {
        {"name", read_name_again, true},
        {"devices", section_devices, false},
        {"ids", read_ids, false},
        {"if_no_gpu", read_if_no_gpu, false},
        {"in_job", read_in_job, false},
        {"if_set", read_if_set, false},
        {"variables", section_variables, false},
        {"assign", read_assign, true},
    };
    size_t skipped = !with_name, count = sizeof keys / sizeof *keys - skipped;

    int result =
        keys_read(in, node, "a mapping such as {devices: 0}", keys + skipped, count, in->section);
    if (node_kind(node) == NODE_MAPPING && !keys_is_enough(in->err) && !has_purpose(in, node))
        return error_at(in->err, document_place(in->doc, node),
                        "gpu: neither 'devices' nor 'variables' is here; at least one is needed, "
                        "such as 'devices: 0' or 'variables: {OMP_NUM_THREADS: 8}'");
    return result;
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
    vars_release(&section->conda_variables);
    error_release(&section->notes);
    free(section->name);
    free(section->environment_file);
    free(section->file);
    *section = (struct section){0};
}
