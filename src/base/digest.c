#include "base/digest.h"

#include <inttypes.h>
#include <stdio.h>

uint64_t digest_add(uint64_t digest, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        digest = (digest ^ (unsigned char)bytes[i]) * UINT64_C(0x100000001b3);
    return digest;
}

const char *digest_text(uint64_t digest, char text[DIGEST_TEXT_SIZE])
{
    snprintf(text, DIGEST_TEXT_SIZE, "%016" PRIx64, digest);
    return text;
}
