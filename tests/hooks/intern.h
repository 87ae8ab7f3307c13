/*
 * Texts that are there once and for good, so that models of an environment are copied as they are
 * and never freed: equal texts have the same address.
 */
#pragma once

#include <stddef.h>

/* The one copy of this text; NULL gives NULL. */
const char *intern(const char *text);

/* Of up to three texts in a row; NULL counts as none. */
const char *intern_joined(const char *one, const char *two, const char *three);

/* Of the first bytes of a text. */
const char *intern_part(const char *text, size_t length);
