#include "base/suggest.h"

#include <ctype.h>
#include <string.h>

enum { LONGEST_WORD = 32 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static int same(char a, char b)
{
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Optimal string alignment distance; both at most LONGEST_WORD characters. */
static size_t distance(const char *a, size_t m, const char *b, size_t n)
{
    size_t d[LONGEST_WORD + 1][LONGEST_WORD + 1];

    for (size_t i = 0; i <= m; i++)
        d[i][0] = i;
    for (size_t j = 0; j <= n; j++)
        d[0][j] = j;
    for (size_t i = 1; i <= m; i++) {
        for (size_t j = 1; j <= n; j++) {
            size_t replaced = d[i - 1][j - 1] + !same(a[i - 1], b[j - 1]);
            d[i][j] = least(replaced, least(d[i - 1][j], d[i][j - 1]) + 1);
            if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]))
                d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
        }
    }
    return d[m][n];
}

const char *suggest(const char *text, const char *const *words, size_t count)
{
    const char *nearest = NULL;
    size_t length = strlen(text), best = LONGEST_WORD;

    if (length > LONGEST_WORD)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        size_t word = strlen(words[i]);
        if (word > LONGEST_WORD)
            continue;
        size_t changes = distance(text, length, words[i], word);
        size_t allowed = least(word, length) / 3;
        if (length && changes < best && changes <= (allowed ? allowed : 1)) {
            best = changes;
            nearest = words[i];
        }
    }
    return nearest;
}

bool suggest_add(struct strbuf *out, const char *text, const char *const *words, size_t count,
                 const char *known)
{
    const char *near = suggest(text, words, count);

    if (near)
        strbuf_addf(out, "did you mean '%s'?", near);
    for (size_t i = 0; i < count && !near; i++)
        strbuf_addf(out, "%s%s", i ? ", " : known, words[i]);
    return near;
}
