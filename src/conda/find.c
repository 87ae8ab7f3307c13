#include "conda/find.h"

#include "base/env.h"
#include "base/file.h"
#include "base/scope.h"
#include "base/suggest.h"
#include "conda/condarc.h"
#include "hook/shell.h"
#include "section/vars.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { ENVIRONMENTS_LIMIT = 4 << 20, SHOWN_LIMIT = 20 };

static bool is_environment(const char *path)
{
    struct stat st;
    scope(close_fd) int folder = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

    return folder >= 0 && fstatat(folder, "conda-meta", &st, 0) == 0 && S_ISDIR(st.st_mode);
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

/* The installations that the shell knows, whose `envs` holds environments and which are `base`. */
static int add_roots(struct names *roots, char *const *env)
{
    static const char *const executables[] = {"CONDA_EXE", "MAMBA_EXE"};
    const char *mamba = env_get_filled(env, "MAMBA_ROOT_PREFIX");

    for (size_t i = 0; i < 2; i++) {
        const char *executable = env_get_filled(env, executables[i]);
        if (executable && add_root_of(roots, executable) < 0)
            return -1;
        if (i == 0 && mamba && names_add(roots, mamba) < 0)
            return -1;
    }
    return 0;
}

/* conda asks whether it may write to this file. (conda, base/context.py: root_writable.) */
static bool is_writable(const char *root)
{
    struct stat st;
    scope(free_text) char *history = path_join(root, "conda-meta/history");

    return history && stat(history, &st) == 0 && S_ISREG(st.st_mode) &&
           faccessat(AT_FDCWD, history, W_OK, AT_EACCESS) == 0;
}

/* The folders in which an environment of some name may be, in conda's order. */
static int list_envs_dirs(struct names *folders, const struct names *roots, char *const *env)
{
    const char *home = env_get_filled(env, "HOME");
    const char *root = roots->count ? roots->items[0] : NULL;
    scope(free_text) char *own = path_join(home ? home : "", ".conda/envs");

    if (!own || condarc_envs_dirs(folders, root, env) < 0)
        return -1;
    if (home && root && !is_writable(root) && names_add(folders, own) < 0)
        return -1;
    for (size_t i = 0; i < roots->count; i++) {
        scope(free_text) char *envs = path_join(roots->items[i], "envs");
        if (!envs || names_add(folders, envs) < 0)
            return -1;
    }
    return home ? names_add(folders, own) : 0;
}

/* ---- The error that there is none ------------------------------------------------------------ */

/* The names of the environments in a folder, sorted. */
static int list_environments(struct names *names, const char *folder)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, NULL, alphasort);
    int result = count < 0 && errno == ENOMEM ? -1 : 0;

    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        scope(free_text) char *path = path_join(folder, name);
        if (!path || (name[0] != '.' && is_environment(path) && names_add(names, name) < 0))
            result = -1;
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    return result;
}

/* "FOLDER: pt, tf" */
static int add_searched(struct error *err, const char *folder)
{
    scope(names_release) struct names names = {0};
    scope(strbuf_release) struct strbuf line = STRBUF_INIT;

    if (list_environments(&names, folder) < 0)
        return -1;
    strbuf_adds(&line, folder);
    for (size_t i = 0; i < names.count && i < SHOWN_LIMIT; i++)
        strbuf_addf(&line, "%s%s", i ? ", " : ": ", names.items[i]);
    if (names.count > SHOWN_LIMIT)
        strbuf_addf(&line, " and %zu more", names.count - SHOWN_LIMIT);
    error_detail(err, "%s", strbuf_text(&line));
    return line.failed ? -1 : 0;
}

/* Environments of this name that conda itself takes by their path only. */
static int add_listed(struct error *err, const char *name, char *const *env)
{
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;
    scope(free_text) char *list = condarc_expand("~/.conda/environments.txt", env);

    if (!list || file_read(list, ENVIRONMENTS_LIMIT, &text) < 0)
        return !list || text.failed ? -1 : 0;
    for (const char *line = strbuf_text(&text); *line;) {
        size_t length = strcspn(line, "\r\n");
        scope(free_text) char *path = strndup(line, length);
        if (!path)
            return -1;
        if (strcmp(path_name(path), name) == 0 && is_environment(path)) {
            scope(strbuf_release) struct strbuf word = STRBUF_INIT;
            shell_quote_if_needed(&word, path);
            error_detail(err, "one of this name is elsewhere; to take it: -p %s",
                         strbuf_text(&word));
        }
        line += length + strspn(line + length, "\r\n");
    }
    return 0;
}

