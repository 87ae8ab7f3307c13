/*
 * The text that libyaml reads a document from, within a limit on %TAG lines; and what is said when
 * it cannot go on. For document.c only.
 *
 *     struct yaml_input input = {.file = "environment.yml", .text = text, .length = length};
 *     yaml_input_open(&input, &parser);
 *     if (!yaml_parser_parse(&parser, &event))
 *         return yaml_input_report(&input, &err);
 */
#ifndef CONDA_GPU_YAML_INPUT_H
#define CONDA_GPU_YAML_INPUT_H

#include "base/error.h"

#include <stdbool.h>
#include <yaml.h>

enum { YAML_INPUT_TAGS_LIMIT = 100 /* %TAG lines */ };

struct yaml_input {
    const char *file; /* for places */
    const char *text;
    size_t length;

    /* the module's own */
    const yaml_parser_t *parser;
    size_t given; /* of the text, to the parser */
    bool many_tags;
};

/* Makes the parser read from it. Both must stay where they are until the parser is deleted. */
void yaml_input_open(struct yaml_input *input, yaml_parser_t *parser);

/* Why the parser stopped, with the place. Adds to err, and returns -1. */
int yaml_input_report(const struct yaml_input *input, struct error *err);

/* More %TAG lines than YAML_INPUT_TAGS_LIMIT before that mark. */
int yaml_input_report_tags(const struct yaml_input *input, yaml_mark_t mark, struct error *err);

struct place yaml_input_place(const struct yaml_input *input, yaml_mark_t mark);

#endif
