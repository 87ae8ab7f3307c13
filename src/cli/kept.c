#include "cli/kept.h"

#include "base/scope.h"
#include "cli/json.h"
#include "conda/paths.h"
#include "export/keep.h"

#include <string.h>

/* 1: the file is open and has our part; 0: it has not. */
static int open_marked(struct keep *keep, const struct receipt_export *file, const char *prefix,
                       struct error *err)
{
    const struct format *format = format_find(file->format, err);

    if (!format || keep_open(keep, file->path, format, err) < 0)
        return -1;
    return keep_is_marked(keep, prefix);
}

static void add_to_json(const struct options *options, const struct receipt_export *file,
                        const char *result)
{
    json_list(options, "exports",
              json_pack("{s:o, s:o, s:s}", "path", json_text(file->path), "format",
                        json_text(file->format), "result", result));
}

static int renew(const struct options *options, const struct receipt_export *file,
                 const struct exported *what, bool looks_only, bool *differs, struct error *err)
{
    scope(keep_release) struct keep keep = {0};
    int got = open_marked(&keep, file, what->prefix, err);

    if (got < 0)
        return -1;
    if (!got) {
        cli_note(options,
                 "%s: its part for this environment is gone, so it was left as it is; conda-gpu "
                 "export --output puts it there again",
                 file->path);
        return 0;
    }
    if (keep_put(&keep, what, err) < 0)
        return error_detail(err, "so %s, which is kept for this environment, stays as it is",
                            file->path);
    if (!keep_differs(&keep))
        return 0;
    *differs = true;
    if (!looks_only && keep_write(&keep, err) < 0)
        return -1;
    cli_print(options, "%s  %s", looks_only ? "would write" : "written  ", file->path);
    add_to_json(options, file, looks_only ? "differs" : "written");
    return 0;
}

int kept_renew(const struct options *options, const struct receipt *receipt,
               const struct exported *what, bool looks_only, bool *differs, struct error *err)
{
    int result = 0;

    for (unsigned i = 0; receipt && i < receipt->exports_count; i++)
        if (renew(options, &receipt->exports[i], what, looks_only, differs, err) < 0)
            result = -1;
    return result;
}

static int take_out(const struct options *options, const struct receipt_export *file,
                    const char *prefix, struct error *err)
{
    scope(keep_release) struct keep keep = {0};
    int got = open_marked(&keep, file, prefix, err);

    if (got <= 0)
        return got;
    if (keep_take_out(&keep, prefix, err) < 0 || keep_write(&keep, err) < 0)
        return -1;
    cli_print(options, "taken out  of %s", file->path);
    add_to_json(options, file, "taken out");
    return 0;
}

int kept_take_out(const struct options *options, const struct receipt *receipt, const char *prefix,
                  struct error *err)
{
    int result = 0;

    for (unsigned i = 0; receipt && i < receipt->exports_count; i++)
        if (take_out(options, &receipt->exports[i], prefix, err) < 0)
            result = -1;
    return result;
}

static bool is_listed(const struct receipt *receipt, const char *path, const char *format)
{
    for (unsigned i = 0; i < receipt->exports_count; i++)
        if (strcmp(receipt->exports[i].path, path) == 0 &&
            strcmp(receipt->exports[i].format, format) == 0)
            return true;
    return false;
}

/* The receipt with one file more, as text. */
static int print_receipt(struct strbuf *text, const struct receipt *receipt,
                         const struct receipt_export *further, struct error *err)
{
    struct receipt more = *receipt;

    more.exports = calloc(receipt->exports_count + 1ul, sizeof *more.exports);
    if (!more.exports)
        return error_memory(err);
    for (unsigned i = 0; i < receipt->exports_count; i++)
        more.exports[i] = receipt->exports[i];
    more.exports[more.exports_count++] = *further;
    int result = receipt_print(text, &more, err);
    free(more.exports);
    return result;
}

int kept_add(const struct prefix *prefix, char *path, const char *format, struct error *err)
{
    scope(strbuf_release) struct strbuf found = STRBUF_INIT;
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;
    scope(free_text) char *name = strdup(format);

    if (!name)
        return error_memory(err);
    if (prefix_read(prefix, RECEIPT_PATH, &found, err) < 0)
        return -1;
    scope(receipt_free) struct receipt *receipt =
        receipt_parse(strbuf_text(&found), found.length, RECEIPT_PATH, err);
    if (!receipt)
        return -1;
    if (is_listed(receipt, path, format))
        return 0;
    if (print_receipt(&text, receipt, &(struct receipt_export){path, name}, err) < 0)
        return -1;
    return prefix_write(prefix, RECEIPT_PATH, &text, &found, err);
}
