#include "hooks/intern.h"

#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 1 << 14 };

struct node {
    struct node *next;
    size_t length;
    char text[];
};

static struct node *buckets[BUCKETS];

/* FNV-1a: http://www.isthe.com/chongo/tech/comp/fnv */
static size_t hash(const char *text, size_t length)
{
    size_t value = 0xcbf29ce484222325;

    for (size_t i = 0; i < length; i++)
        value = (value ^ (unsigned char)text[i]) * 0x100000001b3;
    return value % BUCKETS;
}

const char *intern_part(const char *text, size_t length)
{
    struct node **bucket = &buckets[hash(text, length)];

    for (struct node *node = *bucket; node; node = node->next)
        if (node->length == length && memcmp(node->text, text, length) == 0)
            return node->text;
    struct node *node = malloc(sizeof *node + length + 1);
    if (!node)
        abort();
    *node = (struct node){*bucket, length};
    memcpy(node->text, text, length);
    node->text[length] = '\0';
    *bucket = node;
    return node->text;
}

const char *intern(const char *text)
{
    return text ? intern_part(text, strlen(text)) : NULL;
}

const char *intern_joined(const char *one, const char *two, const char *three)
{
    const char *const parts[] = {one, two, three};
    char small[1024], *whole = small;
    size_t length = 0, at = 0;

    for (size_t i = 0; i < 3; i++)
        length += parts[i] ? strlen(parts[i]) : 0;
    if (length >= sizeof small && !(whole = malloc(length)))
        abort();
    for (size_t i = 0; i < 3; i++) {
        size_t size = parts[i] ? strlen(parts[i]) : 0;
        memcpy(whole + at, size ? parts[i] : "", size);
        at += size;
    }
    const char *found = intern_part(whole, length);
    if (whole != small)
        free(whole);
    return found;
}
