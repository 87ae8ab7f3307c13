#include "config.h"

#include "document.h"
#include "scope.h"
#include "suggest.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What every reader of a value gets. `path` is the key as messages name it: "gpu.devices". */
struct reading {
    struct config *config;
    const struct document *doc;
    struct error *err;
    const char *path;
};

typedef int read_value(const struct reading *in, const struct node *value, void *target);

struct key {
    const char *name;
    read_value *read;
};

enum { MOST_ERRORS = 50, MOST_KEYS = 16 };

#define ITEM_ACCEPTED                                                                              \
    "a number as in nvidia-smi, a range such as 0-3, GPU-..., a whole MIG-..., a PCI bus ID such " \
    "as 65:00.0, all, none, or {name: ..., min_memory: ..., min_compute: ..., count: ...}"
#define DEVICES_ACCEPTED ITEM_ACCEPTED ", or a list of these, such as [1, 3]"

static int wrong(const struct reading *in, const struct node *node, const char *accepted)
{
    scope(free_text) char *shown = document_shown(in->doc, node);

    if (!shown)
        return error_memory(in->err);
    return error_at(in->err, document_place(in->doc, node), "%s: found %s; accepted: %s", in->path,
                    shown, accepted);
}

/* A scalar that is not null, holds no NUL and is not too long. */
static const char *plain_text(const struct reading *in, const struct node *node,
                              const char *accepted)
{
    const char *text = document_text(in->doc, node);

    if (!text || document_is_null(in->doc, node)) {
        wrong(in, node, accepted);
        return NULL;
    }
    size_t length = node->count;
    if (strlen(text) == length && length <= CONFIG_VALUE_LIMIT)
        return text;
    if (strlen(text) != length)
        error_at(in->err, document_place(in->doc, node),
                 "%s: the value holds a NUL, which no environment variable can; remove it",
                 in->path);
    else
        error_at(in->err, document_place(in->doc, node),
                 "%s: the value has %zu bytes; at most %d are accepted, since Linux starts no "
                 "program with a much longer one",
                 in->path, length, CONFIG_VALUE_LIMIT);
    return NULL;
}

static read_value read_assign;

/* assign is read for its message alone, so nobody is told to write it. */
static bool is_offered(const struct key *key)
{
    return key->read != read_assign;
}

static int unknown_key(const struct reading *in, const struct node *key, const char *name,
                       const struct key *keys, size_t count)
{
    const char *names[MOST_KEYS];
    scope(strbuf_release) struct strbuf known = STRBUF_INIT;
    size_t offered = 0;

    for (size_t i = 0; i < count; i++) {
        if (!is_offered(&keys[i]))
            continue;
        strbuf_addf(&known, "%s%s", offered ? ", " : "", keys[i].name);
        names[offered++] = keys[i].name;
    }
    if (known.failed)
        return error_memory(in->err);
    const char *near = suggest(name, names, offered);
    if (near)
        return error_at(in->err, document_place(in->doc, key),
                        "%s: unknown key '%.60s'; did you mean '%s'?", in->path, name, near);
    return error_at(in->err, document_place(in->doc, key),
                    "%s: unknown key '%.60s'; known keys: %s", in->path, name, strbuf_text(&known));
}

/* True when a pair of the mapping before this one has the same key. */
static bool is_repeated(const struct document *doc, const struct node *mapping, size_t pair)
{
    const char *name = document_text(doc, document_key(doc, mapping, pair));

    for (size_t i = 0; i < pair; i++) {
        const char *earlier = document_text(doc, document_key(doc, mapping, i));
        if (earlier && strcmp(earlier, name) == 0)
            return true;
    }
    return false;
}

