/*
 * A growing piece of text or bytes, always closed by a NUL that length does not count.
 *
 *     scope(strbuf_release) struct strbuf out = STRBUF_INIT;
 *     strbuf_adds(&out, "GPU ");
 *     strbuf_addf(&out, "%u", number);
 *     char *text = strbuf_take(&out);      // NULL if memory ran out anywhere on the way
 *
 * Adding never fails visibly: the first failed allocation empties the buffer and sets `failed`,
 * and everything added later is dropped. So a caller checks once, at the end.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct strbuf {
    char *text; /* NULL until something is added; strbuf_text() is never NULL */
    size_t length;
    size_t room;
    bool failed;
};

#define STRBUF_INIT ((struct strbuf){0})

void strbuf_release(struct strbuf *buf);

/* Makes room for that many further bytes and returns where they go; NULL if memory ran out.
   The caller adds what it wrote to `length` with strbuf_grew. */
char *strbuf_reserve(struct strbuf *buf, size_t more);
void strbuf_grew(struct strbuf *buf, size_t by);

void strbuf_add(struct strbuf *buf, const void *bytes, size_t length);
void strbuf_adds(struct strbuf *buf, const char *text);
void strbuf_addc(struct strbuf *buf, char c);
void strbuf_addf(struct strbuf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void strbuf_vaddf(struct strbuf *buf, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

/*
 * Adds text of unknown origin for a person to read, on one line: printable ASCII and valid UTF-8
 * stay; control characters, bytes that are no UTF-8, and the characters that change how others are
 * shown (line and paragraph separators, zero-width and bidirectional controls, tags) become \n, \t
 * or \xNN. Nothing it adds can act on a terminal or end a comment.
 */
void strbuf_add_printable(struct strbuf *buf, const char *text, size_t length);

/* The text, "" when nothing was added; valid until the next change. */
const char *strbuf_text(const struct strbuf *buf);

bool strbuf_equal(const struct strbuf *one, const struct strbuf *other);

/* Of two texts that may be NULL, which is no text. */
bool text_is_same(const char *one, const char *other);

bool text_is_among(const char *text, const char *const *texts, size_t count);

/* Hands the text to the caller, who frees it, and leaves the buffer empty. NULL if it failed. */
char *strbuf_take(struct strbuf *buf);

/* malloc'ed result of a format; NULL if memory ran out. */
char *format_text(const char *format, ...) __attribute__((format(printf, 1, 2)));
