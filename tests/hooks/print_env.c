/*
 * Prints its environment and then its arguments, each with a NUL after it: `env -0`, but linked
 * statically where that can be, which halves its cost. tests/hooks/shells.c runs it after every
 * step in every shell.
 */
#include <stdio.h>

extern char **environ;

static void print(char *const *texts)
{
    for (; *texts; texts++) {
        fputs(*texts, stdout);
        putchar('\0');
    }
}

int main(int argc, char **argv)
{
    print(environ);
    print(argv + (argc > 0));
    return fflush(stdout) || ferror(stdout);
}
