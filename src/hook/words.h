/*
 * The words of a shell script, for looking at what it does without running it. Enough of sh, fish
 * and csh to tell commands, quotes, comments, expansions, redirections and here-documents apart.
 *
 *     struct words in = WORDS_INIT(SCRIPT_SH, text);
 *     scope(word_release) struct word word = {0};
 *     enum token token;
 *     while ((token = words_next(&in, &word)) != TOKEN_NONE)
 *         ... word, if it is TOKEN_WORD; in.line is its line
 *     if (in.failed) ... memory ran out
 *
 * If the text ends within quotes, so does the last word: that is the shell's to complain of.
 */
#pragma once

#include "base/strbuf.h"

enum dialect { SCRIPT_SH, SCRIPT_FISH, SCRIPT_CSH };

enum part_kind {
    PART_TEXT,     /* text that stands for itself, without its quotes */
    PART_VARIABLE, /* $NAME or ${NAME}: the name */
    PART_OTHER,    /* any other expansion, as it stands: $(date), ${X:-7}, ~, *.so */
};

struct part {
    enum part_kind kind;
    struct strbuf text;
};

struct word {
    struct part *items;
    size_t count;
    size_t room;
    bool quoted; /* any of it */
};

enum token {
    TOKEN_NONE, /* the end */
    TOKEN_WORD,
    TOKEN_END, /* of a command: ; & or the line's end */
    TOKEN_IF,  /* && and ||: the next command runs sometimes */
    TOKEN_PIPE,
    TOKEN_OPEN, /* ( and ) */
    TOKEN_CLOSE,
    TOKEN_REDIRECT, /* < > and their like; the next word is the file */
};

enum { HERE_LIMIT = 4 };

struct words {
    enum dialect dialect;
    const char *at;
    const char *token;      /* where the last one begins, */
    size_t line;            /* and in which line */
    char *here[HERE_LIMIT]; /* the ends of here-documents that begin at the line's end */
    size_t here_count;
    bool here_next; /* the next word is such an end */
    bool failed;    /* memory ran out */
};

#define WORDS_INIT(shell, text)                                                                    \
    ((struct words){.dialect = (shell), .at = (text), .token = (text), .line = 1})

/* The word is cleared first. */
enum token words_next(struct words *in, struct word *word);

void words_release(struct words *in);
void word_release(struct word *word);

/* Whether it is this text, without quotes: a keyword or a command's name. */
bool word_is(const struct word *word, const char *text);

/* The text, if there is no expansion in it; NULL otherwise. "" for a word without parts. */
const char *word_text(const struct word *word);
