/*
 * UTF-8 (RFC 3629), one character at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct strbuf;

/* Reads the character at the start of `left` bytes, of which there is at least one. Its length, or
   0 where there is no valid one. */
size_t utf8_character(const unsigned char *at, size_t left, uint32_t *character);

bool is_utf8(const char *text, size_t length);

/* Adds a character, up to U+10FFFF, as UTF-8. */
void utf8_add(struct strbuf *buf, uint32_t character);
