/* Our variables in the env block of a kernel.json; the kernel's metadata tell which those are, and
   for which environment. (jupyter_client, "Kernel specs": env, metadata) */
#include "export/keep.h"

#include "base/scope.h"
#include "export/plan_json.h"

#include <string.h>

#define OURS "conda-gpu" /* our key in metadata */

static void release(json_t **value)
{
    json_decref(*value);
}

static json_t *our_part(json_t *root)
{
    return json_object_get(json_object_get(root, "metadata"), OURS);
}

char *jupyter_owner(const struct strbuf *text)
{
    scope(release) json_t *root = json_loads(strbuf_text(text), 0, NULL);
    const char *prefix = json_string_value(json_object_get(our_part(root), "prefix"));

    return prefix ? strdup(prefix) : NULL;
}

static json_t *load(const struct keep *keep, struct error *err)
{
    json_error_t wrong = {0};
    json_t *root = json_loads(strbuf_text(&keep->found), JSON_REJECT_DUPLICATES, &wrong);

    if (!keep->exists)
        error_add(err, STATUS_PREFIX,
                  "%s: there is no such kernel; make it first: python -m ipykernel install",
                  keep->path);
    else if (!root)
        error_add(err, STATUS_PREFIX, "%s:%d:%d: %s", keep->path, wrong.line, wrong.column,
                  wrong.text);
    else if (json_is_object(root) && json_is_array(json_object_get(root, "argv")))
        return root;
    else
        error_add(err, STATUS_PREFIX, "%s: it is no kernel.json: it has no argv", keep->path);
    json_decref(root);
    return NULL;
}

/* The object under a key, which is made where it is missing. */
static json_t *object_in(json_t *root, const char *key)
{
    if (!json_is_object(json_object_get(root, key)))
        json_object_set_new(root, key, json_object());
    return json_object_get(root, key);
}

static void drop_if_empty(json_t *root, const char *key)
{
    json_t *value = json_object_get(root, key);

    if (json_is_object(value) && !json_object_size(value))
        json_object_del(root, key);
}

static void take_out(json_t *root)
{
    json_t *names = json_object_get(our_part(root), "variables"), *name;
    size_t i;

    json_array_foreach(names, i, name) if (json_is_string(name))
        json_object_del(json_object_get(root, "env"), json_string_value(name));
    json_object_del(json_object_get(root, "metadata"), OURS);
}

/* What export prints, put into the kernel's own env. */
static int put(json_t *root, const struct keep *keep, const struct exported *what,
               struct error *err)
{
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;

    if (export_jupyter(&text, what, err) < 0)
        return -1;
    scope(release) json_t *ours = json_loads(strbuf_text(&text), 0, NULL);
    json_t *env = object_in(root, "env"), *names = json_array(), *value;
    const char *name;
    int result = ours && names ? 0 : error_memory(err);

    json_object_foreach(json_object_get(ours, "env"), name, value)
    {
        if (json_object_get(env, name))
            result = error_add(err, STATUS_PREFIX,
                               "%s: its env sets %s already; remove it there, since the plan says "
                               "it",
                               keep->path, name);
        if (json_object_set(env, name, value) < 0 ||
            json_array_append_new(names, json_string(name)) < 0)
            result = error_memory(err);
    }
    json_t *part = json_pack("{s:o, s:o}", "prefix", json_text(what->prefix), "variables", names);
    if (json_object_set_new(object_in(root, "metadata"), OURS, part) < 0)
        return error_memory(err);
    return result;
}

int jupyter_merge(struct keep *keep, const char *prefix, const struct exported *what,
                  struct error *err)
{
    scope(release) json_t *root = load(keep, err);

    (void)prefix;
    if (!root)
        return -1;
    take_out(root);
    if (what && put(root, keep, what, err) < 0)
        return -1;
    drop_if_empty(root, "env");
    drop_if_empty(root, "metadata");
    json_incref(root);
    return json_print(&keep->text, root) < 0 ? error_memory(err) : 0;
}
