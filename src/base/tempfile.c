#include "base/tempfile.h"

#include "base/file.h"
#include "base/scope.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/random.h>

/* Nobody has a name with these 64 random bits. */
int tempfile_create(struct tempfile *temp, int folder)
{
    struct tempfile made = {.folder = folder};
    uint64_t random;

    if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
        return -1;
    snprintf(made.name, sizeof made.name, ".conda-gpu-%016llx.tmp", (unsigned long long)random);
    made.fd = again(
        openat(folder, made.name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (made.fd < 0)
        return -1;
    *temp = made;
    return 0;
}

int tempfile_write(struct tempfile *temp, const char *bytes, size_t length)
{
    if (file_write_fd(temp->fd, bytes, length) < 0 || file_sync_fd(temp->fd) < 0)
        return -1;
    int fd = temp->fd;
    temp->fd = -1;
    return close(fd) == 0 || errno == EINTR ? 0 : -1; /* interrupted, it is closed all the same */
}

int tempfile_commit(struct tempfile *temp, const char *name)
{
    if (renameat(temp->folder, temp->name, temp->folder, name) < 0)
        return -1;
    temp->name[0] = '\0';
    return 0;
}

/* NFS renames only over what is there. */
int tempfile_commit_new(struct tempfile *temp, const char *name)
{
    int folder = temp->folder;

    if (renameat2(folder, temp->name, folder, name, RENAME_NOREPLACE) == 0)
        temp->name[0] = '\0';
    else if ((errno != EINVAL && errno != ENOSYS) ||
             linkat(folder, temp->name, folder, name, 0) < 0)
        return -1;
    return 0;
}

void tempfile_release(struct tempfile *temp)
{
    int saved = errno;

    close_fd(&temp->fd);
    if (temp->name[0])
        unlinkat(temp->folder, temp->name, 0);
    *temp = TEMPFILE_INIT;
    errno = saved;
}

void tempfile_sweep(int folder)
{
    int fd = again(openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    DIR *entries = fd < 0 ? NULL : fdopendir(fd);

    if (!entries) {
        close_fd(&fd);
        return;
    }
    for (struct dirent *entry; (entry = readdir(entries));)
        if (fnmatch(".conda-gpu-*.tmp", entry->d_name, 0) == 0) /* a file, or an empty folder */
            if (unlinkat(folder, entry->d_name, 0) < 0)
                unlinkat(folder, entry->d_name, AT_REMOVEDIR);
    closedir(entries);
}