static int read_pair(const struct reading *in, const struct node *mapping, size_t pair,
                     const struct key *keys, size_t count, void *target)
{
    const struct node *key = document_key(in->doc, mapping, pair);
    const char *name = document_text(in->doc, key);

    if (!name || strlen(name) != key->count)
        return wrong(in, key, "a key that is a plain word");
    if (is_repeated(in->doc, mapping, pair))
        return error_at(in->err, document_place(in->doc, key),
                        "%s: the key '%.60s' stands here a second time; remove one of the two",
                        in->path, name);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(name, keys[i].name) != 0)
            continue;
        scope(free_text) char *path = format_text("%s.%s", in->path, name);
        if (!path)
            return error_memory(in->err);
        struct reading inner = {in->config, in->doc, in->err, path};
        return keys[i].read(&inner, document_value(in->doc, mapping, pair), target);
    }
    return unknown_key(in, key, name, keys, count);
}

static bool is_enough(const struct error *err)
{
    return err->lines >= MOST_ERRORS;
}

/* Reads each key of a mapping by its own function, and goes on after an error to find them all. */
static int read_keys(const struct reading *in, const struct node *node, const char *accepted,
                     const struct key *keys, size_t count, void *target)
{
    int result = 0;

    if (node->kind != NODE_MAPPING)
        return wrong(in, node, accepted);
    for (size_t i = 0; i < node->count && !is_enough(in->err); i++)
        if (read_pair(in, node, i, keys, count, target) < 0)
            result = -1;
    return result;
}

/* One of a few words; *target is an enum whose values are the words' indices. */
static int read_word(const struct reading *in, const struct node *node, const char *const words[2],
                     const char *accepted, int *target)
{
    const char *text = plain_text(in, node, accepted);

    if (!text)
        return -1;
    for (int i = 0; i < 2; i++) {
        if (strcmp(text, words[i]) == 0) {
            *target = i;
            return 0;
        }
    }
    return wrong(in, node, accepted);
}

static int read_ids(const struct reading *in, const struct node *node, void *target)
{
    static const char *const words[] = {"index", "uuid"};
    int word = IDS_INDEX;
    struct config *config = target;

    int result = read_word(in, node, words, "index or uuid", &word);
    config->ids = (enum ids)word;
    return result;
}

static int read_if_no_gpu(const struct reading *in, const struct node *node, void *target)
{
    static const char *const words[] = {"error", "cpu"};
    int word = IF_NO_GPU_ERROR;
    struct config *config = target;

    int result = read_word(in, node, words, "error or cpu", &word);
    config->if_no_gpu = (enum if_no_gpu)word;
    return result;
}

static int read_in_job(const struct reading *in, const struct node *node, void *target)
{
    static const char *const words[] = {"keep", "override"};
    int word = IN_JOB_KEEP;
    struct config *config = target;

    int result = read_word(in, node, words, "keep or override", &word);
    config->in_job = (enum in_job)word;
    return result;
}

static int read_filter_name(const struct reading *in, const struct node *node, void *target)
{
    struct item *item = target;
    static const char accepted[] = "a name or pattern in quotes, such as \"*A100*\"";
    const char *text = plain_text(in, node, accepted);

    if (!text)
        return -1;
    if (!*text)
        return wrong(in, node, accepted);
    item->name = strdup(text);
    return item->name ? 0 : error_memory(in->err);
}

static int read_min_memory(const struct reading *in, const struct node *node, void *target)
{
    struct item *item = target;
    static const char accepted[] = "a number with MB, GB, MiB or GiB, such as 40GiB";
    const char *text = plain_text(in, node, accepted);

    if (!text)
        return -1;
    return size_parse(text, &item->min_memory) ? 0 : wrong(in, node, accepted);
}

static int read_min_compute(const struct reading *in, const struct node *node, void *target)
{
    struct item *item = target;
    static const char accepted[] = "a compute capability such as \"8.0\"";
    const char *text = plain_text(in, node, accepted);

    if (!text)
        return -1;
    return compute_parse(text, &item->min_major, &item->min_minor) ? 0 : wrong(in, node, accepted);
}

