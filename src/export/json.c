#include "export/export.h"
#include "export/plan_json.h"

int export_json(struct strbuf *out, const struct exported *what, struct error *err)
{
    json_t *plan = json_plan(what->plan);
    json_t *name = json_text(what->environment), *prefix = json_text(what->prefix);
    json_t *root = json_pack("{s:{s:o, s:o}, s:o}", "environment", "name", name, "prefix", prefix,
                             "plan", plan);

    return json_print(out, root) < 0 ? error_memory(err) : 0;
}
