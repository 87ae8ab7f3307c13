#include "fuzz/fuzz.h"

#include "base/file.h"
#include "base/scope.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

void broken(const char *file, int line, const char *what)
{
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
    abort();
}

static void require_printable(const char *text)
{
    for (const char *line = text; *line; line = strchr(line, '\n') + 1) {
        size_t length = strcspn(line, "\n");
        scope(strbuf_release) struct strbuf again = STRBUF_INIT;
        require(line[length] == '\n');
        strbuf_add_printable(&again, line, length);
        require(again.length == length && memcmp(strbuf_text(&again), line, length) == 0);
    }
}

void require_contract(int result, struct error *err)
{
    require(result == 0 || result == -1);
    require((result < 0) == (err->count > 0));
    require((result < 0) == (err->status != STATUS_DONE));
    require((result < 0) == (*error_text(err) != '\0'));
    require_printable(error_text(err));
}

int same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

char *input_text(const uint8_t *data, size_t size)
{
    char *text = strndup((const char *)data, size);

    require(text != NULL);
    return text;
}

void decode_answer(const struct answer_format *format, const uint8_t *data, size_t size)
{
    if (size < 2 || data[0] % 2 == 0) {
        size_t skipped = size > 0;
        format->decode((const char *)data + skipped, size - skipped);
        return;
    }
    scope(free_text) char *bytes = malloc(format->room);
    size_t length = format->right(bytes, data[1] % (format->most + 1));
    for (size_t i = 2; length && i + 2 < size; i += 3)
        bytes[(size_t)(data[i] | data[i + 1] << 8) % length] = (char)data[i + 2];
    scope(free_text) char *exact = malloc(length); /* for the sanitizer to see its end */
    memcpy(exact, bytes, length);
    format->decode(exact, length);
}

const char *scratch_folder(void)
{
    static char *folder;

    if (!folder) {
        const char *parent = getenv("TMPDIR");
        folder = path_join(parent ? parent : "/tmp", "conda-gpu-fuzz-XXXXXX");
        require(folder && mkdtemp(folder));
    }
    return folder;
}

void scratch_write(const char *name, const void *bytes, size_t length)
{
    scope(free_text) char *path = path_join(scratch_folder(), name);
    scope(close_fd) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    require(fd >= 0 && file_write_fd(fd, bytes, length) == 0);
}
