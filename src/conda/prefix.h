/*
 * An opened prefix: the folder of a conda environment, in which files are read, written and removed
 * by their path below it. It is opened once, and every folder on the way by descriptor and never
 * through a symbolic link, so nothing outside is touched, whatever is swapped in meanwhile.
 *
 *     scope(prefix_close) struct prefix prefix = PREFIX_INIT;
 *     if (prefix_open(&prefix, environment.path, &err) < 0) ...
 *     ... take the lock (lock.h) ...
 *     prefix_write(&prefix, "etc/conda/activate.d/env_vars.sh", &text, NULL, &err);
 *
 * Nothing of somebody else's is replaced or removed: who changes a file says what it is to hold
 * until then. Errors have STATUS_PREFIX and name the file. `path` must outlive the prefix.
 */
#pragma once

#include "base/error.h"
#include "base/names.h"

#include <stdbool.h>
#include <sys/types.h>

struct prefix {
    const char *path;
    int folder;
    int refused; /* an errno: why this user may change nothing here; 0 */
    uid_t owner;
    gid_t group;
    bool shared;       /* others than the owner may write: its group, or whom an ACL names */
    bool group_writes; /* its group may */
};

#define PREFIX_INIT ((struct prefix){.folder = -1})

/* Bytes. A larger file is neither written nor read: SECTION_TOTAL_LIMIT, each of its bytes quoted
   by three more, and some to spare. */
enum { PREFIX_FILE_LIMIT = 4 << 20 };

int prefix_open(struct prefix *prefix, const char *path, struct error *err);
void prefix_close(struct prefix *prefix);

/* Adds what errno says of a file: "PREFIX/PATH: cannot WRITE: ...". */
int prefix_failed(const struct prefix *prefix, const char *path, const char *doing,
                  struct error *err);

/* Gives a new file or folder its mode, whatever the umask, and lets those write to it who may write
   to the prefix. What root makes belongs to the prefix's owner. -1 with errno. */
int prefix_own(const struct prefix *prefix, int fd, mode_t mode);

/* 1: read; 0: there is no such file or folder; -1: it is there and cannot be read as a file. */
int prefix_read(const struct prefix *prefix, const char *path, struct strbuf *out,
                struct error *err);

/* Reads a file of others as a shell would, also through links, wherever they lead. 1: read; 0:
   there is none; -1 with errno. */
int prefix_look_at(const struct prefix *prefix, const char *path, struct strbuf *out);

/* Adds the names in a folder, in the order of their bytes; none where there is no such folder. -1
   with errno. */
int prefix_list(const struct prefix *prefix, const char *path, struct names *names);

/* Writes a file complete or not at all, and makes the folders on its way that are missing. `over`
   is what is there now and may be replaced; NULL: nothing is. It is there for good once its folder
   is synced. */
int prefix_write(const struct prefix *prefix, const char *path, const struct strbuf *text,
                 const struct strbuf *over, struct error *err);

/* 1: there is something of this name; 0: there is not; -1: that cannot be told. */
int prefix_has(const struct prefix *prefix, const char *path, struct error *err);

/* Whether a name is that of another file than the one at `path`. A first look: prefix_keep takes no
   such name whatever this says. */
bool prefix_is_taken(const struct prefix *prefix, const char *name, const char *path);

/* Gives a file a second name in its folder; never over another file. Its first name is then
   free for prefix_write to replace, so that at every instant the file has one of them. 1: it has
   lost its first name already. */
int prefix_keep(const struct prefix *prefix, const char *path, const char *kept, struct error *err);

/* What prefix_put_back returns, beside -1. */
enum prefix_put {
    PREFIX_NOT_KEPT, /* there is no such file */
    PREFIX_PUT_BACK,
    PREFIX_TAKEN /* another file has the old name, and both stay as they are */
};

/* Gives a kept file its old name back. `over`: in the place of a file of ours, which goes in that
   instant. */
int prefix_put_back(const struct prefix *prefix, const char *kept, const char *path, bool over,
                    struct error *err);

/* Removes a file that holds this. Missing is fine. */
int prefix_remove(const struct prefix *prefix, const char *path, const struct strbuf *text,
                  struct error *err);

/* 1: there is such a folder; 0: there is not; -1: that cannot be told. */
int prefix_has_folder(const struct prefix *prefix, const char *path, struct error *err);

/* Removes a folder if it is there and empty. */
int prefix_remove_folder(const struct prefix *prefix, const char *path, struct error *err);

/* Whether everybody on the machine may write to this folder; "." is the prefix. */
bool prefix_is_open_to_all(const struct prefix *prefix, const char *path);

/* Removes what a killed run left in a folder. Only under the lock. */
void prefix_sweep(const struct prefix *prefix, const char *path);

/* Makes an NFS client forget what was not in a folder: it remembers that for up to a minute
   (nfs(5), "Directory entry caching"). Under the lock. */
void prefix_look_again(const struct prefix *prefix, const char *path);

int prefix_sync(const struct prefix *prefix, const char *path, struct error *err);
