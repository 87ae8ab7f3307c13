/*
 * What earlier runs left in a prefix, as far as the next one must know it: the receipt, which
 * variables any generation of the hooks managed, and under which key their state stands in people's
 * shells. The last two are also read from the hooks themselves, so that a receipt that was lost
 * takes none of them along. One that is there and cannot be read is an error.
 */
#pragma once

#include "conda/prefix.h"
#include "conda/receipt.h"

struct earlier {
    struct receipt *receipt; /* NULL: there is none */
    bool missing;            /* there is none, but a hook of ours */
    struct names managed;
    char key[STATE_KEY_SIZE];
};

/* Without any earlier run the key is made from the prefix's path. */
int earlier_read(struct earlier *earlier, const struct prefix *prefix, struct error *err);

void earlier_release(struct earlier *earlier);
