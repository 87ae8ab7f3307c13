#include "conda/rivals.h"

#include "base/file.h"
#include "base/scope.h"
#include "conda/conda_vars.h"
#include "hook/script.h"

#include <string.h>

enum { SOURCED_LIMIT = 4 };

static void rival_release(struct rival *rival)
{
    free(rival->file);
    free(rival->variable);
    free(rival->value);
}

void rivals_release(struct rivals *rivals)
{
    for (size_t i = 0; i < rivals->count; i++)
        rival_release(&rivals->items[i]);
    free(rivals->items);
    *rivals = (struct rivals){0};
}

const struct rival *rivals_beat(const struct rivals *rivals, const char *variable)
{
    const struct rival *last = NULL;

    for (size_t i = 0; i < rivals->count; i++)
        if (rivals->items[i].kind == RIVAL_BEATS &&
            strcmp(rivals->items[i].variable, variable) == 0)
            last = &rivals->items[i];
    return last;
}

struct rival *rivals_add(struct rivals *rivals, enum rival_kind kind, const char *file,
                         const char *variable, const char *value)
{
    scope(rival_release) struct rival rival = {.kind = kind};

    for (size_t i = 0; i < rivals->count; i++)
        if (rivals->items[i].kind == kind && strcmp(rivals->items[i].file, file) == 0 &&
            strcmp(rivals->items[i].variable, variable) == 0)
            return &rivals->items[i];
    rival.file = strdup(file);
    rival.variable = strdup(variable);
    rival.value = value ? strdup(value) : NULL;
    if (!rival.file || !rival.variable || !rival.value != !value ||
        array_add(rivals, take(&rival)) < 0)
        return NULL;
    return &rivals->items[rivals->count - 1];
}

int rivals_add_unread(struct rivals *rivals, const char *file)
{
    bool unread = errno != ENOMEM;

    return unread && rivals_add(rivals, RIVAL_UNREAD, file, "", file_reason(errno)) ? 0 : -1;
}

/* ---- One effect of a script ------------------------------------------------------------------ */

/* A search through the scripts that conda sources. */
struct search {
    struct rivals *rivals;
    const struct prefix *prefix;
    const struct var_list *variables;
    const struct shell *shell;
    enum rival_kind kind;
    unsigned depth; /* of scripts that source each other */
    bool sometimes; /* the outer one sources this one sometimes */
};

/* The value, if only ${CONDA_PREFIX} is to be expanded; *value is NULL otherwise. -1: no memory. */
static int plain_value(const struct word *word, const char *prefix, char **value)
{
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;

    *value = NULL;
    for (size_t i = 0; i < word->count; i++) {
        const char *part = strbuf_text(&word->items[i].text);
        enum part_kind kind = word->items[i].kind;
        if (kind == PART_OTHER || (kind == PART_VARIABLE && strcmp(part, "CONDA_PREFIX") != 0))
            return 0;
        strbuf_adds(&text, kind == PART_TEXT ? part : prefix);
    }
    *value = strbuf_take(&text);
    return *value ? 0 : -1;
}

/* Whether the variable is in its own new value, as in X=a:$X and X=a${X:+:$X}. */
static bool extends_itself(const struct effect *effect)
{
    for (size_t i = 0; i < effect->value.count; i++) {
        const char *part = strbuf_text(&effect->value.items[i].text);
        if (effect->value.items[i].kind == PART_VARIABLE && strcmp(part, effect->name) == 0)
            return true;
        if (effect->value.items[i].kind == PART_OTHER && strstr(part, effect->name))
            return true;
    }
    return false;
}

/* Nothing changes where the script adds to a list that our hook adds to as well, or sets what we
   set. */
static bool agrees(const struct search *search, const struct var *var, const struct effect *effect,
                   const char *value)
{
    if (search->kind != RIVAL_BEATS)
        return false;
    if (effect->kind == EFFECT_UNSET)
        return var->kind == VAR_UNSET;
    return (var_is_list(var) && extends_itself(effect)) ||
           (var->kind == VAR_SET && value && strcmp(value, var->value) == 0);
}

