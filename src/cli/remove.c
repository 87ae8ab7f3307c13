#include "cli/cli.h"

#include "base/file.h"
#include "base/scope.h"
#include "conda/install.h"

static const char help[] =
    "Usage: conda-gpu remove [-n NAME | -p PREFIX] [OPTION...]\n"
    "\n"
    "Removes from an environment what apply wrote there, and only that. Files that somebody\n"
    "edited since stay, and are named.\n"
    "\n"
    "  -n, --name NAME     the environment of this name\n"
    "  -p, --prefix PREFIX the environment in this folder; without either, the active one\n"
    "  -q, --quiet         print nothing but errors\n"
    "  --timeout SECONDS   how long to wait for another conda-gpu (60)\n"
    "  -h, --help          this text\n"
    "\n"
    "Exit status: 0 done, also when there was nothing to remove; 2 the command line is wrong;\n"
    "4 the environment: not found, not writable, or a file was edited; 5 the system failed.\n"
    "\n"
    "Example:\n"
    "  conda deactivate && conda-gpu remove -n pt-cuda-env\n";

static void print_removals(const struct removals *removals, const struct options *options)
{
    static const char *const words[] = {[REMOVAL_DONE] = "removed   ",
                                        [REMOVAL_NOT_OURS] = "not ours  ",
                                        [REMOVAL_PUT_BACK] = "put back  "};

    for (size_t i = 0; i < removals->count; i++) {
        const struct removed *file = &removals->items[i];
        if (file->what == REMOVAL_LEFT)
            cli_print(options, "left       %s as %s, since another file has its place", file->path,
                      path_name(file->now));
        else
            cli_print(options, "%s %s", words[file->what], file->path);
    }
    if (removals->nothing)
        cli_print(options, "nothing to remove");
}

static int run(const struct options *options, struct error *err)
{
    scope(environment_release) struct environment environment = {0};
    scope(prefix_close) struct prefix prefix = PREFIX_INIT;
    scope(removals_release) struct removals removals = {0};
    struct find_wish wish = {.path = options->prefix, .name = options->name, .env = options->env};

    if (find_environment(&environment, &wish, err) < 0 ||
        prefix_open(&prefix, environment.path, err) < 0 || cli_lock(&prefix, options, err) < 0)
        return -1;
    cli_print(options, "environment  %s  %s", environment.name, environment.path);
    int result = install_remove(&removals, &prefix, err);
    if (removals.damaged)
        cli_note(options,
                 "%s/" RECEIPT_PATH " is damaged or of another version; files that stand aside and "
                 "folders stay",
                 environment.path);
    print_removals(&removals, options);
    if (environment.active)
        cli_note(options, "this shell has the environment active and keeps its GPU settings; a new "
                          "shell does not have them");
    return result;
}

const struct command remove_command = {"remove", "npqT", help, run};
