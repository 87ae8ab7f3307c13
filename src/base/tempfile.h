/*
 * A file that is there complete or not at all: written under a name that no shell's glob matches
 * (".conda-gpu-….tmp": conda also sources names that begin with a dot), synced, then renamed.
 *
 *     scope(tempfile_release) struct tempfile temp = TEMPFILE_INIT;
 *     if (tempfile_create(&temp, folder) < 0 || tempfile_write(&temp, text, length) < 0 ||
 *         tempfile_commit(&temp, "env_vars.sh") < 0)
 *         ... errno says why; the scope's end removes what was begun
 *
 * The folder's descriptor stays the caller's and must outlive the tempfile.
 */
#pragma once

#include <stddef.h>

struct tempfile {
    int folder;
    int fd;
    char name[40]; /* "" when there is none */
};

#define TEMPFILE_INIT ((struct tempfile){.folder = -1, .fd = -1})

/* Only its owner may read or write it, until the caller changes that. */
int tempfile_create(struct tempfile *temp, int folder);

/* Writes, syncs and closes: every error that the file system has is known after this. */
int tempfile_write(struct tempfile *temp, const char *bytes, size_t length);

/* Renames over `name` in the folder. That is on the disk once the folder is synced. */
int tempfile_commit(struct tempfile *temp, const char *name);

/* The same for a name that no file may have: EEXIST. */
int tempfile_commit_new(struct tempfile *temp, const char *name);

/* Removes a file that was not committed. */
void tempfile_release(struct tempfile *temp);

/* Removes what a killed run left in the folder. Only under the prefix's lock. */
void tempfile_sweep(int folder);
