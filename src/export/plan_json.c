#include "export/plan_json.h"

#include "base/scope.h"
#include "base/utf8.h"

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

static json_t *json_planned_device(const struct planned_device *planned)
{
    const struct device *device = &planned->device;
    bool numbered = planned->number != PLAN_NO_NUMBER;
    char address[PCI_TEXT_SIZE], uuid[UUID_TEXT_SIZE];

    return json_pack(
        "{s:o, s:o, s:I, s:o, s:s, s:s, s:b}", "number",
        numbered ? json_integer((json_int_t)planned->number) : json_null(), "name",
        json_text(device->name), "memory", (json_int_t)device->memory, "compute_capability",
        json_sprintf("%d.%d", device->compute_major, device->compute_minor), "pci_bus_id",
        pci_text(&device->pci, address), "uuid", uuid_text(device, uuid), "mig", device->mig);
}

static json_t *json_variable(const struct var *var)
{
    return json_pack("{s:s, s:s, s:o, s:o}", "name", var->name, "kind", var_kind_names[var->kind],
                     "value", json_text(var->value), "separator", json_text(var->separator));
}

json_t *json_plan(const struct plan *plan)
{
    static const char *const gpus[] = {[PLAN_GPUS_AS_BEFORE] = "as before",
                                       [PLAN_GPUS_ALL] = "all",
                                       [PLAN_GPUS_NONE] = "none",
                                       [PLAN_GPUS_CHOSEN] = "chosen"};
    json_t *devices = json_array(), *variables = json_array();
    bool complete = true;

    for (size_t i = 0; i < plan->device_count; i++)
        complete =
            json_array_append_new(devices, json_planned_device(&plan->devices[i])) == 0 && complete;
    for (size_t i = 0; i < plan->variables.count; i++)
        complete =
            json_array_append_new(variables, json_variable(&plan->variables.items[i])) == 0 &&
            complete;
    json_t *made =
        json_pack("{s:s, s:b, s:s, s:s, s:o, s:o}", "gpus", gpus[plan->gpus], "unconfirmed",
                  plan->unconfirmed, "in_job", plan->in_job == IN_JOB_KEEP ? "keep" : "override",
                  "if_set", plan->if_set == IF_SET_KEEP ? "keep" : "override", "devices", devices,
                  "variables", variables);
    if (complete)
        return made;
    json_decref(made);
    return NULL;
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
