/*
 * The kinds of shell that hooks are written for: a table, one row per kind.
 */
#ifndef CONDA_GPU_SHELL_H
#define CONDA_GPU_SHELL_H

#include "base/strbuf.h"

struct shell {
    const char *extension; /* conda sources env_vars.EXTENSION; also the templates' extension */
    const char *prefix;    /* an expansion of CONDA_PREFIX to exactly its value, as one word */
    /* Adds the text as a word that the shell reads back byte for byte; "" for no bytes. */
    void (*quote)(struct strbuf *out, const char *text, size_t length);
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
   (tcsh(1), "Lexical structure" and "History substitution")
     it's  ->  'it'\''s'        a!  ->  'a\!'        \  ->  '\' */
void quote_csh(struct strbuf *out, const char *text, size_t length);

/* For a command that is shown to a person: as it is where a POSIX shell needs no quotes. */
void shell_quote_if_needed(struct strbuf *out, const char *text);

/* A value as environment.yml has it: quoted, but for ${CONDA_PREFIX}, which the shell expands. */
void shell_quote_value(const struct shell *shell, struct strbuf *out, const char *value);

#endif
