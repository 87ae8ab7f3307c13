#include "section/section.h"

#include "base/scope.h"
#include "base/suggest.h"
#include "section/parts.h"
#include "section/rules.h"

#include <stdlib.h>
#include <string.h>

/* The index of the text among a few words, of which the last is followed by NULL; or -1. */
static int read_word(const struct reading *in, const struct node *node, const char *const words[],
                     enum section_given given)
{
    for (int i = 0; words[i]; i++)
        if (strcmp(in->text, words[i]) == 0) {
            in->section->given |= given;
            return i;
        }
    return keys_wrong(in, node, in->accepted);
}

int section_ids(const struct reading *in, const struct node *node)
{
    static const char *const words[] = {"index", "uuid", NULL};
    int word = read_word(in, node, words, GIVEN_IDS);

    if (word >= 0)
        in->section->ids = (enum ids)word;
    return word;
}

int section_if_no_gpu(const struct reading *in, const struct node *node)
{
    static const char *const words[] = {"error", "cpu", "unconfirmed", NULL};
    int word = read_word(in, node, words, GIVEN_IF_NO_GPU);

    if (word >= 0)
        in->section->if_no_gpu = (enum if_no_gpu)word;
    return word;
}

int section_in_job(const struct reading *in, const struct node *node)
{
    static const char *const words[] = {"keep", "override", NULL};
    int word = read_word(in, node, words, GIVEN_IN_JOB);

    if (word >= 0)
        in->section->in_job = (enum in_job)word;
    return word;
}

int section_if_set(const struct reading *in, const struct node *node)
{
    static const char *const words[] = {"override", "keep", NULL};
    int word = read_word(in, node, words, GIVEN_IF_SET);

    if (word >= 0)
        in->section->if_set = (enum if_set)word;
    return word;
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

int section_keys(const struct reading *in, const struct node *node, bool with_name)
{
    static const struct key keys[] = {
        {"name", NULL, "the name of an environment", 0}, /* it was read already */
        SECTION_KEYS,
        {"assign", section_assign, NULL, 0},
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
