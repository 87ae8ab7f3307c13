#include "conda/condarc.h"

#include "base/file.h"
#include "base/scope.h"
#include "section/document.h"

#include <string.h>

enum { CONDARC_LIMIT = 1 << 20, FOLDERS_LIMIT = 1000 };

static int add_folders(const struct document *doc, const struct node *list, struct names *folders)
{
    size_t count = list->kind == NODE_LIST ? list->count : 0;

    for (size_t i = 0; i < count && i < FOLDERS_LIMIT; i++) {
        const char *folder = document_text(doc, document_item(doc, list, i));
        if (folder && names_add(folders, folder) < 0)
            return -1;
    }
    return 0;
}

int condarc_envs_dirs(const char *path, struct names *folders)
{
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;
    scope(document_release) struct document doc = {0};
    scope(error_release) struct error err = ERROR_INIT;

    if (file_read(path, CONDARC_LIMIT, &text) < 0)
        return text.failed ? -1 : 0;
    if (document_load(&doc, path, strbuf_text(&text), text.length, &err) < 0)
        return err.status == STATUS_SYSTEM ? -1 : 0;
    const struct node *root = document_root(&doc);
    for (size_t i = 0; i < root->count; i++) {
        const char *key = document_text(&doc, document_key(&doc, root, i));
        if (key && strcmp(key, "envs_dirs") == 0)
            return add_folders(&doc, document_value(&doc, root, i), folders);
    }
    return 0;
}
