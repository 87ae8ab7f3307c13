/* The env block of a kernel.json. jupyter_client puts every value through Python's string.Template,
   where $ begins a name and $$ is a $. In a file that is kept, the kernel's metadata tell which
   variables are ours, and for which environment. (jupyter_client, "Kernel specs") */
#include "export/keep.h"

#include "base/scope.h"
#include "export/plan_json.h"

#include <string.h>

#define OURS "conda-gpu" /* our key in metadata */

static json_t *quote(const char *value)
{
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;

    for (; *value; value++)
        strbuf_addf(&text, *value == '$' ? "$%c" : "%c", *value);
    return text.failed ? NULL : json_string(strbuf_text(&text));
}

static int add(json_t *env, const struct exported *what, const struct var *var, struct error *err)
{
    scope(free_text) char *value = NULL;
    int got = export_fixed(&value, "jupyter", what, var, err);

    if (got <= 0)
        return got;
    return json_object_set_new(env, var->name, quote(value)) < 0 ? error_memory(err) : 0;
}

static int add_all(json_t *env, const struct exported *what, struct error *err)
{
    int result = 0;

    for (size_t i = 0; i < what->plan->variables.count; i++)
        if (add(env, what, &what->plan->variables.items[i], err) < 0)
            result = -1;
    return result;
}

static int export_jupyter(struct strbuf *out, const struct exported *what, struct error *err)
{
    json_t *env = json_object();
    int result = add_all(env, what, err);

    return json_print(out, json_pack("{s:o}", "env", env)) < 0 ? error_memory(err) : result;
}

/* ---- In a file of others --------------------------------------------------------------------- */

static json_t *our_part(json_t *root)
{
    return json_object_get(json_object_get(root, "metadata"), OURS);
}

static char *owner(const struct strbuf *text)
{
    scope(json_decrefp) json_t *root = json_loads(strbuf_text(text), 0, NULL);
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
    else if (json_is_array(json_object_get(root, "argv")))
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

static int put(json_t *root, const struct keep *keep, const struct exported *what,
               struct error *err)
{
    scope(json_decrefp) json_t *ours = json_object();
    json_t *env = object_in(root, "env"), *value;
    const char *name;
    int result = 0;

    if (add_all(ours, what, err) < 0)
        return -1;
    json_t *names = json_array();
    json_object_foreach(ours, name, value)
    {
        if (json_object_get(env, name))
            result = error_add(err, STATUS_PREFIX,
                               "%s: its env sets %s already; remove it there, since the plan says "
                               "it",
                               keep->path, name);
        names = json_append(names, json_string(name));
    }
    json_t *part = json_pack("{s:o, s:o}", "prefix", json_text(what->prefix), "variables", names);
    if (json_object_set_new(object_in(root, "metadata"), OURS, part) < 0 ||
        json_object_update(env, ours) < 0)
        return error_memory(err);
    return result;
}

static int merge(struct keep *keep, const struct exported *what, struct error *err)
{
    scope(json_decrefp) json_t *root = load(keep, err);

    if (!root)
        return -1;
    take_out(root);
    if (what->plan && put(root, keep, what, err) < 0)
        return -1;
    drop_if_empty(root, "env");
    drop_if_empty(root, "metadata");
    return json_print(&keep->text, json_incref(root)) < 0 ? error_memory(err) : 0;
}

const struct format jupyter_format = {"jupyter", export_jupyter, merge, owner};
