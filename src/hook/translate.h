/*
 * The gpu: section that does what a hand-written activation script does, for a script in whose
 * place apply is to write a hook. Its plain lines become keys of the section; every line that
 * cannot is named. What is offered has been read as a section, so it is one that apply takes.
 *
 *     scope(translation_release) struct translation offer = {0};
 *     if (translate(&offer, "sh", text) < 0) ... memory ran out
 *     ... strbuf_text(&offer.section), if offer.section.length
 */
#pragma once

#include "base/strbuf.h"

struct translation {
    struct strbuf section; /* YAML, from "gpu:" on; empty if nothing could be translated */
    struct strbuf left;    /* a line each: "line 4: export X=$(date): WHY" */
};

int translate(struct translation *offer, const char *extension, const char *text);

void translation_release(struct translation *offer);
