#include "cli/cli.h"

#include "base/scope.h"
#include "base/suggest.h"

#include <string.h>

const struct command *const commands[] = {
    &apply_command,  &exec_command, &export_command,  &status_command,   &devices_command,
    &remove_command, &help_command, &version_command, &complete_command,
};
const size_t command_count = sizeof commands / sizeof *commands;

const struct status_row statuses[] = {
    {STATUS_DONE, "done, also where there was nothing to do"},
    {STATUS_DIFFERS, "--check found a difference, or status something out of step"},
    {STATUS_INPUT, "the command line or the file is wrong"},
    {STATUS_DRIVER, "the driver or a device is missing"},
    {STATUS_PREFIX, "the environment: missing, not writable, or with files of others in the way"},
    {STATUS_SYSTEM, "the system failed: memory, processes, output"},
    {STATUS_TAKEN, "others have the GPUs that --free asks for"},
};
const size_t status_count = sizeof statuses / sizeof *statuses;

static void list_names(struct strbuf *out)
{
    for (size_t i = 0; i < command_count; i++)
        if (!commands[i]->hidden)
            strbuf_addf(out, "%s%s", i ? ", " : "", commands[i]->name);
}

const struct command *command_find(const char *name, struct error *err)
{
    const char *names[sizeof commands / sizeof *commands];
    scope(strbuf_release) struct strbuf known = STRBUF_INIT;

    for (size_t i = 0; i < command_count; i++) {
        names[i] = commands[i]->name;
        if (strcmp(name, names[i]) == 0)
            return commands[i];
    }
    const char *near = suggest(name, names, command_count);
    list_names(&known);
    if (near)
        error_add(err, STATUS_INPUT, "unknown command '%s'; did you mean '%s'?", name, near);
    else
        error_add(err, STATUS_INPUT, "unknown command '%s'; known: %s; see conda-gpu --help", name,
                  strbuf_text(&known));
    return NULL;
}
