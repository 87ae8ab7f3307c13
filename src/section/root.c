#include "base/file.h"
#include "base/scope.h"
#include "base/suggest.h"
#include "section/parts.h"
#include "section/section.h"

#include <string.h>

/* One file, and the keys of its top level that are ours to read, or look as if they were meant to
   be. */
struct root {
    struct document doc;
    bool is_gpu_file;
    const struct node *name, *key, *section, *near, *variables;
};

static void root_release(struct root *root)
{
    document_release(&root->doc);
}

static int take_pair(struct root *root, const char *name, const struct pair *pair,
                     struct error *err)
{
    static const char *const section[] = {"gpu"};
    bool gpu = strcmp(name, "gpu") == 0;

    if (gpu && root->key)
        return error_at(err, document_place(&root->doc, pair->key),
                        "gpu: a second 'gpu:' section; join it with the first, at line %zu",
                        document_place(&root->doc, root->key).line);
    if (gpu) {
        root->key = pair->key;
        root->section = pair->value;
    } else if (strcmp(name, "name") == 0) {
        if (!root->name && node_text(pair->value) && node_count(pair->value) &&
            !document_is_null(&root->doc, pair->value))
            root->name = pair->value;
    } else if (strcmp(name, "variables") == 0) {
        root->variables = pair->value;
    } else if (suggest(name, section, 1)) {
        root->near = pair->key;
    }
    return 0;
}

static int take_pairs(struct root *root, struct error *err)
{
    scope(pairs_release) struct pairs pairs = {0};

    if (document_pairs(&root->doc, document_root(&root->doc), &pairs, err) < 0)
        return -1;
    for (size_t i = 0; i < pairs.count; i++) {
        const struct node *key = pairs.items[i].key;
        const char *name = node_text(key);
        if (!name || strlen(name) != node_count(key))
            continue;
        if (source_begins_odd(name)) {
            error_at(err, document_place(&root->doc, key), "found the key '%.60s'", name);
            return document_hint(&root->doc, key, err);
        }
        if (take_pair(root, name, &pairs.items[i], err) < 0)
            return -1;
    }
    return 0;
}

static int load(struct root *root, const char *file, const struct section_text *text,
                struct error *err)
{
    root->is_gpu_file = section_is_gpu_file(file);
    if (document_load(&root->doc, file, text->text, text->length, err) < 0)
        return -1;
    return take_pairs(root, err);
}

static int lacks_section(const struct root *root, struct error *err)
{
    struct place file = {.file = root->doc.source.file};

    if (root->section)
        error_at(err, document_place(&root->doc, root->key),
                 SECTION_EMPTY "; its keys must stand indented below 'gpu:', for GPU 0 "
                               "of nvidia-smi for example:");
    else if (root->near)
        error_at(err, document_place(&root->doc, root->near),
                 SECTION_MISSING "; did you mean 'gpu' by the key '%.60s'?", node_text(root->near));
    else
        error_at(err, file, SECTION_MISSING "; add one, for GPU 0 of nvidia-smi for example:");
    return error_detail_lines(err, "gpu:\n  devices: 0\n");
}

static int read_name(struct section *section, const struct root *root, struct error *err)
{
    const struct node *node = root->name;

    if (strlen(node_text(node)) != node_count(node))
        return error_at(err, document_place(&root->doc, node),
                        "name: the value holds a NUL, which no name of an environment can; remove "
                        "it");
    section->name = strdup(node_text(node));
    return section->name ? 0 : error_memory(err);
}

/* conda's own `variables:`. What conda would refuse is left out. */
static int read_conda_variables(struct section *section, const struct root *root, struct error *err)
{
    scope(pairs_release) struct pairs pairs = {0};

    if (!root->variables || node_kind(root->variables) != NODE_MAPPING)
        return 0;
    if (document_pairs(&root->doc, root->variables, &pairs, err) < 0)
        return -1;
    for (size_t i = 0; i < pairs.count && i < SECTION_VARIABLES_LIMIT; i++) {
        const char *name = node_text(pairs.items[i].key), *value = node_text(pairs.items[i].value);
        if (name && value && var_name_has_shape(name) &&
            !vars_find(&section->conda_variables, name) &&
            vars_add(&section->conda_variables, name, VAR_SET, value, NULL) < 0)
            return error_memory(err);
    }
    return 0;
}

static int read_section(struct section *section, const struct root *root, struct error *err)
{
    const struct reading in = {.section = section, .doc = &root->doc, .err = err, .path = "gpu"};
    bool at_top = root->is_gpu_file && !root->key && !root->near;

    if (at_top)
        return section_keys(&in, document_root(&root->doc), true);
    if (!root->section || document_is_null(&root->doc, root->section))
        return lacks_section(root, err);
    return section_keys(&in, root->section, false);
}

/* environment.yml beside gpu.yml gives the name and conda's variables. A template gives nothing. */
static int read_beside(struct section *section, const struct section_text *text, struct error *err)
{
    scope(root_release) struct root environment = {0};
    scope(error_release) struct error bad = ERROR_INIT;
    bool template =
        memmem(text->text, text->length, "{{", 2) || memmem(text->text, text->length, "{%", 2);

    section->environment_file = strdup(text->file);
    if (!section->environment_file)
        return error_memory(err);
    if (load(&environment, section->environment_file, text, &bad) < 0) {
        if (!template || bad.status == STATUS_SYSTEM)
            return error_join(err, &bad);
        error_at(&section->notes, (struct place){.file = section->environment_file},
                 "a template, so neither its name nor its variables are read");
        return 0;
    }
    if (environment.key)
        error_at(err, document_place(&environment.doc, environment.key),
                 "gpu: a section stands here, and one in %s beside this file; remove one of the "
                 "two",
                 path_name(section->file));
    if (read_conda_variables(section, &environment, err) < 0 ||
        (environment.name && !section->name && read_name(section, &environment, err) < 0))
        return -1;
    return environment.key ? -1 : 0;
}

static int read_files(struct section *section, const struct section_text *main,
                      const struct section_text *beside, struct error *err)
{
    scope(root_release) struct root root = {0};

    section->file = strdup(main->file);
    if (!section->file)
        return error_memory(err);
    if (load(&root, section->file, main, err) < 0)
        return -1;
    int result = root.name ? read_name(section, &root, err) : 0;
    if (beside && read_beside(section, beside, err) < 0)
        result = -1;
    if (!root.is_gpu_file && read_conda_variables(section, &root, err) < 0)
        result = -1;
    return read_section(section, &root, err) < 0 ? -1 : result;
}

int section_read_both(struct section *section, const struct section_text *environment,
                      const struct section_text *gpu, struct error *err)
{
    scope(section_release) struct section read = {0};

    if (read_files(&read, gpu ? gpu : environment, gpu ? environment : NULL, err) < 0) {
        if (keys_is_enough(err))
            error_at(err, (struct place){.file = read.file},
                     "there may be more errors; mend these first");
        return -1;
    }
    *section = take(&read);
    return 0;
}

int section_read(struct section *section, const char *file, const char *text, size_t length,
                 struct error *err)
{
    const struct section_text one = {file, text, length};

    return section_read_both(section, &one, NULL, err);
}

bool section_is_gpu_file(const char *file)
{
    const char *name = path_name(file);

    return strcmp(name, "gpu.yml") == 0 || strcmp(name, "gpu.yaml") == 0;
}
