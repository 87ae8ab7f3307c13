#include "cli/cli.h"

#include "base/env.h"
#include "base/scope.h"
#include "base/table.h"
#include "gpu/inventory.h"
#include "plan/plan.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static const struct option_spec devices_options[] = {
    OPTION_FLAG_ROW(json, '\0', "json", NULL, "the same as JSON"),
    OPTION_DRIVER_ROW,
    OPTION_TIMEOUT_ROW("how long the driver may take to answer (60)"),
};

/* The three views of a machine. */
struct views {
    struct inventory all;     /* PCI bus order, everything visible: nvidia-smi's numbers */
    struct inventory fastest; /* CUDA's default order */
    struct inventory shell;   /* what a program started from here sees */
};

static void views_release(struct views *views)
{
    inventory_release(&views->all);
    inventory_release(&views->fastest);
    inventory_release(&views->shell);
}

/* Asks all three at once. That a shell sees no GPU is an answer, not an error. */
static int look(struct views *views, const struct options *options, struct error *err)
{
    const struct question questions[] = {
        {options->driver, NULL, PLAN_ORDER, options->timeout},
        {options->driver, NULL, NULL, options->timeout},
        {options->driver, env_get(options->env, "CUDA_VISIBLE_DEVICES"),
         env_get(options->env, "CUDA_DEVICE_ORDER"), options->timeout},
    };
    struct inventory *answers[] = {&views->all, &views->fastest, &views->shell};
    struct child children[] = {CHILD_INIT, CHILD_INIT, CHILD_INIT};
    scope(error_release) struct error blind = ERROR_INIT;
    int result = 0;

    for (int i = 0; i < 3 && result == 0; i++)
        result = inventory_ask(&children[i], &questions[i], err);
    for (int i = 0; i < 3; i++) {
        bool wanted = result == 0 && children[i].guard > 0;
        if (wanted && inventory_answer(&children[i], answers[i], i == 2 ? &blind : err) < 0)
            result = i == 2 && answers[i]->absent ? 0 : -1;
        else
            child_end(&children[i]);
    }
    if (result < 0 && err->status == STATUS_DONE)
        return error_join(err, &blind);
    return result;
}

static void number_cell(struct table *table, const struct device_list *list,
                        const struct device *device, bool countable)
{
    size_t number = device_list_find(list, &device->uuid);
    char text[32];

    snprintf(text, sizeof text, "%zu", number);
    table_cell(table, countable && number < list->count ? text : "-");
}

static void print_table(const struct views *views, const struct options *options)
{
    static const char *const heads[] = {"",       "GPU",     "CUDA",       "name",
                                        "memory", "compute", "PCI bus ID", "UUID"};
    enum { COLUMNS = sizeof heads / sizeof *heads };
    scope(table_release) struct table table = TABLE_INIT(COLUMNS);
    scope(strbuf_release) struct strbuf lines = STRBUF_INIT;
    scope(strbuf_release) struct strbuf bold = STRBUF_INIT;
    bool colours = cli_colours(options, STDOUT_FILENO);

    for (size_t i = 0; i < COLUMNS; i++)
        table_cell(&table, heads[i]);
    for (size_t i = 0; i < views->all.devices.count; i++) {
        const struct device *device = &views->all.devices.items[i];
        char compute[32], address[PCI_TEXT_SIZE], uuid[UUID_TEXT_SIZE], memory[MEMORY_TEXT_SIZE];
        snprintf(compute, sizeof compute, "%d.%d", device->compute_major, device->compute_minor);
        size_t seen = device_list_find(&views->shell.devices, &device->uuid);
        table_cell(&table, seen < views->shell.devices.count ? "*" : " ");
        number_cell(&table, &views->all.devices, device, !device_list_has_mig(&views->all.devices));
        number_cell(&table, &views->fastest.devices, device, true);
        table_cell(&table, device->name);
        table_cell(&table, memory_text(device->memory, memory));
        table_cell(&table, compute);
        table_cell(&table, pci_text(&device->pci, address));
        table_cell(&table, uuid_text(device, uuid));
    }
    table_print(&table, &lines);
    size_t head = strcspn(strbuf_text(&lines), "\n");
    strbuf_addf(&bold, "\033[1m%.*s\033[0m%s", (int)head, strbuf_text(&lines),
                strbuf_text(&lines) + head);
    cli_write(colours && !lines.failed ? &bold : &lines);
}

