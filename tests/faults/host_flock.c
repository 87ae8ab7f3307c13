/*
 * A library that tests preload: flock(2) and fcntl(2) locks reach only as far as the machine, as on
 * a mount of a network file system that keeps them to itself (nfs(5), local_lock). What is locked
 * in place of a file is one of this host's own, HOST_FLOCK/HOST.DEVICE.INODE.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

enum { DESCRIPTORS = 1024 };

/* The descriptor of what is locked in place of each; 0 if none is. */
static int stand_ins[DESCRIPTORS];

static int stand_in(int fd)
{
    struct utsname machine;
    struct stat st;
    char path[PATH_MAX];

    if (fd < 0 || fd >= DESCRIPTORS || fstat(fd, &st) < 0 || uname(&machine) < 0) {
        errno = EBADF;
        return -1;
    }
    if (stand_ins[fd])
        return stand_ins[fd];
    snprintf(path, sizeof path, "%s/%s.%lx.%lx", getenv("HOST_FLOCK"), machine.nodename,
             (unsigned long)st.st_dev, (unsigned long)st.st_ino);
    int other = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    return other < 0 ? -1 : (stand_ins[fd] = other);
}

EXPORT int flock(int fd, int operation)
{
    int other = stand_in(fd);

    return other < 0 ? -1 : (int)syscall(SYS_flock, other, operation);
}

static bool locks(int command)
{
    return command == F_SETLK || command == F_SETLKW || command == F_OFD_SETLK ||
           command == F_OFD_SETLKW;
}

EXPORT int fcntl(int fd, int command, ...)
{
    va_list arguments;

    va_start(arguments, command);
    long argument = va_arg(arguments, long);
    va_end(arguments);
    int other = locks(command) ? stand_in(fd) : fd;
    return other < 0 ? -1 : (int)syscall(SYS_fcntl, other, command, argument);
}

EXPORT int close(int fd)
{
    if (fd >= 0 && fd < DESCRIPTORS && stand_ins[fd]) {
        syscall(SYS_close, stand_ins[fd]);
        stand_ins[fd] = 0;
    }
    return (int)syscall(SYS_close, fd);
}
