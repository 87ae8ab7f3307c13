/*
 * Unix sockets with abstract names (unix(7)): names that the kernel gives to one socket at a time,
 * and takes back at its last close. What leases and turns are made of.
 */
#ifndef CONDA_GPU_ABSTRACT_H
#define CONDA_GPU_ABSTRACT_H

#include <sys/socket.h>

/* A socket that listens under this name. -1 with errno, EADDRINUSE where another has it. */
int abstract_listen(const char *name);

/* A socket that hangs up when the one that listens under this name is gone. -1 with errno,
   ECONNREFUSED where none does. */
int abstract_watch(const char *name);

/* The user and process that listens at the other end of a watching socket. -1 with errno. */
int abstract_listener(int fd, struct ucred *listener);

#endif
