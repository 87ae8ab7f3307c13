#include "conda/earlier.h"

#include "base/digest.h"
#include "base/scope.h"
#include "conda/hooks.h"
#include "hook/render.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int recall_receipt(struct earlier *earlier, const struct prefix *prefix, struct error *err)
{
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;

    int got = prefix_read(prefix, RECEIPT_PATH, &text, err);
    earlier->missing = got == 0;
    if (got <= 0)
        return got;
    earlier->receipt = receipt_parse(strbuf_text(&text), text.length);
    if (!earlier->receipt && errno == ENOMEM)
        return error_memory(err);
    earlier->damaged = !earlier->receipt && receipt_is_ours(strbuf_text(&text), text.length);
    const struct receipt *receipt = earlier->receipt;
    if (!receipt)
        return 0;
    int result = 0;
    for (unsigned i = 0; i < receipt->variables_count && result == 0; i++)
        result = names_add(&earlier->managed, receipt->variables[i]);
    for (unsigned i = 0; i < receipt->folders_count && result == 0; i++)
        result = names_add(&earlier->folders, receipt->folders[i]);
    snprintf(earlier->key, sizeof earlier->key, "%s", receipt->state);
    return result < 0 ? error_memory(err) : 0;
}

/* Any hook of ours tells, also an edited one; deactivation scripts know every generation, and the
   first shell's is the first that is written. Without any, no receipt is missed. */
static int recall_hooks(struct earlier *earlier, const struct prefix *prefix, struct error *err)
{
    for (size_t i = 0; i < shell_count; i++) {
        scope(strbuf_release) struct strbuf text = STRBUF_INIT;
        scope(free_text) char *path = hook_path("deactivate", &shells[i]);
        char key[STATE_KEY_SIZE];
        if (!path)
            return error_memory(err);
        int got = prefix_read(prefix, path, &text, err);
        if (got < 0)
            return -1;
        if (!got || render_owner(strbuf_text(&text), text.length) == OWNER_OTHER)
            continue;
        int found = render_recall(strbuf_text(&text), &earlier->managed, key);
        if (found < 0)
            return error_memory(err);
        if (found && !earlier->key[0])
            memcpy(earlier->key, key, sizeof key);
        return 0;
    }
    earlier->missing = false;
    return 0;
}

/* Folders of a run that was killed before a receipt told of them. */
static int recall_folders(struct earlier *earlier, const struct prefix *prefix, struct error *err)
{
    for (size_t i = 0; i < RECEIPT_FOLDERS; i++)
        if (prefix_is_marked(prefix, receipt_folders[i]) &&
            names_add(&earlier->folders, receipt_folders[i]) < 0)
            return error_memory(err);
    return 0;
}

int earlier_read(struct earlier *earlier, const struct prefix *prefix, struct error *err)
{
    scope(earlier_release) struct earlier read = {0};

    if (recall_receipt(&read, prefix, err) < 0 || recall_hooks(&read, prefix, err) < 0 ||
        recall_folders(&read, prefix, err) < 0)
        return -1;
    if (!read.key[0]) {
        uint64_t digest = digest_of(prefix->path, strlen(prefix->path));
        snprintf(read.key, sizeof read.key, "%08x", (unsigned)(digest ^ digest >> 32));
    }
    *earlier = read;
    read = (struct earlier){0};
    return 0;
}

void earlier_release(struct earlier *earlier)
{
    receipt_free(&earlier->receipt);
    names_release(&earlier->managed);
    names_release(&earlier->folders);
    *earlier = (struct earlier){0};
}
