/*
 * conda's own files from which an environment's folder is found by name: ~/.condarc, which is the
 * input up to its first NUL, and ~/.conda/environments.txt, which is the rest. Whatever is in them,
 * only a folder of that name that is an environment is found.
 */
#include "fuzz/fuzz.h"

#include "base/file.h"
#include "base/scope.h"
#include "conda/find.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void make_folder(const char *name)
{
    scope(free_text) char *path = path_join(scratch_folder(), name);

    require(path && mkdir(path, 0755) == 0);
}

/* HOME is the scratch folder. Environments "pt" are in two folders that conda does not know by
   itself, and something else of that name in a third. */
static char *const *environment(void)
{
    static char *env[2];
    static const char *const folders[] = {
        ".conda", "e", "e/pt", "e/pt/conda-meta", "f", "f/pt", "f/pt/conda-meta", "g", "g/pt"};

    if (!env[0]) {
        env[0] = format_text("HOME=%s", scratch_folder());
        require(env[0] != NULL);
        for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
            make_folder(folders[i]);
    }
    return env;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct find_wish wish = {.name = "pt", .env = environment()};
    scope(environment_release) struct environment prefix = {0};
    scope(error_release) struct error err = ERROR_INIT;
    size_t first = strnlen((const char *)data, size), skipped = first < size;

    scratch_write(".condarc", data, first);
    scratch_write(".conda/environments.txt", data + first + skipped, size - first - skipped);
    int result = find_environment(&prefix, &wish, &err);
    require_contract(result, &err);
    require(result < 0 ? err.status == STATUS_PREFIX && !prefix.path
                       : strcmp(path_name(prefix.path), "pt") == 0);
    if (result == 0) {
        scope(free_text) char *meta = path_join(prefix.path, "conda-meta");
        require(meta && access(meta, F_OK) == 0);
    }
    return 0;
}
