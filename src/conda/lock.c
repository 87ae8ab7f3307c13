#include "conda/lock.h"

#include "base/file.h"
#include "base/scope.h"
#include "base/tempfile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#define LOCK_FILE ".conda-gpu.lock"

/* What one try came to, where it is none of enum lock_state. */
enum { AGAIN = LOCK_NONE + 1 };

static int failed(const struct prefix *prefix, struct error *err)
{
    return prefix_failed(prefix, LOCK_FILE, "lock the environment", err);
}

/* What errno says of a file that cannot be made. */
static int refuse(struct prefix *prefix, struct error *err)
{
    if (errno != EACCES && errno != EPERM && errno != EROFS)
        return failed(prefix, err);
    prefix->refused = errno;
    return LOCK_USELESS;
}

/* LOCK_TAKEN: this file is locked, whatever its name is by now. */
static int lock_file(int fd, const struct prefix *prefix, struct error *err)
{
    if (again(flock(fd, LOCK_EX | LOCK_NB)) == 0)
        return LOCK_TAKEN;
    return errno == EWOULDBLOCK                                        ? LOCK_BUSY
           : errno == ENOLCK || errno == ENOSYS || errno == EOPNOTSUPP ? LOCK_NONE
           : errno == ESTALE                                           ? AGAIN
                                                                       : failed(prefix, err);
}

/* Takes a lock away that nobody holds. The name may be another file's by now. */
static int take_away(int fd, const struct prefix *prefix, struct error *err)
{
    struct stat locked, named;

    if (fstat(fd, &locked) < 0)
        return failed(prefix, err);
    if (fstatat(prefix->folder, LOCK_FILE, &named, AT_SYMLINK_NOFOLLOW) < 0 ||
        named.st_dev != locked.st_dev || named.st_ino != locked.st_ino)
        return AGAIN;
    return unlinkat(prefix->folder, LOCK_FILE, 0) == 0 || errno == ENOENT ? AGAIN
                                                                          : failed(prefix, err);
}

/* The lock of somebody who runs, or ran. Of another user it may be one that this user cannot open.
 */
static int look_at_other(const struct prefix *prefix, struct error *err)
{
    const int flags = O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW;
    scope(close_fd) int fd = again(openat(prefix->folder, LOCK_FILE, flags));
    struct stat st;

    if (fd < 0)
        return errno == ENOENT ? AGAIN : errno == EACCES ? LOCK_BUSY : failed(prefix, err);
    if (fstat(fd, &st) == 0 && !S_ISREG(st.st_mode)) {
        errno = ENXIO;
        return failed(prefix, err);
    }
    int got = lock_file(fd, prefix, err);
    return got == LOCK_TAKEN ? take_away(fd, prefix, err) : got;
}

/* For those who wait. On a full disk the lock is none the worse without it. */
static void sign(int fd)
{
    struct utsname machine;
    scope(free_text) char *text =
        uname(&machine) == 0 ? format_text("process %ld on %s", (long)getpid(), machine.nodename)
                             : NULL;

    if (text)
        file_write_fd(fd, text, strlen(text));
}

/* AGAIN: another process was quicker, or has swept our file away. */
static int make(struct lock *lock, struct prefix *prefix, struct error *err)
{
    scope(tempfile_release) struct tempfile temp = TEMPFILE_INIT;

    if (tempfile_create(&temp, prefix->folder) < 0)
        return refuse(prefix, err);
    int got = lock_file(temp.fd, prefix, err);
    if (got != LOCK_TAKEN)
        return got;
    if (prefix_own(prefix, temp.fd, 0600) < 0)
        return failed(prefix, err);
    sign(temp.fd);
    if (tempfile_commit_new(&temp, LOCK_FILE) < 0)
        return errno == EEXIST || errno == ENOENT ? AGAIN : refuse(prefix, err);
    *lock = (struct lock){prefix->folder, temp.fd};
    temp.fd = -1;
    return LOCK_TAKEN;
}

int lock_take(struct lock *lock, struct prefix *prefix, struct error *err)
{
    enum { TRIES = 10 };

    for (int i = 0; i < TRIES; i++) {
        int got = make(lock, prefix, err);
        if (got == AGAIN)
            got = look_at_other(prefix, err);
        if (got == LOCK_TAKEN)
            prefix_sweep(prefix, ".");
        if (got != AGAIN)
            return got;
    }
    return LOCK_BUSY;
}

void lock_holder(const struct prefix *prefix, struct strbuf *out)
{
    enum { LONGEST = 200 };
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;

    if (file_read_at(prefix->folder, LOCK_FILE, LONGEST, &text) == 0 && text.length)
        strbuf_add_printable(out, text.text, text.length);
    else
        strbuf_adds(out, "another process");
}

void lock_release(struct lock *lock)
{
    int saved = errno;

    if (lock->file >= 0)
        unlinkat(lock->folder, LOCK_FILE, 0);
    close_fd(&lock->file);
    *lock = (struct lock)LOCK_INIT;
    errno = saved;
}