static int read_count(const struct reading *in, const struct node *node, void *target)
{
    struct item *item = target;
    static const char accepted[] = "a number from 1";
    const char *text = plain_text(in, node, accepted);

    if (!text)
        return -1;
    return number_parse(text, &item->count) && item->count ? 0 : wrong(in, node, accepted);
}

static bool is_several(const char *text)
{
    return strspn(text, "0123456789") && strpbrk(text, ", ") &&
           !text[strspn(text, "0123456789, ")] && strchr("0123456789", text[strlen(text) - 1]);
}

/* What to write in place of an item that means something elsewhere; "" for others. */
static const char *item_advice(const char *text)
{
    if (is_several(text))
        return "; write several as a list, such as [1, 3]";
    if (strncasecmp(text, "cuda:", 5) == 0)
        return "; write nvidia-smi's number, which 'conda-gpu devices' shows beside CUDA's";
    if (strcmp(text, "-1") == 0)
        return "; to hide every GPU write none";
    return "";
}

static int wrong_item(const struct reading *in, const struct node *node, const char *accepted)
{
    scope(free_text) char *shown = document_shown(in->doc, node);

    if (!shown)
        return error_memory(in->err);
    return error_at(in->err, document_place(in->doc, node), "%s: found %s%s; accepted: %s",
                    in->path, shown, item_advice(document_text(in->doc, node)), accepted);
}

/* The filter as it is written, on one line. */
static char *filter_text(const struct document *doc, const struct node *node)
{
    enum { MOST_SHOWN = 60 };
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;

    for (size_t i = 0; i < node->count; i++) {
        const struct node *value = document_value(doc, node, i);
        const char *quote = value->plain ? "" : "'";
        strbuf_addf(&text, "%s%s: %s%.*s%s%s", i ? ", " : "{",
                    document_text(doc, document_key(doc, node, i)), quote, MOST_SHOWN,
                    document_text(doc, value), quote, value->count > MOST_SHOWN ? "..." : "");
    }
    strbuf_addc(&text, '}');
    return strbuf_take(&text);
}

static int read_filter(const struct reading *in, const struct node *node, struct item *item)
{
    static const struct key keys[] = {
        {"name", read_filter_name},
        {"min_memory", read_min_memory},
        {"min_compute", read_min_compute},
        {"count", read_count},
    };

    item->kind = ITEM_FILTER;
    if (!node->count)
        return wrong(in, node,
                     "a filter with at least one of name, min_memory, min_compute, count");
    if (read_keys(in, node, "", keys, sizeof keys / sizeof *keys, item) < 0)
        return -1;
    item->text = filter_text(in->doc, node);
    return item->text ? 0 : error_memory(in->err);
}

static int read_item(const struct reading *in, const struct node *node, const char *accepted,
                     struct item *item)
{
    item->place = document_place(in->doc, node);
    if (node->kind == NODE_MAPPING)
        return read_filter(in, node, item);
    const char *text = plain_text(in, node, accepted);
    if (!text)
        return -1;
    item->text = strdup(text);
    if (!item->text)
        return error_memory(in->err);
    return item_parse(text, item) < 0 ? wrong_item(in, node, accepted) : 0;
}

static int check_alone(const struct reading *in, const struct config *config)
{
    int result = 0;

    for (size_t i = 0; config->item_count > 1 && i < config->item_count; i++) {
        const struct item *item = &config->items[i];
        if (item->kind == ITEM_ALL || item->kind == ITEM_NONE)
            result = error_at(in->err, item->place,
                              "%s: '%s' stands beside other items; write it alone, or leave it out",
                              in->path, item->text);
    }
    return result;
}

