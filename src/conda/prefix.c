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

static int failed(const struct site *site, const char *path, const char *doing, struct error *err)
{
    const char *why = errno == ELOOP    ? "it is a symbolic link, and conda-gpu follows none here; "
                                          "replace it by a real file or folder"
                      : errno == EISDIR ? "it is a folder; move it away"
                      : errno == ENXIO  ? "it is neither a file nor a folder; move it away"
                      : errno == ENOTDIR
                          ? "a part of it is no folder, or a symbolic link, and conda-gpu follows "
                            "none here; replace it by a real folder"
                      : errno == EFBIG ? "it is larger than any hook; move it away"
                                       : strerror(errno);

    if (errno == ENOMEM)
        return error_memory(err);
    return error_add(err, STATUS_PREFIX, "%s/%s: cannot %s: %s", site->path, path, doing, why);
}

int site_open(struct site *site, const char *path, struct error *err)
{
    struct stat st;
    scope(close_fd) int folder = again(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));

    if (folder < 0 || fstat(folder, &st) < 0)
        return error_add(err, STATUS_PREFIX, "%s: cannot open the environment: %s", path,
                         strerror(errno));
    *site = (struct site){path, folder, -1, st.st_mode & S_IWGRP, st.st_gid};
    folder = -1;
    return 0;
}

void site_close(struct site *site)
{
    close_fd(&site->lock);
    close_fd(&site->folder);
    *site = (struct site)SITE_INIT;
}

/* Over NFS an exclusive lock needs a descriptor that may write; locally any will do. Only where
   there is no history is it the folder's lock: everybody must take the same one. */
static int open_for_lock(const struct site *site)
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
        fd = again(openat(site->folder, ways[i].path, flags));
    }
    return fd;
}

int site_lock(struct site *site, struct error *err)
{
    if (site->lock < 0)
        site->lock = open_for_lock(site);
    if (site->lock >= 0 && again(flock(site->lock, LOCK_EX | LOCK_NB)) == 0)
        return SITE_LOCKED;
    if (site->lock >= 0 && errno == EWOULDBLOCK)
        return SITE_BUSY;
    if (site->lock >= 0 && (errno == ENOLCK || errno == ENOSYS || errno == EOPNOTSUPP))
        return SITE_NO_LOCK;
    if (errno == EBADF) /* what NFS says of a descriptor that may not write */
        errno = EACCES;
    return failed(site, "conda-meta/history", "lock the environment", err);
}

/* The process that holds an flock on this file, 0 if unknown. */
static long find_holder(const struct stat *st)
{
    scope(strbuf_release) struct strbuf locks = STRBUF_INIT;
    scope(free_text) char *file =
        format_text(" %02x:%02x:%ju ", major(st->st_dev), minor(st->st_dev), (uintmax_t)st->st_ino);

    if (!file || file_read("/proc/locks", SITE_FILE_LIMIT, &locks) < 0)
        return 0;
    const char *at = strstr(strbuf_text(&locks), file);
    while (at && at > locks.text && at[-1] != '\n' && at[-1] != ' ')
        at--;
    return at ? strtol(at, NULL, 10) : 0;
}

void site_lock_holder(const struct site *site, struct strbuf *out)
{
    struct stat st;
    scope(strbuf_release) struct strbuf name = STRBUF_INIT;
    long process = fstat(site->lock, &st) == 0 ? find_holder(&st) : 0;
    scope(free_text) char *path = format_text("/proc/%ld/comm", process);

    if (process > 0 && path && file_read(path, SITE_FILE_LIMIT, &name) == 0)
        strbuf_addf(out, "%.*s (process %ld)", (int)strcspn(strbuf_text(&name), "\n"),
                    strbuf_text(&name), process);
    else
        strbuf_adds(out, "another process");
}

/* Gives a new file or folder its mode, whatever the umask, and in a shared prefix its group: with
   another one the right to write could be anybody's. */
