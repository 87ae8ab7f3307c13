#include "conda/places.h"

#include "base/env.h"
#include "base/file.h"
#include "base/scope.h"
#include "conda/condarc.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

bool is_environment(const char *path)
{
    struct stat st;
    scope(close_fd) int folder = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

    return folder >= 0 && fstatat(folder, "conda-meta", &st, 0) == 0 && S_ISDIR(st.st_mode);
}

int environments_in(struct names *names, const char *folder)
{
    scope(names_release) struct names there = {0};

    if (names_add_those_in(&there, AT_FDCWD, folder) < 0)
        return errno == ENOMEM ? -1 : 0;
    for (size_t i = 0; i < there.count; i++) {
        const char *name = there.items[i];
        scope(free_text) char *path = path_join(folder, name);
        if (!path || (*name != '.' && is_environment(path) && names_add(names, name) < 0))
            return -1;
    }
    return 0;
}

/* The folder two levels up from bin/conda, if there is one. */
static int add_root_of(struct names *roots, const char *executable)
{
    const char *end = executable + strlen(executable);

    for (int i = 0; i < 2; i++) {
        end = memrchr(executable, '/', (size_t)(end - executable));
        if (!end || end == executable)
            return 0;
    }
    scope(free_text) char *root = strndup(executable, (size_t)(end - executable));
    return root ? names_add(roots, root) : -1;
}

/* conda asks whether it may write to this file. (conda, base/context.py: root_writable.) */
static bool is_writable(const char *root)
{
    struct stat st;
    scope(free_text) char *history = path_join(root, "conda-meta/history");

    return history && stat(history, &st) == 0 && S_ISREG(st.st_mode) &&
           faccessat(AT_FDCWD, history, W_OK, AT_EACCESS) == 0;
}

void places_release(struct places *places)
{
    names_release(&places->roots);
    names_release(&places->folders);
}

static int add_roots(struct places *places, const char *conda, char *const *env)
{
    const char *mamba = env_get_filled(env, "MAMBA_ROOT_PREFIX");
    const char *executable = env_get_filled(env, "MAMBA_EXE");

    if ((conda && names_add(&places->roots, conda) < 0) ||
        (mamba && names_add(&places->roots, mamba) < 0))
        return -1;
    return executable ? add_root_of(&places->roots, executable) : 0;
}

static int add_folders(struct places *places, const char *conda, char *const *env)
{
    const char *home = env_get_filled(env, "HOME");
    scope(free_text) char *own = path_join(home ? home : "", ".conda/envs");

    if (!own)
        return -1;
    if (home && conda && !is_writable(conda) && names_add(&places->folders, own) < 0)
        return -1;
    for (size_t i = 0; i < places->roots.count; i++) {
        scope(free_text) char *envs = path_join(places->roots.items[i], "envs");
        if (!envs || names_add(&places->folders, envs) < 0)
            return -1;
    }
    return home ? names_add(&places->folders, own) : 0;
}

int places_list(struct places *places, char *const *env)
{
    const char *executable = env_get_filled(env, "CONDA_EXE");
    scope(names_release) struct names installed = {0};
    scope(condarc_release) struct condarc condarc = {0};

    if (executable && add_root_of(&installed, executable) < 0)
        return -1;
    const char *conda = installed.count ? installed.items[0] : NULL;
    if (condarc_read(&condarc, conda, env) < 0)
        return -1;
    places->folders = take(&condarc.envs_dirs);
    if (condarc.root_prefix)
        conda = condarc.root_prefix;
    return add_roots(places, conda, env) < 0 ? -1 : add_folders(places, conda, env);
}
