#include "conda/earlier.h"

#include "base/digest.h"
#include "base/scope.h"
#include "conda/install.h"
#include "hook/render.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int recall_receipt(struct history *history, const struct site *site, struct error *err)
{
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;

    int got = site_read(site, RECEIPT_PATH, &text, err);
    history->missing = got == 0;
    if (got <= 0)
        return got;
    history->receipt = receipt_parse(strbuf_text(&text), text.length);
    if (!history->receipt && errno == ENOMEM)
        return error_memory(err);
    history->damaged = !history->receipt && receipt_is_ours(strbuf_text(&text), text.length);
    const struct receipt *receipt = history->receipt;
    if (!receipt)
        return 0;
    int result = 0;
    for (unsigned i = 0; i < receipt->variables_count && result == 0; i++)
        result = names_add(&history->managed, receipt->variables[i]);
    for (unsigned i = 0; i < receipt->folders_count && result == 0; i++)
        result = names_add(&history->folders, receipt->folders[i]);
    snprintf(history->key, sizeof history->key, "%s", receipt->state);
    return result < 0 ? error_memory(err) : 0;
}

/* Any hook of ours tells, also an edited one; deactivation scripts know every generation, and the
   first shell's is the first that is written. Without any, no receipt is missed. */
static int recall_hooks(struct history *history, const struct site *site, struct error *err)
{
    for (size_t i = 0; i < shell_count; i++) {
        scope(strbuf_release) struct strbuf text = STRBUF_INIT;
        scope(free_text) char *path = hook_path("deactivate", &shells[i]);
        char key[STATE_KEY_SIZE];
        if (!path)
            return error_memory(err);
        int got = site_read(site, path, &text, err);
        if (got < 0)
            return -1;
        if (!got || render_owner(strbuf_text(&text), text.length) == OWNER_OTHER)
            continue;
        int found = render_recall(strbuf_text(&text), &history->managed, key);
        if (found < 0)
            return error_memory(err);
        if (found && !history->key[0])
            memcpy(history->key, key, sizeof key);
        return 0;
    }
    history->missing = false;
    return 0;
}

/* Folders of a run that was killed before a receipt told of them. */
static int recall_folders(struct history *history, const struct site *site, struct error *err)
{
    for (size_t i = 0; i < RECEIPT_FOLDERS; i++)
        if (site_is_marked(site, receipt_folders[i]) &&
            names_add(&history->folders, receipt_folders[i]) < 0)
            return error_memory(err);
    return 0;
}

int history_read(struct history *history, const struct site *site, struct error *err)
{
    scope(history_release) struct history read = {0};

    if (recall_receipt(&read, site, err) < 0 || recall_hooks(&read, site, err) < 0 ||
        recall_folders(&read, site, err) < 0)
        return -1;
    if (!read.key[0]) {
        uint64_t digest = digest_of(site->path, strlen(site->path));
        snprintf(read.key, sizeof read.key, "%08x", (unsigned)(digest ^ digest >> 32));
    }
    *history = read;
    read = (struct history){0};
    return 0;
}

void history_release(struct history *history)
{
    receipt_free(&history->receipt);
    names_release(&history->managed);
    names_release(&history->folders);
    *history = (struct history){0};
}
