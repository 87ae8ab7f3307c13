/*
 * One command of a script, between the reader (script.c), which knows where it stands, and what
 * each command does to variables (effects.c). For these two only.
 */
#pragma once

#include "hook/script.h"

struct command {
    struct script *script;
    enum dialect dialect;
    struct word *items;
    size_t count;
    size_t room;
    size_t line;
    const char *from; /* its text */
    const char *to;
    size_t blocks;    /* that are open: if, loops, functions */
    size_t brackets;  /* ( that are open */
    bool sometimes;   /* this one runs after && or ||, or in a pipe */
    bool after_if;    /* csh: `if` was read, whose brackets come first */
    bool if_is_block; /* csh: it is not behind `else`, so with `then` it has an endif of its own */
    bool failed;
};

/* Adds what the command does to the script's effects; its words begin at `i`, behind keywords. */
void command_act(struct command *command, size_t i);
