#include "cli/cli.h"

#include "base/file.h"
#include "base/scope.h"
#include "cli/json.h"
#include "cli/kept.h"
#include "conda/install.h"

static const struct option_spec remove_options[] = {
    OPTION_NAME_ROW,
    OPTION_PREFIX_ROW("the environment in this folder; without either, the active one"),
    OPTION_FLAG_ROW(json, '\0', "json", NULL, "print what is told as JSON, errors included"),
    OPTION_QUIET_ROW("print nothing but errors"),
    OPTION_TIMEOUT_ROW("how long to wait for another conda-gpu (60)"),
};

static void tell_removals(const struct removals *removals)
{
    static const char *const words[] = {[REMOVAL_DONE] = "removed",
                                        [REMOVAL_NOT_OURS] = "not ours",
                                        [REMOVAL_PUT_BACK] = "put back",
                                        [REMOVAL_LEFT] = "left"};

    json_put("files", json_array());
    for (size_t i = 0; i < removals->count; i++) {
        const struct removed *file = &removals->items[i];
        if (file->what == REMOVAL_LEFT)
            cli_print("left       %s as %s, since another file has its place", file->path,
                      path_name(file->now));
        else
            cli_print("%-10s %s", words[file->what], file->path);
        json_list("files", json_pack("{s:o, s:s, s:o}", "path", json_text(file->path), "result",
                                     words[file->what], "now", json_text(file->now)));
    }
    if (removals->nothing)
        cli_print("nothing to remove");
}

static int run(const struct options *options, struct error *err)
{
    scope(environment_release) struct environment environment = {0};
    scope(prefix_close) struct prefix prefix = PREFIX_INIT;
    scope(lock_release) struct lock lock = LOCK_INIT;
    scope(earlier_release) struct earlier earlier = {0};
    scope(removals_release) struct removals removals = {0};

    if (cli_open(&environment, &prefix, options, NULL, err) < 0 ||
        cli_lock(&lock, &prefix, options, err) < 0)
        return -1;
    cli_print("environment  %s  %s", environment.name, environment.path);
    json_put("environment", json_environment(&environment));
    if (earlier_read(&earlier, &prefix, err) < 0)
        return -1;
    const struct exported nothing = {.prefix = environment.path};
    /* Only the receipt, which would go as well, knows where our part is still to be taken out. */
    if (kept_renew(earlier.receipt, &nothing, false, err) < 0)
        return error_detail(err,
                            "so the hooks stay as well: make it writable or delete it, and run "
                            "conda-gpu remove again");
    int result = install_remove(&removals, &prefix, earlier.receipt, err);
    tell_removals(&removals);
    if (environment.active)
        cli_note("this shell has the environment active and keeps its GPU settings; a new "
                 "shell does not have them");
    return result;
}

const struct command remove_command = {
    .name = "remove",
    .summary = "remove what apply wrote",
    .usage = "[-n NAME | -p PREFIX] [OPTION...]",
    .about = "Removes from an environment what apply wrote there, and only that. Files that\n"
             "somebody edited since stay, and are named.\n",
    .example = "conda deactivate && conda-gpu remove -n pt",
    .instead = "an environment is named with -n or -p",
    .statuses = "0245",
    OPTION_ROWS(remove_options),
    .run = run,
};
