#include "conda/condarc.h"

#include "base/env.h"
#include "base/file.h"
#include "base/scope.h"
#include "section/document.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

enum { CONDARC_LIMIT = 1 << 20, FOLDERS_LIMIT = 1000 };

char *condarc_expand(const char *text, char *const *env)
{
    scope(strbuf_release) struct strbuf out = STRBUF_INIT;
    const char *home = env_get_filled(env, "HOME");

    if (home && text[0] == '~' && (text[1] == '/' || !text[1])) {
        strbuf_adds(&out, home);
        text++;
    }
    while (*text) {
        bool braced = text[0] == '$' && text[1] == '{';
        const char *name = text + (braced ? 2 : 1);
        size_t length = *text == '$' ? var_name_length(name) : 0;
        scope(free_text) char *variable = length ? strndup(name, length) : NULL;
        if (length && !variable)
            return NULL;
        const char *value = length ? env_get(env, variable) : NULL;
        if (value && (!braced || name[length] == '}')) {
            strbuf_adds(&out, value);
            text = name + length + braced;
        } else {
            strbuf_addc(&out, *text++);
        }
    }
    return strbuf_take(&out);
}

/* ---- The files, the least important first ---------------------------------------------------- */

static bool is_yaml(const char *name)
{
    const char *dot = strrchr(name, '.');

    return dot && dot != name && (strcmp(dot, ".yml") == 0 || strcmp(dot, ".yaml") == 0);
}

static bool is_file(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static int is_entry(const struct dirent *entry)
{
    return is_yaml(entry->d_name);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int add_all_of(struct names *files, const char *folder)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, is_entry, by_name), result = 0;

    for (int i = 0; i < count; i++) {
        scope(free_text) char *path = result == 0 ? path_join(folder, entries[i]->d_name) : NULL;
        if (!path || (is_file(path) && names_add(files, path) < 0))
            result = -1;
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    return result;
}

static int add_file(struct names *files, const char *path)
{
    const char *name = path_name(path);

    if (is_folder(path))
        return add_all_of(files, path);
    if (strcmp(name, ".condarc") != 0 && strcmp(name, "condarc") != 0 && !is_yaml(name))
        return 0;
    return is_file(path) ? names_add(files, path) : 0;
}

static const struct search_place {
    const char *variable; /* its value is the beginning of the folder; NULL: nothing is */
    const char *folder;
    bool is_home; /* where only .condarc is read */
} places[] = {
    {NULL, "/etc/conda", false},
    {NULL, "/var/lib/conda", false},
    {"CONDA_ROOT", "", false},
    {"XDG_CONFIG_HOME", "/conda", false},
    {"HOME", "/.config/conda", false},
    {"HOME", "/.conda", false},
    {"HOME", "", true},
    {"CONDA_PREFIX", "", false},
};

static int add_place(struct names *files, const struct search_place *place, const char *start)
{
    static const char *const names[] = {".condarc", "condarc", "condarc.d"};

    for (size_t i = 0; i < (place->is_home ? 1 : 3); i++) {
        scope(free_text) char *path = format_text("%s%s/%s", start, place->folder, names[i]);
        if (!path || add_file(files, path) < 0)
            return -1;
    }
    return 0;
}

static int list_files(struct names *files, const char *root, char *const *env)
{
    const char *named = env_get_filled(env, "CONDARC");

    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        const char *start = places[i].variable ? env_get_filled(env, places[i].variable) : "";
        if (!start && strncmp(places[i].variable, "CONDA_", 6) == 0)
            start = root;
        if (start && add_place(files, &places[i], start) < 0)
            return -1;
    }
    scope(free_text) char *last = condarc_expand(named ? named : "", env);
    return last ? add_file(files, last) : -1;
}

/* ---- What one of them says ------------------------------------------------------------------- */

