#include "export/plan_json.h"

#include "base/scope.h"
#include "base/utf8.h"
#include "export/export.h"

#include <string.h>

json_t *json_text(const char *text)
{
    scope(strbuf_release) struct strbuf printable = STRBUF_INIT;

    if (!text)
        return json_null();
    if (is_utf8(text, strlen(text)))
        return json_string(text);
    strbuf_add_printable(&printable, text, strlen(text));
    return printable.failed ? NULL : json_string(strbuf_text(&printable));
}

json_t *json_known(bool known, uint64_t number)
{
    return known ? json_integer((json_int_t)number) : json_null();
}

json_t *json_append(json_t *list, json_t *value)
{
    if (json_array_append_new(list, value) == 0)
        return list;
    json_decref(list);
    return NULL;
}

static json_t *json_planned_device(const struct planned_device *planned)
{
    const struct device *device = &planned->device;

    return json_pack(
        "{s:o, s:o, s:I, s:o, s:s, s:s, s:b}", "number",
        json_known(planned->number != PLAN_NO_NUMBER, planned->number), "name",
        json_text(device->name), "memory", (json_int_t)device->memory, "compute_capability",
        json_sprintf("%d.%d", device->compute_major, device->compute_minor), "pci_bus_id",
        PCI_TEXT(&device->pci), "uuid", UUID_TEXT(device), "mig", device->mig);
}

static json_t *json_variable(const struct var *var)
{
    return json_pack("{s:s, s:s, s:o, s:o}", "name", var->name, "kind", var_kind_names[var->kind],
                     "value", json_text(var->value), "separator", json_text(var->separator));
}

const char *const plan_gpus_names[] = {[PLAN_GPUS_AS_BEFORE] = "as before",
                                       [PLAN_GPUS_ALL] = "all",
                                       [PLAN_GPUS_NONE] = "none",
                                       [PLAN_GPUS_CHOSEN] = "chosen"};

json_t *json_plan(const struct plan *plan)
{
    return json_pack(
        "{s:s, s:b, s:s, s:s, s:o, s:o}", "gpus", plan_gpus_names[plan->gpus], "unconfirmed",
        plan->unconfirmed, "in_job", plan->in_job == IN_JOB_KEEP ? "keep" : "override", "if_set",
        plan->if_set == IF_SET_KEEP ? "keep" : "override", "devices",
        json_list_of(i, plan->devices.count, json_planned_device(&plan->devices.items[i])),
        "variables",
        json_list_of(i, plan->variables.count, json_variable(&plan->variables.items[i])));
}

static int add_piece(const char *piece, size_t length, void *text)
{
    strbuf_add(text, piece, length);
    return 0;
}

int json_print(struct strbuf *out, json_t *value)
{
    int result = value ? json_dump_callback(value, add_piece, out, JSON_INDENT(2)) : -1;

    strbuf_addc(out, '\n');
    json_decref(value);
    return result < 0 || out->failed ? -1 : 0;
}

static int export_json(struct strbuf *out, const struct exported *what, struct error *err)
{
    json_t *name = json_text(what->environment), *prefix = json_text(what->prefix);
    json_t *root = json_pack("{s:{s:o, s:o}, s:o}", "environment", "name", name, "prefix", prefix,
                             "plan", json_plan(what->plan));

    return json_print(out, root) < 0 ? error_memory(err) : 0;
}

const struct format json_format = {"json", export_json, NULL, NULL};
