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
    return keys_wrong_but(in, node, "", accepted);
}

int keys_wrong_but(const struct reading *in, const struct node *node, const char *advice,
                   const char *accepted)
{
    scope(free_text) char *shown = document_shown(in->doc, node);

    if (!shown)
        return error_memory(in->err);
    error_at(in->err, document_place(in->doc, node), "%s: found %s; %s%s", in->path, shown,
             *advice ? "" : "accepted: ", *advice ? advice : accepted);
    return document_hint(in->doc, node, in->err);
}

/* The reason why a text cannot be a value, in its message; false for one that can. */
static bool is_refused(const struct reading *in, const struct node *node)
{
    size_t length = node_count(node);
    struct place place = document_place(in->doc, node);
    const char *tag = node_odd_tag(node);

    if (tag)
        error_at(in->err, place, "%s: the tag '%.60s' is not read here; write the value without it",
                 in->path, tag);
    else if (strlen(node_text(node)) != length)
        error_at(in->err, place,
                 "%s: the value holds a NUL, which no environment variable can; remove it",
                 in->path);
    else if (length > KEYS_VALUE_LIMIT)
        error_at(in->err, place,
                 "%s: the value has %zu bytes; at most %d are accepted, since Linux starts no "
                 "program with a much longer one",
                 in->path, length, KEYS_VALUE_LIMIT);
    else
        return false;
    return true;
}

const char *keys_text(const struct reading *in, const struct node *node, const char *accepted)
{
    const char *text = node_text(node);

    if (!text || document_is_null(in->doc, node)) {
        keys_wrong(in, node, accepted);
        return NULL;
    }
    return is_refused(in, node) ? NULL : text;
}

static int unknown_key(const struct reading *in, const struct node *key, const char *name,
                       const struct key *keys, size_t count)
{
    const char *names[MOST_KEYS];
    scope(strbuf_release) struct strbuf hint = STRBUF_INIT;
    size_t offered = 0;

    for (size_t i = 0; i < count; i++)
        if (!keys[i].hidden)
            names[offered++] = keys[i].name;
    suggest_add(&hint, name, names, offered, "known keys: ");
    if (hint.failed)
        return error_memory(in->err);
    error_at(in->err, document_place(in->doc, key), "%s: unknown key '%.60s'; %s", in->path, name,
             strbuf_text(&hint));
    return document_hint(in->doc, key, in->err);
}

bool keys_is_repeated(const struct pairs *pairs, size_t pair)
{
    const char *name = node_text(pairs->items[pair].key);

    for (size_t i = 0; i < pair; i++) {
        const char *earlier = node_text(pairs->items[i].key);
        if (earlier && strcmp(earlier, name) == 0)
            return true;
    }
    return false;
}

static int read_pair(const struct reading *in, const struct pairs *pairs, size_t pair,
                     const struct key *keys, size_t count, void *target)
{
    const struct node *key = pairs->items[pair].key;
    const char *name = node_text(key);

    if (!name || strlen(name) != node_count(key))
        return keys_wrong(in, key, "a key that is a plain word");
    if (keys_is_repeated(pairs, pair))
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
        return keys[i].read(&inner, pairs->items[pair].value, target);
    }
    return unknown_key(in, key, name, keys, count);
}

int keys_read(const struct reading *in, const struct node *node, const char *accepted,
              const struct key *keys, size_t count, void *target)
{
    scope(pairs_release) struct pairs pairs = {0};
    int result = 0;

    if (node_kind(node) != NODE_MAPPING)
        return keys_wrong(in, node, accepted);
    if (document_pairs(in->doc, node, &pairs, in->err) < 0)
        return -1;
    for (size_t i = 0; i < pairs.count && !keys_is_enough(in->err); i++)
        if (read_pair(in, &pairs, i, keys, count, target) < 0)
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
