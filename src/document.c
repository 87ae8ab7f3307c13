#include "document.h"

#include "file.h"
#include "scope.h"

#include <errno.h>
#include <string.h>

static void parser_release(yaml_parser_t *parser)
{
    yaml_parser_delete(parser);
}

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
        if (c == 0xfeff || (offset < 3 && !strncmp(text, "\xef\xbb\xbf", 3) && !continues))
            place.column = 1;
        offset += size;
    }
    return place;
}

/* What a parser reads from: a text, or a file. */
struct input {
    const char *file;
    const char *text; /* NULL for a file */
    size_t length;
    int fd;
    size_t left; /* of the limit */
    int error;   /* errno of a read that failed */
};

static int read_input(void *data, unsigned char *buffer, size_t size, size_t *got)
{
    struct input *input = data;
    ssize_t result;

    do {
        result = read(input->fd, buffer, size);
    } while (result < 0 && errno == EINTR);
    input->error = result < 0 ? errno : (size_t)result > input->left ? EFBIG : 0;
    *got = input->error ? 0 : (size_t)result;
    input->left -= *got;
    return !input->error;
}

static int report_bytes(const yaml_parser_t *parser, const struct input *input, struct error *err)
{
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;
    struct place place = {.file = input->file};

    if (input->text)
        place = place_of_problem(parser, input->file, input->text, input->length);
    else if (lseek(input->fd, 0, SEEK_SET) == 0 &&
             file_read_fd(input->fd, DOCUMENT_LIMIT, &text) == 0)
        place = place_of_problem(parser, input->file, strbuf_text(&text), text.length);
    return error_at(err, place, "not a text file: %s; save the file as UTF-8", parser->problem);
}

static int report(const yaml_parser_t *parser, const struct input *input, struct error *err)
{
    if (parser->error == YAML_MEMORY_ERROR)
        return error_memory(err);
    if (input->error == EFBIG)
        return error_add(err, STATUS_INPUT, "%s: larger than %d MiB; an environment file is not",
                         input->file, DOCUMENT_LIMIT >> 20);
    if (input->error)
        return error_add(err, STATUS_INPUT, "%s: cannot read the file: %s; name another with -f",
                         input->file, strerror(input->error));
    if (parser->error == YAML_READER_ERROR)
        return report_bytes(parser, input, err);
    struct place place = {input->file, parser->problem_mark.line + 1,
                          parser->problem_mark.column + 1};
    return error_at(err, place, "not YAML: %s%s%s; mend this line or the one before it",
                    parser->context ? parser->context : "", parser->context ? ", " : "",
                    parser->problem);
}

static int check_single(yaml_parser_t *parser, const struct input *input, struct error *err)
{
    yaml_document_t second;

    if (!yaml_parser_load(parser, &second))
        return report(parser, input, err);
    const yaml_node_t *root = yaml_document_get_root_node(&second);
    struct place place = {input->file, second.start_mark.line + 1, 1};
    yaml_document_delete(&second);
    if (root)
        return error_at(err, place,
                        "a second YAML document begins here, and conda reads only one; remove "
                        "the '---' or put the rest into a file of its own");
    return 0;
}

static int check_mapping(struct document *doc, struct error *err)
{
    const yaml_node_t *root = yaml_document_get_root_node(&doc->yaml);

    if (!root)
        return error_at(err, (struct place){.file = doc->file},
                        "the file is empty; an environment file is a mapping such as 'name: pt'");
    if (root->type == YAML_MAPPING_NODE)
        return 0;
    scope(free_text) char *shown = node_shown(root);
    return error_at(err, document_place(doc, root),
                    "found %s where the file should be a mapping such as 'name: pt'",
                    shown ? shown : "something else");
}

static int load(struct document *doc, struct input *input, struct error *err)
{
    scope(parser_release) yaml_parser_t parser;

    if (!yaml_parser_initialize(&parser)) {
        memset(&parser, 0, sizeof parser);
        return error_memory(err);
    }
    if (input->text)
        yaml_parser_set_input_string(&parser, (const unsigned char *)input->text, input->length);
    else
        yaml_parser_set_input(&parser, read_input, input);
    scope(document_release) struct document loaded = {.file = input->file};
    if (!yaml_parser_load(&parser, &loaded.yaml))
        return report(&parser, input, err);
    loaded.live = true;
    if (check_mapping(&loaded, err) < 0 || check_single(&parser, input, err) < 0)
        return -1;
    *doc = loaded;
    loaded.live = false;
    return 0;
}

int document_load(struct document *doc, const char *file, const char *text, size_t length,
                  struct error *err)
{
    return load(doc, &(struct input){.file = file, .text = text, .length = length}, err);
}

int document_read(struct document *doc, const char *file, int fd, struct error *err)
{
    return load(doc, &(struct input){.file = file, .fd = fd, .left = DOCUMENT_LIMIT}, err);
}

void document_release(struct document *doc)
{
    if (doc->live)
        yaml_document_delete(&doc->yaml);
    doc->live = false;
}

const yaml_node_t *document_node(const struct document *doc, int index)
{
    return doc->yaml.nodes.start + index - 1;
}

struct place document_place(const struct document *doc, const yaml_node_t *node)
{
    return (struct place){doc->file, node->start_mark.line + 1, node->start_mark.column + 1};
}

const char *node_text(const yaml_node_t *node)
{
    return node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : NULL;
}

bool node_is_null(const yaml_node_t *node)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};

    if (node->type != YAML_SCALAR_NODE || node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
        return false;
    for (size_t i = 0; i < sizeof nulls / sizeof *nulls; i++)
        if (strcmp(node_text(node), nulls[i]) == 0)
            return true;
    return false;
}

char *node_shown(const yaml_node_t *node)
{
    enum { MOST_SHOWN = 60 };

    if (node->type == YAML_SEQUENCE_NODE)
        return format_text("a list");
    if (node->type == YAML_MAPPING_NODE)
        return format_text("a mapping");
    if (node_is_null(node))
        return format_text("nothing");
    size_t length = node->data.scalar.length;
    return format_text("'%.*s'%s", (int)(length < MOST_SHOWN ? length : MOST_SHOWN),
                       node_text(node), length < MOST_SHOWN ? "" : "...");
}
