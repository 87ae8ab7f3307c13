#include "cli/cli.h"

#include "base/env.h"
#include "base/scope.h"
#include "base/self.h"
#include "base/table.h"
#include "cli/json.h"
#include "gpu/machine.h"
#include "gpu/stock.h"
#include "plan/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct option_spec devices_options[] = {
    OPTION_FLAG_ROW(json, '\0', "json", NULL, "the same as JSON"),
    OPTION_FLAG_ROW(yaml, '\0', "yaml", "json",
                    "print them for 'apply --inventory', which resolves a section where there is "
                    "no GPU"),
    OPTION_FLAG_ROW(verbose, 'v', "verbose", NULL, "show whole UUIDs and PCI bus IDs"),
    OPTION_DRIVER_ROW,
    OPTION_TIMEOUT_ROW("how long the driver may take to answer (60)"),
};

/* What there is to tell: the machine, and what programs see of it. */
struct report {
    struct inventory all;       /* PCI bus order, everything visible, and what NVML adds */
    const struct device **rows; /* of it */
    size_t row_count;
    struct inventory fastest; /* CUDA's default order */
    struct inventory shell;   /* what a program started from here sees */
    struct error blind;       /* why that is nothing */
    const char *visible;      /* this shell's CUDA_VISIBLE_DEVICES; NULL: not set */
    const char *order;        /* and CUDA_DEVICE_ORDER */
};

static void report_release(struct report *report)
{
    free(report->rows);
    inventory_release(&report->all);
    inventory_release(&report->fastest);
    inventory_release(&report->shell);
    error_release(&report->blind);
}

/* Asks all at once. That the shell's variables let the driver show nothing, or make it fail, is an
   answer. */
static int fill(struct report *report, const struct options *options, struct error *err)
{
    const struct question all = {options->driver, NULL, PLAN_ORDER, options->timeout, NULL};
    const struct question fastest = {options->driver, NULL, NULL, options->timeout, NULL};
    const struct question shell = {options->driver, report->visible, report->order,
                                   options->timeout, NULL};
    scope(child_end) struct child nvml = CHILD_INIT;
    scope(child_end) struct child first = CHILD_INIT;
    scope(child_end) struct child second = CHILD_INIT;
    scope(child_end) struct child third = CHILD_INIT;

    if (machine_ask(&nvml, &all, err) < 0 || inventory_ask(&first, &all, err) < 0 ||
        inventory_ask(&second, &fastest, err) < 0 || inventory_ask(&third, &shell, err) < 0 ||
        inventory_answer(&first, &report->all, err) < 0 ||
        inventory_answer(&second, &report->fastest, err) < 0)
        return -1;
    if (inventory_answer(&third, &report->shell, &report->blind) < 0 &&
        report->blind.status != STATUS_DRIVER)
        return error_join(err, &report->blind);
    return machine_complete(&report->all, &nvml, err);
}

static bool is_seen(const struct report *report, const struct device *device)
{
    return device_list_find(&report->shell.devices, &device->uuid) < report->shell.devices.count;
}

static bool has_number(const struct report *report, const struct device *device)
{
    return device->hidden || (!device->mig && device_list_is_countable(&report->all.devices));
}

/* What it is, and where. An instance stands below its card, if that is known. */
static void describe(struct table *table, const struct device *device, bool below, bool whole)
{
    table_cellf(table, "%s%s", below ? "  MIG " : "",
                below ? device_profile(device) : device->name);
    table_cell(table, device->memory ? MEMORY_TEXT(device->memory) : "-");
    table_cellf(table, device->compute_major ? "%d.%d" : "-", device->compute_major,
                device->compute_minor);
    device_cells(table, device, whole);
}

static void device_row(struct table *table, const struct report *report,
                       const struct device *device, bool whole)
{
    size_t fastest = device_list_find(&report->fastest.devices, &device->uuid);
    bool below = device_profile(device) && !report->all.devices.untold;

    table_cell(table, is_seen(report, device) ? "*" : " ");
    table_cellf(table, has_number(report, device) ? "%u" : "-", device->number);
    table_cellf(table, fastest < report->fastest.devices.count ? "%zu" : "-", fastest);
    if (device->hidden != HIDDEN_LOST)
        describe(table, device, below, whole);
    else /* nothing is known of it but its number */
        for (int i = 0; i < 5; i++)
            table_cell(table, "-");
}