static int read_devices(const struct reading *in, const struct node *node, void *target)
{
    struct config *config = target;
    bool list = node->kind == NODE_LIST;
    size_t count = list ? node->count : 1;
    int result = 0;

    config->devices_place = document_place(in->doc, node);
    if (!count)
        return error_at(in->err, config->devices_place,
                        "%s: the list is empty; accepted as an item: " ITEM_ACCEPTED, in->path);
    if (count > CONFIG_DEVICES_LIMIT)
        return error_at(in->err, config->devices_place, "%s: %zu items; at most %d are accepted",
                        in->path, count, CONFIG_DEVICES_LIMIT);
    config->items = calloc(count, sizeof *config->items);
    if (!config->items)
        return error_memory(in->err);
    for (size_t i = 0; i < count && !is_enough(in->err); i++) {
        config->item_count++;
        const struct node *item = list ? document_item(in->doc, node, i) : node;
        if (read_item(in, item, list ? ITEM_ACCEPTED : DEVICES_ACCEPTED, &config->items[i]) < 0)
            result = -1;
    }
    return check_alone(in, config) < 0 ? -1 : result;
}

struct join {
    const char *prepend, *append, *separator;
};

static int read_joined(const struct reading *in, const struct node *node, const char **text)
{
    static const char accepted[] = "text";

    *text = plain_text(in, node, accepted);
    if (*text && !**text) {
        *text = NULL;
        return wrong(in, node, "text that is not empty: an empty element means the current folder");
    }
    return *text ? 0 : -1;
}

static int read_prepend(const struct reading *in, const struct node *node, void *target)
{
    return read_joined(in, node, &((struct join *)target)->prepend);
}

static int read_append(const struct reading *in, const struct node *node, void *target)
{
    return read_joined(in, node, &((struct join *)target)->append);
}

static int read_separator(const struct reading *in, const struct node *node, void *target)
{
    struct join *join = target;

    join->separator = plain_text(in, node, "text such as \":\"");
    return join->separator ? 0 : -1;
}

static int read_join(const struct reading *in, const struct node *node, const char *name)
{
    static const struct key keys[] = {
        {"prepend", read_prepend},
        {"append", read_append},
        {"separator", read_separator},
    };
    struct join join = {NULL, NULL, ":"};

    if (read_keys(in, node, "", keys, sizeof keys / sizeof *keys, &join) < 0)
        return -1;
    if (!join.prepend == !join.append)
        return error_at(in->err, document_place(in->doc, node),
                        "%s: %s; write {prepend: TEXT} or {append: TEXT}", in->path,
                        join.prepend ? "both prepend and append" : "neither prepend nor append");
    if (vars_add(&in->config->variables, name, join.prepend ? VAR_PREPEND : VAR_APPEND,
                 join.prepend ? join.prepend : join.append, join.separator) < 0)
        return error_memory(in->err);
    return 0;
}

static int read_variable(const struct reading *in, const struct node *node, const char *name)
{
    if (node->kind == NODE_MAPPING)
        return read_join(in, node, name);
    if (document_is_null(in->doc, node))
        return vars_add(&in->config->variables, name, VAR_UNSET, NULL, NULL) < 0
                   ? error_memory(in->err)
                   : 0;
    const char *text = plain_text(in, node, "a value, null, {prepend: TEXT} or {append: TEXT}");
    if (!text)
        return -1;
    return vars_add(&in->config->variables, name, VAR_SET, text, NULL) < 0 ? error_memory(in->err)
                                                                           : 0;
}

static int read_variable_pair(const struct reading *in, const struct node *mapping, size_t pair)
{
    const struct node *key = document_key(in->doc, mapping, pair);
    const char *name = document_text(in->doc, key);

    if (!name)
        return wrong(in, key, "the name of a variable");
    if (key->count > CONFIG_NAME_LIMIT)
        return error_at(in->err, document_place(in->doc, key),
                        "%s: the name '%.20s...' has %u bytes; at most %d are accepted", in->path,
                        name, key->count, CONFIG_NAME_LIMIT);
    const char *reason = strlen(name) == key->count ? var_name_refused(name) : "holds a NUL";
    if (reason)
        return error_at(in->err, document_place(in->doc, key), "%s: '%.60s' %s", in->path, name,
                        reason);
    if (is_repeated(in->doc, mapping, pair))
        return error_at(in->err, document_place(in->doc, key),
                        "%s: '%.60s' stands here a second time; remove one of the two", in->path,
                        name);
    scope(free_text) char *path = format_text("%s.%s", in->path, name);
    if (!path)
        return error_memory(in->err);
    struct reading inner = {in->config, in->doc, in->err, path};
    return read_variable(&inner, document_value(in->doc, mapping, pair), name);
}