/* One rival per variable and script: the last effect that speaks of it. */
static int add_effect(const struct search *search, const char *file, const struct effect *effect)
{
    const struct var *var = vars_find(search->variables, effect->name);
    scope(free_text) char *value = NULL;

    if (!var)
        return 0;
    if (effect->kind == EFFECT_SET && plain_value(&effect->value, search->prefix->path, &value) < 0)
        return -1;
    if (agrees(search, var, effect, value))
        return 0;
    struct rival *rival = rivals_add(search->rivals, search->kind, file, effect->name, NULL);
    if (!rival)
        return -1;
    free(rival->value);
    rival->line = effect->line;
    rival->unsets = effect->kind == EFFECT_UNSET;
    rival->sometimes = effect->sometimes || search->sometimes;
    rival->extends = effect->kind == EFFECT_SET && extends_itself(effect);
    rival->value = take(&value);
    return 0;
}

/* ---- One script ------------------------------------------------------------------------------ */

static int read_sourced(const struct search *outer, const struct effect *effect);

static int look_at(const struct search *search, const char *file, const char *text)
{
    scope(script_release) struct script script = {0};
    int result = script_read(&script, search->shell->extension, text);

    for (size_t i = 0; i < script.count && result == 0; i++) {
        const struct effect *effect = &script.items[i];
        if (effect->name)
            result = add_effect(search, file, effect);
        else if (effect->kind == EFFECT_SOURCE && search->depth < SOURCED_LIMIT)
            result = read_sourced(search, effect);
    }
    return result;
}

static int read_script(const struct search *search, const char *file)
{
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;
    int got = prefix_look_at(search->prefix, file, &text);

    if (got < 0)
        return rivals_add_unread(search->rivals, file);
    return got ? look_at(search, file, strbuf_text(&text)) : 0;
}

/* Of what a script sources, that which is in the prefix. */
static int read_sourced(const struct search *outer, const struct effect *effect)
{
    struct search search = *outer;
    scope(free_text) char *path = NULL;
    const char *prefix = outer->prefix->path;
    size_t length = strlen(prefix);

    if (plain_value(&effect->value, prefix, &path) < 0)
        return -1;
    if (!path || strncmp(path, prefix, length) != 0 || path[length] != '/')
        return 0;
    search.depth++;
    search.sometimes = search.sometimes || effect->sometimes;
    return read_script(&search, path + length + strspn(path + length, "/"));
}

/* ---- All scripts ----------------------------------------------------------------------------- */

/* Whether conda sources a file of this name, and our hook is not the one that has the last word.
   conda sources in the order of the bytes. */
static bool counts(const struct search *search, const char *name)
{
    scope(free_text) char *ours = format_text("env_vars.%s", search->shell->extension);
    const char *dot = strrchr(name, '.');
    int order = ours ? strcmp(name, ours) : 0;

    return dot && strcmp(dot + 1, search->shell->extension) == 0 &&
           (search->kind == RIVAL_BEATS ? order > 0 : order != 0);
}

static int read_folder(const struct search *search, const char *folder, const struct names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        scope(free_text) char *file = path_join(folder, names->items[i]);
        if (!file)
            return -1;
        if (counts(search, names->items[i]) && read_script(search, file) < 0)
            return -1;
    }
    return 0;
}

/* Those that this run gives a name under which conda sources them. */
static int read_adopted(const struct search *search, const char *folder,
                        const struct hook_set *files)
{
    for (size_t i = 0; i < files->count; i++) {
        const struct hook_file *file = &files->items[i];
        if (file->keep && path_is_in(file->keep, folder) && counts(search, path_name(file->keep)) &&
            look_at(search, file->keep, strbuf_text(&file->found)) < 0)
            return -1;
    }
    return 0;
}

int rivals_find(struct rivals *rivals, const struct prefix *prefix,
                const struct var_list *variables, const struct hook_set *files)
{
    static const struct {
        const char *folder;
        enum rival_kind kind;
    } folders[] = {{"etc/conda/activate.d", RIVAL_BEATS}, {"etc/conda/deactivate.d", RIVAL_HIDES}};

    for (size_t i = 0; i < 2; i++) {
        scope(names_release) struct names names = {0};
        if (prefix_list(prefix, folders[i].folder, &names) < 0 &&
            rivals_add_unread(rivals, folders[i].folder) < 0)
            return -1;
        for (size_t k = 0; k < shell_count; k++) {
            const struct search search = {.rivals = rivals,
                                          .prefix = prefix,
                                          .variables = variables,
                                          .shell = &shells[k],
                                          .kind = folders[i].kind};
            if (read_folder(&search, folders[i].folder, &names) < 0 ||
                read_adopted(&search, folders[i].folder, files) < 0)
                return -1;
        }
    }
    return conda_vars_find(rivals, prefix, variables);
}
