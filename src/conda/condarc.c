#include "conda/condarc.h"

#include "base/env.h"
#include "base/file.h"
#include "base/scope.h"
#include "section/document.h"

#include <errno.h>
#include <fcntl.h>
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

static int add_all_of(struct names *files, const char *folder)
{
    scope(names_release) struct names there = {0};

    if (names_add_those_in(&there, AT_FDCWD, folder) < 0)
        return errno == ENOMEM ? -1 : 0;
    for (size_t i = 0; i < there.count; i++) {
        scope(free_text) char *path = path_join(folder, there.items[i]);
        if (!path || (is_yaml(there.items[i]) && is_file(path) && names_add(files, path) < 0))
            return -1;
    }
    return 0;
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

enum mark { MARK_NONE, MARK_TOP, MARK_BOTTOM, MARK_FINAL };

/* What is read so far, from the least important file on. */
struct reading {
    struct names all;    /* folders as they are written, a newer file's before an older one's */
    struct names top;    /* those of them that are marked so */
    struct names bottom; /* the same, the last one first */
    char *root_prefix;
    bool dirs_are_final, root_is_final;
};

static void reading_release(struct reading *reading)
{
    names_release(&reading->all);
    names_release(&reading->top);
    names_release(&reading->bottom);
    free(reading->root_prefix);
}

/* The mark in the comment that the text begins with, be it on its line or below. conda takes
   comments that follow each other for one, and that is no mark. */
static enum mark mark_in(const char *text)
{
    static const struct {
        const char *word;
        enum mark mark;
    } marks[] = {{"top", MARK_TOP}, {"bottom", MARK_BOTTOM}, {"final", MARK_FINAL}};

    text += strspn(text, " \t\r\n");
    size_t length = strcspn(text, "\r\n");
    const char *next = text + length + strspn(text + length, " \t\r\n");
    if (*text != '#' || *next == '#')
        return MARK_NONE;
    while (strchr(" \t", text[length - 1]))
        length--;
    while (length && strchr("#!", text[length - 1]))
        length--;
    const char *word = text + strspn(text, "#!");
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (word + strlen(marks[i].word) == text + length &&
            strncmp(word, marks[i].word, strlen(marks[i].word)) == 0)
            return marks[i].mark;
    return MARK_NONE;
}

/* A key's comment is on its own line, or behind the value where that is in brackets. */
static bool is_final(const struct document *doc, const struct pair *pair)
{
    const char *text = document_behind(doc, pair->key);

    text += strspn(text, " \t:");
    return mark_in(*text == '#' ? text : document_behind(doc, pair->value)) == MARK_FINAL;
}

/* Puts the newer ones before the older. */
static int put_before(struct names *newer, struct names *older)
{
    if (names_add_all(newer, older) < 0)
        return -1;
    names_release(older);
    *older = take(newer);
    return 0;
}

static int read_folders(struct reading *reading, const struct document *doc,
                        const struct node *list)
{
    scope(names_release) struct names newer = {0}, bottom = {0};
    size_t count = node_kind(list) == NODE_LIST ? node_count(list) : 0;

    for (size_t i = 0; i < count && i < FOLDERS_LIMIT; i++) {
        const struct node *item = document_item(doc, list, i);
        const char *folder = node_text(item);
        enum mark mark = folder ? mark_in(document_behind(doc, item)) : MARK_NONE;
        if (folder && (names_add(&newer, folder) < 0 ||
                       (mark == MARK_TOP && names_add(&reading->top, folder) < 0) ||
                       (mark == MARK_BOTTOM && names_add(&bottom, folder) < 0)))
            return -1;
    }
    for (size_t i = bottom.count; i-- > 0;)
        if (names_add(&reading->bottom, bottom.items[i]) < 0)
            return -1;
    return put_before(&newer, &reading->all);
}

static int set_root(struct reading *reading, const char *root)
{
    free(reading->root_prefix);
    reading->root_prefix = strdup(root);
    return reading->root_prefix ? 0 : -1;
}

static bool is_one_of(const char *key, const char *name, const char *other)
{
    return key && (strcmp(key, name) == 0 || strcmp(key, other) == 0);
}

static int read_pair(struct reading *reading, const struct document *doc, const struct pair *pair)
{
    const char *key = node_text(pair->key), *text = node_text(pair->value);

    if (is_one_of(key, "envs_dirs", "envs_path") && !reading->dirs_are_final) {
        reading->dirs_are_final = is_final(doc, pair);
        return read_folders(reading, doc, pair->value);
    }
    if (is_one_of(key, "root_prefix", "root_dir") && !reading->root_is_final && text) {
        reading->root_is_final = is_final(doc, pair);
        return set_root(reading, text);
    }
    return 0;
}

static int read_file(struct reading *reading, const char *path)
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
    for (size_t i = 0; i < pairs.count; i++)
        if (read_pair(reading, &doc, &pairs.items[i]) < 0)
            return -1;
    return 0;
}