static json_t *json_device(const struct report *report, const struct device *device)
{
    size_t fastest = device_list_find(&report->fastest.devices, &device->uuid);
    bool lost = device->hidden == HIDDEN_LOST;

    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:s?, s:s?, s:b, s:o, s:b, s:o}", "number",
        json_known(has_number(report, device), device->number), "cuda_default_number",
        json_known(fastest < report->fastest.devices.count, fastest), "name",
        json_text(lost ? NULL : device->name), "memory", json_known(device->memory, device->memory),
        "compute_capability",
        device->compute_major ? json_sprintf("%d.%d", device->compute_major, device->compute_minor)
                              : json_null(),
        "pci_bus_id", lost ? NULL : PCI_TEXT(&device->pci), "uuid", lost ? NULL : UUID_TEXT(device),
        "mig", device->mig, "profile", json_text(device_profile(device)), "visible",
        is_seen(report, device), "hidden", json_text(device->hidden ? HIDDEN_TEXT(device) : NULL));
}

static void tell_devices(const struct report *report, const struct options *options)
{
    static const char *const heads[] = {"",       "GPU",     "CUDA",       "name",
                                        "memory", "compute", "PCI bus ID", "UUID"};
    enum { COLUMNS = sizeof heads / sizeof *heads, NAME = 3, ADDRESS = 6 };
    scope(table_release) struct table table = TABLE_INIT(COLUMNS);
    scope(strbuf_release) struct strbuf lines = STRBUF_INIT;
    scope(strbuf_release) struct strbuf bold = STRBUF_INIT;

    for (size_t i = 0; i < COLUMNS; i++)
        table_cell(&table, i == ADDRESS && !options->verbose ? "PCI bus" : heads[i]);
    json_put("devices", json_array());
    for (size_t i = 0; i < report->row_count; i++) {
        device_row(&table, report, report->rows[i], options->verbose);
        json_list("devices", json_device(report, report->rows[i]));
    }
    if (options->json)
        return;
    if (!options->verbose)
        table_fit(&table, 1u << NAME, CLI_WIDTH);
    table_print(&table, &lines);
    size_t head = strcspn(strbuf_text(&lines), "\n");
    strbuf_addf(&bold, "\033[1m%.*s\033[0m%s", (int)head, strbuf_text(&lines),
                strbuf_text(&lines) + head);
    cli_write(cli_colours(STDOUT_FILENO) && !lines.failed ? &bold : &lines);
}

/* Of a list in CUDA_VISIBLE_DEVICES the driver takes the entries up to the first that means none of
   its devices, or is of another kind than those before, and says nothing of the rest. (Seen with
   driver 580.) */
static void print_cut(const struct report *report)
{
    const char *entry = report->visible;

    for (size_t i = 0; i < report->shell.devices.count && entry; i++) {
        entry = strchr(entry, ',');
        entry += entry ? 1 : 0;
    }
    int length = entry ? (int)strcspn(entry, ",") : 0;
    if (!length || strcmp(entry, PLAN_NO_GPU) == 0)
        return;
    if (entry == report->visible)
        cli_print("'%.*s' names no device here", length, entry);
    else
        cli_print("CUDA reads the list no further than '%.*s', which names no device here, or in "
                  "another way than the first",
                  length, entry);
}

static bool is_order(const char *text)
{
    return !text || strcmp(text, PLAN_ORDER) == 0 || strcmp(text, "FASTEST_FIRST") == 0;
}

static void print_visibility(const struct report *report)
{
    size_t seen = report->shell.devices.count;

    cli_print("%s visible in this shell, where CUDA_VISIBLE_DEVICES%s%s", seen ? "*" : "none is",
              report->visible ? "=" : " is not set", report->visible ? report->visible : "");
    if (!seen && !is_order(report->order))
        cli_print("CUDA_DEVICE_ORDER=%s means nothing to CUDA, which then shows no device; it may "
                  "be " PLAN_ORDER " or FASTEST_FIRST",
                  report->order);
    else if (!report->shell.absent && report->blind.count)
        cli_print("programs get an error: %s", error_first(&report->blind));
    else
        print_cut(report);
}

