#include "plan/narrow.h"

#include "base/scope.h"
#include "base/table.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct narrowing {
    const struct plan *plan;
    const char *option;
    size_t *chosen; /* indexes of the plan's devices */
    size_t count;
    struct error *err;
};

/* What the plan can be narrowed to, as lines behind an error. */
static int add_table(struct error *err, const struct plan *plan)
{
    enum { NAME = 1, COLUMNS = 4 };
    scope(table_release) struct table table = TABLE_INIT(COLUMNS);

    for (size_t i = 0; i < plan->devices.count; i++) {
        planned_cells(&table, &plan->devices.items[i]);
        device_cells(&table, &plan->devices.items[i].device, false);
    }
    return table_detail(&table, 1u << NAME, err);
}

static bool fits(const struct item *item, const struct planned_device *planned)
{
    switch (item->kind) {
    case ITEM_RANGE:
        return planned->number != PLAN_NO_NUMBER && planned->number >= item->first &&
               planned->number <= item->last;
    case ITEM_UUID:
    case ITEM_MIG:
        return strncasecmp(UUID_TEXT(&planned->device), item->text, strlen(item->text)) == 0;
    case ITEM_PCI:
        return pci_equal(&planned->device.pci, &item->pci);
    case ITEM_FILTER:
        return select_fits(item, &planned->device);
    case ITEM_ALL:
    case ITEM_NONE:
        break;
    }
    return item->kind == ITEM_ALL;
}

static int add(struct narrowing *in, const struct item *item, size_t device)
{
    for (size_t i = 0; i < in->count; i++)
        if (in->chosen[i] == device)
            return error_add(in->err, STATUS_INPUT,
                             "%s: '%s' names a device that is named already; remove one of the two",
                             in->option, item->text);
    in->chosen[in->count++] = device;
    return 0;
}

/* Of a range every number must be there, of another item one. */
static int choose(struct narrowing *in, const struct item *item)
{
    unsigned long wanted = item->kind == ITEM_RANGE ? item->last - item->first + 1
                           : item->kind == ITEM_ALL ? in->plan->devices.count
                           : item->count            ? item->count
                                                    : 1;
    unsigned long found = 0;
    bool range = item->kind == ITEM_RANGE && strchr(item->text, '-');
    bool all = item->kind == ITEM_UUID || (item->kind == ITEM_FILTER && !item->count);

    for (size_t i = 0; i < in->plan->devices.count && (all || found < wanted); i++) {
        if (!fits(item, &in->plan->devices.items[i]))
            continue;
        found++;
        if (add(in, item, i) < 0)
            return -1;
    }
    if (item->kind == ITEM_UUID && found > 1)
        return error_add(in->err, STATUS_INPUT,
                         "%s: '%s' fits the UUIDs of %lu devices; write more of it", in->option,
                         item->text, found);
    if (found >= wanted)
        return 0;
    error_add(in->err, STATUS_DRIVER, "%s: '%s' is not among the devices of the environment%s",
              in->option, item->text, range ? " as a whole" : "");
    return add_table(in->err, in->plan);
}

/* Adds what a list names at a place. The plan's list has an entry for each of its devices. */
static void add_entry(struct strbuf *value, const char *list, size_t place)
{
    while (place-- && list[strcspn(list, ",")])
        list += strcspn(list, ",") + 1;
    strbuf_add(value, list, strcspn(list, ","));
}

/* The plan's value of CUDA_VISIBLE_DEVICES for the chosen ones. Where every GPU is visible it has
   none, and its devices are all of the machine's in PCI bus order: numbers do if nvidia-smi's are
   the same. */
static char *visible_value(const struct plan *plan, const size_t *chosen, size_t count)
{
    scope(strbuf_release) struct strbuf value = STRBUF_INIT;
    const char *planned = plan_visible(plan);
    bool uuids = false;

    for (size_t i = 0; i < plan->devices.count; i++)
        uuids = uuids || plan->devices.items[i].number != i;
    for (size_t i = 0; i < count; i++) {
        const struct planned_device *device = &plan->devices.items[chosen[i]];
        strbuf_adds(&value, i ? "," : "");
        if (planned)
            add_entry(&value, planned, chosen[i]);
        else if (uuids)
            strbuf_adds(&value, UUID_TEXT(&device->device));
        else
            strbuf_addf(&value, "%zu", device->number);
    }
    return strbuf_take(&value);
}

static int set_visible(struct plan *plan, const char *visible, struct error *err)
{
    for (size_t i = 0; i < plan->variables.count; i++) {
        struct var *var = &plan->variables.items[i];
        if (strcmp(var->name, "CUDA_VISIBLE_DEVICES") != 0)
            continue;
        char *copy = strdup(visible);
        if (!copy)
            return error_memory(err);
        free(var->value);
        var->kind = VAR_SET;
        var->value = copy;
        return 0;
    }
    if (vars_add(&plan->variables, "CUDA_DEVICE_ORDER", VAR_SET, PLAN_ORDER, NULL) < 0 ||
        vars_add(&plan->variables, "CUDA_VISIBLE_DEVICES", VAR_SET, visible, NULL) < 0)
        return error_memory(err);
    return 0;
}

