/*
 * The kinds of shell that hooks are written for: a table, one row per kind.
 */
#pragma once

#include "base/strbuf.h"
#include "section/vars.h"

#include <stdbool.h>

struct shell {
    const char *extension; /* conda sources env_vars.EXTENSION; also the templates' extension */
    /* Around a name: an expansion to exactly the variable's value, as one word; to nothing where it
       is not set. */
    const char *expand[2];
    /* Adds the text as a word that the shell reads back byte for byte; "" for no bytes. */
    void (*quote)(struct strbuf *out, const char *text, size_t length);
    /* The same as a word of a glob that matches only this text; NULL where `quote` makes one. */
    void (*quote_pattern)(struct strbuf *out, const char *text, size_t length);
    /* Adds lines that set $__gpu_job to what job_identify() in section/job.h makes of the same
       environment: nothing outside of a job. */
    void (*tell_job)(struct strbuf *out);
    /* Adds what asks whether the shell variable of this name matches one of the patterns (see
       section/rules.h): in .sh a case's alternatives, in .fish a command, in .csh `case` lines. */
    void (*tell_patterns)(struct strbuf *out, const char *variable, const struct names *patterns);
    /* Whether it is faster at finding its machine first and then a user, where there are many: see
       hook/picks.h. fish is not: it takes long to read many commands, and a long text quickly. */
    bool picks;
};

extern const struct shell shells[];
extern const size_t shell_count;

/* bash, zsh, dash, ksh93, mksh, busybox sh, yash: between single quotes every byte but ' stands for
   itself; ' is written '\''. (POSIX.1-2017, XCU 2.2.2)
     it's  ->  'it'\''s'        (nothing)  ->  ''        $HOME  ->  '$HOME' */
void quote_sh(struct strbuf *out, const char *text, size_t length);

/* fish: between single quotes \ stands before ' and before itself, and every other byte is itself.
   (fish-shell documentation, "Quotes")
     it's  ->  'it\'s'        \n  ->  '\\n' */
void quote_fish(struct strbuf *out, const char *text, size_t length);

/* tcsh: between single quotes every byte but ' is itself, save that history substitution takes !
   and that a line must not end: both get a \ before them, which tcsh removes there and only there.
   That is so without backslash_quote and with the usual histchars, which the templates see to.
   (tcsh(1), "Lexical structure" and "History substitution")
     it's  ->  'it'\''s'        a!  ->  'a\!'        \  ->  '\' */
void quote_csh(struct strbuf *out, const char *text, size_t length);

/* For the right side of tcsh's =~, in which quotes do not take the meaning from * ? and [: each is
   a class of its own.
     a*  ->  'a[*]' */
void quote_csh_pattern(struct strbuf *out, const char *text, size_t length);

/* For a command that is shown to a person: as it is where a POSIX shell needs no quotes. */
void shell_quote_if_needed(struct strbuf *out, const char *text);

/* A value as environment.yml has it: quoted, but for the references. */
void shell_quote_value(const struct shell *shell, struct strbuf *out, const char *value);

/* The same as a pattern. What the references stand for is not protected in it. */
void shell_quote_pattern(const struct shell *shell, struct strbuf *out, const char *value);
