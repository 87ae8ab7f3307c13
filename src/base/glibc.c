/*
 * Lets the program run with glibc 2.28 and later, whatever glibc it was built with.
 *
 * A function that glibc has changed is there in two versions, and the linker takes the newest: what
 * is built on Debian 12 asks for dlopen@GLIBC_2.34 and does not start on RHEL 8. Here are functions
 * of those names, which the linker takes before the library's, for the program and for the
 * libraries that STATIC=1 links in. They call what an old glibc has too. tests/static/static.sh
 * looks at what the program asks for, so that a new such name is seen.
 *
 * Without a header: the callers include the C library's. It is compiled in only where the Makefile
 * says so (FLAGS_), since the sanitizers have their own functions of some of these names.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined RUNS_ON_OLD_GLIBC && defined __GLIBC__ && (defined __x86_64__ || defined __aarch64__)

/* The first version that glibc had for the machine. */
#ifdef __x86_64__
#define FIRST "GLIBC_2.2.5"
#else
#define FIRST "GLIBC_2.17"
#endif

/* For the program only: the libraries that it loads must find the C library's. */
#define OURS __attribute__((visibility("hidden")))

/* `old_NAME` is the library's first function of that name. */
#define OLD(name) __asm__(".symver old_" #name ", " #name "@" FIRST)

/* 2.34 moved these from libdl into libc. The Makefile still links libdl.so.2, where an old glibc
   has them. */
OLD(dlopen);
OLD(dlsym);
OLD(dlerror);
void *old_dlopen(const char *path, int mode);
void *old_dlsym(void *library, const char *name);
char *old_dlerror(void);

OURS void *dlopen(const char *path, int mode)
{
    return old_dlopen(path, mode);
}

OURS void *dlsym(void *library, const char *name)
{
    return old_dlsym(library, name);
}

OURS char *dlerror(void)
{
    return old_dlerror();
}

/* Before 2.33 these were inline functions of <sys/stat.h>. On these machines the kernel's struct
   stat is that of the C library. */
OURS int fstatat(int folder, const char *restrict path, struct stat *restrict st, int flags)
{
    return (int)syscall(SYS_newfstatat, folder, path, st, flags);
}

OURS int stat(const char *restrict path, struct stat *restrict st)
{
    return fstatat(AT_FDCWD, path, st, 0);
}

OURS int fstat(int fd, struct stat *st)
{
    return (int)syscall(SYS_fstat, fd, st);
}

/* From 2.38 on <stdlib.h> calls strtol and its like by these names, which also read 0b11. */
long old_strtol(const char *text, char **end, int base) __asm__("strtol");
unsigned long old_strtoul(const char *text, char **end, int base) __asm__("strtoul");
long __isoc23_strtol(const char *text, char **end, int base);
long long __isoc23_strtoll(const char *text, char **end, int base);
unsigned long __isoc23_strtoul(const char *text, char **end, int base);
unsigned long long __isoc23_strtoull(const char *text, char **end, int base);

OURS long __isoc23_strtol(const char *text, char **end, int base)
{
    return old_strtol(text, end, base);
}

OURS long long __isoc23_strtoll(const char *text, char **end, int base)
{
    return old_strtol(text, end, base);
}

OURS unsigned long __isoc23_strtoul(const char *text, char **end, int base)
{
    return old_strtoul(text, end, base);
}

OURS unsigned long long __isoc23_strtoull(const char *text, char **end, int base)
{
    return old_strtoul(text, end, base);
}

/* What starts the program. Before 2.34 the program itself had to run its constructors, and the
   start-up code that is linked in did it (`begin`); from 2.34 on that code has NULL there. Both
   take what runs them from here. */
typedef int main_function(int argc, char **argv, char **env);
typedef void constructor(int argc, char **argv, char **env);

extern constructor *const __init_array_start[] OURS, *const __init_array_end[] OURS;

OLD(__libc_start_main);
int old___libc_start_main(main_function *main, int argc, char **argv, constructor *begin,
                          void (*end)(void), void (*at_exit)(void), void *stack);
int __libc_start_main(main_function *main, int argc, char **argv, constructor *begin,
                      void (*end)(void), void (*at_exit)(void), void *stack);

static void construct(int argc, char **argv, char **env)
{
    for (constructor *const *at = __init_array_start; at < __init_array_end; at++)
        (*at)(argc, argv, env);
}

OURS int __libc_start_main(main_function *main, int argc, char **argv, constructor *begin,
                           void (*end)(void), void (*at_exit)(void), void *stack)
{
    return old___libc_start_main(main, argc, argv, begin ? begin : construct, end, at_exit, stack);
}

#else
typedef int nothing_here; /* a file of C must hold something */
#endif
