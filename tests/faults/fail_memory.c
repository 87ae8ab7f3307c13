/*
 * Makes allocations fail: tests/faults/check_memory.c has it preloaded into the program.
 *
 *   FAIL_MEMORY=12         the 12th call of malloc, calloc or realloc returns NULL
 *   FAIL_MEMORY=12-        and so does every later one
 *   FAIL_MEMORY_SEEN=FILE  is made when the first of them did
 *
 * Counted is what the program's own process asks for in main(): not what its children do,
 * which inherit the count but not the process ID, and not what a program does that it starts.
 * strdup(), reallocarray(), fopen() and the rest of the C library take their memory from these
 * three (glibc manual, "Replacing malloc").
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef int main_function(int argc, char **argv, char **env);
typedef int start_function(main_function *program, int argc, char **argv, void (*init)(void),
                           void (*fini)(void), void (*rtld_fini)(void), void *stack);
start_function __libc_start_main;

static main_function *program_main;
static pid_t process; /* 0: main() has not begun, or has ended */
static unsigned long calls, first, last;
static const char *seen;

static void begin(void)
{
    char *end;
    const char *which = getenv("FAIL_MEMORY");

    if (!which)
        return;
    first = strtoul(which, &end, 10);
    last = *end == '-' ? ULONG_MAX : first;
    seen = getenv("FAIL_MEMORY_SEEN");
    unsetenv("LD_PRELOAD");
    process = getpid();
}

/* What comes after main() is not the program's: reports about leaks and coverage. */
static int main_between(int argc, char **argv, char **env)
{
    begin();
    int status = program_main(argc, argv, env);
    process = 0;
    return status;
}

static bool fails(void)
{
    if (!process || getpid() != process || ++calls < first || calls > last)
        return false;
    if (seen && calls == first)
        close(open(seen, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
    errno = ENOMEM;
    return true;
}

/* What would have been called without us: the C library's, or a sanitizer's. */
static void next(void *function, const char *name)
{
    void *symbol = dlsym(RTLD_NEXT, name);

    memcpy(function, &symbol, sizeof symbol);
}

void *malloc(size_t size)
{
    static void *(*real)(size_t);

    if (!real)
        next(&real, "malloc");
    return fails() ? NULL : real(size);
}

void *calloc(size_t count, size_t size)
{
    static void *(*real)(size_t, size_t);

    if (!real)
        next(&real, "calloc");
    return fails() ? NULL : real(count, size);
}

void *realloc(void *block, size_t size)
{
    static void *(*real)(void *, size_t);

    if (!real)
        next(&real, "realloc");
    return fails() ? NULL : real(block, size);
}

/* The C library's function that calls main(). */
int __libc_start_main(main_function *program, int argc, char **argv, void (*init)(void),
                      void (*fini)(void), void (*rtld_fini)(void), void *stack)
{
    start_function *real;

    next(&real, "__libc_start_main");
    program_main = program;
    return real(main_between, argc, argv, init, fini, rtld_fini, stack);
}
