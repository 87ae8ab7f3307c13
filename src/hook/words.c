#include "hook/words.h"

#include "base/array.h"
#include "section/vars.h"

#include <string.h>

void words_release(struct words *in)
{
    for (size_t i = 0; i < in->here_count; i++)
        free(in->here[i]);
    in->here_count = 0;
}

void word_release(struct word *word)
{
    for (size_t i = 0; i < word->count; i++)
        strbuf_release(&word->items[i].text);
    free(word->items);
    *word = (struct word){0};
}

const char *word_text(const struct word *word)
{
    if (!word->count)
        return "";
    if (word->count > 1 || word->items[0].kind != PART_TEXT)
        return NULL;
    return strbuf_text(&word->items[0].text);
}

bool word_is(const struct word *word, const char *text)
{
    const char *is = word->quoted ? NULL : word_text(word);

    return is && strcmp(is, text) == 0;
}

/* Texts that follow each other are one part. */
static void add_part(struct words *in, struct word *word, enum part_kind kind, const char *text,
                     size_t length)
{
    bool follows =
        kind == PART_TEXT && word->count && word->items[word->count - 1].kind == PART_TEXT;

    if (!follows && array_add(word, (struct part){kind, STRBUF_INIT}) < 0) {
        in->failed = true;
        return;
    }
    struct strbuf *last = &word->items[word->count - 1].text;
    strbuf_add(last, text, length);
    in->failed = in->failed || last->failed;
}

/* ---- Spans that end where something closes --------------------------------------------------- */

/* Behind the closing quote. Nothing is special within '…' but fish's \; in "…" and $'…', \ is. */
static const char *skip_quotes(const char *at, char quote, bool escapes)
{
    while (*at && *at != quote)
        at += *at == '\\' && escapes && at[1] ? 2 : 1;
    return at + (*at != '\0');
}

static bool has_escapes(const struct words *in, char quote)
{
    return in->dialect == SCRIPT_FISH || (in->dialect == SCRIPT_SH && quote == '"');
}

/* Behind the bracket that closes the one at `at`. */
static const char *skip_brackets(const struct words *in, const char *at)
{
    char open = *at, close = (char)(open == '(' ? ')' : open == '[' ? ']' : '}');
    size_t depth = 0;

    do {
        char c = *at++;
        if (c == '\\' && *at)
            at++;
        else if (c == '\'' || c == '"')
            at = skip_quotes(at, c, has_escapes(in, c));
        else if (c == open)
            depth++;
        else if (c == close)
            depth--;
    } while (*at && depth);
    return at;
}

static void add_other(struct words *in, struct word *word, const char *end)
{
    add_part(in, word, PART_OTHER, in->at, (size_t)(end - in->at));
    in->at = end;
}

/* ${…}, of which `at` is the brace. */
static void add_braced(struct words *in, struct word *word, const char *at)
{
    const char *end = skip_brackets(in, at);
    size_t length = var_name_length(at + 1);

    if (length && at + length + 2 == end) {
        add_part(in, word, PART_VARIABLE, at + 1, length);
        in->at = end;
    } else {
        add_other(in, word, end);
    }
}

/* What begins with the $ at in->at. */
static void add_expansion(struct words *in, struct word *word, bool quoted)
{
    const char *at = in->at + 1;
    size_t length = var_name_length(at);
    char c = *at, after = at[length];

    if (c == '{' && in->dialect != SCRIPT_FISH) {
        add_braced(in, word, at);
    } else if (c == '(') {
        add_other(in, word, skip_brackets(in, at));
    } else if (c == '\'' && !quoted && in->dialect == SCRIPT_SH) {
        add_other(in, word, skip_quotes(at + 1, '\'', true));
    } else if (length && after == '[' && in->dialect != SCRIPT_SH) {
        add_other(in, word, skip_brackets(in, at + length));
    } else if (length) {
        bool csh_quoted = in->dialect == SCRIPT_CSH && strncmp(at + length, ":q", 2) == 0;
        bool modified = in->dialect == SCRIPT_CSH && after == ':' && !csh_quoted;
        add_part(in, word, modified ? PART_OTHER : PART_VARIABLE, at, length);
        in->at = at + length + (csh_quoted ? 2 : 0);
    } else if (c && strchr("?#@*!-$0123456789", c)) {
        add_other(in, word, at + 1);
    } else {
        add_part(in, word, PART_TEXT, in->at, 1);
        in->at = at;
    }
}

/* ---- One word -------------------------------------------------------------------------------- */

/* After a \, which stands at in->at. */
static void add_escaped(struct words *in, struct word *word)
{
    word->quoted = true;
    in->at++;
    if (*in->at && *in->at != '\n')
        add_part(in, word, PART_TEXT, in->at, 1);
    in->at += *in->at != '\0';
}

static void add_single_quoted(struct words *in, struct word *word)
{
    static const char *const removed[] = {"", "\\'", "!\n"}; /* the \ before these */
    const char *at = in->at + 1, *end = skip_quotes(at, '\'', has_escapes(in, '\''));

    in->at = end;
    end -= end > at && end[-1] == '\'';
    add_part(in, word, PART_TEXT, "", 0);
    for (; at < end; at++) {
        at += *at == '\\' && at + 1 < end && strchr(removed[in->dialect], at[1]);
        add_part(in, word, PART_TEXT, at, 1);
    }
}