/* Sets *meant to the name that may have been meant, NULL if none is like it. `names` owns it. */
static int find_similar(const char **meant, const char *name, const struct names *searched,
                        struct names *names)
{
    for (size_t i = 0; i < searched->count; i++)
        if (list_environments(names, searched->items[i]) < 0)
            return -1;
    *meant = suggest(name, (const char *const *)names->items, names->count);
    return 0;
}

static char *not_found(const char *name, const struct names *searched, const struct names *roots,
                       const struct find_wish *wish, struct error *err)
{
    scope(names_release) struct names names = {0};
    const char *meant = NULL;
    int result = find_similar(&meant, name, searched, &names);

    error_add(err, STATUS_PREFIX,
              "no environment '%s'%s%s%s %sname its folder with -p. Searched:", name,
              meant ? "; did you mean '" : ";", meant ? meant : "", meant ? "'? If not," : "",
              wish->has_file ? "create it with 'conda env create', or " : "");
    for (size_t i = 0; i < searched->count && result == 0; i++)
        result = add_searched(err, searched->items[i]);
    if (!roots->count)
        error_detail(err, "nowhere%s: this shell knows no conda (CONDA_EXE is unset)",
                     searched->count ? " else" : "");
    if (result < 0 || add_listed(err, name, wish->env) < 0)
        error_memory(err);
    return NULL;
}

/* ---- Finding --------------------------------------------------------------------------------- */

static char *find_base(const struct names *roots, const struct find_wish *wish, struct error *err)
{
    if (!roots->count)
        error_add(err, STATUS_PREFIX,
                  "base is the environment of conda itself, and this shell knows no conda "
                  "(CONDA_EXE is unset); name its folder with -p");
    for (size_t i = 0; i < roots->count; i++)
        if (is_environment(roots->items[i]))
            return strdup(roots->items[i]);
    return roots->count ? not_found("base", roots, roots, wish, err) : NULL;
}

static char *find_by_name(const char *name, const struct names *roots, const struct find_wish *wish,
                          struct error *err)
{
    scope(names_release) struct names searched = {0};

    if (strchr(name, '/') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
        error_add(err, STATUS_PREFIX, "'%s' is no name but a path; give it with -p", name);
        return NULL;
    }
    if (strcmp(name, "base") == 0 || strcmp(name, "root") == 0)
        return find_base(roots, wish, err);
    if (list_envs_dirs(&searched, roots, wish->env) < 0)
        return NULL;
    for (size_t i = 0; i < searched.count; i++) { /* conda takes the first, whatever is in it */
        scope(free_text) char *path = path_join(searched.items[i], name);
        if (!path || is_folder(path))
            return take(&path);
    }
    return not_found(name, &searched, roots, wish, err);
}

static bool is_same_folder(const char *a, const char *b)
{
    struct stat one, other;

    return stat(a, &one) == 0 && stat(b, &other) == 0 && one.st_dev == other.st_dev &&
           one.st_ino == other.st_ino;
}

static bool is_base(const char *path, const struct names *roots)
{
    for (size_t i = 0; i < roots->count; i++)
        if (is_same_folder(path, roots->items[i]))
            return true;
    return false;
}

/* The active environment's folder, NULL for none and for base. */
static const char *active_not_base(const struct names *roots, char *const *env)
{
    const char *active = env_get_filled(env, "CONDA_PREFIX");
    const char *name = env_get(env, "CONDA_DEFAULT_ENV");

    if (!active || (name && strcmp(name, "base") == 0) || is_base(active, roots))
        return NULL;
    return active;
}

/* NULL without a message if memory ran out. */
static char *find(const struct find_wish *wish, const struct names *roots, struct error *err)
{
    const char *active = active_not_base(roots, wish->env);

    if (wish->path)
        return condarc_expand(wish->path, wish->env);
    if (wish->name)
        return find_by_name(wish->name, roots, wish, err);
    if (active)
        return strdup(active);
    if (wish->file_name)
        return find_by_name(wish->file_name, roots, wish, err);
    error_add(
        err, STATUS_PREFIX,
        "no environment: none is active (base does not count)%s; activate one, or name it with "
        "-n NAME or -p PREFIX",
        wish->has_file ? ", and the file has no 'name:'" : "");
    return NULL;
}

