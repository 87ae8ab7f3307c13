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

const struct command *command_find(const char *name, struct error *err)
{
    const char *names[sizeof commands / sizeof *commands];
    scope(strbuf_release) struct strbuf hint = STRBUF_INIT;
    size_t offered = 0;

    for (size_t i = 0; i < command_count; i++) {
        if (strcmp(name, commands[i]->name) == 0)
            return commands[i];
        if (!commands[i]->hidden)
            names[offered++] = commands[i]->name;
    }
    if (!suggest_add(&hint, name, names, offered, "known: "))
        strbuf_adds(&hint, "; see conda-gpu --help");
    error_add(err, STATUS_INPUT, "unknown command '%s'; %s", name, strbuf_text(&hint));
    return NULL;
}
