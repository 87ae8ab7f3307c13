#include "site.h"

#include "file.h"
#include "scope.h"
#include "tempfile.h"

#include <errno.h>
#include <fcntl.h>
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
                      : errno == EINVAL ? "it is neither a file nor a folder; move it away"
                      : errno == ENOTDIR
                          ? "a part of it is no folder, or a symbolic link, and conda-gpu follows "
                            "none here; replace it by a real folder"
                      : errno == EFBIG ? "it is larger than any hook; move it away"
                                       : strerror(errno);

    return error_add(err, STATUS_PREFIX, "%s/%s: cannot %s: %s", site->path, path, doing, why);
}

int site_open(struct site *site, const char *path, struct error *err)
{
    struct stat st;
    struct site opened = {path, open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), -1, false};

    if (opened.folder < 0 || fstat(opened.folder, &st) < 0)
        return error_add(err, STATUS_PREFIX, "%s: cannot open the environment: %s", path,
                         strerror(errno));
    opened.shared = st.st_mode & S_IWGRP;
    *site = opened;
    return 0;
}

void site_close(struct site *site)
{
    close_fd(&site->lock);
    close_fd(&site->folder);
    *site = (struct site)SITE_INIT;
}

/* Over NFS an exclusive lock needs a descriptor that may write; locally any will do. */
static int open_for_lock(const struct site *site)
{
    static const int ways[] = {O_RDWR, O_RDONLY};

    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        int fd = openat(site->folder, "conda-meta/history", ways[i] | O_CLOEXEC | O_NOCTTY);
        if (fd >= 0)
            return fd;
    }
    return openat(site->folder, "conda-meta", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

int site_lock(struct site *site, struct error *err)
{
    if (site->lock < 0)
        site->lock = open_for_lock(site);
    if (site->lock < 0)
        return failed(site, "conda-meta", "lock the environment", err);
    if (flock(site->lock, LOCK_EX | LOCK_NB) == 0)
        return 0;
    if (errno == EWOULDBLOCK || errno == EINTR)
        return 1;
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

static int make_folder(const struct site *site, int parent, const char *name)
{
    int fd;

    if (mkdirat(parent, name, 0700) < 0)
        return -1;
    fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0 && (fchmod(fd, site->shared ? 0775 : 0755) < 0 || fsync(parent) < 0)) {
        close(fd);
        return -1;
    }
    return fd;
}

/* Opens the folder that `path` is in, one part after the other, and makes missing ones if asked. */
static int open_parent(const struct site *site, const char *path, bool make)
{
    int folder = fcntl(site->folder, F_DUPFD_CLOEXEC, 3);

    for (const char *slash; folder >= 0 && (slash = strchr(path, '/')); path = slash + 1) {
        scope(close_fd) int parent = folder;
        scope(free_text) char *name = strndup(path, (size_t)(slash - path));
        if (!name)
            return -1;
        folder = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (folder < 0 && errno == ENOENT && make)
            folder = make_folder(site, parent, name);
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
    scope(tempfile_release) struct tempfile temp = TEMPFILE_INIT;
    scope(close_fd) int folder = open_parent(site, path, true);

    if (folder < 0 || tempfile_create(&temp, folder, site->shared ? 0664 : 0644) < 0 ||
        tempfile_write(&temp, text, length) < 0 || tempfile_commit(&temp, path_name(path)) < 0)
        return failed(site, path, "write", err);
    return 0;
}

static bool look_at(const struct site *site, const char *path, struct stat *st)
{
    scope(close_fd) int folder = open_parent(site, path, false);

    return folder >= 0 && fstatat(folder, path_name(path), st, AT_SYMLINK_NOFOLLOW) == 0;
}

bool site_has(const struct site *site, const char *path)
{
    struct stat st;

    return look_at(site, path, &st);
}

bool site_is_same(const struct site *site, const char *path, const char *other)
{
    struct stat one, two;

    return look_at(site, path, &one) && look_at(site, other, &two) && one.st_dev == two.st_dev &&
           one.st_ino == two.st_ino;
}

int site_keep(const struct site *site, const char *path, const char *kept, struct error *err)
{
    scope(close_fd) int folder = open_parent(site, path, false);
    const char *from = path_name(path), *to = path_name(kept);

    if (folder < 0)
        return failed(site, path, "keep", err);
    if (linkat(folder, from, folder, to, 0) == 0 ||
        (errno == EEXIST && site_is_same(site, path, kept)))
        return fsync(folder) == 0 ? 0 : failed(site, kept, "write", err);
    /* No hard links on this file system. */
    if ((errno == EPERM || errno == EOPNOTSUPP || errno == EMLINK) &&
        renameat2(folder, from, folder, to, RENAME_NOREPLACE) == 0)
        return 0;
    return failed(site, kept, "write", err);
}

int site_put_back(const struct site *site, const char *kept, const char *path, struct error *err)
{
    scope(close_fd) int folder = open_parent(site, kept, false);

    if (folder >= 0 &&
        renameat2(folder, path_name(kept), folder, path_name(path), RENAME_NOREPLACE) == 0)
        return fsync(folder) == 0 ? 0 : failed(site, path, "write", err);
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
    scope(free_text) char *inside = path_join(path, "x");

    return inside ? open_parent(site, inside, false) : -1;
}

bool site_has_folder(const struct site *site, const char *path)
{
    scope(close_fd) int folder = open_folder(site, path);

    return folder >= 0;
}

bool site_is_open_to_all(const struct site *site, const char *path)
{
    scope(close_fd) int folder = open_folder(site, path);
    struct stat st;

    return folder >= 0 && fstat(folder, &st) == 0 && (st.st_mode & S_IWOTH);
}

void site_remove_folder(const struct site *site, const char *path)
{
    scope(close_fd) int folder = open_parent(site, path, false);

    if (folder >= 0)
        unlinkat(folder, path_name(path), AT_REMOVEDIR);
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

    return folder >= 0 && fsync(folder) == 0 ? 0 : failed(site, path, "write", err);
}
