#include "conda/earlier.h"

#include "base/digest.h"
#include "base/file.h"
#include "base/scope.h"
#include "base/self.h"
#include "conda/parts.h"
#include "conda/paths.h"
#include "hook/signature.h"

#include <stdio.h>
#include <string.h>

/* A file of somebody else's in its place is none. */
static int recall_receipt(struct earlier *earlier, const struct prefix *prefix, struct error *err)
{
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;
    scope(free_text) char *path = path_join(prefix->path, RECEIPT_PATH);

    if (!path)
        return error_memory(err);
    int got = prefix_read(prefix, RECEIPT_PATH, &text, err);
    earlier->missing = got == 0;
    if (got <= 0 || !receipt_is_ours(strbuf_text(&text), text.length))
        return got < 0 ? -1 : 0;
    struct receipt *receipt = receipt_parse(strbuf_text(&text), text.length, path, err);
    earlier->receipt = receipt;
    if (!receipt)
        return -1;
    if (names_add_all(&earlier->managed, &receipt->managed) < 0)
        return error_memory(err);
    memcpy(earlier->key, receipt->state, sizeof earlier->key);
    return 0;
}

/* Any hook of ours tells, also an edited one; deactivation scripts know every generation, and the
   first shell's is the first that is written. Without any, no receipt is missed. */
static int recall_hooks(struct earlier *earlier, const struct prefix *prefix, struct error *err)
{
    for (size_t i = 0; i < OUR_DEACTIVATIONS; i++) {
        scope(strbuf_release) struct strbuf text = STRBUF_INIT;
        char key[STATE_KEY_SIZE];
        int got = prefix_read(prefix, hook_places[i].path, &text, err);
        if (got < 0)
            return -1;
        if (!got || signature_owner(strbuf_text(&text), text.length, prefix->path) == OWNER_OTHER)
            continue;
        int found = signature_recall(strbuf_text(&text), &earlier->managed, key);
        if (found < 0)
            return error_memory(err);
        if (found && !earlier->key[0])
            memcpy(earlier->key, key, sizeof key);
        return 0;
    }
    earlier->missing = false;
    return 0;
}

int earlier_read(struct earlier *earlier, const struct prefix *prefix, struct error *err)
{
    scope(earlier_release) struct earlier read = {0};

    if (recall_receipt(&read, prefix, err) < 0 || recall_hooks(&read, prefix, err) < 0)
        return -1;
    if (!read.key[0]) {
        uint64_t digest = digest_add(DIGEST_OF_NOTHING, prefix->path, strlen(prefix->path));
        snprintf(read.key, sizeof read.key, "%08x", (unsigned)(digest ^ digest >> 32));
    }
    *earlier = take(&read);
    return 0;
}

void earlier_release(struct earlier *earlier)
{
    receipt_free(&earlier->receipt);
    names_release(&earlier->managed);
    *earlier = (struct earlier){0};
}

/* What this machine's part has for this user. */
static int find_plan(struct planned *planned, char *const *env)
{
    const struct receipt_host *part = part_find(planned->earlier.receipt, self_host());

    planned->applied = part != NULL;
    /* The list of users may be on another machine. */
    scope(free_text) char *user = part && part->rules.count > 1 ? self_user(env) : strdup("");
    if (!user)
        return -1;
    if (part)
        planned->plan = take(&part->plans.items[shares_find(&part->rules, user)->plan]);
    return 0;
}

int planned_read(struct planned *planned, const struct prefix *prefix, char *const *env,
                 struct error *err)
{
    scope(planned_release) struct planned read = {0};

    if (earlier_read(&read.earlier, prefix, err) < 0)
        return -1;
    if (find_plan(&read, env) < 0)
        return error_memory(err);
    *planned = take(&read);
    return 0;
}

void planned_release(struct planned *planned)
{
    plan_release(&planned->plan);
    earlier_release(&planned->earlier);
}
