/*
 * Unix sockets with abstract names (unix(7)): names that the kernel gives to one socket at a time,
 * and takes back at its last close. What leases and turns are made of.
 */
#pragma once

#include "base/strbuf.h"

#include <sys/socket.h>

/* A socket that listens under the name that the format makes. -1 with errno, EADDRINUSE where
   another has it. */
int abstract_listen(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A socket that hangs up when the one that listens under this name is gone. -1 with errno,
   ECONNREFUSED where none does. */
int abstract_watch(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The user and process that listens at the other end of a watching socket. -1 with errno. */
int abstract_listener(int fd, struct ucred *listener);

/* Adds the table of names in this network namespace. It needs no connection, but somebody may have
   given a socket a name with line ends in it, which looks like lines of this table: only a
   connection tells for sure. -1 with errno. */
int abstract_read_table(struct strbuf *table);

/* Whether somebody listens under the name that begins so and goes on so, as the table tells. */
bool abstract_is_in(const struct strbuf *table, const char *begin, const char *rest);

/* The rest of the next name in the table that begins so and under which somebody listens; moves
   `at`, which begins at the table's start. NULL behind the last. */
const char *abstract_next(const char **at, const char *begin, size_t *length);
