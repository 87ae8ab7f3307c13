#include "hook/shell.h"

#include "section/vars.h"

#include <string.h>

void quote_sh(struct strbuf *out, const char *text, size_t length)
{
    strbuf_addc(out, '\'');
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\'')
            strbuf_adds(out, "'\\''");
        else
            strbuf_addc(out, text[i]);
    }
    strbuf_addc(out, '\'');
}

void quote_fish(struct strbuf *out, const char *text, size_t length)
{
    strbuf_addc(out, '\'');
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\'' || text[i] == '\\')
            strbuf_addc(out, '\\');
        strbuf_addc(out, text[i]);
    }
    strbuf_addc(out, '\'');
}

void quote_csh(struct strbuf *out, const char *text, size_t length)
{
    strbuf_addc(out, '\'');
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\'')
            strbuf_adds(out, "'\\'");
        else if (text[i] == '!' || text[i] == '\n')
            strbuf_addc(out, '\\');
        strbuf_addc(out, text[i]);
    }
    strbuf_addc(out, '\'');
}

const struct shell shells[] = {
    {"sh", "\"${CONDA_PREFIX-}\"", quote_sh},
    {"fish", "\"$CONDA_PREFIX\"", quote_fish},
    {"csh", "$CONDA_PREFIX:q", quote_csh},
};
const size_t shell_count = sizeof shells / sizeof *shells;

void shell_quote_value(const struct shell *shell, struct strbuf *out, const char *value)
{
    const char *at = value, *reference;

    while ((reference = strstr(at, CONDA_PREFIX_REFERENCE))) {
        if (reference > at)
            shell->quote(out, at, (size_t)(reference - at));
        strbuf_adds(out, shell->prefix);
        at = reference + strlen(CONDA_PREFIX_REFERENCE);
    }
    if (*at || at == value)
        shell->quote(out, at, strlen(at));
}

void shell_quote_if_needed(struct strbuf *out, const char *text)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./:@%+-";

    if (*text && !text[strspn(text, plain)])
        strbuf_adds(out, text);
    else
        quote_sh(out, text, strlen(text));
}
