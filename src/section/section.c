#include "section/section.h"

#include "base/scope.h"
#include "base/suggest.h"
#include "section/parts.h"
#include "section/rules.h"

#include <stdlib.h>
#include <string.h>

int section_ids(const struct reading *in, const struct node *node, void *target)
{
    static const char *const words[] = {"index", "uuid", NULL};
    int word = keys_word(in, node, words, "index or uuid");

    (void)target;
    if (word < 0)
        return -1;
    in->section->ids = (enum ids)word;
    in->section->given |= GIVEN_IDS;
    return 0;
}

int section_if_no_gpu(const struct reading *in, const struct node *node, void *target)
{
    static const char *const words[] = {"error", "cpu", "unconfirmed", NULL};
    int word = keys_word(in, node, words, "error, cpu or unconfirmed");

    (void)target;
    if (word < 0)
        return -1;
    in->section->if_no_gpu = (enum if_no_gpu)word;
    in->section->given |= GIVEN_IF_NO_GPU;
    return 0;
}

int section_in_job(const struct reading *in, const struct node *node, void *target)
{
    static const char *const words[] = {"keep", "override", NULL};
    int word = keys_word(in, node, words, "keep or override");

    (void)target;
    if (word < 0)
        return -1;
    in->section->in_job = (enum in_job)word;
    in->section->given |= GIVEN_IN_JOB;
    return 0;
}

int section_if_set(const struct reading *in, const struct node *node, void *target)
{
    static const char *const words[] = {"override", "keep", NULL};
    int word = keys_word(in, node, words, "override or keep");

    (void)target;
    if (word < 0)
        return -1;
    in->section->if_set = (enum if_set)word;
    in->section->given |= GIVEN_IF_SET;
    return 0;
}

/* Whether a key is one of those that a section needs, or is told to be one already. */
static bool has_purpose(const struct reading *in, const struct node *section)
{
    static const char *const purposes[] = {"devices", "variables", "assign"};
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
        SECTION_KEYS,
        {"assign", section_assign, false},
    };
    size_t skipped = !with_name, count = sizeof keys / sizeof *keys - skipped;

    int result =
        keys_read(in, node, "a mapping such as {devices: 0}", keys + skipped, count, in->section);
    if (node_kind(node) == NODE_MAPPING && !keys_is_enough(in->err) && !has_purpose(in, node))
        return error_at(in->err, document_place(in->doc, node),
                        "gpu: 'devices', 'variables' and 'assign' are missing; at least one is "
                        "needed, such as 'devices: 0' or 'variables: {OMP_NUM_THREADS: 8}'");
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
    rules_release(&section->rules);
    error_release(&section->notes);
    free(section->name);
    free(section->environment_file);
    free(section->file);
    *section = (struct section){0};
}
