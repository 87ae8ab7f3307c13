/*
 * Ownership by scope. A local that owns something is declared with scope(FUNCTION), which releases
 * it on every way out of the block; what is handed to a caller is taken out first:
 *
 *     scope(free_text) char *path = path_join(prefix, "etc");
 *     ...
 *     return take(&path);
 */
#pragma once

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define scope(release) __attribute__((cleanup(release)))

/* Takes a pointer or a struct out of its variable, which is then zero and releases nothing. */
#define take(variable)                                                                             \
    __extension__({                                                                                \
        __typeof__(variable) variable_ = (variable);                                               \
        __typeof__(*variable_) taken_ = *variable_;                                                \
        *variable_ = (__typeof__(taken_)){0};                                                      \
        taken_;                                                                                    \
    })

/* The same for a descriptor: the variable is -1 then. */
static inline int take_fd(int *fd)
{
    int taken = *fd;

    *fd = -1;
    return taken;
}

static inline void free_text(char **text)
{
    free(*text);
}

/* The variable is -1 then. Leaves errno as it is, which may say why the scope is left. */
static inline void close_fd(int *fd)
{
    int saved = errno;

    if (*fd >= 0)
        close(*fd);
    *fd = -1;
    errno = saved;
}
