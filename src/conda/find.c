#include "conda/find.h"

#include "base/env.h"
#include "base/file.h"
#include "base/scope.h"
#include "base/suggest.h"
#include "conda/condarc.h"
#include "conda/places.h"
#include "hook/shell.h"
#include "section/vars.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { ENVIRONMENTS_LIMIT = 4 << 20, SHOWN_LIMIT = 20 };

/* ---- The error that there is none ------------------------------------------------------------ */

/* "FOLDER: pt, tf" */
static int add_searched(struct error *err, const char *folder)
{
    scope(names_release) struct names names = {0};
    scope(strbuf_release) struct strbuf line = STRBUF_INIT;

    if (environments_in(&names, folder) < 0)
        return -1;
    strbuf_adds(&line, folder);
    for (size_t i = 0; i < names.count && i < SHOWN_LIMIT; i++)
        strbuf_addf(&line, "%s%s", i ? ", " : ": ", names.items[i]);
    if (names.count > SHOWN_LIMIT)
        strbuf_addf(&line, " and %zu more", names.count - SHOWN_LIMIT);
    error_detail(err, "%s", strbuf_text(&line));
    return line.failed ? -1 : 0;
}

/* What conda has written down of each environment that it made: its path, on a line of its own.
   Nothing where there is no such file. -1 if memory ran out. */
static int read_listed(struct strbuf *text, char *const *env)
{
    scope(free_text) char *list = condarc_expand("~/.conda/environments.txt", env);

    if (!list)
        return -1;
    return file_read(list, ENVIRONMENTS_LIMIT, text) < 0 && text->failed ? -1 : 0;
}

/* The first line, without its end, malloc'ed; *text is behind it then. NULL if memory ran out. */
static char *next_line(const char **text)
{
    size_t length = strcspn(*text, "\r\n");
    char *line = strndup(*text, length);

    *text += length + strspn(*text + length, "\r\n");
    return line;
}

/* Environments of this name that conda itself takes by their path only. */
static int add_listed(struct error *err, const char *name, char *const *env)
{
    scope(strbuf_release) struct strbuf listed = STRBUF_INIT;

    if (read_listed(&listed, env) < 0)
        return -1;
    for (const char *rest = strbuf_text(&listed); *rest;) {
        scope(free_text) char *path = next_line(&rest);
        if (!path)
            return -1;
        if (strcmp(path_name(path), name) == 0 && is_environment(path)) {
            scope(strbuf_release) struct strbuf word = STRBUF_INIT;
            shell_quote_if_needed(&word, path);
            error_detail(err, "one of this name is elsewhere; to take it: -p %s",
                         strbuf_text(&word));
        }
    }
    return 0;
}

static char *not_found(const char *name, const struct names *searched, const struct places *places,
                       const struct find_wish *wish, struct error *err)
{
    scope(names_release) struct names names = {0};
    int result = 0;

    for (size_t i = 0; i < searched->count && result == 0; i++)
        result = environments_in(&names, searched->items[i]);
    const char *meant = suggest(name, (const char *const *)names.items, names.count);
    error_add(err, STATUS_PREFIX,
              "no environment '%s'%s%s%s %sname its folder with -p. Searched:", name,
              meant ? "; did you mean '" : ";", meant ? meant : "", meant ? "'? If not," : "",
              wish->has_file ? "create it with 'conda env create', or " : "");
    for (size_t i = 0; i < searched->count && result == 0; i++)
        result = add_searched(err, searched->items[i]);
    if (!places->roots.count)
        error_detail(err, "nowhere%s: this shell knows no conda (CONDA_EXE is unset)",
                     searched->count ? " else" : "");
    if (result < 0 || add_listed(err, name, wish->env) < 0)
        error_memory(err);
    return NULL;
}

/* ---- Finding --------------------------------------------------------------------------------- */

static char *find_base(const struct places *places, const struct find_wish *wish, struct error *err)
{
    const struct names *roots = &places->roots;

    if (!roots->count)
        error_add(err, STATUS_PREFIX,
                  "base is the environment of conda itself, and this shell knows no conda "
                  "(CONDA_EXE is unset); name its folder with -p");
    for (size_t i = 0; i < roots->count; i++)
        if (is_environment(roots->items[i]))
            return strdup(roots->items[i]);
    return roots->count ? not_found("base", roots, places, wish, err) : NULL;
}

static char *find_by_name(const char *name, const struct places *places,
                          const struct find_wish *wish, struct error *err)
{
    const struct names *folders = &places->folders;

    if (strchr(name, '/') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
        error_add(err, STATUS_PREFIX, "'%s' is no name but a path; give it with -p", name);
        return NULL;
    }
    if (strcmp(name, "base") == 0 || strcmp(name, "root") == 0)
        return find_base(places, wish, err);
    for (size_t i = 0; i < folders->count; i++) { /* conda takes the first, whatever is in it */
        scope(free_text) char *path = path_join(folders->items[i], name);
        if (!path || is_folder(path))
            return take(&path);
    }
    return not_found(name, folders, places, wish, err);
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
static char *find(const struct find_wish *wish, const struct places *places, struct error *err)
{
    const char *active = active_not_base(&places->roots, wish->env);

    if (wish->path)
        return condarc_expand(wish->path, wish->env);
    if (wish->name)
        return find_by_name(wish->name, places, wish, err);
    if (active)
        return strdup(active);
    if (wish->file_name)
        return find_by_name(wish->file_name, places, wish, err);
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
    scope(places_release) struct places places = {0};
    scope(free_text) char *found =
        places_list(&places, wish->env) < 0 ? NULL : find(wish, &places, err);

    if (!found)
        return err->count > said ? -1 : error_memory(err);
    if (check(found, wish, err) < 0)
        return -1;
    char *path = realpath(found, NULL);
    if (!path && errno == ENOMEM)
        return error_memory(err);
    if (!path)
        return error_add(err, STATUS_PREFIX, "%s: %s", found, strerror(errno));
    const char *name = is_base(path, &places.roots) ? "base" : path_name(path);
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
    scope(places_release) struct places places = {0};

    if (places_list(&places, env) < 0 || (places.roots.count && names_add(names, "base") < 0))
        return -1;
    for (size_t i = 0; i < places.folders.count; i++)
        if (environments_in(names, places.folders.items[i]) < 0)
            return -1;
    return 0;
}

/* By their real paths, so that each is there once. */
static int add_real(struct names *paths, const char *path)
{
    scope(free_text) char *real = realpath(path, NULL);

    if (!real)
        return errno == ENOMEM ? -1 : 0;
    return is_environment(real) ? names_add(paths, real) : 0;
}

static int add_those_in(struct names *paths, const char *folder)
{
    scope(names_release) struct names names = {0};

    if (environments_in(&names, folder) < 0)
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
    scope(strbuf_release) struct strbuf listed = STRBUF_INIT;

    if (read_listed(&listed, env) < 0)
        return -1;
    for (const char *rest = strbuf_text(&listed); *rest;) {
        scope(free_text) char *path = next_line(&rest);
        if (!path || (*path == '/' && add_real(paths, path) < 0))
            return -1;
    }
    return 0;
}

int find_environments(struct names *paths, char *const *env)
{
    scope(places_release) struct places places = {0};

    if (places_list(&places, env) < 0)
        return -1;
    for (size_t i = 0; i < places.roots.count; i++)
        if (add_real(paths, places.roots.items[i]) < 0)
            return -1;
    for (size_t i = 0; i < places.folders.count; i++)
        if (add_those_in(paths, places.folders.items[i]) < 0)
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
