#include "cli/kept.h"

#include "base/scope.h"
#include "cli/json.h"
#include "conda/paths.h"
#include "export/keep.h"

#include <string.h>

static void tell(const struct receipt_export *file, const char *printed, const char *result)
{
    cli_print("%s %s", printed, file->path);
    json_list("exports", json_pack("{s:o, s:o, s:s}", "path", json_text(file->path), "format",
                                   json_text(file->format), "result", result));
}

/* 1: it is not as the plan has it, or was not; else 0. */
static int renew(const struct receipt_export *file, const struct exported *what, bool looks_only,
                 struct error *err)
{
    scope(keep_release) struct keep keep = {0};
    const struct format *format = format_find(file->format, err);

    if (!format || keep_open(&keep, file->path, format, err) < 0)
        return -1;
    if (!keep.owner || strcmp(keep.owner, what->prefix) != 0) {
        if (what->plan)
            cli_note("%s: its part for this environment is gone, so it was left as it is; "
                     "conda-gpu export --output puts it there again",
                     file->path);
        return 0;
    }
    if (keep_put(&keep, what, err) < 0)
        return what->plan
                   ? error_detail(err, "so %s, which is kept for this environment, stays as it is",
                                  file->path)
                   : -1;
    if (!keep_differs(&keep))
        return 0;
    if (!looks_only && keep_write(&keep, err) < 0)
        return -1;
    if (!what->plan)
        tell(file, "taken out  of", "taken out");
    else if (looks_only)
        tell(file, "would write ", "differs");
    else
        tell(file, "written   ", "written");
    return 1;
}

int kept_renew(const struct receipt *receipt, const struct exported *what, bool looks_only,
               struct error *err)
{
    bool differs = false, failed = false;

    for (size_t i = 0; receipt && i < receipt->exports.count; i++) {
        int result = renew(&receipt->exports.items[i], what, looks_only, err);
        differs = differs || result > 0;
        failed = failed || result < 0;
    }
    return failed ? -1 : differs;
}

static bool is_listed(const struct receipt *receipt, const char *path, const char *format)
{
    for (size_t i = 0; i < receipt->exports.count; i++)
        if (strcmp(receipt->exports.items[i].path, path) == 0 &&
            strcmp(receipt->exports.items[i].format, format) == 0)
            return true;
    return false;
}

int kept_add(const struct prefix *prefix, const char *path, const char *format, struct error *err)
{
    scope(strbuf_release) struct strbuf found = STRBUF_INIT;
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;

    if (prefix_read(prefix, RECEIPT_PATH, &found, err) < 0)
        return -1;
    scope(receipt_free) struct receipt *receipt =
        receipt_parse(strbuf_text(&found), found.length, RECEIPT_PATH, err);
    if (!receipt)
        return -1;
    if (is_listed(receipt, path, format))
        return 0;
    if (array_add(&receipt->exports, (struct receipt_export){strdup(path), strdup(format)}) < 0)
        return error_memory(err);
    const struct receipt_export *further = &receipt->exports.items[receipt->exports.count - 1];
    if (!further->path || !further->format)
        return error_memory(err);
    if (receipt_print(&text, receipt, err) < 0)
        return -1;
    return prefix_write(prefix, RECEIPT_PATH, &text, &found, err);
}