static int check(const char *path, const struct find_wish *wish, struct error *err)
{
    struct stat st;

    if (stat(path, &st) < 0)
        return error_add(err, STATUS_PREFIX, "%s: %s; name the environment's folder with -p", path,
                         strerror(errno));
    if (!S_ISDIR(st.st_mode))
        return error_add(err, STATUS_PREFIX,
                         "%s: a file, and -p names the folder of an environment%s", path,
                         wish->has_file ? "; an environment file is named with -f" : "");
    scope(free_text) char *meta = path_join(path, "conda-meta");
    if (!meta)
        return error_memory(err);
    int got = stat(meta, &st);
    if (got < 0 && errno != ENOENT && errno != ENOTDIR)
        return error_add(err, STATUS_PREFIX, "%s: %s", meta, strerror(errno));
    if (got < 0 || !S_ISDIR(st.st_mode))
        return error_add(err, STATUS_PREFIX,
                         "%s: not a conda environment, since it has no conda-meta folder; name one "
                         "with -p, or create it with 'conda env create'",
                         path);
    return 0;
}

static char *without_slashes(char *path)
{
    size_t length = strlen(path);

    while (length > 1 && path[length - 1] == '/')
        path[--length] = '\0';
    return path;
}

int find_environment(struct environment *prefix, const struct find_wish *wish, struct error *err)
{
    size_t said = err->count;
    scope(names_release) struct names roots = {0};
    scope(free_text) char *found =
        add_roots(&roots, wish->env) < 0 ? NULL : find(wish, &roots, err);

    if (!found)
        return err->count > said ? -1 : error_memory(err);
    if (check(found, wish, err) < 0)
        return -1;
    char *path = realpath(found, NULL);
    if (!path && errno == ENOMEM)
        return error_memory(err);
    if (!path)
        return error_add(err, STATUS_PREFIX, "%s: %s", found, strerror(errno));
    const char *name = is_base(path, &roots) ? "base" : path_name(path);
    const char *active = env_get_filled(wish->env, "CONDA_PREFIX");
    *prefix = (struct environment){path, strdup(name), strdup(path_name(without_slashes(found))),
                                   active && is_same_folder(path, active)};
    if (prefix->name && prefix->called)
        return 0;
    environment_release(prefix);
    return error_memory(err);
}

int find_names(struct names *names, char *const *env)
{
    scope(names_release) struct names roots = {0}, folders = {0};

    if (add_roots(&roots, env) < 0 || list_envs_dirs(&folders, &roots, env) < 0 ||
        (roots.count && names_add(names, "base") < 0))
        return -1;
    for (size_t i = 0; i < folders.count; i++)
        if (list_environments(names, folders.items[i]) < 0)
            return -1;
    return 0;
}

/* By their real paths, so that each is there once. */
static int add_real(struct names *paths, const char *path)
{
    scope(free_text) char *real = realpath(path, NULL);

    if (!real || !is_environment(real))
        return 0;
    return names_add(paths, real);
}

static int add_those_in(struct names *paths, const char *folder)
{
    scope(names_release) struct names names = {0};

    if (list_environments(&names, folder) < 0)
        return -1;
    for (size_t i = 0; i < names.count; i++) {
        scope(free_text) char *path = path_join(folder, names.items[i]);
        if (!path || add_real(paths, path) < 0)
            return -1;
    }
    return 0;
}

static int add_written_down(struct names *paths, char *const *env)
{
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;
    scope(free_text) char *list = condarc_expand("~/.conda/environments.txt", env);

    if (!list || file_read(list, ENVIRONMENTS_LIMIT, &text) < 0)
        return !list || text.failed ? -1 : 0;
    for (const char *line = strbuf_text(&text); *line;) {
        size_t length = strcspn(line, "\r\n");
        scope(free_text) char *path = strndup(line, length);
        if (!path || (*path == '/' && add_real(paths, path) < 0))
            return -1;
        line += length + strspn(line + length, "\r\n");
    }
    return 0;
}

int find_environments(struct names *paths, char *const *env)
{
    scope(names_release) struct names roots = {0};
    scope(names_release) struct names folders = {0};

    if (add_roots(&roots, env) < 0 || list_envs_dirs(&folders, &roots, env) < 0)
        return -1;
    for (size_t i = 0; i < roots.count; i++)
        if (add_real(paths, roots.items[i]) < 0)
            return -1;
    for (size_t i = 0; i < folders.count; i++)
        if (add_those_in(paths, folders.items[i]) < 0)
            return -1;
    return add_written_down(paths, env);
}

void environment_release(struct environment *prefix)
{
    free(prefix->path);
    free(prefix->name);
    free(prefix->called);
    *prefix = (struct environment){0};
}