static size_t total_size(const struct var_list *list)
{
    size_t size = 0;

    for (size_t i = 0; i < list->count; i++)
        size += list->items[i].value ? strlen(list->items[i].value) : 0;
    return size;
}

static int read_variables(const struct reading *in, const struct node *node, void *target)
{
    int result = 0;

    (void)target;
    if (node->kind != NODE_MAPPING)
        return wrong(in, node, "a mapping such as {OMP_NUM_THREADS: 8}");
    if (node->count > CONFIG_VARIABLES_LIMIT)
        return error_at(in->err, document_place(in->doc, node),
                        "%s: %u variables; at most %d are accepted", in->path, node->count,
                        CONFIG_VARIABLES_LIMIT);
    for (size_t i = 0; i < node->count && !is_enough(in->err); i++)
        if (read_variable_pair(in, node, i) < 0)
            result = -1;
    if (total_size(&in->config->variables) > CONFIG_TOTAL_LIMIT)
        return error_at(in->err, document_place(in->doc, node),
                        "%s: the values have %zu bytes together; at most %d are accepted, since "
                        "Linux starts no program with many more",
                        in->path, total_size(&in->config->variables), CONFIG_TOTAL_LIMIT);
    return result;
}

static int read_assign(const struct reading *in, const struct node *node, void *target)
{
    (void)target;
    return error_at(in->err, document_place(in->doc, node),
                    "%s: this version of conda-gpu reads no rules per user or host; remove the key "
                    "and give each its own file with -f",
                    in->path);
}

/* After a message that there is no section, one as it should be. */
static int show_section(const struct reading *in)
{
    error_add(in->err, STATUS_INPUT, "  gpu:");
    return error_add(in->err, STATUS_INPUT, "    devices: 0");
}

/* True when a key is `devices`, or is told to be that already. */
static bool means_devices(const struct reading *in, const struct node *section)
{
    static const char *const devices[] = {"devices"};

    for (size_t i = 0; i < section->count; i++) {
        const char *name = document_text(in->doc, document_key(in->doc, section, i));
        if (name && suggest(name, devices, 1))
            return true;
    }
    return false;
}

static int read_section(const struct reading *in, const struct node *node)
{
    static const struct key keys[] = {
        {"devices", read_devices},     {"ids", read_ids},
        {"if_no_gpu", read_if_no_gpu}, {"in_job", read_in_job},
        {"variables", read_variables}, {"assign", read_assign},
    };

    int result = read_keys(in, node, "a mapping such as {devices: 0}", keys,
                           sizeof keys / sizeof *keys, in->config);
    if (node->kind == NODE_MAPPING && !means_devices(in, node) && !is_enough(in->err))
        return error_at(in->err, document_place(in->doc, node),
                        "gpu: 'devices' is missing; accepted: " DEVICES_ACCEPTED);
    return result;
}

/* The top level's keys that are ours to read, and one that looks as if it were meant to be. */
struct outline {
    const struct node *name, *section_key, *section, *near;
};

static bool is_filled_text(const struct document *doc, const struct node *node)
{
    return node->kind == NODE_TEXT && node->count && !document_is_null(doc, node);
}

