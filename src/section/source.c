#include "section/source.h"

#include "base/utf8.h"

#include <string.h>

#define NOT_TEXT "not a text file: "
#define SAVE     "; save the file as UTF-8"

/* Past a character, as libyaml counts: these end a line, and \r\n ends one. */
static void move_on(struct place *place, uint32_t character, uint32_t next)
{
    bool ends = character == '\n' || (character == '\r' && next != '\n') || character == 0x85 ||
                character == 0x2028 || character == 0x2029;

    place->line += ends;
    place->column = ends ? 1 : place->column + 1;
}

static uint32_t utf16_unit(const unsigned char *at, bool big)
{
    return big ? (uint32_t)(at[0] << 8 | at[1]) : (uint32_t)(at[1] << 8 | at[0]);
}

/* One character of UTF-16 (RFC 2781, 2.2). Its length, or 0 where there is none. */
static size_t utf16_character(const unsigned char *at, size_t left, bool big, uint32_t *character)
{
    if (left < 2)
        return 0;
    *character = utf16_unit(at, big);
    if (*character < 0xd800 || *character > 0xdfff)
        return 2;
    uint32_t low = left < 4 ? 0 : utf16_unit(at + 2, big);
    if (*character > 0xdbff || low < 0xdc00 || low > 0xdfff)
        return 0;
    *character = 0x10000 + ((*character - 0xd800) << 10) + (low - 0xdc00);
    return 4;
}

static int add_utf16(struct source *source, const unsigned char *at, size_t length, bool big,
                     struct error *err)
{
    struct place place = {source->file, 1, 1};
    uint32_t character = 0;

    for (size_t size; length; at += size, length -= size) {
        size = utf16_character(at, length, big, &character);
        if (!size)
            return error_at(err, place, NOT_TEXT "half of a UTF-16 character" SAVE);
        utf8_add(&source->text, character);
        move_on(&place, character, length < size + 2 ? 0 : utf16_unit(at + size, big));
    }
    return 0;
}

static bool is_allowed(uint32_t c)
{
    return c == '\t' || c == '\n' || c == '\r' || (c >= ' ' && c <= '~') || c == 0x85 ||
           (c >= 0xa0 && c <= 0xfffd) || c >= 0x10000;
}

static int check(const struct source *source, struct error *err)
{
    const unsigned char *at = (const unsigned char *)strbuf_text(&source->text);
    struct place place = {source->file, 1, 1};
    uint32_t character = 0;

    for (size_t left = source->text.length, size; left; at += size, left -= size) {
        size = utf8_character(at, left, &character);
        if (!size)
            return error_at(err, place, NOT_TEXT "the byte 0x%02x is no UTF-8 here" SAVE, *at);
        if (!is_allowed(character))
            return error_at(err, place, NOT_TEXT "the control character U+%04X; remove it",
                            character);
        move_on(&place, character, at[size]);
    }
    return 0;
}

int source_read(struct source *source, const char *file, const char *bytes, size_t length,
                struct error *err)
{
    bool big = length > 1 && memcmp(bytes, "\xfe\xff", 2) == 0;
    bool little = length > 1 && memcmp(bytes, "\xff\xfe", 2) == 0;
    size_t mark = length > 2 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;

    source->file = file;
    if (!big && !little)
        strbuf_add(&source->text, bytes + mark, length - mark);
    else if (add_utf16(source, (const unsigned char *)bytes + 2, length - 2, big, err) < 0)
        return -1;
    return source->text.failed ? error_memory(err) : check(source, err);
}

/* Spaces that are none to YAML. */
static bool is_web_space(uint32_t c)
{
    return c == 0xa0 || (c >= 0x2000 && c <= 0x200b) || c == 0x202f || c == 0x3000 || c == 0xfeff;
}

bool source_begins_odd(const char *text)
{
    uint32_t character = 0;

    return utf8_character((const unsigned char *)text, strlen(text) + 1, &character) &&
           is_web_space(character);
}

const char *source_oddity(const struct source *source, size_t line, struct place *place)
{
    const unsigned char *at = (const unsigned char *)strbuf_text(&source->text);
    struct place here = {source->file, 1, 1};
    bool indented = true;
    uint32_t c = 0;

    for (size_t left = source->text.length, size; left && here.line <= line;
         at += size, left -= size, move_on(&here, c, *at)) {
        size = utf8_character(at, left, &c);
        if (here.line < line)
            continue;
        indented = indented && (c == ' ' || c == '\t');
        *place = here;
        if (indented && c == '\t')
            return "a tab in the indentation; YAML takes only spaces there";
        if (is_web_space(c))
            return "a no-break space, as web pages have them; write a plain space";
        if (*at == '{' && at[1] && strchr("{%#", at[1]))
            return "a jinja template, which is no YAML before it is rendered; put the gpu: section "
                   "into a file gpu.yml beside this one, without any template in it";
    }
    return NULL;
}

void source_release(struct source *source)
{
    strbuf_release(&source->text);
}
