/*
 * The text of a file as a person wrote it: made UTF-8, checked to be text, and looked at again line
 * by line when a message has to say what is odd about it.
 *
 *     scope(source_release) struct source source = {0};
 *     if (source_read(&source, "environment.yml", bytes, length, &err) < 0) ...
 *     ... source.text ...
 */
#pragma once

#include "base/error.h"

struct source {
    const char *file; /* for places; not owned */
    struct strbuf text;
};

/* Takes UTF-8 with or without a byte order mark, and UTF-16 with one, as PowerShell writes it. What
   is no character, or none that YAML allows (YAML 1.2, 5.1), is an error with its place. The source
   is empty before, and is released whatever comes of it. */
int source_read(struct source *source, const char *file, const char *bytes, size_t length,
                struct error *err);

/*
 * What is odd about a line, counted from 1, in a way that is hard to see or that YAML's own message
 * does not name: a tab in its indentation, a space from a web page, or the braces of a jinja
 * template. *place is set to where that stands. NULL for other lines.
 */
const char *source_oddity(const struct source *source, size_t line, struct place *place);

/* Whether a text begins with a space that YAML takes for a letter, such as a no-break space. */
bool source_begins_odd(const char *text);

void source_release(struct source *source);
