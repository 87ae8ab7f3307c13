#include "section/yaml_input.h"

#include <string.h>

/* The character at an offset, in the file's encoding; *size is how many bytes it takes. */
static int character_at(const yaml_parser_t *parser, const unsigned char *text, size_t *size)
{
    bool little = parser->encoding == YAML_UTF16LE_ENCODING;

    *size = 1;
    if (parser->encoding == YAML_UTF8_ENCODING)
        return text[0];
    *size = 2;
    return little ? text[0] | text[1] << 8 : text[0] << 8 | text[1];
}

/* Where bytes stand that are no text. libyaml tells the value and, roughly, the offset. */
static struct place place_of_problem(const yaml_parser_t *parser, const char *file,
                                     const char *text, size_t length)
{
    enum { ROUGHLY = 4 };
    struct place place = {file, 1, 1};
    bool marked = length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0;
    size_t offset = 0, size;

    while (offset < length) {
        if (parser->encoding != YAML_UTF8_ENCODING && length - offset < 2)
            break;
        int c = character_at(parser, (const unsigned char *)text + offset, &size);
        if (c == parser->problem_value && offset + ROUGHLY >= parser->problem_offset)
            break;
        bool continues = size == 1 && (c & 0xc0) == 0x80;
        place.line += c == '\n';
        place.column = c == '\n' ? 1 : place.column + !continues;
        if (c == 0xfeff || (offset == 0 && marked))
            place.column = 1;
        offset += size;
    }
    return place;
}

/* libyaml compares each %TAG line with all before it, and tells of them only when all are read; so
   they are counted as well between one piece of the file and the next. Two are libyaml's own. */
static bool has_many_tags(const yaml_parser_t *parser)
{
    return parser->tag_directives.top - parser->tag_directives.start > YAML_INPUT_TAGS_LIMIT + 2;
}

static int read_input(void *data, unsigned char *buffer, size_t size, size_t *got)
{
    struct yaml_input *input = data;
    size_t left = input->length - input->given;

    input->many_tags = has_many_tags(input->parser);
    *got = input->many_tags ? 0 : size < left ? size : left;
    memcpy(buffer, input->text + input->given, *got);
    input->given += *got;
    return !input->many_tags;
}

static int report_bytes(const struct yaml_input *input, struct error *err)
{
    const yaml_parser_t *parser = input->parser;
    struct place place = place_of_problem(parser, input->file, input->text, input->length);

    return error_at(err, place, "not a text file: %s; save the file as UTF-8", parser->problem);
}

struct place yaml_input_place(const struct yaml_input *input, yaml_mark_t mark)
{
    return (struct place){input->file, mark.line + 1, mark.column + 1};
}

int yaml_input_report_tags(const struct yaml_input *input, yaml_mark_t mark, struct error *err)
{
    return error_at(err, yaml_input_place(input, mark),
                    "more than %d %%TAG lines before this; an environment file needs none",
                    YAML_INPUT_TAGS_LIMIT);
}

int yaml_input_report(const struct yaml_input *input, struct error *err)
{
    const yaml_parser_t *parser = input->parser;

    /* libyaml does not always say so when memory runs out, but gives a reason for all else. */
    if (parser->error == YAML_MEMORY_ERROR || parser->error == YAML_NO_ERROR)
        return error_memory(err);
    if (input->many_tags)
        return yaml_input_report_tags(input, parser->mark, err);
    if (parser->error == YAML_READER_ERROR)
        return report_bytes(input, err);
    return error_at(err, yaml_input_place(input, parser->problem_mark),
                    "not YAML: %s%s%s; mend this line or the one before it",
                    parser->context ? parser->context : "", parser->context ? ", " : "",
                    parser->problem);
}

void yaml_input_open(struct yaml_input *input, yaml_parser_t *parser)
{
    input->parser = parser;
    yaml_parser_set_input(parser, read_input, input);
}
