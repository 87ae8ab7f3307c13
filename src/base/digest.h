/*
 * A number that tells texts apart, to notice edits and to name an environment's state variables.
 * Not for security: whoever may edit a hook may edit its digest.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { DIGEST_TEXT_SIZE = 17 }; /* 16 hexadecimal digits and a NUL */

/* FNV-1a, 64 bits (draft-eastlake-fnv, sections 2 and 5): from DIGEST_OF_NOTHING on, each call adds
   a piece. */
#define DIGEST_OF_NOTHING UINT64_C(0xcbf29ce484222325)
uint64_t digest_add(uint64_t digest, const char *bytes, size_t length);

const char *digest_text(uint64_t digest, char text[DIGEST_TEXT_SIZE]);
