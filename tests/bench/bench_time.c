/*
 * Runs commands in turn, many times, and prints for each the median of its wall time and of its
 * processor time in microseconds, and of its peak memory in KiB (its own or a child's).
 *
 *     bench_time ROUNDS COMMAND [ARGUMENT...] [-- COMMAND [ARGUMENT...]]...
 *
 * In turn, and every other round backwards, so that what else the machine does falls on all of them
 * alike. An argument's %r becomes the number of the round. Commands read and print nothing, and
 * must succeed. Where it may (root may), it has them run before all other programs of the machine.
 * This program is small on purpose: Linux counts the memory that a process had before exec as well.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST_COMMANDS = 8, MOST_ARGUMENTS = 2000, WALL = 0, CPU, MEMORY, MEASURES };

static double microseconds(const struct timeval *time)
{
    return (double)time->tv_sec * 1e6 + (double)time->tv_usec;
}

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

/* The arguments with %r replaced; those that have it are copied. */
static void fill_in(char **from, char **to, int round)
{
    for (; *from; from++, to++) {
        char *place = strstr(*from, "%r");
        *to = *from;
        if (place && asprintf(to, "%.*s%d%s", (int)(place - *from), *from, round, place + 2) < 0)
            err(2, "no memory");
    }
    *to = NULL;
}

static void run(char **command, int round, double *measures)
{
    static char *argv[MOST_ARGUMENTS + 1];
    struct rusage usage;
    int status;

    fill_in(command, argv, round);
    double start = now();
    pid_t child = vfork();
    if (child == 0) {
        execvp(argv[0], argv);
        _exit(127);
    }
    if (child < 0 || wait4(child, &status, 0, &usage) < 0)
        err(2, "%s", argv[0]);
    measures[WALL] = now() - start;
    measures[CPU] = microseconds(&usage.ru_utime) + microseconds(&usage.ru_stime);
    measures[MEMORY] = (double)usage.ru_maxrss;
    if (status)
        errx(2, "%s %s: status %d", argv[0], argv[1] ? argv[1] : "", status);
    for (int i = 0; argv[i]; i++)
        if (argv[i] != command[i])
            free(argv[i]);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, compare);
    return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

/* Cuts the arguments at each "--". */
static int split(char **arguments, char ***commands)
{
    int count = 1;

    commands[0] = arguments;
    for (char **argument = arguments; *argument; argument++) {
        if (strcmp(*argument, "--") != 0)
            continue;
        *argument = NULL;
        if (count == MOST_COMMANDS)
            errx(2, "more than %d commands", MOST_COMMANDS);
        commands[count++] = argument + 1;
    }
    return count;
}

int main(int argc, char **argv)
{
    static char **commands[MOST_COMMANDS];
    int rounds = argc > 2 ? (int)strtol(argv[1], NULL, 10) : 0;
    int null = open("/dev/null", O_RDWR);

    if (rounds < 1 || argc > MOST_ARGUMENTS)
        errx(2, "usage: bench_time ROUNDS COMMAND [ARGUMENT...] [-- COMMAND...]...");
    int count = split(argv + 2, commands);
    double *all = calloc((size_t)(rounds * count * MEASURES), sizeof *all);
    FILE *out = fdopen(dup(STDOUT_FILENO), "w");
    if (!all || !out || null < 0)
        err(2, "cannot start");
    sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){.sched_priority = 1});
    fcntl(fileno(out), F_SETFD, FD_CLOEXEC);
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    for (int round = 0; round < rounds; round++) {
        for (int i = 0; i < count; i++) {
            int which = round % 2 ? count - 1 - i : i;
            double measures[MEASURES];
            run(commands[which], round, measures);
            for (int m = 0; m < MEASURES; m++)
                all[(which * MEASURES + m) * rounds + round] = measures[m];
        }
    }
    for (int i = 0; i < count; i++)
        fprintf(out, "%.1f %.1f %.0f\n", median(&all[(i * MEASURES + WALL) * rounds], rounds),
                median(&all[(i * MEASURES + CPU) * rounds], rounds),
                median(&all[(i * MEASURES + MEMORY) * rounds], rounds));
    free(all);
    return fclose(out) != 0;
}
