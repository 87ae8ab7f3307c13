#include "plan/plan.h"

#include "base/scope.h"
#include "section/rules.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

const struct share *shares_find(const struct shares *shares, const char *user)
{
    const struct share *share = shares->items;

    while (!patterns_fit(&share->users, user))
        share++;
    return share;
}

static char *visible_value(const struct section *section, const struct selection *selection)
{
    scope(strbuf_release) struct strbuf value = STRBUF_INIT;
    bool uuids = selection->by_uuid || section->ids == IDS_UUID;

    for (size_t i = 0; i < selection->count; i++)
        uuids = uuids || selection->items[i].number == SELECT_NO_NUMBER;

    for (size_t i = 0; i < selection->count; i++) {
        strbuf_adds(&value, i ? "," : "");
        if (uuids)
            strbuf_adds(&value, CHOICE_UUID(&selection->items[i]));
        else
            strbuf_addf(&value, "%zu", selection->items[i].number);
    }
    return strbuf_take(&value);
}

static int add_variables(struct var_list *list, const struct section *section, enum plan_gpus gpus,
                         const char *visible)
{
    const struct var_list *wanted = &section->variables;
    enum var_kind kind = gpus == PLAN_GPUS_ALL ? VAR_UNSET : VAR_SET;

    if (gpus != PLAN_GPUS_AS_BEFORE &&
        (vars_add(list, "CUDA_DEVICE_ORDER", VAR_SET, PLAN_ORDER, NULL) < 0 ||
         vars_add(list, "CUDA_VISIBLE_DEVICES", kind, visible, NULL) < 0))
        return -1;
    for (size_t i = 0; i < wanted->count; i++)
        if (vars_copy(list, &wanted->items[i]) < 0)
            return -1;
    return 0;
}

static int make(struct plan *plan, const struct section *section, enum plan_gpus gpus,
                const char *visible, struct error *err)
{
    scope(plan_release) struct plan made = {.gpus = gpus,
                                            .in_job = section->in_job,
                                            .if_set = section->if_set,
                                            .unconfirmed = gpus == PLAN_GPUS_CHOSEN};

    if (section_wants_no_gpu(section)) {
        made.in_job = IN_JOB_OVERRIDE;
        made.if_set = IF_SET_OVERRIDE;
    }
    if (add_variables(&made.variables, section, gpus, visible) < 0)
        return error_memory(err);
    *plan = take(&made);
    return 0;
}

int plan_make(struct plan *plan, const struct section *section, const struct selection *selection,
              struct error *err)
{
    scope(free_text) char *visible = visible_value(section, selection);

    if (!visible)
        return error_memory(err);
    return make(plan, section, PLAN_GPUS_CHOSEN, visible, err);
}

int plan_make_plain(struct plan *plan, const struct section *section, enum plan_gpus gpus,
                    struct error *err)
{
    return make(plan, section, gpus, gpus == PLAN_GPUS_NONE ? PLAN_NO_GPU : NULL, err);
}

void planned_cells(struct table *table, const struct planned_device *planned)
{
    table_cellf(table, planned->number == PLAN_NO_NUMBER ? "GPU -" : "GPU %zu", planned->number);
    table_cell(table, planned->device.name);
}

const char *plan_visible(const struct plan *plan)
{
    const struct var *visible = vars_find(&plan->variables, "CUDA_VISIBLE_DEVICES");

    return visible ? visible->value : NULL;
}

int plan_list_all(struct plan *plan, const struct device_list *machine, struct error *err)
{
    bool numbered = device_list_is_countable(machine);

    for (size_t i = 0; i < machine->count; i++) {
        struct planned_device planned = {.number = PLAN_NO_NUMBER, .device = machine->items[i]};
        if (numbered && !planned.device.mig)
            planned.number = planned.device.number;
        if (array_add(&plan->devices, planned) < 0)
            return error_memory(err);
    }
    return 0;
}

