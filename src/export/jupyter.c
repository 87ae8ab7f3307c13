/* The env block of a kernel.json. jupyter_client puts every value through Python's string.Template,
   where $ begins a name and $$ is a $. (jupyter_client, "Kernel specs") */
#include "export/export.h"

#include "base/scope.h"
#include "export/plan_json.h"

#include <string.h>

static json_t *quote(const char *value)
{
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;

    for (; *value; value++)
        strbuf_addf(&text, *value == '$' ? "$%c" : "%c", *value);
    return text.failed ? NULL : json_string(strbuf_text(&text));
}

static int add(json_t *env, const struct exported *what, const struct var *var, struct error *err)
{
    bool is_all =
        what->plan->gpus == PLAN_GPUS_ALL && strcmp(var->name, "CUDA_VISIBLE_DEVICES") == 0;
    scope(free_text) char *value = is_all ? NULL : export_fixed("jupyter", what, var, err);

    if (is_all)
        return 0;
    if (!value)
        return -1;
    return json_object_set_new(env, var->name, quote(value)) < 0 ? error_memory(err) : 0;
}

int export_jupyter(struct strbuf *out, const struct exported *what, struct error *err)
{
    json_t *env = json_object();
    int result = 0;

    for (size_t i = 0; i < what->plan->variables.count; i++)
        if (add(env, what, &what->plan->variables.items[i], err) < 0)
            result = -1;
    json_t *root = json_pack("{s:o}", "env", env);
    if (json_print(out, root) < 0)
        return error_memory(err);
    return result;
}
