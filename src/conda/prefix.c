#include "conda/prefix.h"

#include "base/file.h"
#include "base/scope.h"
#include "base/tempfile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static int failed(const struct prefix *prefix, const char *path, const char *doing,
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
        : errno == EOVERFLOW ? "it is larger than any hook; move it away"
                             : strerror(errno);

    if (errno == ENOMEM)
        return error_memory(err);
    return error_add(err, STATUS_PREFIX, "%s/%s: cannot %s: %s", prefix->path, path, doing, why);
}

int prefix_open(struct prefix *prefix, const char *path, struct error *err)
{
    struct stat st;
    scope(close_fd) int folder = again(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));

    if (folder < 0 || fstat(folder, &st) < 0)
        return error_add(err, STATUS_PREFIX, "%s: cannot open the environment: %s", path,
                         strerror(errno));
    *prefix = (struct prefix){path, folder, -1, st.st_mode & S_IWGRP, st.st_gid};
    folder = -1;
    return 0;
}

void prefix_close(struct prefix *prefix)
{
    close_fd(&prefix->lock);
    close_fd(&prefix->folder);
    *prefix = (struct prefix)PREFIX_INIT;
}

/* Over NFS an exclusive lock needs a descriptor that may write; locally any will do. Only where
   there is no history is it the folder's lock: everybody must take the same one. */
static int open_for_lock(const struct prefix *prefix)
{
    static const struct {
        const char *path;
        int flags;
    } ways[] = {{"conda-meta/history", O_RDWR},
                {"conda-meta/history", O_RDONLY},
                {"conda-meta", O_RDONLY | O_DIRECTORY}};
    int fd = -1;

    for (size_t i = 0; fd < 0 && i < sizeof ways / sizeof *ways; i++) {
        if (i == 2 && errno != ENOENT)
            break;
        const int flags = ways[i].flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
        fd = again(openat(prefix->folder, ways[i].path, flags));
    }
    return fd;
}

int prefix_lock(struct prefix *prefix, struct error *err)
{
    if (prefix->lock < 0)
        prefix->lock = open_for_lock(prefix);
    if (prefix->lock >= 0 && again(flock(prefix->lock, LOCK_EX | LOCK_NB)) == 0)
        return PREFIX_LOCKED;
    if (prefix->lock >= 0 && errno == EWOULDBLOCK)
        return PREFIX_BUSY;
    if (prefix->lock >= 0 && (errno == ENOLCK || errno == ENOSYS || errno == EOPNOTSUPP))
        return PREFIX_NO_LOCK;
    if (errno == EBADF) /* what NFS says of a descriptor that may not write */
        errno = EACCES;
    return failed(prefix, "conda-meta/history", "lock the environment", err);
}

/* The process that holds an flock on this file, 0 if unknown. */
static long find_holder(const struct stat *st)
{
    scope(strbuf_release) struct strbuf locks = STRBUF_INIT;
    scope(free_text) char *file =
        format_text(" %02x:%02x:%ju ", major(st->st_dev), minor(st->st_dev), (uintmax_t)st->st_ino);

    if (!file || file_read("/proc/locks", PREFIX_FILE_LIMIT, &locks) < 0)
        return 0;
    const char *at = strstr(strbuf_text(&locks), file);
    while (at && at > locks.text && at[-1] != '\n' && at[-1] != ' ')
        at--;
    return at ? strtol(at, NULL, 10) : 0;
}

void prefix_lock_holder(const struct prefix *prefix, struct strbuf *out)
{
    struct stat st;
    scope(strbuf_release) struct strbuf name = STRBUF_INIT;
    long process = fstat(prefix->lock, &st) == 0 ? find_holder(&st) : 0;
    scope(free_text) char *path = format_text("/proc/%ld/comm", process);

    if (process > 0 && path && file_read(path, PREFIX_FILE_LIMIT, &name) == 0)
        strbuf_addf(out, "%.*s (process %ld)", (int)strcspn(strbuf_text(&name), "\n"),
                    strbuf_text(&name), process);
    else
        strbuf_adds(out, "another process");
}

