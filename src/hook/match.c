#include "hook/match.h"

#include "section/rules.h"

#include <stdbool.h>
#include <string.h>

enum { WIDTH = 100, MANY = 50 };

/* Before the next word: a blank, or an end of line where it would be too far to the right. */
static void add_gap(struct strbuf *out, size_t *line, size_t length)
{
    if (out->length - *line + length <= WIDTH) {
        strbuf_addc(out, ' ');
        return;
    }
    strbuf_adds(out, " \\\n    ");
    *line = out->length;
}

void tell_patterns_sh(struct strbuf *out, const char *variable, const struct names *patterns)
{
    size_t line = out->length;

    (void)variable;
    for (size_t i = 0; i < patterns->count; i++) {
        if (i) {
            strbuf_adds(out, " |");
            add_gap(out, &line, strlen(patterns->items[i]));
        }
        strbuf_adds(out, patterns->items[i]);
    }
}

/* As a regular expression. */
static void add_expression(struct strbuf *out, const char *pattern)
{
    bool in_set = false;

    for (const char *c = pattern; *c; c++) {
        in_set = *c == '[' || (in_set && *c != ']');
        if (*c == '!')
            strbuf_addc(out, '^');
        else if (!in_set && (*c == '.' || *c == '+'))
            strbuf_addf(out, "\\%c", *c);
        else if (*c == '*')
            strbuf_adds(out, ".*");
        else if (*c == '?')
            strbuf_addc(out, '.');
        else
            strbuf_addc(out, *c);
    }
}

/* Among many words in one text, which fish reads faster than as many words of a command. */
static void add_search(struct strbuf *out, const char *variable, const struct names *patterns)
{
    size_t line = out->length;

    strbuf_addf(out, "string replace -q -- \" $%s \" '' '", variable);
    for (size_t i = 0; i < patterns->count; i++) {
        if (is_pattern(patterns->items[i]))
            continue;
        if (out->length - line > WIDTH) {
            strbuf_adds(out, " \n   ");
            line = out->length;
        }
        strbuf_addf(out, " %s", patterns->items[i]);
    }
    strbuf_adds(out, " '");
}

static void add_contains(struct strbuf *out, const char *variable, const struct names *patterns)
{
    size_t line = out->length;

    strbuf_addf(out, "contains -- \"$%s\"", variable);
    for (size_t i = 0; i < patterns->count; i++) {
        if (is_pattern(patterns->items[i]))
            continue;
        add_gap(out, &line, strlen(patterns->items[i]));
        strbuf_adds(out, patterns->items[i]);
    }
}

static void add_match(struct strbuf *out, const char *variable, const struct names *patterns)
{
    size_t line = out->length;
    const char *between = "string match -qr '^(";

    for (size_t i = 0; i < patterns->count; i++) {
        if (!is_pattern(patterns->items[i]))
            continue;
        if (out->length - line > WIDTH) {
            strbuf_addf(out, ")$' -- \"$%s\"; or \\\n    string match -qr '^(", variable);
            line = out->length;
            between = "";
        }
        strbuf_adds(out, between);
        add_expression(out, patterns->items[i]);
        between = "|";
    }
    strbuf_addf(out, ")$' -- \"$%s\"", variable);
}

void tell_patterns_fish(struct strbuf *out, const char *variable, const struct names *patterns)
{
    bool any_name = false, any_pattern = false;

    for (size_t i = 0; i < patterns->count; i++) {
        if (strcmp(patterns->items[i], "*") == 0) {
            strbuf_adds(out, "true");
            return;
        }
        any_pattern = any_pattern || is_pattern(patterns->items[i]);
        any_name = any_name || !is_pattern(patterns->items[i]);
    }
    if (any_name && patterns->count > MANY)
        add_search(out, variable, patterns);
    else if (any_name)
        add_contains(out, variable, patterns);
    if (any_name && any_pattern)
        strbuf_adds(out, "; or ");
    if (any_pattern)
        add_match(out, variable, patterns);
}

void tell_patterns_csh(struct strbuf *out, const char *variable, const struct names *patterns)
{
    (void)variable;
    for (size_t i = 0; i < patterns->count; i++) {
        strbuf_addf(out, "%scase ", i ? "\n" : "");
        for (const char *c = patterns->items[i]; *c; c++)
            strbuf_addf(out, "%c", *c == '!' ? '^' : *c);
        strbuf_addc(out, ':');
    }
}
