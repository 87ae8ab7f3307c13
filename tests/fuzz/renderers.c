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
    for (uint32_t i = 0; i < count; i++) {
        struct uuid device = {{(unsigned char)(i + 1)}};
        memcpy(bytes + i * sizeof device, &device, sizeof device);
    }
    return count * sizeof(struct uuid);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { MOST = 4 };
    static const struct answer_format format = {
        .room = MOST * sizeof(struct uuid),
        .most = MOST,
        .right = right_answer,
        .decode = check_decode,
    };

    decode_answer(&format, data, size);
    return 0;
}
