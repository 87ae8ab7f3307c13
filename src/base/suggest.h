/*
 * "did you mean …?": the nearest of a few known words.
 */
#pragma once

#include "base/strbuf.h"

/* The word that the fewest insertions, deletions, replacements and swaps of neighbours turn `text`
   into, any case; NULL where that takes more than a third of the word (one is always allowed). */
const char *suggest(const char *text, const char *const *words, size_t count);

/* Adds what an unknown word may have been: "did you mean 'WORD'?", or else `known` and all words,
   with commas between. True if there is a nearest one. */
bool suggest_add(struct strbuf *out, const char *text, const char *const *words, size_t count,
                 const char *known);
