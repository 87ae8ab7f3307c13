#include "export/keep.h"

#include "base/file.h"
#include "base/scope.h"
#include "base/tempfile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

enum { LARGEST = 4 << 20 }; /* bytes of such a file */

static int failed(const struct keep *keep, const char *doing, struct error *err)
{
    return error_add(err, STATUS_PREFIX, "%s: cannot %s: %s", keep->path, doing,
                     file_reason(errno));
}

/* With the slash at its end; "" where the path has none. */
static char *folder_of(const char *path)
{
    return strndup(path, (size_t)(path_name(path) - path));
}

/* Through links, which stay; of a file that is not there yet the folder must be. */
static char *whole_path(const char *path)
{
    char *real = realpath(path, NULL);

    if (real || errno != ENOENT)
        return real;
    scope(free_text) char *before = folder_of(path);
    scope(free_text) char *folder = before ? realpath(*before ? before : ".", NULL) : NULL;
    return folder ? path_join(folder, path_name(path)) : NULL;
}

int keep_open(struct keep *keep, const char *path, const struct format *format, struct error *err)
{
    if (!format->merge)
        return error_add(err, STATUS_INPUT,
                         "no file is kept in the format %s, only in dotenv and jupyter; write it "
                         "once: conda-gpu export --format %s > FILE",
                         format->name, format->name);
    keep->format = format;
    keep->path = whole_path(path);
    if (!keep->path)
        return error_add(err, STATUS_PREFIX, "%s: cannot write: %s", path, strerror(errno));
    keep->exists = file_read(keep->path, LARGEST, &keep->found) == 0;
    if (!keep->exists && errno != ENOENT)
        return failed(keep, "read", err);
    if (strlen(strbuf_text(&keep->found)) < keep->found.length)
        return error_add(err, STATUS_PREFIX, "%s: it holds a NUL byte, so it is no %s file",
                         keep->path, format->name);
    keep->owner = format->owner(&keep->found);
    return 0;
}

int keep_put(struct keep *keep, const struct exported *what, struct error *err)
{
    if (keep->owner && strcmp(keep->owner, what->prefix) != 0)
        return error_add(err, STATUS_PREFIX,
                         "%s: it is kept for another environment, %s; 'conda-gpu remove -p' with "
                         "that path takes its part out",
                         keep->path, keep->owner);
    return keep->format->merge(keep, what, err);
}

bool keep_differs(const struct keep *keep)
{
    return !strbuf_equal(&keep->text, &keep->found);
}

/* What is there, or what a new file gets. */
static int own(const struct keep *keep, int fd)
{
    struct stat st;

    if (keep->exists && stat(keep->path, &st) < 0)
        return -1;
    if (keep->exists && (st.st_uid != geteuid() || st.st_gid != getegid()) &&
        again(fchown(fd, st.st_uid, st.st_gid)) < 0)
        return -1;
    mode_t mask = umask(0);
    umask(mask);
    return again(fchmod(fd, keep->exists ? st.st_mode & 07777 : 0666 & ~mask));
}

static int check_as_found(const struct keep *keep, struct error *err)
{
    scope(strbuf_release) struct strbuf now = STRBUF_INIT;
    bool there = file_read(keep->path, LARGEST, &now) == 0;

    if (!there && errno != ENOENT)
        return failed(keep, "read", err);
    if (there == keep->exists && strbuf_equal(&now, &keep->found))
        return 0;
    return error_add(
        err, STATUS_PREFIX,
        "%s: somebody changed it just now, so it was left as it is; run conda-gpu again",
        keep->path);
}

static int replace(const struct keep *keep, int folder)
{
    scope(tempfile_release) struct tempfile temp = TEMPFILE_INIT;
    const char *name = path_name(keep->path);

    if (!keep->text.length)
        return unlinkat(folder, name, 0);
    if (tempfile_create(&temp, folder) < 0 || own(keep, temp.fd) < 0 ||
        tempfile_write(&temp, keep->text.text, keep->text.length) < 0)
        return -1;
    return keep->exists ? tempfile_commit(&temp, name) : tempfile_commit_new(&temp, name);
}

int keep_write(const struct keep *keep, struct error *err)
{
    scope(free_text) char *path = folder_of(keep->path);

    if (!path)
        return error_memory(err);
    scope(close_fd) int folder = again(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (folder < 0)
        return failed(keep, "write", err);
    if (check_as_found(keep, err) < 0)
        return -1;
    if (replace(keep, folder) < 0 || file_sync_fd(folder) < 0)
        return failed(keep, "write", err);
    return 0;
}

void keep_release(struct keep *keep)
{
    free(keep->path);
    free(keep->owner);
    strbuf_release(&keep->found);
    strbuf_release(&keep->text);
}
