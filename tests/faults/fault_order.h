/*
 * What a test tells faulty.so, the library that it puts in front of the C library, and what it
 * hears. The library counts the calls that conda-gpu makes on the folder FAULTY_FOLDER and on what
 * is below it: not the driver's child, and no call on anything else.
 *
 * With FAULTY_SERVER in the environment the program waits before main() for orders on one
 * descriptor, and runs once for each, in a process of its own, which spares the start of a program;
 * after each it answers on the other one. Without, it runs once, and adds the name of each call as
 * a line to the file that FAULTY_LOG names.
 */
#pragma once

enum { FAULT_ORDERS_FD = 198, FAULT_ANSWERS_FD = 199 };

enum fault {
    FAULT_NONE,
    FAULT_KILL_BEFORE,
    FAULT_KILL_AFTER,
    FAULT_ERROR, /* the call does nothing and fails; close closes and fails */
    FAULT_SHORT, /* half of the bytes are written or read */
    FAULT_SWAP   /* before the call, `path` is renamed to path.away and a link to `target` made */
};

struct fault_order {
    int call; /* counted from 1 */
    enum fault fault;
    int error; /* errno */
    char path[256];
    char target[256];
};

struct fault_answer {
    int status; /* as waitpid gives it */
    int calls;
    char kind[32];  /* the call at which it was, as "openat", "openat+create" or "close+written" */
    char path[512]; /* what it was on */
};
