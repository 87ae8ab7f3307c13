/*
 * Three things for tests/bench/bench.sh:
 *
 *     bench_free nvml LIBRARY       NVML's own init
 *     bench_free lease TIMES        a place in the line for eight cards, and one of them, so often
 *     bench_free hold MILLISECONDS  prints the visible card, when it began, and when it ended that
 *                                   much later, in microseconds
 */
#define _GNU_SOURCE
#include "gpu/lease.h"
#include "gpu/turn.h"

#include <dlfcn.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static long long now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000ll + time.tv_nsec / 1000;
}

static void call(void *library, const char *name)
{
    int (*function)(void);

    *(void **)&function = dlsym(library, name);
    if (!function || function() != 0)
        errx(1, "%s", name);
}

static void begin_nvml(const char *path)
{
    void *library = dlopen(path, RTLD_NOW);

    if (!library)
        errx(1, "%s", dlerror());
    call(library, "nvmlInit_v2");
}

static void hold(const char *milliseconds)
{
    long long begin = now(), length = atoll(milliseconds) * 1000;

    usleep((useconds_t)length);
    printf("%s %lld %lld\n", getenv("CUDA_VISIBLE_DEVICES"), begin, now());
}

static void lease(int times)
{
    static const char *const cards[] = {"b0", "b1", "b2", "b3", "b4", "b5", "b6", "b7"};

    for (int i = 0; i < times; i++) {
        struct turn turn = {0};
        struct turn_before before = {0};
        int taken = -1;
        if (turn_join(&turn, cards, 8, 1) < 0 || turn_find_before(&turn, 0, &before) != 0 ||
            (taken = lease_take(cards[0])) < 0)
            errx(1, "somebody else is at work here");
        turn_release(&turn);
        close(taken);
    }
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "nvml") == 0)
        begin_nvml(argv[2]);
    else if (argc == 3 && strcmp(argv[1], "lease") == 0)
        lease(atoi(argv[2]));
    else if (argc == 3 && strcmp(argv[1], "hold") == 0)
        hold(argv[2]);
    else
        errx(2, "see the head of bench_free.c");
    return 0;
}
