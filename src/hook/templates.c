#include "hook/templates.h"

#include "base/file.h"
#include "base/scope.h"

#include <errno.h>
#include <string.h>

enum { TEMPLATE_LIMIT = 1 << 20 };

static int load_file(struct strbuf *out, const char *folder, const char *name, struct error *err)
{
    scope(free_text) char *path = path_join(folder, name);

    if (!path)
        return error_memory(err);
    int result = file_read(path, TEMPLATE_LIMIT, out);
    if (out->failed)
        return error_memory(err);
    if (result < 0)
        return error_add(err, STATUS_INPUT,
                         "%s: cannot read the template: %s; --template-dir names a folder with a "
                         "file of each name that templates/ has",
                         path, file_reason(errno));
    if (strlen(strbuf_text(out)) != out->length)
        return error_add(err, STATUS_INPUT, "%s: a template is text, and this holds a NUL", path);
    return 0;
}

int templates_load(struct strbuf *out, const char *folder, const char *name, struct error *err)
{
    if (folder)
        return load_file(out, folder, name, err);
    for (const struct template_file *file = template_files; file->name; file++)
        if (strcmp(file->name, name) == 0)
            strbuf_adds(out, file->text);
    return out->failed ? error_memory(err) : 0;
}
