#include "hook/signature.h"

#include "base/digest.h"
#include "base/scope.h"

#include <string.h>

/* Where the 16 digits behind HOOK_DIGEST begin; 0 if there are none. */
static size_t find_digest(const char *text, size_t length)
{
    const char *line = memmem(text, length, "\n" HOOK_DIGEST, strlen("\n" HOOK_DIGEST));
    size_t digits = line ? (size_t)(line - text) + strlen("\n" HOOK_DIGEST) : 0;

    if (!line || length - digits < DIGEST_TEXT_SIZE || text[digits + DIGEST_TEXT_SIZE - 1] != '\n')
        return 0;
    return digits;
}

/* Adds a piece of text, with a NUL, which no hook holds, for every occurrence of the prefix. */
static uint64_t add_text(uint64_t digest, const char *text, size_t length, const char *prefix)
{
    const char *end = text + length, *found;

    while (*prefix && (found = memmem(text, (size_t)(end - text), prefix, strlen(prefix)))) {
        digest = digest_add(digest, text, (size_t)(found - text));
        digest = digest_add(digest, "", 1);
        text = found + strlen(prefix);
    }
    return digest_add(digest, text, (size_t)(end - text));
}

/* The digest is that of the text with HOOK_UNSIGNED in its own place, which is at `own`. */
static void digest_around(const char *text, size_t length, size_t own, const char *prefix,
                          char digits[DIGEST_TEXT_SIZE])
{
    size_t behind = own + DIGEST_TEXT_SIZE - 1;
    uint64_t digest = add_text(DIGEST_OF_NOTHING, text, own, prefix);

    digest = digest_add(digest, HOOK_UNSIGNED, DIGEST_TEXT_SIZE - 1);
    digest_text(add_text(digest, text + behind, length - behind, prefix), digits);
}

int signature_sign(struct strbuf *text, const char *prefix, const char *name, struct error *err)
{
    char digits[DIGEST_TEXT_SIZE];

    if (signature_owner(strbuf_text(text), text->length, prefix) == OWNER_OTHER)
        return error_add(err, STATUS_INPUT,
                         "%s: the first line must hold '" HOOK_SIGNATURE
                         "@version@', and a line of its own '" HOOK_DIGEST
                         "@digest@'; without them the file could not be told from others",
                         name);
    size_t own = find_digest(text->text, text->length);
    digest_around(text->text, text->length, own, prefix, digits);
    memcpy(text->text + own, digits, DIGEST_TEXT_SIZE - 1);
    return 0;
}

enum hook_owner signature_owner(const char *text, size_t length, const char *prefix)
{
    const char *line = memchr(text, '\n', length);
    size_t first = line ? (size_t)(line - text) : 0;
    size_t digest = find_digest(text, length);
    char digits[DIGEST_TEXT_SIZE];

    if (!memmem(text, first, HOOK_SIGNATURE, strlen(HOOK_SIGNATURE)) || !digest)
        return OWNER_OTHER;
    digest_around(text, length, digest, prefix, digits);
    return memcmp(digits, text + digest, DIGEST_TEXT_SIZE - 1) == 0 ? OWNER_US : OWNER_US_EDITED;
}

static bool find_key(const char *text, char key[STATE_KEY_SIZE])
{
    static const char hex[] = "0123456789abcdef";
    enum { DIGITS = STATE_KEY_SIZE - 1 };

    while ((text = strstr(text, STATE_PREFIX))) {
        text += strlen(STATE_PREFIX);
        if (strspn(text, hex) != DIGITS || text[DIGITS] != '_')
            continue;
        memcpy(key, text, DIGITS);
        key[DIGITS] = '\0';
        return true;
    }
    return false;
}

/* The name that a word begins with, behind blanks and escaped line ends; NULL without one. Moves
   `at` behind it. */
static char *next_name(const char **at)
{
    const char *word = *at;

    for (size_t skip = 1; skip; word += skip)
        skip = *word == ' ' || *word == '(' ? 1 : strncmp(word, "\\\n", 2) == 0 ? 2 : 0;
    *at = word + var_name_length(word);
    return strndup(word, (size_t)(*at - word));
}

/* Adds the name that follows this word, wherever it stands, or all those of a list in ( ). */
static int add_names_behind(const char *text, const char *word, struct names *managed)
{
    while (managed->count < MANAGED_LIMIT && (text = strstr(text, word))) {
        text += strlen(word);
        bool list = strncmp(text, " (", 2) == 0;
        for (bool more = true; more && managed->count < MANAGED_LIMIT;) {
            scope(free_text) char *name = next_name(&text);
            if (!name)
                return -1;
            more = names_have(managed, name) || var_name_is_manageable(name);
            if (more && names_add(managed, name) < 0)
                return -1;
            more = more && list;
        }
    }
    return 0;
}

/* Only what is behind the digest is the hook's own: before it stand the names of the environment
   and of its file, which may be anything. In every shell's template names follow __gpu_undo. */
int signature_recall(const char *text, struct names *managed, char key[STATE_KEY_SIZE])
{
    size_t digest = find_digest(text, strlen(text));

    if (!digest || !find_key(text + digest, key))
        return 0;
    return add_names_behind(text + digest, "__gpu_undo", managed) < 0 ? -1 : 1;
}