static int read_outline(const struct reading *in, struct outline *outline)
{
    static const char *const section[] = {"gpu"};
    const struct node *root = document_root(in->doc);

    for (size_t i = 0; i < root->count; i++) {
        const struct node *key = document_key(in->doc, root, i);
        const struct node *value = document_value(in->doc, root, i);
        const char *name = document_text(in->doc, key);
        if (!name || strlen(name) != key->count)
            continue;
        if (strcmp(name, "name") == 0 && !outline->name && is_filled_text(in->doc, value)) {
            outline->name = value;
        } else if (strcmp(name, "gpu") == 0 && outline->section) {
            return error_at(in->err, document_place(in->doc, key),
                            "gpu: a second 'gpu:' section; join it with the first, at line %zu",
                            (size_t)outline->section_key->line);
        } else if (strcmp(name, "gpu") == 0) {
            outline->section_key = key;
            outline->section = value;
        } else if (suggest(name, section, 1)) {
            outline->near = key;
        }
    }
    return 0;
}

static int lacks_section(const struct reading *in, const struct outline *outline)
{
    struct place file = {.file = in->config->file};

    if (outline->section)
        error_at(in->err, document_place(in->doc, outline->section_key),
                 "gpu: the section is empty; its keys must stand indented below 'gpu:', for GPU 0 "
                 "of nvidia-smi for example:");
    else if (outline->near)
        error_at(in->err, document_place(in->doc, outline->near),
                 "no 'gpu:' section; did you mean 'gpu' by the key '%.60s'?",
                 document_text(in->doc, outline->near));
    else
        error_at(in->err, file, "no 'gpu:' section; add one, for GPU 0 of nvidia-smi for example:");
    return show_section(in);
}

static int read_name(const struct reading *in, const struct node *node)
{
    const char *name = document_text(in->doc, node);

    if (strlen(name) != node->count)
        return error_at(in->err, document_place(in->doc, node),
                        "name: the value holds a NUL, which no name of an environment can; remove "
                        "it");
    in->config->name = strdup(name);
    return in->config->name ? 0 : error_memory(in->err);
}

/* The top level: only `name` and `gpu` are ours to read. */
static int read_root(const struct reading *in)
{
    struct outline outline = {NULL};

    if (read_outline(in, &outline) < 0)
        return -1;
    int result = outline.name ? read_name(in, outline.name) : 0;
    if (!outline.section || document_is_null(in->doc, outline.section))
        return lacks_section(in, &outline);
    return read_section(in, outline.section) < 0 ? -1 : result;
}

/* Reads from the file, or for fd -1 from the text. */
static int read_any(struct config *config, const char *file, int fd, const char *text,
                    size_t length, struct error *err)
{
    scope(config_release) struct config read = {.file = strdup(file)};
    scope(document_release) struct document doc = {0};

    if (!read.file)
        return error_memory(err);
    int result = fd < 0 ? document_load(&doc, read.file, text, length, err)
                        : document_read(&doc, read.file, fd, err);
    if (result < 0)
        return -1;
    if (read_root(&(struct reading){&read, &doc, err, "gpu"}) < 0) {
        if (is_enough(err))
            error_at(err, (struct place){.file = read.file},
                     "there may be more errors; mend these first");
        return -1;
    }
    *config = read;
    read = (struct config){0};
    return 0;
}

int config_read(struct config *config, const char *file, const char *text, size_t length,
                struct error *err)
{
    return read_any(config, file, -1, text, length, err);
}

int config_read_fd(struct config *config, const char *file, int fd, struct error *err)
{
    return read_any(config, file, fd, NULL, 0, err);
}

bool config_wants_no_gpu(const struct config *config)
{
    return config->item_count == 1 && config->items[0].kind == ITEM_NONE;
}

void config_release(struct config *config)
{
    for (size_t i = 0; i < config->item_count; i++)
        item_release(&config->items[i]);
    free(config->items);
    vars_release(&config->variables);
    free(config->name);
    free(config->file);
    *config = (struct config){0};
}
