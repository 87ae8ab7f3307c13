/*
 * The clock that nobody sets, for deadlines.
 */
#pragma once

#include <time.h>

/* Milliseconds since some moment. */
static inline long long clock_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000ll + now.tv_nsec / 1000000;
}

static inline long long clock_in(unsigned seconds)
{
    return clock_now() + seconds * 1000ll;
}