/* ---- The variables --------------------------------------------------------------------------- */

static int add_variable(struct names *folders, const char *list)
{
    static const char blanks[] = " \t\n\r\f\v";
    scope(free_text) char *copy = strdup(list ? list : "");
    char *rest = copy;

    if (!copy)
        return -1;
    for (char *folder; (folder = strsep(&rest, ":"));) {
        folder += strspn(folder, blanks);
        for (size_t length = strlen(folder); length && strchr(blanks, folder[length - 1]);)
            folder[--length] = '\0';
        if (*folder && names_add(folders, folder) < 0)
            return -1;
    }
    return 0;
}

static int read_variables(struct reading *reading, char *const *env)
{
    scope(names_release) struct names newer = {0};
    const char *root = env_get(env, "CONDA_ROOT_PREFIX");

    if (root && !reading->root_is_final && set_root(reading, root) < 0)
        return -1;
    if (reading->dirs_are_final)
        return 0;
    if (add_variable(&newer, env_get(env, "CONDA_ENVS_PATH")) < 0 ||
        add_variable(&newer, env_get(env, "CONDA_ENVS_DIRS")) < 0)
        return -1;
    return put_before(&newer, &reading->all);
}

/* ---- All together ---------------------------------------------------------------------------- */

static int add_expanded(struct condarc *condarc, const char *folder, char *const *env)
{
    scope(free_text) char *expanded = condarc_expand(folder, env);

    return expanded ? names_add(&condarc->envs_dirs, expanded) : -1;
}

static int conclude(struct condarc *condarc, const struct reading *reading, char *const *env)
{
    const struct names *before[] = {&reading->top, &reading->all};

    for (size_t i = 0; i < 2; i++)
        for (size_t j = 0; j < before[i]->count; j++)
            if (!names_have(&reading->bottom, before[i]->items[j]) &&
                add_expanded(condarc, before[i]->items[j], env) < 0)
                return -1;
    for (size_t i = reading->bottom.count; i-- > 0;)
        if (add_expanded(condarc, reading->bottom.items[i], env) < 0)
            return -1;
    if (!reading->root_prefix || !*reading->root_prefix)
        return 0;
    condarc->root_prefix = condarc_expand(reading->root_prefix, env);
    return condarc->root_prefix ? 0 : -1;
}

int condarc_read(struct condarc *condarc, const char *root, char *const *env)
{
    scope(names_release) struct names files = {0};
    scope(reading_release) struct reading reading = {0};

    if (list_files(&files, root, env) < 0)
        return -1;
    for (size_t i = 0; i < files.count; i++)
        if (read_file(&reading, files.items[i]) < 0)
            return -1;
    return read_variables(&reading, env) < 0 ? -1 : conclude(condarc, &reading, env);
}

void condarc_release(struct condarc *condarc)
{
    names_release(&condarc->envs_dirs);
    free(condarc->root_prefix);
    *condarc = (struct condarc){0};
}
