#include "section/keys.h"

#include "base/scope.h"
#include "base/suggest.h"

#include <string.h>

enum { MOST_KEYS = 16 };

bool keys_is_enough(const struct error *err)
{
    return err->count >= KEYS_ERRORS_LIMIT;
}

int keys_wrong(const struct reading *in, const struct node *node, const char *accepted)
{
    scope(free_text) char *shown = document_shown(in->doc, node);

    if (!shown)
        return error_memory(in->err);
    return error_at(in->err, document_place(in->doc, node), "%s: found %s; accepted: %s", in->path,
                    shown, accepted);
}

const char *keys_text(const struct reading *in, const struct node *node, const char *accepted)
{
    const char *text = document_text(in->doc, node);

    if (!text || document_is_null(in->doc, node)) {
        keys_wrong(in, node, accepted);
        return NULL;
    }
    size_t length = node->count;
    if (strlen(text) == length && length <= KEYS_VALUE_LIMIT)
        return text;
    if (strlen(text) != length)
        error_at(in->err, document_place(in->doc, node),
                 "%s: the value holds a NUL, which no environment variable can; remove it",
                 in->path);
    else
        error_at(in->err, document_place(in->doc, node),
                 "%s: the value has %zu bytes; at most %d are accepted, since Linux starts no "
                 "program with a much longer one",
                 in->path, length, KEYS_VALUE_LIMIT);
    return NULL;
}

static int unknown_key(const struct reading *in, const struct node *key, const char *name,
                       const struct key *keys, size_t count)
{
    const char *names[MOST_KEYS];
    scope(strbuf_release) struct strbuf known = STRBUF_INIT;
    size_t offered = 0;

    for (size_t i = 0; i < count; i++) {
        if (keys[i].hidden)
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

bool keys_is_repeated(const struct document *doc, const struct node *mapping, size_t pair)
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
        return keys_wrong(in, key, "a key that is a plain word");
    if (keys_is_repeated(in->doc, mapping, pair))
        return error_at(in->err, document_place(in->doc, key),
                        "%s: the key '%.60s' stands here a second time; remove one of the two",
                        in->path, name);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(name, keys[i].name) != 0)
            continue;
        scope(free_text) char *path = format_text("%s.%s", in->path, name);
        if (!path)
            return error_memory(in->err);
        struct reading inner = {in->section, in->doc, in->err, path};
        return keys[i].read(&inner, document_value(in->doc, mapping, pair), target);
    }
    return unknown_key(in, key, name, keys, count);
}

int keys_read(const struct reading *in, const struct node *node, const char *accepted,
              const struct key *keys, size_t count, void *target)
{
    int result = 0;

    if (node->kind != NODE_MAPPING)
        return keys_wrong(in, node, accepted);
    for (size_t i = 0; i < node->count && !keys_is_enough(in->err); i++)
        if (read_pair(in, node, i, keys, count, target) < 0)
            result = -1;
    return result;
}

int keys_word(const struct reading *in, const struct node *node, const char *const words[],
              const char *accepted)
{
    const char *text = keys_text(in, node, accepted);

    for (int i = 0; text && words[i]; i++)
        if (strcmp(text, words[i]) == 0)
            return i;
    return text ? keys_wrong(in, node, accepted) : -1;
}
