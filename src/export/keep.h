/*
 * Files of others that hold a plan beside what is theirs: a .env file, a kernel.json. Our part is
 * marked in the file itself, with the environment that it is for, so it can be renewed and taken
 * out, and nothing else of the file changes.
 *
 *     scope(keep_release) struct keep keep = {0};
 *     if (keep_open(&keep, "/home/ann/.env", format, &err) < 0) ...
 *     if (keep_put(&keep, &what, &err) < 0) ...
 *     if (keep_differs(&keep) && keep_write(&keep, &err) < 0) ...
 */
#pragma once

#include "export/export.h"

struct keep {
    char *path; /* absolute, without symbolic links */
    const struct format *format;
    char *owner; /* the prefix of the environment for which it has a part; NULL: it has none */
    bool exists;
    struct strbuf found; /* what is there now */
    struct strbuf text;  /* what is to be there */
};

/* STATUS_INPUT where the format is none of those that a file is kept in. A file that is not there
   is none yet. */
int keep_open(struct keep *keep, const char *path, const struct format *format, struct error *err);

/* With the plan in it, in place of what an earlier run put there, or without our part where there
   is no plan. STATUS_PREFIX where the file sets one of our variables itself, or is kept for another
   environment. */
int keep_put(struct keep *keep, const struct exported *what, struct error *err);

bool keep_differs(const struct keep *keep);

/* Complete or not at all, with the mode and owner that the file had. One that is empty afterwards
   goes. STATUS_PREFIX where somebody changed it since keep_open. */
int keep_write(const struct keep *keep, struct error *err);

void keep_release(struct keep *keep);