static void print_without_nvml(const struct report *report)
{
    if (device_list_has_mig(&report->all.devices))
        cli_print("a GPU is in MIG mode: the driver lists instances, and maybe not all; "
                  "'nvidia-smi -L' shows every UUID");
    else if (report->all.devices.unseen)
        cli_print("CUDA does not show %s, which nvidia-smi numbers: it may be in MIG mode without "
                  "an instance",
                  report->all.devices.unseen);
}

/* It and all that follow for the same reason, once. */
static void print_hidden(const struct device_list *all, size_t first)
{
    const struct device *hidden = &all->hidden.items[first];
    scope(strbuf_release) struct strbuf numbers = STRBUF_INIT;

    for (size_t i = 0; i < all->hidden.count; i++) {
        const struct device *other = &all->hidden.items[i];
        if (other->hidden != hidden->hidden || strcmp(other->reason, hidden->reason) != 0)
            continue;
        if (i < first)
            return;
        strbuf_addf(&numbers, "%s%u", i > first ? ", " : "", other->number);
    }
    cli_print("CUDA does not show GPU %s: %s", strbuf_text(&numbers), HIDDEN_TEXT(hidden));
}

/* Where NVML and CUDA differ. */
static void print_nvml(const struct report *report)
{
    const struct device_list *all = &report->all.devices;
    const struct device *divided = device_list_divided(all);

    for (size_t i = 0; i < all->hidden.count; i++)
        if (all->hidden.items[i].hidden != HIDDEN_SPLIT)
            print_hidden(all, i);
    if (divided)
        cli_print("CUDA shows the GPU at %s as several devices, as MPS makes them of its locality "
                  "domains; in gpu.devices they have no number, but UUIDs",
                  PCI_TEXT(&divided->pci));
    else if (!device_list_is_ascending(all))
        cli_print("nvidia-smi does not number these GPUs in the order of their PCI bus "
                  "IDs; a number in gpu.devices is nvidia-smi's");
}

static void tell(const struct report *report, const struct options *options)
{
    json_put("driver_cuda_version", json_integer(report->all.driver_version));
    tell_devices(report, options);
    print_visibility(report);
    cli_print("the driver supports CUDA %d.%d", report->all.driver_version / 1000,
              report->all.driver_version % 1000 / 10);
    if (report->all.devices.untold)
        print_without_nvml(report);
    else
        print_nvml(report);
}

/* This machine's document of an inventory: see gpu/stock.h. */
static int print_inventory(const struct options *options, struct error *err)
{
    const struct question question = {options->driver, NULL, PLAN_ORDER, options->timeout, NULL};
    scope(inventory_release) struct inventory machine = {0};
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;

    if (machine_read(&machine, &question, err) < 0 ||
        stock_print(&text, self_host(), &machine, err) < 0)
        return -1;
    cli_write(&text);
    return 0;
}

static int run(const struct options *options, struct error *err)
{
    scope(report_release) struct report report = {
        .visible = env_get(options->env, "CUDA_VISIBLE_DEVICES"),
        .order = env_get(options->env, "CUDA_DEVICE_ORDER"),
    };

    if (options->yaml)
        return print_inventory(options, err);
    if (fill(&report, options, err) < 0)
        return -1;
    report.rows = machine_rows(&report.all.devices, &report.row_count);
    if (!report.rows)
        return error_memory(err);
    tell(&report, options);
    return 0;
}

const struct command devices_command = {
    .name = "devices",
    .summary = "show this machine's GPUs, with nvidia-smi's numbers and CUDA's",
    .usage = "[OPTION...]",
    .about = "Shows all GPUs of this machine, whatever CUDA_VISIBLE_DEVICES says:\n"
             "\n"
             "  *     visible to programs started from this shell\n"
             "  GPU   number in nvidia-smi and in gpu.devices (PCI bus order)\n"
             "  CUDA  number in CUDA's own default order, fastest first, which a program sees\n"
             "        when CUDA_DEVICE_ORDER is not set\n"
             "\n"
             "MIG instances stand below their card, with the profile and the UUID by which\n"
             "gpu.devices names them.\n",
    .example = "conda-gpu devices",
    .instead = "only options are accepted here",
    .statuses = "0235",
    OPTION_ROWS(devices_options),
    .run = run,
};
