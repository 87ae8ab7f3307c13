/*
 * EGL's devices, which are the answer of the child that asks it. Of any bytes, renderers_decode
 * either makes a list or an error that leaves the list as it was.
 *
 * An input whose first byte is even is the answer itself. One whose first byte is odd is a list of
 * changes to a right answer: a number of devices, then as often as there are bytes, an offset of
 * two bytes and the byte to put there.
 */
#include "fuzz/fuzz.h"

#include "base/scope.h"
#include "gpu/renderers.h"

#include <stdlib.h>
#include <string.h>

static void check_decode(const char *bytes, size_t length)
{
    scope(renderers_release) struct renderers list = {0};
    scope(error_release) struct error err = ERROR_INIT;
    const struct uuid zero = {{0}};

    int result = renderers_decode(bytes, length, &list, &err);
    require_contract(result, &err);
    require(list.count <= RENDERERS_MOST && renderers_find(&list, &zero) <= list.count);
    require(result == 0 || (err.status == STATUS_DRIVER && !list.items && !list.count));
}

static size_t right_answer(char *bytes, uint32_t count)
{
    const struct renderer_head head = {.magic = RENDERER_MAGIC, .count = count};

    memcpy(bytes, &head, sizeof head);
    for (uint32_t i = 0; i < count; i++) {
        struct renderer device = {.cuda = 1, .uuid = {{(unsigned char)(i + 1)}}};
        memcpy(bytes + sizeof head + i * sizeof device, &device, sizeof device);
    }
    return sizeof head + count * sizeof(struct renderer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { MOST = 4, ROOM = sizeof(struct renderer_head) + MOST * sizeof(struct renderer) };

    if (size < 2 || data[0] % 2 == 0) {
        size_t skipped = size > 0;
        check_decode((const char *)data + skipped, size - skipped);
        return 0;
    }
    scope(free_text) char *bytes = malloc(ROOM);
    size_t length = right_answer(bytes, data[1] % (MOST + 1));
    for (size_t i = 2; i + 2 < size; i += 3)
        bytes[(size_t)(data[i] | data[i + 1] << 8) % length] = (char)data[i + 2];
    scope(free_text) char *exact = malloc(length); /* for the sanitizer to see its end */
    memcpy(exact, bytes, length);
    check_decode(exact, length);
    return 0;
}
