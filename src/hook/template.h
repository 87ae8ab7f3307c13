/*
 * Text with places to fill in. A template holds
 *
 *     @name@            a value of the present scope, or of one around it
 *     @each names@      what stands between, once for every scope of that name in the present one;
 *     @end names@       with none, it is left out. A tag that is alone on its line takes the line
 *                       with it.
 *
 * Any other @ is itself. Values are put in as they are and not read again.
 *
 *     struct values *root = values_new();
 *     values_text(root, "environment", "pt");
 *     struct values *gpu = values_each(root, "devices");
 *     values_text(gpu, "uuid", text);
 *     template_fill(&out, "activate.sh", text, root, &err);
 *     values_free(root);
 *
 * Building never fails visibly: template_fill reports that memory ran out.
 */
#pragma once

#include "base/error.h"

struct values;

struct values *values_new(void);
void values_free(struct values *values);

/* Copies the text. `values` may be NULL, as values_new and values_each return it without memory. */
void values_text(struct values *values, const char *name, const char *text);
void values_textf(struct values *values, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Adds a scope to the list of this name, and returns it; it belongs to `values`. */
struct values *values_each(struct values *values, const char *name);

/* `name` is the template's, for errors, which name it with line and column. */
int template_fill(struct strbuf *out, const char *name, const char *text,
                  const struct values *values, struct error *err);
