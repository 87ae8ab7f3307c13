/*
 * Whole folders as values: read, compared byte for byte and mode for mode, and made again. Of what
 * changes by itself nothing is looked at: times, sizes of folders, inode numbers. Temporary files
 * of conda-gpu are all called TREE_TEMPORARY, since their names are random, and its lock holds no
 * more than TREE_LOCK_TEXT.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define TREE_TEMPORARY ".conda-gpu-*.tmp"
#define TREE_LOCK_TEXT "process "

struct tree_entry {
    char *path; /* below the root, which is "" */
    mode_t mode;
    gid_t group;
    char *text; /* of a file, or where a link leads; NULL for anything else */
    size_t length;
};

struct tree {
    struct tree_entry *entries; /* a folder before what is in it */
    size_t count;
    size_t room;
};

struct tree tree_read(const char *root);
void tree_free(struct tree *tree);

/* Makes what is at `root`, an existing folder, exactly this. */
void tree_write(const struct tree *tree, const char *root);

const struct tree_entry *tree_find(const struct tree *tree, const char *path);
/* A temporary file is somewhere in it. */
bool tree_has_temporary(const struct tree *tree);

/* The first difference in words; NULL: none. malloc'ed. */
char *tree_difference(const struct tree *got, const struct tree *wanted);

/* All of it as a text, the same for the same trees; malloc'ed. */
char *tree_text(const struct tree *tree);
