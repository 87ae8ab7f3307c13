/*
 * On which machine we run, and for whom.
 */
#pragma once

/* As uname -n and /proc/sys/kernel/hostname tell it; valid until the next call. */
const char *self_host(void);

/* The user's name as the hooks have it: $USER, and where that is empty the one in the system's list
   of users; "" where that has none. malloc'ed; NULL if memory ran out. */
char *self_user(char *const *env);
