#include "plan/resolve.h"

#include "base/scope.h"
#include "base/table.h"
#include "gpu/cards.h"

#include <stdio.h>

/* The devices of this machine as lines behind an error. */
static int add_table(struct error *err, const struct device_list *machine)
{
    enum { NAME = 1, COLUMNS = 5, ROOM = 78 };
    scope(table_release) struct table table = TABLE_INIT(COLUMNS);
    scope(strbuf_release) struct strbuf lines = STRBUF_INIT;
    bool countable = device_list_is_countable(machine);

    for (size_t i = 0; i < machine->count; i++) {
        const struct device *device = &machine->items[i];
        char number[32], address[PCI_TEXT_SIZE], uuid[UUID_TEXT_SIZE], memory[MEMORY_TEXT_SIZE];
        snprintf(number, sizeof number, "GPU %u", device->number);
        table_cell(&table, device->mig ? "MIG" : countable ? number : "GPU -");
        table_cell(&table, device->name);
        table_cell(&table, memory_text(device->memory, memory));
        table_cell(&table, pci_short(&device->pci, address));
        table_cell(&table, uuid_short(device, uuid));
    }
    table_fit(&table, 1u << NAME, ROOM);
    table_print(&table, &lines);
    if (lines.failed)
        return error_memory(err);
    return error_detail_lines(err, strbuf_text(&lines));
}

static int ask(struct inventory *answer, const struct driver *driver, const char *visible,
               struct error *err)
{
    const struct question question = {driver->library, visible, PLAN_ORDER, driver->timeout, NULL};

    return inventory_read(answer, &question, err);
}

/* All devices of this machine. NVML is asked for their numbers at the same time. */
static int survey(struct inventory *machine, const struct driver *driver, struct error *err)
{
    scope(child_end) struct child numbers = CHILD_INIT;

    cards_ask_numbers(&numbers, driver->library, driver->timeout);
    if (ask(machine, driver, NULL, err) < 0)
        return -1;
    cards_take_numbers(&numbers, &machine->devices);
    return 0;
}

/* Compares what the driver shows under the planned values with what was chosen. */
static int confirm(struct resolution *found, const struct selection *selection,
                   const struct driver *driver, struct error *err)
{
    scope(inventory_release) struct inventory seen = {0};
    scope(error_release) struct error blind = ERROR_INIT;
    const char *visible = plan_visible(&found->plan);

    if (ask(&seen, driver, visible, &blind) < 0 && !seen.absent) {
        error_add(err, blind.status,
                  "asked again, with CUDA_VISIBLE_DEVICES=%s, to confirm it:", visible);
        return error_join(err, &blind);
    }
    if (plan_confirm(&found->plan, selection, &seen.devices, err) == 0)
        return 0;
    return add_table(err, &found->machine.devices);
}

static int resolve_unconfirmed(struct resolution *found, const struct section *section,
                               struct error *err)
{
    scope(selection_release) struct selection selection = {0};

    if (select_unconfirmed(&selection, section, err) < 0)
        return -1;
    return plan_make(&found->plan, section, &selection, err);
}

static int resolve_without_gpu(struct resolution *found, const struct section *section,
                               struct error *err)
{
    if (found->machine.absent && section->if_no_gpu == IF_NO_GPU_CPU)
        return plan_make_plain(&found->plan, section, PLAN_GPUS_NONE, err);
    if (found->machine.absent && section->if_no_gpu == IF_NO_GPU_UNCONFIRMED &&
        resolve_unconfirmed(found, section, err) == 0)
        return 0;
    error_join(err, &found->absent);
    if (!found->machine.absent || section->if_no_gpu != IF_NO_GPU_ERROR)
        return -1;
    return error_add(err, STATUS_DRIVER,
                     "to go on where there is no GPU, write 'if_no_gpu: cpu' (then none is shown) "
                     "or 'if_no_gpu: unconfirmed' (then 'devices' is taken as written) into the "
                     "gpu: section of %s",
                     section->file);
}

/* `all` needs no driver; where there is one, its devices are shown. */
static int resolve_all(struct resolution *found, const struct section *section,
                       const struct driver *driver, struct error *err)
{
    if (plan_make_plain(&found->plan, section, PLAN_GPUS_ALL, err) < 0)
        return -1;
    if (survey(&found->machine, driver, &found->absent) < 0)
        return 0;
    return plan_list_all(&found->plan, &found->machine.devices, err);
}

static int choose(struct selection *selection, const struct resolution *found,
                  const struct section *section, const struct driver *driver, struct error *err)
{
    if (select_devices(selection, section, &found->machine.devices, err) == 0)
        return 0;
    add_table(err, &found->machine.devices);
    if (err->status == STATUS_DRIVER && driver->in_job)
        error_add(err, STATUS_DRIVER,
                  "this shell is in a scheduler's job, which may hide the machine's other GPUs; "
                  "if so, run conda-gpu outside of one");
    return -1;
}

static int fill(struct resolution *found, const struct section *section,
                const struct driver *driver, struct error *err)
{
    scope(selection_release) struct selection selection = {0};

    if (!section->item_count)
        return plan_make_plain(&found->plan, section, PLAN_GPUS_AS_BEFORE, err);
    if (section_wants_no_gpu(section))
        return plan_make_plain(&found->plan, section, PLAN_GPUS_NONE, err);
    if (section_wants_all(section))
        return resolve_all(found, section, driver, err);
    if (survey(&found->machine, driver, &found->absent) < 0)
        return resolve_without_gpu(found, section, err);
    if (choose(&selection, found, section, driver, err) < 0 ||
        plan_make(&found->plan, section, &selection, err) < 0)
        return -1;
    return confirm(found, &selection, driver, err);
}

int resolve(struct resolution *resolution, const struct section *section,
            const struct driver *driver, struct error *err)
{
    scope(resolution_release) struct resolution found = {0};

    if (fill(&found, section, driver, err) < 0)
        return -1;
    *resolution = found;
    found = (struct resolution){0};
    return 0;
}

void resolution_release(struct resolution *resolution)
{
    plan_release(&resolution->plan);
    inventory_release(&resolution->machine);
    error_release(&resolution->absent);
}
