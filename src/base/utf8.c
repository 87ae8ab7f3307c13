#include "base/utf8.h"

#include "base/strbuf.h"

size_t utf8_character(const unsigned char *at, size_t left, uint32_t *character)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = at[0] < 0x80             ? 1
                    : (at[0] & 0xe0) == 0xc0 ? 2
                    : (at[0] & 0xf0) == 0xe0 ? 3
                    : (at[0] & 0xf8) == 0xf0 ? 4
                                             : 0;

    if (!length || length > left)
        return 0;
    *character = length == 1 ? at[0] : at[0] & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
        *character = *character << 6 | (at[i] & 0x3f);
    }
    bool surrogate = *character >= 0xd800 && *character <= 0xdfff;
    return *character < smallest[length] || surrogate || *character > 0x10ffff ? 0 : length;
}

bool is_utf8(const char *text, size_t length)
{
    const unsigned char *at = (const unsigned char *)text;
    uint32_t character;

    for (size_t i = 0, size; i < length; i += size) {
        size = utf8_character(at + i, length - i, &character);
        if (!size)
            return false;
    }
    return true;
}

void utf8_add(struct strbuf *buf, uint32_t c)
{
    static const unsigned char first[] = {0, 0, 0xc0, 0xe0, 0xf0};
    unsigned length = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

    strbuf_addc(buf, (char)(first[length] | c >> (6 * (length - 1))));
    for (unsigned i = length - 1; i-- > 0;)
        strbuf_addc(buf, (char)(0x80 | ((c >> (6 * i)) & 0x3f)));
}
