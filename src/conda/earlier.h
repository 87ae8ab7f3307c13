/*
 * What earlier runs left in a prefix, as far as the next one must know it: which variables any
 * generation of the hooks managed, under which key their state stands in people's shells, and which
 * folders were made. From the receipt, and from the hooks themselves, so that a receipt that is
 * missing, damaged or of another version loses nothing.
 */
#ifndef CONDA_GPU_HISTORY_H
#define CONDA_GPU_HISTORY_H

#include "conda/prefix.h"
#include "conda/receipt.h"

struct earlier {
    struct receipt *receipt; /* NULL without a sound one */
    bool damaged;            /* there is one that cannot be read */
    bool missing;            /* there is none, but a hook of ours */
    struct names managed;
    struct names folders;
    char key[STATE_KEY_SIZE];
};

/* Without any earlier run the key is made from the prefix's path. */
int earlier_read(struct earlier *earlier, const struct prefix *prefix, struct error *err);

void earlier_release(struct earlier *earlier);

#endif
