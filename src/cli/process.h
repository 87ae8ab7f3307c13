/*
 * What this process changes of itself at its start, and gives back to a program that takes its
 * place.
 */
#pragma once

#include "base/error.h"

/* SIGPIPE and SIGXFSZ are ignored, so that they stop no writing of hooks; SIGCHLD is not. A
   standard stream that the caller closed is /dev/null. */
void process_begin(void);

/* Ends by SIGPIPE, as other programs do whose reader has gone (`conda-gpu devices | head -1`),
   unless the caller ignored it. */
void process_end_by_pipe(void);

enum {
    PROCESS_CANNOT_RUN = 126, /* the exit statuses of shells */
    PROCESS_NOT_FOUND = 127,
};

/* Becomes argv[0], found in the PATH of `env`, with signals and streams as this process got them.
   Returns only where that cannot be, with one of the two statuses and the reason in the error,
   whose own status says nothing then; -1 where memory ran out. */
int process_become(char *const *argv, char **env, struct error *err);