static void print_summary(const struct views *views, const struct options *options)
{
    const char *visible = env_get(options->env, "CUDA_VISIBLE_DEVICES");
    size_t seen = views->shell.devices.count;

    if (visible && seen)
        cli_print(options, "* visible in this shell, where CUDA_VISIBLE_DEVICES=%s", visible);
    else if (visible)
        cli_print(options, "none is visible in this shell, where CUDA_VISIBLE_DEVICES=%s", visible);
    else
        cli_print(options, "* visible in this shell, where CUDA_VISIBLE_DEVICES is not set");
    cli_print(options, "the driver supports CUDA %d.%d", views->all.driver_version / 1000,
              views->all.driver_version % 1000 / 10);
    if (device_list_has_mig(&views->all.devices))
        cli_print(options, "a GPU is in MIG mode: the driver lists instances, and maybe not all; "
                           "'nvidia-smi -L' shows every UUID");
}

static json_t *json_number(const struct device_list *list, const struct device *device)
{
    size_t number = device_list_find(list, &device->uuid);

    return number < list->count ? json_integer((json_int_t)number) : json_null();
}

/* Text that JSON can hold: the driver's bytes need not be UTF-8. */
static json_t *json_text(const char *text)
{
    scope(strbuf_release) struct strbuf printable = STRBUF_INIT;

    strbuf_add_printable(&printable, text, strlen(text));
    return printable.failed ? NULL : json_string(strbuf_text(&printable));
}

static json_t *json_device(const struct views *views, size_t number)
{
    const struct device *device = &views->all.devices.items[number];
    bool countable = !device_list_has_mig(&views->all.devices);
    char address[PCI_TEXT_SIZE], uuid[UUID_TEXT_SIZE];
    size_t seen = device_list_find(&views->shell.devices, &device->uuid);

    return json_pack("{s:o, s:o, s:o, s:I, s:o, s:s, s:s, s:b, s:b}", "number",
                     countable ? json_integer((json_int_t)number) : json_null(),
                     "cuda_default_number", json_number(&views->fastest.devices, device), "name",
                     json_text(device->name), "memory", (json_int_t)device->memory,
                     "compute_capability",
                     json_sprintf("%d.%d", device->compute_major, device->compute_minor),
                     "pci_bus_id", pci_text(&device->pci, address), "uuid", uuid_text(device, uuid),
                     "mig", device->mig, "visible", seen < views->shell.devices.count);
}

static int add_piece(const char *piece, size_t length, void *text)
{
    strbuf_add(text, piece, length);
    return 0;
}

static int print_json(const struct views *views, struct error *err)
{
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;
    json_t *devices = json_array();
    bool complete = true;

    for (size_t i = 0; i < views->all.devices.count && complete; i++)
        complete = json_array_append_new(devices, json_device(views, i)) == 0;
    json_t *root = json_pack("{s:i, s:o}", "driver_cuda_version", views->all.driver_version,
                             "devices", devices);
    complete = complete && json_dump_callback(root, add_piece, &text, JSON_INDENT(2)) == 0;
    json_decref(root);
    strbuf_addc(&text, '\n');
    if (!complete)
        return error_memory(err);
    cli_write(&text);
    return 0;
}

static int run(const struct options *options, struct error *err)
{
    scope(views_release) struct views views = {0};

    if (look(&views, options, err) < 0)
        return -1;
    if (options->json)
        return print_json(&views, err);
    print_table(&views, options);
    print_summary(&views, options);
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
             "        when CUDA_DEVICE_ORDER is not set\n",
    .example = "conda-gpu devices",
    .instead = "only options are accepted here",
    .statuses = "0235",
    .options = devices_options,
    .option_count = sizeof devices_options / sizeof *devices_options,
    .run = run,
};
