/*
 * On which machine we run, and for whom.
 */
#pragma once

#include <stdbool.h>

/* As uname -n and /proc/sys/kernel/hostname tell it; valid until the next call. */
const char *self_host(void);

/* Whether hooks can tell a machine by this name: letters, digits and _.- only. */
bool host_is_sound(const char *host);

/* The user's name as the hooks have it: $USER, and where that is empty the one in the system's list
   of users; "" where that has none. malloc'ed; NULL if memory ran out. */
char *self_user(char *const *env);
