#include "conda/lock.h"

#include "base/file.h"
#include "base/scope.h"
#include "base/self.h"
#include "base/tempfile.h"
#include "conda/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#define ON " on "

/* What one try came to, where it is none of enum lock_state; and what a lock's text is cut at. */
enum { AGAIN = LOCK_USELESS + 1, LONGEST = 200 };

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

/* Whether the file is now locked by us, whatever its name is. */
static bool lock_file(int fd)
{
    return again(flock(fd, LOCK_EX | LOCK_NB)) == 0;
}

/* Whether a process of this machine made it, and has ended since. Of another machine's process that
   cannot be told: flock may not reach it. */
static bool is_left_over(int fd)
{
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;

    if (file_read_fd(fd, LONGEST, &text) < 0)
        return false;
    const char *machine = strstr(strbuf_text(&text), ON);
    return machine && strcmp(machine + strlen(ON), self_host()) == 0 && lock_file(fd);
}

/* What a call on a file says whose name is gone by now, here or on the server. */
static bool is_gone(void)
{
    return errno == ENOENT || errno == ESTALE;
}

/* 1: this file has the lock's name; 0: none has, or another; -1 with errno. */
static int is_named(int folder, int fd)
{
    struct stat locked, named;

    if (fstat(fd, &locked) < 0 || fstatat(folder, LOCK_FILE, &named, AT_SYMLINK_NOFOLLOW) < 0)
        return is_gone() ? 0 : -1;
    return named.st_dev == locked.st_dev && named.st_ino == locked.st_ino;
}

/* Nobody else takes a lock away while we hold its file. */
static int take_away(int fd, const struct prefix *prefix, struct error *err)
{
    int named = is_named(prefix->folder, fd);

    if (named < 0 || (named && unlinkat(prefix->folder, LOCK_FILE, 0) < 0 && !is_gone()))
        return failed(prefix, err);
    return AGAIN;
}

/* The lock of somebody who runs, or ran. AGAIN: there is none by now, or it is one that this user
   cannot open. */
static int look_at_other(const struct prefix *prefix, struct error *err)
{
    const int flags = O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW;
    scope(close_fd) int fd = again(openat(prefix->folder, LOCK_FILE, flags));
    struct stat st;

    if (fd < 0)
        return is_gone() || errno == EACCES || errno == EROFS ? AGAIN : failed(prefix, err);
    if (fstat(fd, &st) == 0 && !S_ISREG(st.st_mode)) {
        errno = ENXIO;
        return failed(prefix, err);
    }
    return is_left_over(fd) ? take_away(fd, prefix, err) : LOCK_BUSY;
}

/* For those who wait, here and elsewhere. On a full disk the lock is none the worse without it. */
static void sign(int fd)
{
    scope(free_text) char *text = format_text("process %ld" ON "%s", (long)getpid(), self_host());

    if (text)
        file_write_fd(fd, text, strlen(text));
}

/* AGAIN: another process was quicker, or has swept our file away. */
static int make(struct lock *lock, struct prefix *prefix, struct error *err)
{
    scope(tempfile_release) struct tempfile temp = TEMPFILE_INIT;

    if (tempfile_create(&temp, prefix->folder) < 0)
        return refuse(prefix, err);
    if (prefix_own(prefix, temp.fd, 0600) < 0)
        return is_gone() ? AGAIN : failed(prefix, err);
    sign(temp.fd);
    lock_file(temp.fd);
    if (tempfile_commit_new(&temp, LOCK_FILE) < 0)
        return errno == EEXIST || is_gone() ? AGAIN : refuse(prefix, err);
    *lock = (struct lock){prefix->folder, temp.fd};
    temp.fd = -1;
    return LOCK_TAKEN;
}

/* What others have left and made until now. */
static void begin(const struct prefix *prefix)
{
    prefix_sweep(prefix, ".");
    for (size_t i = 0; i < OUR_FOLDERS; i++)
        prefix_look_again(prefix, our_folders[i]);
}

int lock_take(struct lock *lock, struct prefix *prefix, struct error *err)
{
    enum { TRIES = 10 };

    for (int i = 0; i < TRIES; i++) {
        int got = look_at_other(prefix, err);
        if (got == AGAIN)
            got = make(lock, prefix, err);
        if (got == LOCK_TAKEN)
            begin(prefix);
        if (got != AGAIN)
            return got;
    }
    return LOCK_BUSY;
}

void lock_holder(const struct prefix *prefix, struct strbuf *out)
{
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;

    if (file_read_at(prefix->folder, LOCK_FILE, O_NOFOLLOW, LONGEST, &text) == 0 && text.length)
        strbuf_add_printable(out, text.text, text.length);
    else
        strbuf_adds(out, "another process");
}

void lock_release(struct lock *lock)
{
    int saved = errno;

    if (lock->file >= 0 && is_named(lock->folder, lock->file) > 0)
        unlinkat(lock->folder, LOCK_FILE, 0);
    close_fd(&lock->file);
    *lock = LOCK_INIT;
    errno = saved;
}
