#include "conda/prefix.h"

#include "base/file.h"
#include "base/scope.h"
#include "base/tempfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

#define NEW_FOLDER ".conda-gpu-folder.tmp" /* what prefix_sweep takes away */
#define ACL        "system.posix_acl_access"

int prefix_failed(const struct prefix *prefix, const char *path, const char *doing,
                  struct error *err)
{
    const char *why =
        errno == ELOOP     ? "it is a symbolic link, and conda-gpu follows none here; "
                             "replace it by a real file or folder"
        : errno == EISDIR  ? "it is a folder; move it away"
        : errno == ENXIO   ? "it is neither a file nor a folder; move it away"
        : errno == ENOTDIR ? "a part of it is no folder, or a symbolic link, and conda-gpu follows "
                             "none here; replace it by a real folder"
        : errno == EFBIG   ? "this shell (ulimit -f) or the file system allows no file of its size"
        : errno == EOVERFLOW ? "it is larger than any file of conda-gpu's; move it away"
                             : strerror(errno);

    if (errno == ENOMEM)
        return error_memory(err);
    return error_add(err, STATUS_PREFIX, "%s/%s: cannot %s: %s", prefix->path, path, doing, why);
}

static int changed(const struct prefix *prefix, const char *path, struct error *err)
{
    return error_add(err, STATUS_PREFIX,
                     "%s/%s: somebody changed this file while conda-gpu ran, so it stays as it is; "
                     "run conda-gpu again",
                     prefix->path, path);
}

/* Where there is an ACL, the mode's group bits tell the most that it gives to anybody, and the
   group's own rights stand in the ACL: version, then tag, rights and id of each entry,
   little-endian (linux/posix_acl_xattr.h). */
static bool group_writes(int fd, mode_t mode)
{
    enum { HEAD = 4, ENTRY = 8, OWNING_GROUP = 4, WRITE = 2, MOST_ENTRIES = 512 };
    unsigned char acl[HEAD + MOST_ENTRIES * ENTRY];
    ssize_t length = fgetxattr(fd, ACL, acl, sizeof acl);

    for (ssize_t at = HEAD; at + ENTRY <= length; at += ENTRY)
        if (acl[at] == OWNING_GROUP && !acl[at + 1])
            return mode & S_IWGRP && acl[at + 2] & WRITE;
    return mode & S_IWGRP && length < 0 && errno != ERANGE;
}

int prefix_open(struct prefix *prefix, const char *path, struct error *err)
{
    struct stat st;
    scope(close_fd) int folder = again(open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));

    if (folder < 0 || fstat(folder, &st) < 0)
        return error_add(err, STATUS_PREFIX, "%s: cannot open the environment: %s", path,
                         strerror(errno));
    *prefix = (struct prefix){.path = path,
                              .folder = folder,
                              .owner = st.st_uid,
                              .group = st.st_gid,
                              .shared = st.st_mode & S_IWGRP,
                              .group_writes = group_writes(folder, st.st_mode)};
    folder = -1;
    return 0;
}

void prefix_close(struct prefix *prefix)
{
    close_fd(&prefix->folder);
    *prefix = PREFIX_INIT;
}

/* Whether it has the prefix's group afterwards. With another one the right to write could be
   anybody's. */
static bool give_to_owner(const struct prefix *prefix, int fd, const struct stat *st)
{
    bool root = geteuid() == 0 && st->st_uid != prefix->owner;
    bool same = st->st_gid == prefix->group;

    if (!root && (same || !prefix->shared))
        return same;
    return again(fchown(fd, root ? prefix->owner : (uid_t)-1, prefix->group)) == 0 || same;
}

/* An ACL that the new one has, has come from its folder, and says itself what its group may. */
int prefix_own(const struct prefix *prefix, int fd, mode_t mode)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return -1;
    bool in_group = give_to_owner(prefix, fd, &st);
    bool has_acl = prefix->shared && fgetxattr(fd, ACL, NULL, 0) > 0;
    if (has_acl || (prefix->group_writes && in_group))
        mode |= S_IRGRP | S_IWGRP;
    return again(fchmod(fd, mode | (st.st_mode & S_ISGID)));
}

