/*
 * An opened prefix: the folder of a conda environment, in which files are read, written and removed
 * by their path below it. Every folder on the way is opened by descriptor and never through a
 * symbolic link, so nothing outside the prefix is touched, whatever is swapped in meanwhile.
 *
 *     scope(prefix_close) struct prefix prefix = PREFIX_INIT;
 *     if (prefix_open(&prefix, prefix.path, &err) < 0 || prefix_lock(&prefix, &err) != 0) ...
 *     prefix_write(&prefix, "etc/conda/activate.d/env_vars.sh", text, length, &err);
 *
 * Errors have STATUS_PREFIX and name the file. `path` must outlive the prefix.
 */
#ifndef CONDA_GPU_CONDA_PREFIX_H
#define CONDA_GPU_CONDA_PREFIX_H

#include "base/error.h"

#include <stdbool.h>
#include <sys/types.h>

struct prefix {
    const char *path;
    int folder;
    int lock;
    bool shared; /* the prefix is writable for its group, so what we write is as well */
    gid_t group; /* the prefix's */
};

#define PREFIX_INIT                                                                                \
    {                                                                                              \
        NULL, -1, -1, false, 0                                                                     \
    }

enum { PREFIX_FILE_LIMIT = 64 << 20 }; /* bytes; a larger file is not read */

int prefix_open(struct prefix *prefix, const char *path, struct error *err);
void prefix_close(struct prefix *prefix);

/* What prefix_lock returns, beside -1. */
enum prefix_lock {
    PREFIX_LOCKED, /* until prefix_close */
    PREFIX_BUSY,   /* another process holds the lock */
    PREFIX_NO_LOCK /* there is no locking on this file system */
};

/* One writer per prefix at a time, by flock(2) on conda-meta/history, which every environment has
   and which is not changed by this. */
int prefix_lock(struct prefix *prefix, struct error *err);

/* "conda-gpu (process 4711)", of the process that holds the lock, from /proc/locks (proc(5));
   "another process" where that tells nothing, as over NFS. */
void prefix_lock_holder(const struct prefix *prefix, struct strbuf *out);

/* 1: read; 0: there is no such file or folder; -1: it is there and cannot be read as a file. */
int prefix_read(const struct prefix *prefix, const char *path, struct strbuf *out,
                struct error *err);

/* Writes a file complete or not at all, and makes the folders on its way that are missing. It is
   there for good once its folder is synced. */
int prefix_write(const struct prefix *prefix, const char *path, const char *text, size_t length,
                 struct error *err);

/* 1: there is something of this name; 0: there is not; -1: that cannot be told. */
int prefix_has(const struct prefix *prefix, const char *path, struct error *err);

/* Whether a name is that of another file than the one at `path`. A first look: prefix_keep takes no
   such name whatever this says. */
bool prefix_is_taken(const struct prefix *prefix, const char *name, const char *path);

/* Gives a file a second name in its folder; never over another file. Its first name is then
   free for prefix_write to replace, so that at every instant the file has one of them. */
int prefix_keep(const struct prefix *prefix, const char *path, const char *kept, struct error *err);

/* What prefix_put_back returns, beside -1. */
enum prefix_put {
    PREFIX_NOT_KEPT, /* there is no such file */
    PREFIX_PUT_BACK,
    PREFIX_TAKEN /* another file has the old name, and both stay as they are */
};

/* Gives a kept file its old name back. */
int prefix_put_back(const struct prefix *prefix, const char *kept, const char *path,
                    struct error *err);

/* The same in the place of a file of ours, which goes in that instant. 1: done; 0: there is no such
   file. */
int prefix_put_over(const struct prefix *prefix, const char *kept, const char *path,
                    struct error *err);

/* Missing is fine. */
int prefix_remove(const struct prefix *prefix, const char *path, struct error *err);

/* 1: there is such a folder; 0: there is not; -1: that cannot be told. */
int prefix_has_folder(const struct prefix *prefix, const char *path, struct error *err);

/*
 * A folder that prefix_write made bears a mark until prefix_settle takes it off, so that a run that
 * is killed before a receipt tells who made the folder leaves word of that. It is the sticky bit,
 * which means nothing on a folder that only its owner may write to.
 */
bool prefix_is_marked(const struct prefix *prefix, const char *path);
int prefix_settle(const struct prefix *prefix, const char *path, struct error *err);

/* Puts the mark on, for a receipt that goes before the folder does; returns the mode that the
   folder had, 0 if it could not be marked. */
mode_t prefix_mark(const struct prefix *prefix, const char *path);

/* Gives a folder the mode back that prefix_mark returned, unless that is 0. */
int prefix_unmark(const struct prefix *prefix, const char *path, mode_t mode, struct error *err);

/* How many files and folders are in a folder; -1 if that cannot be told. */
int prefix_count(const struct prefix *prefix, const char *path);

/* Removes a folder if it is empty. One that is not is unmarked. */
int prefix_remove_folder(const struct prefix *prefix, const char *path, mode_t mode,
                         struct error *err);

/* Whether everybody on the machine may write to this folder; "." is the prefix. */
bool prefix_is_open_to_all(const struct prefix *prefix, const char *path);

/* Removes what a killed run left in a folder. */
void prefix_sweep(const struct prefix *prefix, const char *path);

int prefix_sync(const struct prefix *prefix, const char *path, struct error *err);

#endif