/* The chosen devices as CUDA listed them, those that only NVML listed as CUDA shows them by now
   (`seen`, or NULL where no driver was asked). */
static int list_chosen(struct plan *plan, const struct selection *selection,
                       const struct device_list *seen, struct error *err)
{
    for (size_t i = 0; i < selection->count; i++) {
        const struct choice *choice = &selection->items[i];
        const struct device *listed = choice->device;
        struct planned_device planned = {.number = PLAN_NO_NUMBER};
        if (listed)
            planned.device = *listed;
        if (seen && choice->number == SELECT_NO_NUMBER)
            planned.device = seen->items[i];
        planned.device.number = listed ? listed->number : 0;
        if (selection->numbered && listed && !listed->mig)
            planned.number = listed->number;
        if (array_add(&plan->devices, planned) < 0)
            return error_memory(err);
    }
    return 0;
}

static void show_list(struct error *err, const char *what, const struct strbuf *uuids)
{
    if (uuids->failed)
        error_memory(err);
    else
        error_detail(err, "%s: %s", what, uuids->length ? strbuf_text(uuids) : "nothing");
}

static int differs(const struct plan *plan, const struct selection *selection,
                   const struct device_list *seen, struct error *err)
{
    scope(strbuf_release) struct strbuf planned = STRBUF_INIT;
    scope(strbuf_release) struct strbuf shown = STRBUF_INIT;

    for (size_t i = 0; i < selection->count; i++)
        strbuf_addf(&planned, "%s%s", i ? ", " : "", CHOICE_UUID(&selection->items[i]));
    for (size_t i = 0; i < seen->count; i++)
        strbuf_addf(&shown, "%s%s", i ? ", " : "", UUID_TEXT(&seen->items[i]));
    error_add(err, STATUS_DRIVER,
              "with CUDA_VISIBLE_DEVICES=%s the driver does not show what was planned; nothing was "
              "written. Is a GPU in MIG mode, or did one fail? See nvidia-smi -L",
              plan_visible(plan));
    show_list(err, "planned", &planned);
    show_list(err, "the driver shows", &shown);
    if (selection->count > 1 && seen->count == 1 && seen->items[0].mig)
        error_detail(err, "drivers before R570 show a program no more than one MIG instance");
    return -1;
}

int plan_confirm(struct plan *plan, const struct selection *selection,
                 const struct device_list *seen, struct error *err)
{
    bool same = seen->count == selection->count;

    for (size_t i = 0; same && i < seen->count; i++)
        same = strcasecmp(CHOICE_UUID(&selection->items[i]), UUID_TEXT(&seen->items[i])) == 0;
    if (!same)
        return differs(plan, selection, seen, err);
    if (list_chosen(plan, selection, seen, err) < 0)
        return -1;
    plan->unconfirmed = false;
    return 0;
}

int plan_trust(struct plan *plan, const struct selection *selection, struct error *err)
{
    for (size_t i = 0; i < selection->count; i++)
        if (!selection->items[i].device)
            return 0;
    return list_chosen(plan, selection, NULL, err);
}

static bool has_same_devices(const struct plan *one, const struct plan *other)
{
    if (one->devices.count != other->devices.count)
        return false;
    for (size_t i = 0; i < one->devices.count; i++)
        if (memcmp(&one->devices.items[i].device.uuid, &other->devices.items[i].device.uuid,
                   sizeof one->devices.items[i].device.uuid) != 0)
            return false;
    return true;
}

bool plan_is_same(const struct plan *one, const struct plan *other)
{
    return one->gpus == other->gpus && one->in_job == other->in_job &&
           one->if_set == other->if_set &&
           (one->devices.count || one->unconfirmed == other->unconfirmed) &&
           vars_are_same(&one->variables, &other->variables) &&
           (one->gpus != PLAN_GPUS_CHOSEN || has_same_devices(one, other));
}

void plan_release(struct plan *plan)
{
    vars_release(&plan->variables);
    free(plan->devices.items);
    *plan = (struct plan){0};
}