/* Whether the line ends in `#!final`; conda takes any number of # and ! for that. */
static bool is_final(const char *text, size_t line)
{
    static const char word[] = "final";

    while (--line && (text = strchr(text, '\n')))
        text++;
    size_t length = text ? strcspn(text, "\r\n") : 0;
    const char *mark = length ? memchr(text, '#', length) : NULL;
    if (!mark)
        return false;
    mark += strspn(mark, "#!");
    return strncmp(mark, word, strlen(word)) == 0 &&
           mark + strlen(word) + strspn(mark + strlen(word), "#! \t") == text + length;
}

static int add_folders(const struct document *doc, const struct node *list, struct names *folders)
{
    size_t count = node_kind(list) == NODE_LIST ? node_count(list) : 0;

    for (size_t i = 0; i < count && i < FOLDERS_LIMIT; i++) {
        const char *folder = node_text(document_item(doc, list, i));
        if (folder && names_add(folders, folder) < 0)
            return -1;
    }
    return 0;
}

static int read_condarc(const char *path, struct names *folders, bool *final)
{
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;
    scope(document_release) struct document doc = {0};
    scope(pairs_release) struct pairs pairs = {0};
    scope(error_release) struct error err = ERROR_INIT;

    if (file_read(path, CONDARC_LIMIT, &text) < 0)
        return text.failed ? -1 : 0;
    if (document_load(&doc, path, strbuf_text(&text), text.length, &err) < 0 ||
        document_pairs(&doc, document_root(&doc), &pairs, &err) < 0)
        return err.status == STATUS_SYSTEM ? -1 : 0;
    for (size_t i = 0; i < pairs.count; i++) {
        const char *key = node_text(pairs.items[i].key);
        if (key && (strcmp(key, "envs_dirs") == 0 || strcmp(key, "envs_path") == 0)) {
            *final = is_final(strbuf_text(&text), document_place(&doc, pairs.items[i].key).line);
            return add_folders(&doc, pairs.items[i].value, folders);
        }
    }
    return 0;
}

/* ---- All together ---------------------------------------------------------------------------- */

static int add_variable(struct names *folders, const char *list)
{
    static const char blanks[] = " \t\n\r\f\v";

    while (list && *list) {
        size_t length = strcspn(list, ":");
        const char *next = list + length + (list[length] == ':');
        size_t before = strspn(list, blanks);
        for (list += before, length -= before < length ? before : length;
             length && strchr(blanks, list[length - 1]);)
            length--;
        scope(free_text) char *folder = strndup(list, length);
        if (!folder || (length && names_add(folders, folder) < 0))
            return -1;
        list = next;
    }
    return 0;
}

/* Puts the newer ones, which are emptied, before the older. */
static int put_before(struct names *newer, struct names *older)
{
    struct names both = *newer;

    *newer = (struct names){0};
    for (size_t i = 0; i < older->count; i++)
        if (names_add(&both, older->items[i]) < 0) {
            names_release(&both);
            return -1;
        }
    names_release(older);
    *older = both;
    return 0;
}

/* As the folders are written. */
static int list_folders(struct names *written, const char *root, char *const *env)
{
    scope(names_release) struct names files = {0}, newer = {0};
    bool final = false;

    if (list_files(&files, root, env) < 0)
        return -1;
    for (size_t i = 0; i < files.count && !final; i++)
        if (read_condarc(files.items[i], &newer, &final) < 0 || put_before(&newer, written) < 0)
            return -1;
    if (final)
        return 0;
    if (add_variable(&newer, env_get(env, "CONDA_ENVS_PATH")) < 0 ||
        add_variable(&newer, env_get(env, "CONDA_ENVS_DIRS")) < 0)
        return -1;
    return put_before(&newer, written);
}

int condarc_envs_dirs(struct names *folders, const char *root, char *const *env)
{
    scope(names_release) struct names written = {0};

    if (list_folders(&written, root, env) < 0)
        return -1;
    for (size_t i = 0; i < written.count; i++) {
        scope(free_text) char *folder = condarc_expand(written.items[i], env);
        if (!folder || names_add(folders, folder) < 0)
            return -1;
    }
    return 0;
}
