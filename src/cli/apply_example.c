#include "cli/apply.h"

#include "base/scope.h"
#include "gpu/machine.h"

#include <string.h>

/* `conda env export` writes a file without the section: the receipt knows the one that had it. */
static int tell_last_source(const struct options *options, struct error *err)
{
    scope(error_release) struct error unseen = ERROR_INIT;
    scope(environment_release) struct environment environment = {0};
    scope(prefix_close) struct prefix prefix = PREFIX_INIT;
    scope(earlier_release) struct earlier earlier = {0};
    scope(names_release) struct names sources = {0};

    if (cli_open(&environment, &prefix, options, NULL, &unseen) < 0 ||
        earlier_read(&earlier, &prefix, &unseen) < 0)
        return unseen.status == STATUS_SYSTEM ? error_join(err, &unseen) : -1;
    for (size_t i = 0; earlier.receipt && i < earlier.receipt->hosts.count; i++)
        if (names_add(&sources, earlier.receipt->hosts.items[i].source) < 0)
            return error_memory(err);
    for (size_t i = 0; i < sources.count; i++)
        error_detail(err, "The hooks in %s were made from %s.", environment.path, sources.items[i]);
    return -1;
}

/* "1  # NVIDIA A100-SXM4-80GB, 80 GiB" */
static void add_device(struct strbuf *out, const struct device *device, bool numbered)
{
    char name[DEVICE_NAME_SIZE];

    if (numbered)
        strbuf_addf(out, "%u", device->number);
    else
        strbuf_adds(out, UUID_TEXT(device));
    if (device_name_text(device, name))
        strbuf_addf(out, "  # %s, %s", name, MEMORY_TEXT(device->memory));
    else
        out->failed = true;
}

/* Of MIG instances only the first: drivers before R570 show a process no more of them. */
static size_t add_section(struct strbuf *out, const struct device_list *machine)
{
    bool numbered = device_list_is_countable(machine) && !device_list_has_mig(machine);
    size_t count = device_list_has_mig(machine) ? 1 : machine->count;

    strbuf_adds(out, "gpu:\n  devices:");
    for (size_t i = 0; i < count; i++) {
        strbuf_adds(out, count > 1 ? "\n    - " : " ");
        add_device(out, &machine->items[i], numbered);
    }
    strbuf_addc(out, '\n');
    return count;
}

/* A section for the devices of this machine, and how many it has; 0 where no driver tells. */
static size_t read_section(struct strbuf *out, const struct options *options, struct error *err)
{
    const struct question question = {options->driver, NULL, PLAN_ORDER, options->timeout, NULL};
    scope(inventory_release) struct inventory machine = {0};
    scope(error_release) struct error unseen = ERROR_INIT;

    if (machine_read(&machine, &question, &unseen) == 0)
        return add_section(out, &machine.devices);
    if (unseen.status == STATUS_SYSTEM)
        error_join(err, &unseen);
    return 0;
}

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* On stdout, unindented, so that it can be pasted; with --json in the details. */
static void offer_section(const struct options *options, struct error *err)
{
    scope(strbuf_release) struct strbuf section = STRBUF_INIT;
    size_t count = read_section(&section, options, err);

    if (section.failed)
        error_memory(err);
    if (section.failed || !count)
        return;
    error_detail(err, "%s for this machine%s",
                 options->json ? "This one is" : "The section on standard output is",
                 count > 1 ? "; leave out the GPUs that you do not want." : ".");
    if (options->json)
        error_detail_lines(err, strbuf_text(&section));
    else
        cli_write(&section);
}

int apply_without_section(const struct options *options, struct error *err)
{
    bool missing = begins(error_first(err), SECTION_MISSING);
    bool misspelt = missing && err->items[0].line; /* its devices are in the file */

    if (!missing && !begins(error_first(err), SECTION_EMPTY))
        return -1;
    if (!misspelt && !options->inventory && (options->json || !options->quiet))
        offer_section(options, err);
    return tell_last_source(options, err);
}