static int open_one(int parent, const char *name)
{
    return again(openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

/* It gets its name when it has its owner and mode, so that none that a killed run left keeps others
   out. */
static int make_folder(const struct prefix *prefix, int parent, const char *name)
{
    if (mkdirat(parent, NEW_FOLDER, 0700) < 0 &&
        (errno != EEXIST || unlinkat(parent, NEW_FOLDER, AT_REMOVEDIR) < 0 ||
         mkdirat(parent, NEW_FOLDER, 0700) < 0))
        return -1;
    scope(close_fd) int folder = open_one(parent, NEW_FOLDER);
    if (folder >= 0 && prefix_own(prefix, folder, 0755) == 0 &&
        renameat(parent, NEW_FOLDER, parent, name) == 0)
        return file_sync_fd(parent) < 0 ? -1 : fcntl(folder, F_DUPFD_CLOEXEC, 3);
    int saved = errno;
    unlinkat(parent, NEW_FOLDER, AT_REMOVEDIR);
    errno = saved;
    return -1;
}

/* Opens the folder that `path` is in, one part after the other, and makes missing ones if asked. */
static int open_parent(const struct prefix *prefix, const char *path, bool make)
{
    int folder = fcntl(prefix->folder, F_DUPFD_CLOEXEC, 3);

    for (const char *slash; folder >= 0 && (slash = strchr(path, '/')); path = slash + 1) {
        scope(close_fd) int parent = folder;
        char name[NAME_MAX + 1];
        if ((size_t)(slash - path) >= sizeof name) {
            errno = ENAMETOOLONG;
            return -1;
        }
        snprintf(name, sizeof name, "%.*s", (int)(slash - path), path);
        folder = open_one(parent, name);
        if (folder < 0 && errno == ENOENT && make)
            folder = make_folder(prefix, parent, name);
    }
    return folder;
}

/* The same for what changes something in that folder. */
static int open_to_change(const struct prefix *prefix, const char *path, bool make)
{
    if (!prefix->refused)
        return open_parent(prefix, path, make);
    errno = prefix->refused;
    return -1;
}

int prefix_read(const struct prefix *prefix, const char *path, struct strbuf *out,
                struct error *err)
{
    scope(close_fd) int folder = open_parent(prefix, path, false);

    if (folder >= 0 &&
        file_read_at(folder, path_name(path), O_NOFOLLOW, PREFIX_FILE_LIMIT, out) == 0)
        return 1;
    return errno == ENOENT ? 0 : prefix_failed(prefix, path, "read", err);
}

int prefix_look_at(const struct prefix *prefix, const char *path, struct strbuf *out)
{
    if (file_read_at(prefix->folder, path, 0, PREFIX_FILE_LIMIT, out) == 0)
        return 1;
    return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
}

int prefix_list(const struct prefix *prefix, const char *path, struct names *names)
{
    if (names_add_those_in(names, prefix->folder, path) == 0)
        return 0;
    return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
}

/* 1: a file holds this; 0: it holds something else, or is not there; -1 with errno. */
static int still_holds(int folder, const char *name, const struct strbuf *text)
{
    scope(strbuf_release) struct strbuf now = STRBUF_INIT;

    if (file_read_at(folder, name, O_NOFOLLOW, PREFIX_FILE_LIMIT, &now) < 0)
        return errno == ENOENT || errno == EOVERFLOW ? 0 : -1;
    return strbuf_equal(&now, text);
}

/* 1: the file has its name; 0: somebody else's has it; -1 with errno. */
static int commit(struct tempfile *temp, const char *name, const struct strbuf *over)
{
    int free = over ? still_holds(temp->folder, name, over) : 1;

    if (free <= 0)
        return free;
    if ((over ? tempfile_commit(temp, name) : tempfile_commit_new(temp, name)) == 0)
        return 1;
    return errno == EEXIST ? 0 : -1;
}

int prefix_write(const struct prefix *prefix, const char *path, const struct strbuf *text,
                 const struct strbuf *over, struct error *err)
{
    scope(close_fd) int folder = open_to_change(prefix, path, true);
    scope(tempfile_release) struct tempfile temp = TEMPFILE_INIT;

    if (folder < 0 || tempfile_create(&temp, folder) < 0 || prefix_own(prefix, temp.fd, 0644) < 0 ||
        tempfile_write(&temp, strbuf_text(text), text->length) < 0)
        return prefix_failed(prefix, path, "write", err);
    int done = commit(&temp, path_name(path), over);
    if (done == 0)
        return changed(prefix, path, err);
    return done > 0 ? 0 : prefix_failed(prefix, path, "write", err);
}

static bool look_at(const struct prefix *prefix, const char *path, struct stat *st)
{
    scope(close_fd) int folder = open_parent(prefix, path, false);

    return folder >= 0 && fstatat(folder, path_name(path), st, AT_SYMLINK_NOFOLLOW) == 0;
}

int prefix_has(const struct prefix *prefix, const char *path, struct error *err)
{
    struct stat st;

    if (look_at(prefix, path, &st))
        return 1;
    return errno == ENOENT ? 0 : prefix_failed(prefix, path, "look at", err);
}

static bool is_same(const struct stat *one, const struct stat *other)
{
    return one->st_dev == other->st_dev && one->st_ino == other->st_ino;
}

bool prefix_is_taken(const struct prefix *prefix, const char *name, const char *path)
{
    struct stat named, st;

    return look_at(prefix, name, &named) && !(look_at(prefix, path, &st) && is_same(&named, &st));
}

/* Gives a file another name as well, never one that another file has. 1: it has only that one now,
   since not every file system has hard links. */
static int name_again(int folder, const char *from, const char *to)
{
    struct stat one, other;

    if (linkat(folder, from, folder, to, 0) == 0)
        return 0;
    if (errno == EPERM || errno == EOPNOTSUPP || errno == EMLINK)
        return renameat2(folder, from, folder, to, RENAME_NOREPLACE) == 0 ? 1 : -1;
    if (errno != EEXIST || fstatat(folder, from, &one, AT_SYMLINK_NOFOLLOW) < 0 ||
        fstatat(folder, to, &other, AT_SYMLINK_NOFOLLOW) < 0)
        return -1;
    errno = EEXIST;
    return is_same(&one, &other) ? 0 : -1;
}

int prefix_keep(const struct prefix *prefix, const char *path, const char *kept, struct error *err)
{
    scope(close_fd) int folder = open_to_change(prefix, path, false);

    if (folder < 0)
        return prefix_failed(prefix, path, "keep", err);
    int moved = name_again(folder, path_name(path), path_name(kept));
    if (moved < 0 || file_sync_fd(folder) < 0)
        return prefix_failed(prefix, kept, "write", err);
    return moved;
}

/* Only a regular file was ever kept. */
static bool is_file(int folder, const char *name)
{
    struct stat st;

    if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return false;
    errno = ENOENT;
    return S_ISREG(st.st_mode);
}

int prefix_put_back(const struct prefix *prefix, const char *kept, const char *path, bool over,
                    struct error *err)
{
    scope(close_fd) int folder = open_to_change(prefix, kept, false);
    const char *from = path_name(kept), *to = path_name(path);
    bool found = folder >= 0 && is_file(folder, from);

    if (found && over && renameat(folder, from, folder, to) == 0)
        return PREFIX_PUT_BACK;
    bool named = found && !over && name_again(folder, from, to) >= 0;
    if (named && file_sync_fd(folder) == 0 && (unlinkat(folder, from, 0) == 0 || errno == ENOENT))
        return PREFIX_PUT_BACK;
    if (!named && !over && errno == EEXIST)
        return PREFIX_TAKEN;
    return errno == ENOENT ? PREFIX_NOT_KEPT : prefix_failed(prefix, path, "put back", err);
}

int prefix_remove(const struct prefix *prefix, const char *path, const struct strbuf *text,
                  struct error *err)
{
    scope(close_fd) int folder = open_to_change(prefix, path, false);
    int holds = folder < 0 ? -1 : still_holds(folder, path_name(path), text);

    if (holds > 0 && unlinkat(folder, path_name(path), 0) == 0)
        return 0;
    if (holds == 0 && prefix_has(prefix, path, err))
        return changed(prefix, path, err);
    return holds == 0 || errno == ENOENT ? 0 : prefix_failed(prefix, path, "remove", err);
}

static int open_folder(const struct prefix *prefix, const char *path)
{
    scope(close_fd) int parent = open_parent(prefix, path, false);

    return parent < 0 ? -1 : open_one(parent, path_name(path));
}

int prefix_has_folder(const struct prefix *prefix, const char *path, struct error *err)
{
    scope(close_fd) int folder = open_folder(prefix, path);

    if (folder >= 0)
        return 1;
    return errno == ENOENT ? 0 : prefix_failed(prefix, path, "open", err);
}

int prefix_remove_folder(const struct prefix *prefix, const char *path, struct error *err)
{
    scope(close_fd) int parent = open_to_change(prefix, path, false);

    if (parent >= 0 && unlinkat(parent, path_name(path), AT_REMOVEDIR) == 0)
        return 0;
    return errno == ENOENT || errno == ENOTEMPTY || errno == EEXIST
               ? 0
               : prefix_failed(prefix, path, "remove", err);
}

bool prefix_is_open_to_all(const struct prefix *prefix, const char *path)
{
    scope(close_fd) int folder = open_folder(prefix, path);
    struct stat st;

    return folder >= 0 && fstat(folder, &st) == 0 && (st.st_mode & S_IWOTH);
}

void prefix_sweep(const struct prefix *prefix, const char *path)
{
    scope(close_fd) int folder = open_folder(prefix, path);

    if (folder >= 0 && !prefix->refused)
        tempfile_sweep(folder);
}

/* To set the folder's time is to ask the server, whose answer tells that the folder has changed. */
void prefix_look_again(const struct prefix *prefix, const char *path)
{
    scope(close_fd) int folder = open_folder(prefix, path);
    struct statfs system;

    if (folder >= 0 && fstatfs(folder, &system) == 0 && system.f_type == NFS_SUPER_MAGIC)
        futimens(folder, NULL);
}

int prefix_sync(const struct prefix *prefix, const char *path, struct error *err)
{
    scope(close_fd) int folder = open_folder(prefix, path);

    return folder >= 0 && file_sync_fd(folder) == 0 ? 0 : prefix_failed(prefix, path, "write", err);
}
