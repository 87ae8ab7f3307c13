#include "cli/apply.h"

#include "base/scope.h"
#include "cli/json.h"

/* The hooks that are left, and what becomes of each file. */
static void tell(const struct options *options, const struct environment *environment,
                 const struct install *install, bool done)
{
    bool differs = hook_differs(&install->files);

    cli_print("%s  %s", done ? "forgotten" : "would forget", options->host);
    for (size_t i = 0; i < install->files.count; i++)
        if (install->files.items[i].state != HOOK_SAME)
            cli_print("%s  %s", done ? "written  " : "would write ", install->files.items[i].path);
    json_put("environment", json_environment(environment));
    json_put("forgotten", json_text(options->host));
    json_put("differs", json_boolean(differs));
    json_put("written", json_boolean(done && differs));
    apply_json_files(&install->files, done);
}

int apply_forget(const struct options *options, struct error *err)
{
    scope(environment_release) struct environment environment = {0};
    scope(prefix_close) struct prefix prefix = PREFIX_INIT;
    scope(lock_release) struct lock lock = LOCK_INIT;
    scope(install_release) struct install install = {0};
    bool looks_only = apply_looks_only(options);

    if (cli_open(&environment, &prefix, options, NULL, err) < 0)
        return -1;
    const struct install_wish wish = {
        .parts = {.forget = options->host},
        .environment = environment.name,
        .template_dir = options->template_dir,
        .policy = {options->adopt, options->replace, options->force},
    };
    if ((!looks_only && cli_lock(&lock, &prefix, options, err) < 0) ||
        install_prepare(&install, &prefix, &wish, err) < 0 ||
        (!looks_only && install_write(&install, err) < 0))
        return -1;
    tell(options, &environment, &install, !looks_only);
    return options->check ? STATUS_DIFFERS : STATUS_DONE;
}
