/*
 * "did you mean …?": the nearest of a few known words.
 */
#pragma once

#include <stddef.h>

/* The word that the fewest insertions, deletions, replacements and swaps of neighbours turn `text`
   into, any case; NULL where that takes more than a third of the word (one is always allowed). */
const char *suggest(const char *text, const char *const *words, size_t count);
