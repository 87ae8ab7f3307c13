/*
 * All that an error says, as lines, to compare with; valid until the next call.
 */
#pragma once

#include "base/error.h"

static inline const char *error_text(const struct error *err)
{
    static struct strbuf text;

    strbuf_release(&text);
    error_print(err, "", &text);
    return text.failed ? "out of memory\n" : strbuf_text(&text);
}
