/*
 * The hooks' templates: those of templates/, which the build embeds, or a folder of the user's.
 */
#pragma once

#include "base/error.h"

struct template_file {
    const char *name; /* "activate.sh" */
    const char *text;
};

/* Written by the Makefile from templates/; ends with a NULL name. */
extern const struct template_file template_files[];

/* Adds the template of this name: from `folder`, or the embedded one where that is NULL. */
int templates_load(struct strbuf *out, const char *folder, const char *name, struct error *err);