int plan_keep(struct plan *plan, const size_t *chosen, size_t count, struct error *err)
{
    scope(plan_release) struct plan kept = {0};
    scope(free_text) char *visible = visible_value(plan, chosen, count);

    for (size_t i = 0; i < count; i++)
        if (array_add(&kept.devices, plan->devices.items[chosen[i]]) < 0)
            return error_memory(err);
    if (!visible || set_visible(plan, visible, err) < 0)
        return error_memory(err);
    free(plan->devices.items);
    plan->devices = take(&kept.devices);
    plan->gpus = PLAN_GPUS_CHOSEN;
    return 0;
}

static int take_none(struct plan *plan, struct error *err)
{
    plan->gpus = PLAN_GPUS_NONE;
    plan->in_job = IN_JOB_OVERRIDE;
    plan->devices.count = 0;
    return set_visible(plan, PLAN_NO_GPU, err);
}

/* As YAML, so that the items are read as those of a file; of a line there is only one. */
static int read_list(struct section *section, const char *option, const char *list,
                     struct error *err)
{
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;
    scope(error_release) struct error wrong = ERROR_INIT;

    strbuf_addf(&text, "gpu: {devices: [%s]}\n", list);
    if (text.failed)
        return error_memory(err);
    if (section_read(section, option, text.text, text.length, &wrong) == 0)
        return 0;
    for (size_t i = 0; i < wrong.count; i++)
        wrong.items[i].line = 0;
    return error_join(err, &wrong);
}

static int choose_all(struct plan *plan, const char *option, const struct section *section,
                      struct error *err)
{
    struct narrowing in = {plan, option, NULL, 0, err};
    int result = 0;

    if (!plan->devices.count)
        return error_add(err, STATUS_DRIVER,
                         "%s: no driver has told which devices the environment has; run "
                         "conda-gpu apply where the GPUs are, or give the file with -f",
                         option);
    in.chosen = calloc(plan->devices.count + 1, sizeof *in.chosen);
    if (!in.chosen)
        return error_memory(err);
    for (size_t i = 0; i < section->item_count && result == 0; i++)
        result = choose(&in, &section->items[i]);
    if (result == 0)
        result = plan_keep(plan, in.chosen, in.count, err);
    free(in.chosen);
    return result;
}

int plan_narrow(struct plan *plan, const char *option, const char *list, struct error *err)
{
    scope(section_release) struct section section = {0};

    if (read_list(&section, option, list, err) < 0)
        return -1;
    if (plan->gpus == PLAN_GPUS_AS_BEFORE)
        return error_add(err, STATUS_INPUT,
                         "%s: the section has no 'devices', so there are none to choose from; set "
                         "CUDA_VISIBLE_DEVICES yourself",
                         option);
    if (section_wants_no_gpu(&section))
        return take_none(plan, err);
    if (section_wants_all(&section))
        return 0;
    if (plan->gpus == PLAN_GPUS_NONE)
        return error_add(err, STATUS_DRIVER, "%s: the environment has no GPU to choose from",
                         option);
    return choose_all(plan, option, &section, err);
}

/* ---- the devices of a machine ---- */

/* Whether all are there, whole, and in the order of their addresses. */
static bool is_countable(const struct card_list *cards)
{
    for (size_t i = 0; i < cards->count; i++)
        if (cards->items[i].problem || cards->items[i].mig == 1 ||
            (i &&
             pci_place(&cards->items[i - 1].device.pci) >= pci_place(&cards->items[i].device.pci)))
            return false;
    return true;
}

static int add_device(struct plan *plan, const struct device *device, bool countable)
{
    const struct planned_device planned = {.number = countable ? device->number : PLAN_NO_NUMBER,
                                           .device = *device};

    return array_add(&plan->devices, planned);
}

static int add_whole(struct plan *plan, const struct card_list *cards)
{
    bool countable = is_countable(cards);

    for (size_t i = 0; i < cards->count; i++)
        if (!cards->items[i].problem && cards->items[i].mig != 1 &&
            add_device(plan, &cards->items[i].device, countable) < 0)
            return -1;
    return 0;
}

static int add_instances(struct plan *plan, const struct card_list *cards)
{
    for (size_t i = 0; i < cards->count; i++)
        for (uint32_t k = 0; k < cards->items[i].instance_count; k++)
            if (add_device(plan, &cards->items[i].instances[k].device, false) < 0)
                return -1;
    return 0;
}

int plan_list_cards(struct plan *plan, const struct card_list *cards, struct error *err)
{
    plan->devices.count = 0;
    if (add_whole(plan, cards) < 0 || (!plan->devices.count && add_instances(plan, cards) < 0))
        return error_memory(err);
    return 0;
}