static int set_mode(const struct site *site, int fd, mode_t mode)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return -1;
    if (site->shared &&
        (st.st_gid == site->group || again(fchown(fd, (uid_t)-1, site->group)) == 0))
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
static int open_parent(const struct site *site, const char *path, bool make)
{
    int folder = fcntl(site->folder, F_DUPFD_CLOEXEC, 3);

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

int site_read(const struct site *site, const char *path, struct strbuf *out, struct error *err)
{
    scope(close_fd) int folder = open_parent(site, path, false);

    if (folder >= 0 && file_read_at(folder, path_name(path), SITE_FILE_LIMIT, out) == 0)
        return 1;
    return errno == ENOENT ? 0 : failed(site, path, "read", err);
}

int site_write(const struct site *site, const char *path, const char *text, size_t length,
               struct error *err)
{
    scope(close_fd) int folder = open_parent(site, path, true);
    scope(tempfile_release) struct tempfile temp = TEMPFILE_INIT;

    if (folder < 0 || tempfile_create(&temp, folder) < 0 || set_mode(site, temp.fd, 0644) < 0 ||
        tempfile_write(&temp, text, length) < 0 || tempfile_commit(&temp, path_name(path)) < 0)
        return failed(site, path, "write", err);
    return 0;
}

static bool look_at(const struct site *site, const char *path, struct stat *st)
{
    scope(close_fd) int folder = open_parent(site, path, false);

    return folder >= 0 && fstatat(folder, path_name(path), st, AT_SYMLINK_NOFOLLOW) == 0;
}

int site_has(const struct site *site, const char *path, struct error *err)
{
    struct stat st;

    if (look_at(site, path, &st))
        return 1;
    return errno == ENOENT ? 0 : failed(site, path, "look at", err);
}

static bool is_same(const struct stat *one, const struct stat *other)
{
    return one->st_dev == other->st_dev && one->st_ino == other->st_ino;
}

bool site_is_taken(const struct site *site, const char *name, const char *path)
{
    struct stat named, st;

    return look_at(site, name, &named) && !(look_at(site, path, &st) && is_same(&named, &st));
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

int site_keep(const struct site *site, const char *path, const char *kept, struct error *err)
{
    scope(close_fd) int folder = open_parent(site, path, false);
    const char *from = path_name(path), *to = path_name(kept);

    if (folder < 0)
        return failed(site, path, "keep", err);
    if (name_again(folder, from, to) < 0 || file_sync_fd(folder) < 0)
        return failed(site, kept, "write", err);
    return 0;
}

int site_put_back(const struct site *site, const char *kept, const char *path, struct error *err)
{
    scope(close_fd) int folder = open_parent(site, kept, false);
    const char *from = path_name(kept), *to = path_name(path);
    bool named = folder >= 0 && name_again(folder, from, to) == 0;

    if (named && file_sync_fd(folder) == 0 && (unlinkat(folder, from, 0) == 0 || errno == ENOENT))
        return SITE_PUT_BACK;
    if (!named && errno == EEXIST)
        return SITE_TAKEN;
    return errno == ENOENT ? SITE_NOT_KEPT : failed(site, path, "put back", err);
}

int site_put_over(const struct site *site, const char *kept, const char *path, struct error *err)
{
    scope(close_fd) int folder = open_parent(site, kept, false);

    if (folder >= 0 && renameat(folder, path_name(kept), folder, path_name(path)) == 0)
        return 1;
    return errno == ENOENT ? 0 : failed(site, path, "put back", err);
}

int site_remove(const struct site *site, const char *path, struct error *err)
{
    scope(close_fd) int folder = open_parent(site, path, false);

    if (folder >= 0 && unlinkat(folder, path_name(path), 0) == 0)
        return 0;
    return errno == ENOENT ? 0 : failed(site, path, "remove", err);
}

static int open_folder(const struct site *site, const char *path)
{
    scope(close_fd) int parent = open_parent(site, path, false);

    return parent < 0 ? -1 : open_one(parent, path_name(path));
}

int site_has_folder(const struct site *site, const char *path, struct error *err)
{
    scope(close_fd) int folder = open_folder(site, path);

    if (folder >= 0)
        return 1;
    return errno == ENOENT ? 0 : failed(site, path, "open", err);
}

bool site_is_open_to_all(const struct site *site, const char *path)
{
    scope(close_fd) int folder = open_folder(site, path);
    struct stat st;

    return folder >= 0 && fstat(folder, &st) == 0 && (st.st_mode & S_IWOTH);
}

static bool is_marked(const struct stat *st)
{
    return st->st_mode & S_ISVTX && !(st->st_mode & (S_IWGRP | S_IWOTH));
}

bool site_is_marked(const struct site *site, const char *path)
{
    struct stat st;

    return look_at(site, path, &st) && S_ISDIR(st.st_mode) && is_marked(&st);
}

int site_settle(const struct site *site, const char *path, struct error *err)
{
    struct stat st;
    scope(close_fd) int folder = open_folder(site, path);

    if (folder >= 0 && fstat(folder, &st) == 0 &&
        (!is_marked(&st) || set_mode(site, folder, 0755) == 0))
        return 0;
    return errno == ENOENT ? 0 : failed(site, path, "write", err);
}

mode_t site_mark(const struct site *site, const char *path)
{
    struct stat st;
    scope(close_fd) int folder = open_folder(site, path);

    if (folder < 0 || fstat(folder, &st) < 0)
        return 0;
    mode_t mode = st.st_mode & ALLPERMS;
    mode_t marked = (mode | S_ISVTX) & ~(mode_t)(S_IWGRP | S_IWOTH);
    return again(fchmod(folder, marked)) == 0 ? mode : 0;
}

int site_unmark(const struct site *site, const char *path, mode_t mode, struct error *err)
{
    scope(close_fd) int folder = mode ? open_folder(site, path) : -1;

    return !mode || (folder >= 0 && again(fchmod(folder, mode)) == 0)
               ? 0
               : failed(site, path, "write", err);
}

int site_count(const struct site *site, const char *path)
{
    int fd = open_folder(site, path), count = 0;
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

int site_remove_folder(const struct site *site, const char *path, mode_t mode, struct error *err)
{
    scope(close_fd) int parent = open_parent(site, path, false);

    if (parent >= 0 && unlinkat(parent, path_name(path), AT_REMOVEDIR) == 0)
        return 0;
    if (parent >= 0 && (errno == ENOTEMPTY || errno == EEXIST))
        return site_unmark(site, path, mode, err);
    return errno == ENOENT ? 0 : failed(site, path, "remove", err);
}

void site_sweep(const struct site *site, const char *path)
{
    scope(close_fd) int folder = open_folder(site, path);

    if (folder >= 0)
        tempfile_sweep(folder);
}

int site_sync(const struct site *site, const char *path, struct error *err)
{
    scope(close_fd) int folder = open_folder(site, path);

    return folder >= 0 && file_sync_fd(folder) == 0 ? 0 : failed(site, path, "write", err);
}