/* Gives a new file or folder its mode, whatever the umask, and in a shared prefix its group: with
   another one the right to write could be anybody's. */
static int set_mode(const struct prefix *prefix, int fd, mode_t mode)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return -1;
    if (prefix->shared &&
        (st.st_gid == prefix->group || again(fchown(fd, (uid_t)-1, prefix->group)) == 0))
        mode |= S_IWGRP;
    return again(fchmod(fd, mode | (st.st_mode & S_ISGID)));
}

static int open_one(int parent, const char *name)
{
    return again(openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

static int make_folder(int parent, const char *name)
{
    if (mkdirat(parent, name, S_ISVTX | 0755) < 0 || file_sync_fd(parent) < 0)
        return -1;
    return open_one(parent, name);
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
            folder = make_folder(parent, name);
    }
    return folder;
}

int prefix_read(const struct prefix *prefix, const char *path, struct strbuf *out,
                struct error *err)
{
    scope(close_fd) int folder = open_parent(prefix, path, false);

    if (folder >= 0 && file_read_at(folder, path_name(path), PREFIX_FILE_LIMIT, out) == 0)
        return 1;
    return errno == ENOENT ? 0 : failed(prefix, path, "read", err);
}

int prefix_write(const struct prefix *prefix, const char *path, const char *text, size_t length,
                 struct error *err)
{
    scope(close_fd) int folder = open_parent(prefix, path, true);
    scope(tempfile_release) struct tempfile temp = TEMPFILE_INIT;

    if (folder < 0 || tempfile_create(&temp, folder) < 0 || set_mode(prefix, temp.fd, 0644) < 0 ||
        tempfile_write(&temp, text, length) < 0 || tempfile_commit(&temp, path_name(path)) < 0)
        return failed(prefix, path, "write", err);
    return 0;
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
    return errno == ENOENT ? 0 : failed(prefix, path, "look at", err);
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

/* Gives a file another name, never one that another file has. Not every file system has hard
   links; there the first name goes at once. */
static int name_again(int folder, const char *from, const char *to)
{
    struct stat one, other;

    if (linkat(folder, from, folder, to, 0) == 0)
        return 0;
    if (errno == EPERM || errno == EOPNOTSUPP || errno == EMLINK)
        return renameat2(folder, from, folder, to, RENAME_NOREPLACE);
    if (errno != EEXIST || fstatat(folder, from, &one, AT_SYMLINK_NOFOLLOW) < 0 ||
        fstatat(folder, to, &other, AT_SYMLINK_NOFOLLOW) < 0)
        return -1;
    errno = EEXIST;
    return is_same(&one, &other) ? 0 : -1;
}

int prefix_keep(const struct prefix *prefix, const char *path, const char *kept, struct error *err)
{
    scope(close_fd) int folder = open_parent(prefix, path, false);
    const char *from = path_name(path), *to = path_name(kept);

    if (folder < 0)
        return failed(prefix, path, "keep", err);
    if (name_again(folder, from, to) < 0 || file_sync_fd(folder) < 0)
        return failed(prefix, kept, "write", err);
    return 0;
}

int prefix_put_back(const struct prefix *prefix, const char *kept, const char *path,
                    struct error *err)
{
    scope(close_fd) int folder = open_parent(prefix, kept, false);
    const char *from = path_name(kept), *to = path_name(path);
    bool named = folder >= 0 && name_again(folder, from, to) == 0;

    if (named && file_sync_fd(folder) == 0 && (unlinkat(folder, from, 0) == 0 || errno == ENOENT))
        return PREFIX_PUT_BACK;
    if (!named && errno == EEXIST)
        return PREFIX_TAKEN;
    return errno == ENOENT ? PREFIX_NOT_KEPT : failed(prefix, path, "put back", err);
}

int prefix_put_over(const struct prefix *prefix, const char *kept, const char *path,
                    struct error *err)
{
    scope(close_fd) int folder = open_parent(prefix, kept, false);

    if (folder >= 0 && renameat(folder, path_name(kept), folder, path_name(path)) == 0)
        return 1;
    return errno == ENOENT ? 0 : failed(prefix, path, "put back", err);
}

int prefix_remove(const struct prefix *prefix, const char *path, struct error *err)
{
    scope(close_fd) int folder = open_parent(prefix, path, false);

    if (folder >= 0 && unlinkat(folder, path_name(path), 0) == 0)
        return 0;
    return errno == ENOENT ? 0 : failed(prefix, path, "remove", err);
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
    return errno == ENOENT ? 0 : failed(prefix, path, "open", err);
}

bool prefix_is_open_to_all(const struct prefix *prefix, const char *path)
{
    scope(close_fd) int folder = open_folder(prefix, path);
    struct stat st;

    return folder >= 0 && fstat(folder, &st) == 0 && (st.st_mode & S_IWOTH);
}

static bool is_marked(const struct stat *st)
{
    return st->st_mode & S_ISVTX && !(st->st_mode & (S_IWGRP | S_IWOTH));
}

bool prefix_is_marked(const struct prefix *prefix, const char *path)
{
    struct stat st;

    return look_at(prefix, path, &st) && S_ISDIR(st.st_mode) && is_marked(&st);
}

int prefix_settle(const struct prefix *prefix, const char *path, struct error *err)
{
    struct stat st;
    scope(close_fd) int folder = open_folder(prefix, path);

    if (folder >= 0 && fstat(folder, &st) == 0 &&
        (!is_marked(&st) || set_mode(prefix, folder, 0755) == 0))
        return 0;
    return errno == ENOENT ? 0 : failed(prefix, path, "write", err);
}

mode_t prefix_mark(const struct prefix *prefix, const char *path)
{
    struct stat st;
    scope(close_fd) int folder = open_folder(prefix, path);

    if (folder < 0 || fstat(folder, &st) < 0)
        return 0;
    mode_t mode = st.st_mode & ALLPERMS;
    mode_t marked = (mode | S_ISVTX) & ~(mode_t)(S_IWGRP | S_IWOTH);
    return again(fchmod(folder, marked)) == 0 ? mode : 0;
}

int prefix_unmark(const struct prefix *prefix, const char *path, mode_t mode, struct error *err)
{
    scope(close_fd) int folder = mode ? open_folder(prefix, path) : -1;

    return !mode || (folder >= 0 && again(fchmod(folder, mode)) == 0)
               ? 0
               : failed(prefix, path, "write", err);
}

int prefix_count(const struct prefix *prefix, const char *path)
{
    int fd = open_folder(prefix, path), count = 0;
    DIR *entries = fd < 0 ? NULL : fdopendir(fd);

    if (!entries) {
        close_fd(&fd);
        return -1;
    }
    errno = 0;
    for (struct dirent *entry; (entry = readdir(entries));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            count++;
    if (errno)
        count = -1;
    closedir(entries);
    return count;
}

int prefix_remove_folder(const struct prefix *prefix, const char *path, mode_t mode,
                         struct error *err)
{
    scope(close_fd) int parent = open_parent(prefix, path, false);

    if (parent >= 0 && unlinkat(parent, path_name(path), AT_REMOVEDIR) == 0)
        return 0;
    if (parent >= 0 && (errno == ENOTEMPTY || errno == EEXIST))
        return prefix_unmark(prefix, path, mode, err);
    return errno == ENOENT ? 0 : failed(prefix, path, "remove", err);
}

void prefix_sweep(const struct prefix *prefix, const char *path)
{
    scope(close_fd) int folder = open_folder(prefix, path);

    if (folder >= 0)
        tempfile_sweep(folder);
}

int prefix_sync(const struct prefix *prefix, const char *path, struct error *err)
{
    scope(close_fd) int folder = open_folder(prefix, path);

    return folder >= 0 && file_sync_fd(folder) == 0 ? 0 : failed(prefix, path, "write", err);
}
