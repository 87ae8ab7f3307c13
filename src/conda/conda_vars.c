#include "conda/conda_vars.h"

#include "base/file.h"
#include "base/scope.h"

#include <jansson.h>
#include <string.h>

#define STATE_PATH   "conda-meta/state"
#define PACKAGE_PATH "etc/conda/env_vars.d"
#define UNSET        "***unset***"

static int add_all(struct rivals *rivals, const char *file, json_t *set,
                   const struct var_list *variables)
{
    enum rival_kind kind = strcmp(file, STATE_PATH) == 0 ? RIVAL_CONDA : RIVAL_PACKAGE;

    for (size_t i = 0; i < variables->count; i++) {
        const char *name = variables->items[i].name;
        const char *value = json_string_value(json_object_get(set, name));
        bool left = value && kind == RIVAL_CONDA && strcmp(value, UNSET) == 0;
        if (value && !rivals_add(rivals, left ? RIVAL_LEFT : kind, file, name, value))
            return -1;
    }
    return 0;
}

/* The variables are in an object of this name; NULL: they are the file's. */
static int read_json(struct rivals *rivals, const struct prefix *prefix, const char *file,
                     const char *object, const struct var_list *variables)
{
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;
    int got = prefix_look_at(prefix, file, &text);

    if (got <= 0)
        return got < 0 ? rivals_add_unread(rivals, file) : 0;
    json_t *root = json_loadb(strbuf_text(&text), text.length, 0, NULL);
    int result = add_all(rivals, file, object ? json_object_get(root, object) : root, variables);
    json_decref(root);
    return result;
}

int conda_vars_find(struct rivals *rivals, const struct prefix *prefix,
                    const struct var_list *variables)
{
    scope(names_release) struct names names = {0};

    if (prefix_list(prefix, PACKAGE_PATH, &names) < 0 &&
        rivals_add_unread(rivals, PACKAGE_PATH) < 0)
        return -1;
    for (size_t i = 0; i < names.count; i++) {
        scope(free_text) char *file = path_join(PACKAGE_PATH, names.items[i]);
        const char *dot = strrchr(names.items[i], '.');
        bool is_json = dot && strcmp(dot, ".json") == 0;
        if (!file || (is_json && read_json(rivals, prefix, file, NULL, variables) < 0))
            return -1;
    }
    return read_json(rivals, prefix, STATE_PATH, "env_vars", variables);
}

/* ---- What is said ---------------------------------------------------------------------------- */

static const char *does(const struct rival *rival)
{
    if (rival->unsets)
        return "unsets";
    return rival->extends ? "adds to" : "sets";
}

static bool is_device(const struct rival *rival)
{
    return strcmp(rival->variable, "CUDA_VISIBLE_DEVICES") == 0 ||
           strcmp(rival->variable, "CUDA_DEVICE_ORDER") == 0;
}

static void describe_beating(const struct rival *rival, struct strbuf *out)
{
    strbuf_addf(out, "%s:%zu %s%s %s after our hook, so ", rival->file, rival->line, does(rival),
                rival->sometimes ? ", in some cases," : "", rival->variable);
    strbuf_adds(out, rival->sometimes ? "then the shell has " : "the shell has ");
    if (rival->unsets)
        strbuf_addf(out, "no %s", rival->variable);
    else if (rival->value)
        strbuf_addf(out, "%s=%s", rival->variable, rival->value);
    else
        strbuf_adds(out, "another value");
    strbuf_adds(out, is_device(rival)
                         ? "; remove that line, since the section's `devices` says it, or give "
                           "the script a name that sorts before env_vars"
                         : "; move it into the section's `variables`, or give the script a name "
                           "that sorts before env_vars");
}

void rival_describe(const struct rival *rival, const struct prefix *prefix, struct strbuf *out)
{
    const char *name = rival->variable;

    switch (rival->kind) {
    case RIVAL_BEATS:
        describe_beating(rival, out);
        break;
    case RIVAL_HIDES:
        strbuf_addf(out,
                    "%s:%zu %s %s at deactivation, so it is not as it was before the activation; "
                    "remove that line, since our hook puts it back",
                    rival->file, rival->line, does(rival), name);
        break;
    case RIVAL_CONDA:
        strbuf_addf(
            out,
            "conda itself sets %s=%s in this environment, and after our hook has put back "
            "what was there, conda unsets or empties it; remove \"%s\" from \"env_vars\" in "
            "%s/%s ('conda env config vars unset' does not: it writes \"" UNSET
            "\" there, which still unsets or empties it)",
            name, rival->value, name, prefix->path, rival->file);
        break;
    case RIVAL_LEFT:
        strbuf_addf(out,
                    "'conda env config vars unset' has left \"%s\": \"" UNSET
                    "\" in \"env_vars\" in %s/%s, so that conda unsets or empties %s after our "
                    "hook has put back what was there; remove that key",
                    name, prefix->path, rival->file, name);
        break;
    case RIVAL_UNREAD:
        strbuf_addf(
            out,
            "%s/%s cannot be read (%s), so it is not known whether it changes what our hook "
            "sets; see who may read it",
            prefix->path, rival->file, rival->value);
        break;
    case RIVAL_PACKAGE:
        strbuf_addf(out,
                    "a package has conda set %s=%s (%s), and after our hook has put back what was "
                    "there, conda unsets or empties it; remove \"%s\" from that file (an update of "
                    "the package brings it back), or leave it out of the section's `variables`",
                    name, rival->value, rival->file, name);
        break;
    }
}
