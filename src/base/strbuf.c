#include "base/strbuf.h"

#include "base/scope.h"
#include "base/utf8.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

void strbuf_release(struct strbuf *buf)
{
    free(buf->text);
    *buf = STRBUF_INIT;
}

static char *fail(struct strbuf *buf)
{
    strbuf_release(buf);
    buf->failed = true;
    return NULL;
}

char *strbuf_reserve(struct strbuf *buf, size_t more)
{
    if (buf->failed)
        return NULL;
    if (more >= SIZE_MAX / 2 - buf->length)
        return fail(buf);
    size_t need = buf->length + more + 1;
    if (need > buf->room) {
        size_t room = buf->room ? buf->room : 64;
        while (room < need)
            room += room / 2;
        char *text = realloc(buf->text, room);
        if (!text)
            return fail(buf);
        buf->text = text;
        buf->text[buf->length] = '\0';
        buf->room = room;
    }
    return buf->text + buf->length;
}

void strbuf_grew(struct strbuf *buf, size_t by)
{
    buf->length += by;
    buf->text[buf->length] = '\0';
}

void strbuf_add(struct strbuf *buf, const void *bytes, size_t length)
{
    char *end = strbuf_reserve(buf, length);

    if (!end)
        return;
    if (length)
        memcpy(end, bytes, length);
    strbuf_grew(buf, length);
}

void strbuf_adds(struct strbuf *buf, const char *text)
{
    strbuf_add(buf, text, strlen(text));
}

void strbuf_addc(struct strbuf *buf, char c)
{
    strbuf_add(buf, &c, 1);
}

void strbuf_vaddf(struct strbuf *buf, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);

    if (length < 0) {
        fail(buf);
    } else {
        char *end = strbuf_reserve(buf, (size_t)length);
        if (end) {
            vsnprintf(end, (size_t)length + 1, format, again);
            strbuf_grew(buf, (size_t)length);
        }
    }
    va_end(again);
}

void strbuf_addf(struct strbuf *buf, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    strbuf_vaddf(buf, format, args);
    va_end(args);
}

/* Characters that take no place of their own or change how their neighbours are shown: Unicode's
   general categories Cc, Cf, Zl and Zp, and the variation selectors. */
static bool is_unseen(uint32_t c)
{
    static const uint32_t ranges[][2] = {
        {0x00, 0x1f},     {0x7f, 0x9f},     {0xad, 0xad},       {0x600, 0x605},
        {0x61c, 0x61c},   {0x6dd, 0x6dd},   {0x70f, 0x70f},     {0x180b, 0x180e},
        {0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f},   {0xfe00, 0xfe0f},
        {0xfeff, 0xfeff}, {0xfff0, 0xfffb}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff},
    };

    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (c >= ranges[i][0] && c <= ranges[i][1])
            return true;
    return false;
}

void strbuf_add_printable(struct strbuf *buf, const char *text, size_t length)
{
    const unsigned char *at = (const unsigned char *)text, *end = at + length;

    while (at < end) {
        uint32_t character = 0;
        size_t bytes = utf8_character(at, (size_t)(end - at), &character);
        if (bytes && !is_unseen(character)) {
            strbuf_add(buf, at, bytes);
        } else if (*at == '\n' || *at == '\t') {
            bytes = 1;
            strbuf_adds(buf, *at == '\n' ? "\\n" : "\\t");
        } else {
            bytes = bytes ? bytes : 1;
            for (size_t i = 0; i < bytes; i++)
                strbuf_addf(buf, "\\x%02x", at[i]);
        }
        at += bytes;
    }
}

const char *strbuf_text(const struct strbuf *buf)
{
    return buf->text ? buf->text : "";
}

bool strbuf_equal(const struct strbuf *one, const struct strbuf *other)
{
    return one->length == other->length &&
           memcmp(strbuf_text(one), strbuf_text(other), one->length) == 0;
}

bool text_is_same(const char *one, const char *other)
{
    return one && other ? strcmp(one, other) == 0 : one == other;
}

bool text_is_among(const char *text, const char *const *texts, size_t count)
{
    size_t i = 0;

    while (i < count && strcmp(text, texts[i]) != 0)
        i++;
    return i < count;
}

char *strbuf_take(struct strbuf *buf)
{
    if (!strbuf_reserve(buf, 0))
        return NULL;
    return take(buf).text;
}

char *format_text(const char *format, ...)
{
    struct strbuf buf = STRBUF_INIT;
    va_list args;

    va_start(args, format);
    strbuf_vaddf(&buf, format, args);
    va_end(args);
    return strbuf_take(&buf);
}