static void add_double_quoted(struct words *in, struct word *word)
{
    static const char *const removed[] = {"$`\"\\\n", "$\"\\\n", "!\n"};

    add_part(in, word, PART_TEXT, "", 0);
    for (in->at++; *in->at && *in->at != '"';) {
        const char *at = in->at;
        if (*at == '$') {
            add_expansion(in, word, true);
        } else if (*at == '`' && in->dialect != SCRIPT_FISH) {
            add_other(in, word, skip_quotes(at + 1, '`', true));
        } else if (*at == '\\' && at[1] && strchr(removed[in->dialect], at[1])) {
            add_part(in, word, PART_TEXT, at + 1, at[1] != '\n');
            in->at += 2;
        } else {
            size_t length = 1 + strcspn(at + 1, "$`\\\"");
            add_part(in, word, PART_TEXT, at, length);
            in->at += length;
        }
    }
    in->at += *in->at != '\0';
}

/* A ~ that the shell replaces, and an array's or fish's command's parentheses. */
static bool is_other(const struct words *in, const struct word *word)
{
    bool begins = in->at == in->token, after = !begins && (in->at[-1] == '=' || in->at[-1] == ':');

    if (*in->at == '~')
        return begins || (after && in->dialect == SCRIPT_SH && !word->quoted);
    return *in->at == '(' && (in->dialect == SCRIPT_FISH ||
                              (in->dialect == SCRIPT_SH && !begins && in->at[-1] == '='));
}

static bool ends_word(const struct words *in)
{
    char c = *in->at;

    return strchr(" \t\r\n;&|<>)", c) || (c == '(' && in->dialect != SCRIPT_FISH);
}

static void read_word(struct words *in, struct word *word)
{
    while (*in->at) {
        char c = *in->at;
        if (is_other(in, word)) {
            add_other(in, word, c == '(' ? skip_brackets(in, in->at) : in->at + 1);
        } else if (ends_word(in)) {
            return;
        } else if (c == '\\') {
            add_escaped(in, word);
        } else if (c == '\'' || c == '"') {
            word->quoted = true;
            (c == '"' ? add_double_quoted : add_single_quoted)(in, word);
        } else if (c == '$') {
            add_expansion(in, word, false);
        } else if (c == '`') {
            add_other(in, word, skip_quotes(in->at + 1, '`', true));
        } else {
            size_t length = 1 + strcspn(in->at + 1, " \t\r\n;&|<>()\\'\"$`~");
            add_part(in, word, PART_TEXT, in->at, length);
            in->at += length;
        }
    }
}

/* ---- Tokens ---------------------------------------------------------------------------------- */

/* Blanks, joined lines and a comment. */
static void skip_blanks(struct words *in)
{
    for (;;) {
        if (*in->at == '#')
            in->at += strcspn(in->at, "\n");
        else if (in->at[0] == '\\' && in->at[1] == '\n')
            in->at += 2;
        else if (*in->at && strchr(" \t\r", *in->at))
            in->at++;
        else
            return;
    }
}

/* The here-documents that begin after this line. */
static void skip_here(struct words *in)
{
    for (size_t i = 0; i < in->here_count; i++) {
        bool ended = false;
        while (*in->at && !ended) {
            const char *line = in->at + strspn(in->at, "\t");
            size_t length = strcspn(line, "\n");
            ended = length == strlen(in->here[i]) && strncmp(line, in->here[i], length) == 0;
            in->at = line + length + (line[length] == '\n');
        }
    }
    words_release(in);
}

static enum token read_redirect(struct words *in)
{
    size_t length = strspn(in->at, "<>");

    in->here_next = length == 2 && in->at[0] == '<' && in->at[1] == '<';
    in->at += length;
    if (*in->at && strchr("&|-!", *in->at))
        in->at++;
    return TOKEN_REDIRECT;
}

static enum token read_token(struct words *in, struct word *word)
{
    char c = in->at[0], next = in->at[1];

    if ((c == '&' && next == '&') || (c == '|' && next == '|')) {
        in->at += 2;
        return TOKEN_IF;
    }
    if (c == '<' || c == '>' || (c == '&' && next == '>')) {
        in->at += c == '&';
        return read_redirect(in);
    }
    if (ends_word(in)) {
        in->at++;
        if (c == '\n')
            skip_here(in);
        return c == '|' ? TOKEN_PIPE : c == '(' ? TOKEN_OPEN : c == ')' ? TOKEN_CLOSE : TOKEN_END;
    }
    read_word(in, word);
    const char *text = word_text(word);
    if (in->here_next && text && in->here_count < HERE_LIMIT) {
        in->here[in->here_count] = strdup(text);
        in->failed = in->failed || !in->here[in->here_count];
        in->here_count += in->here[in->here_count] != NULL;
    }
    in->here_next = false;
    return TOKEN_WORD;
}

enum token words_next(struct words *in, struct word *word)
{
    word_release(word);
    skip_blanks(in);
    for (; in->token < in->at; in->token++)
        in->line += *in->token == '\n';
    return *in->at && !in->failed ? read_token(in, word) : TOKEN_NONE;
}
