#include "section/keys.h"

#include "base/scope.h"
#include "base/suggest.h"

#include <stdarg.h>
#include <string.h>

enum { MOST_KEYS = 16 };

bool keys_is_enough(const struct error *err)
{
    return err->count >= KEYS_ERRORS_LIMIT;
}

int keys_error(const struct reading *in, const struct node *node, const char *format, ...)
{
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;
    va_list args;

    va_start(args, format);
    strbuf_vaddf(&text, format, args);
    va_end(args);
    return text.failed ? error_memory(in->err)
                       : error_at(in->err, document_place(in->doc, node), "%s: %s", in->path,
                                  strbuf_text(&text));
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
    keys_error(in, node, "found %s; %s%s", shown,
               *advice ? "" : "accepted: ", *advice ? advice : accepted);
    return document_hint(in->doc, node, in->err);
}

const char *keys_text(const struct reading *in, const struct node *node, const char *accepted)
{
    const char *text = node_text(node), *tag = node_odd_tag(node);
    size_t length = node_count(node);

    if (!text || document_is_null(in->doc, node))
        keys_wrong(in, node, accepted);
    else if (tag)
        keys_error(in, node, "the tag '%.60s' is not read here; write the value without it", tag);
    else if (strlen(text) != length)
        keys_error(in, node, "the value holds a NUL, which no environment variable can; remove it");
    else if (length > KEYS_VALUE_LIMIT)
        keys_error(in, node,
                   "the value has %zu bytes; at most %d are accepted, since Linux starts no "
                   "program with a much longer one",
                   length, KEYS_VALUE_LIMIT);
    else
        return text;
    return NULL;
}

static int unknown_key(const struct reading *in, const struct node *key, const char *name,
                       const struct key *keys, size_t count)
{
    const char *names[MOST_KEYS];
    scope(strbuf_release) struct strbuf hint = STRBUF_INIT;
    size_t offered = 0;

    for (size_t i = 0; i < count; i++)
        if (keys[i].read)
            names[offered++] = keys[i].name;
    suggest_add(&hint, name, names, offered, "known keys: ");
    if (hint.failed)
        return error_memory(in->err);
    keys_error(in, key, "unknown key '%.60s'; %s", name, strbuf_text(&hint));
    return document_hint(in->doc, key, in->err);
}

static int read_pair(const struct reading *in, const struct pairs *pairs, size_t pair,
                     const struct key *keys, size_t count, void *target)
{
    const struct node *key = pairs->items[pair].key, *value = pairs->items[pair].value;
    const char *name = node_text(key);

    if (!name || strlen(name) != node_count(key))
        return keys_wrong(in, key, "a key that is a plain word");
    if (pairs_have(pairs, pair, key))
        return keys_error(in, key,
                          "the key '%.60s' stands here a second time; remove one of the two", name);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(name, keys[i].name) != 0)
            continue;
        scope(free_text) char *path = format_text("%s.%s", in->path, name);
        if (!path)
            return error_memory(in->err);
        struct reading inner = *in;
        inner.path = path;
        inner.target = (char *)target + keys[i].offset;
        inner.accepted = keys[i].accepted;
        inner.text = inner.accepted ? keys_text(&inner, value, inner.accepted) : NULL;
        if (inner.accepted && !inner.text)
            return -1;
        return keys[i].read ? keys[i].read(&inner, value) : 0;
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
