#include "section/advice.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char digits[] = "0123456789";

/* Whole words, in any case. */
static const struct {
    const char *words, *advice;
} words[] = {
    {" all ", "write all in lower case"},
    {" none ", "write none in lower case"},
    {" cpu cpus cpu_only no off false no_gpu nogpu void -1 ", "to hide every GPU write none"},
    {" gpu gpus cuda any yes on true * ", "for every GPU write all"},
    {" auto first free ", "for the first GPU write {count: 1}, for every GPU all"},
};

static const char *word_advice(const char *text)
{
    char word[16];

    if (snprintf(word, sizeof word, " %s ", text) >= (int)sizeof word)
        return NULL;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasestr(words[i].words, word))
            return words[i].advice;
    return NULL;
}

/* Digits, then only digits and these, then a digit: 0,1 or 0 1. */
static bool is_joined(const char *text, const char *joints)
{
    size_t first = strspn(text, digits), length = strlen(text);
    size_t rest = first;

    while (text[rest] && (strchr(digits, text[rest]) || strchr(joints, text[rest])))
        rest++;
    return first && first < length && rest == length && strchr(digits, text[length - 1]);
}

/* 3-0 is written 0-3, or as a list where the order is meant. */
static bool advise_range(struct strbuf *out, const char *text)
{
    size_t first = strspn(text, digits);
    const char *last = text + first + 1;

    if (!first || text[first] != '-' || !*last || last[strspn(last, digits)])
        return false;
    strbuf_addf(out, "write the smaller number first, %s-%.*s; for another order write a list",
                last, (int)first, text);
    return true;
}

/* cuda:0, cuda0, gpu 0, /dev/nvidia0: a number behind another tool's word. */
static bool advise_number(struct strbuf *out, const char *text)
{
    static const char *const starts[] = {"/dev/nvidia", "nvidia", "cuda", "gpu", "device"};

    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        size_t length = strlen(starts[i]);
        if (strncasecmp(text, starts[i], length) != 0)
            continue;
        const char *number = text + length + strspn(text + length, ": _#");
        if (!*number || number[strspn(number, digits)])
            continue;
        strbuf_addf(out,
                    "write nvidia-smi's number alone, such as %s; CUDA's own number may be another "
                    "one: see 'conda-gpu devices'",
                    number);
        return true;
    }
    return false;
}

static bool looks_like_uuid(const char *text)
{
    return strlen(text) >= 9 && strspn(text, "0123456789abcdefABCDEF") == 8 && text[8] == '-';
}

static bool advise_uuid(struct strbuf *out, const char *text)
{
    if (looks_like_uuid(text))
        strbuf_addf(out, "write GPU- or MIG- before a UUID, as 'nvidia-smi -L' shows it");
    else if (strncasecmp(text, "MIG-GPU-", 8) == 0)
        strbuf_adds(out, "drivers before R470 named MIG instances so; write the MIG-... that "
                         "'nvidia-smi -L' shows now");
    else if (strncmp(text, "MIG-", 4) == 0)
        strbuf_adds(out, "write the UUID of a MIG instance whole, as 'nvidia-smi -L' shows it");
    else if (strncasecmp(text, "GPU-", 4) == 0 && strncmp(text, "GPU-", 4) != 0)
        strbuf_addf(out, "write GPU- in capitals: GPU-%s", text + 4);
    else if (strncmp(text, "GPU-", 4) == 0)
        strbuf_adds(out, "write the UUID as 'nvidia-smi -L' shows it: GPU- and hexadecimal digits");
    else
        return false;
    return true;
}

/* A100, RTX 4090. */
static bool is_model(const char *text)
{
    bool letter = isalpha((unsigned char)*text), digit = false;

    for (; *text; text++) {
        digit = digit || isdigit((unsigned char)*text);
        if (!isalnum((unsigned char)*text) && !strchr(" -", *text))
            return false;
    }
    return letter && digit;
}

void advice_item(struct strbuf *out, const char *text)
{
    const char *word = word_advice(text);

    if (word)
        strbuf_adds(out, word);
    else if (is_joined(text, ", "))
        strbuf_adds(out, "write several as a list, such as [1, 3]");
    else if (is_joined(text, ".") && strstr(text, ".."))
        strbuf_adds(out, "write a range with a hyphen, such as 0-3");
    else if (!advise_range(out, text) && !advise_number(out, text) && !advise_uuid(out, text) &&
             is_model(text))
        strbuf_addf(out, "to choose by name write {name: \"*%s*\"}", text);
}

void advice_memory(struct strbuf *out, const char *text)
{
    size_t number = strspn(text, "0123456789.");
    const char *unit = text + number + (text[number] == ' ');
    char prefix = (char)toupper((unsigned char)*unit);

    if (strspn(text, "0.") == number || strlen(unit) > 3 || (*unit && !strchr("GM", prefix)))
        return;
    if (*unit)
        strbuf_addf(out, "write %.*s%ciB (powers of 1024) or %.*s%cB (powers of 1000)", (int)number,
                    text, prefix, (int)number, text, prefix);
    else
        strbuf_addf(out, "write a unit behind it, such as %.*sGiB", (int)number, text);
}

void advice_compute(struct strbuf *out, const char *text)
{
    const char *number = text + strcspn(text, digits);
    size_t length = strspn(number, digits);

    if (length >= 2 && length <= 3 &&
        !number[length + (isalpha((unsigned char)number[length]) > 0)])
        strbuf_addf(out, "write it with a point, \"%.*s.%c\"", (int)length - 1, number,
                    number[length - 1]);
}
