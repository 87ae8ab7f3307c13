#include "cli/cli.h"

#include "base/file.h"
#include "base/scope.h"
#include "conda/earlier.h"
#include "conda/install.h"

#include <stdio.h>
#include <string.h>

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

/* Every file that apply may have written, without a text: what is there is compared with none. */
static int list_files(struct hook_set *set, const struct prefix *prefix, struct error *err)
{
    struct strbuf none = STRBUF_INIT;

    if (hook_set_add(set, prefix, RECEIPT_PATH, &none, err) < 0)
        return -1;
    for (size_t d = 0; d < HOOK_DIRECTIONS; d++) {
        for (size_t i = 0; i < shell_count; i++) {
            scope(free_text) char *path = hook_path(hook_directions[d], &shells[i]);
            if (!path)
                return error_memory(err);
            if (hook_set_add(set, prefix, path, &none, err) < 0)
                return -1;
        }
    }
    return 0;
}

/* Somebody's own receipt waits for the place that ours still has; `original` is set to where. */
static int find_original(const struct receipt_kept *kept, const struct prefix *prefix,
                         const char **original, struct error *err)
{
    int got = prefix_has(prefix, kept->now, err);

    if (got > 0 && *original)
        return PREFIX_TAKEN;
    if (got > 0)
        *original = kept->now;
    return got < 0 ? -1 : PREFIX_NOT_KEPT;
}

/* What stood in the hooks' places before them goes back there, the last one first: of several files
   that had one place it gets it, unless somebody has put another there since. An adopted one sorts
   before the others: it goes on working where it is. */
static int put_back(const struct earlier *earlier, const struct prefix *prefix,
                    const char **original, const struct options *options, struct error *err)
{
    const struct receipt *receipt = earlier->receipt;
    int result = 0;

    for (unsigned i = receipt ? receipt->kept_count : 0; i-- > 0;) {
        const struct receipt_kept *kept = &receipt->kept[i];
        int put = strcmp(kept->path, RECEIPT_PATH) == 0
                      ? find_original(kept, prefix, original, err)
                      : prefix_put_back(prefix, kept->now, kept->path, err);
        if (put < 0)
            result = -1;
        if (put == PREFIX_PUT_BACK)
            cli_print(options, "put back   %s", kept->path);
        if (put == PREFIX_TAKEN)
            cli_print(options, "left       %s as %s, since another file has its place", kept->path,
                      path_name(kept->now));
    }
    return result;
}

/* What became of a file; nothing, where it could not be removed. */
static void report(const struct hook_file *file, const struct prefix *prefix,
                   const struct options *options)
{
    scope(error_release) struct error unseen = ERROR_INIT;

    if (file->state == HOOK_OURS && !prefix_has(prefix, file->path, &unseen))
        cli_print(options, "removed    %s", file->path);
    else if (file->state == HOOK_FOREIGN)
        cli_print(options, "not ours   %s", file->path);
}

/* The receipt goes last, since it tells what there is to do. */
static int take_away(const struct hook_set *set, const struct earlier *earlier,
                     const struct prefix *prefix, const struct options *options, struct error *err)
{
    const struct hook_file *receipt = &set->items[0];
    const char *original = NULL;
    bool removes = receipt->state == HOOK_OURS;
    int result = hook_remove(set, prefix, err);

    for (size_t i = 1; i < set->count; i++) {
        report(&set->items[i], prefix, options);
        removes = removes || set->items[i].state == HOOK_OURS;
    }
    if (result < 0 || put_back(earlier, prefix, &original, options, err) < 0 ||
        hook_forget(set, prefix, original, &earlier->folders, err) < 0)
        return -1;
    report(receipt, prefix, options);
    if (original && prefix_has(prefix, RECEIPT_PATH, err) > 0)
        cli_print(options, "put back   %s", RECEIPT_PATH);
    if (!removes)
        cli_print(options, "nothing to remove");
    return 0;
}

static int run(const struct options *options, struct error *err)
{
    scope(environment_release) struct environment environment = {0};
    scope(prefix_close) struct prefix prefix = PREFIX_INIT;
    scope(earlier_release) struct earlier earlier = {0};
    scope(hook_set_release) struct hook_set set = {0};
    struct find_wish wish = {.path = options->prefix, .name = options->name, .env = options->env};

    if (find_environment(&environment, &wish, err) < 0 ||
        prefix_open(&prefix, environment.path, err) < 0 || cli_lock(&prefix, options, err) < 0 ||
        earlier_read(&earlier, &prefix, err) < 0 || list_files(&set, &prefix, err) < 0)
        return -1;
    cli_print(options, "environment  %s  %s", environment.name, environment.path);
    if (earlier.damaged)
        cli_note(options,
                 "%s/" RECEIPT_PATH " is damaged or of another version; files that stand aside and "
                 "folders stay",
                 environment.path);
    int result = take_away(&set, &earlier, &prefix, options, err);
    if (environment.active)
        cli_note(options, "this shell has the environment active and keeps its GPU settings; a new "
                          "shell does not have them");
    return result;
}

const struct command remove_command = {"remove", "npqT", help, run};
