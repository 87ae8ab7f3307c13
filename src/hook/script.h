/*
 * What a shell script does to the environment, as far as its lines say so: read, never run. For
 * scripts of others that conda sources beside our hooks.
 *
 *     scope(script_release) struct script script = {0};
 *     if (script_read(&script, "sh", text) < 0) ... memory ran out
 *     for (size_t i = 0; i < script.count; i++)
 *         ... script.items[i]
 *
 * Seen are: NAME=VALUE, export, declare, typeset, readonly, unset, source and . in sh; set, export
 * and source in fish; setenv, unsetenv and source in csh. Text within quotes and here-documents is
 * no command. What is evaluated, and what a program that is called does, cannot be seen.
 */
#pragma once

#include "base/array.h"
#include "hook/words.h"

enum effect_kind {
    EFFECT_SET,
    EFFECT_UNSET,  /* or no longer exported */
    EFFECT_SOURCE, /* another script is read */
    EFFECT_OTHER,  /* any other command */
};

struct effect {
    enum effect_kind kind;
    bool sometimes;    /* in a condition, a loop, a function, a subshell or a pipe */
    size_t line;       /* of the command's first word */
    char *name;        /* the variable; NULL for the two last kinds */
    struct word value; /* of EFFECT_SET; for EFFECT_SOURCE the script */
    char *text;        /* the command as it stands in the script */
};

struct script array_of(struct effect);

/* `extension` is that of a struct shell. Of a text with NULs, only what is before the first is
   read. -1 if memory ran out. */
int script_read(struct script *script, const char *extension, const char *text);

/* Whether there is no command in it: an empty file, as `touch` makes it, or comments only. False if
   memory ran out. */
bool script_is_empty(const char *extension, const char *text);

void script_release(struct script *script);
