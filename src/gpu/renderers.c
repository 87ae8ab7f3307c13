#include "gpu/renderers.h"

#include "base/scope.h"
#include "gpu/cuda.h"
#include "gpu/egl.h"

#include <stdlib.h>
#include <string.h>

/* In a container the driver's EGL is there only if it was asked for. */
#define REMEDY                                                                                     \
    "install libEGL and NVIDIA's part of it (on Debian libegl1 and libegl-nvidia0), or start a "   \
    "container with NVIDIA_DRIVER_CAPABILITIES=all"

/* ---- in the child ---------------------------------------------------------------------------- */

struct libraries {
    struct egl egl;
    struct cuda cuda;
};

static int failed(const char *call, int code, struct error *err)
{
    return error_add(err, STATUS_DRIVER, "EGL failed: %s gave 0x%x; " REMEDY, call, (unsigned)code);
}

/* What is no CUDA device of this process has no ordinal. */
static struct uuid ask_device(const struct libraries *all, egl_device device)
{
    struct uuid uuid = {{0}};
    intptr_t ordinal = -1;
    int gpu = 0;

    bool told = egl_has(all->egl.device_string(device, EGL_EXTENSIONS), "EGL_NV_device_cuda") &&
                all->egl.attribute(device, EGL_CUDA_DEVICE, &ordinal) && ordinal >= 0 &&
                ordinal < RENDERERS_MOST && all->cuda.device(&gpu, (int)ordinal) == CUDA_SUCCESS &&
                all->cuda.device_uuid(&uuid, gpu) == CUDA_SUCCESS;
    return told ? uuid : (struct uuid){{0}};
}

static int ask_all(const struct libraries *all, struct strbuf *answer, struct error *err)
{
    egl_device devices[RENDERERS_MOST];
    int32_t count = 0;

    int code = all->cuda.init(0);
    if (code != CUDA_SUCCESS)
        return failed("cuInit", code, err);
    if (!all->egl.devices(RENDERERS_MOST, devices, &count))
        return failed("eglQueryDevicesEXT", all->egl.error(), err);
    if (count < 0 || count > RENDERERS_MOST)
        return failed("eglQueryDevicesEXT, as the number of devices,", count, err);
    for (int32_t i = 0; i < count; i++) {
        struct uuid uuid = ask_device(all, devices[i]);
        strbuf_add(answer, &uuid, sizeof uuid);
    }
    return 0;
}

static int ask_egl(const struct question *question, struct strbuf *answer, struct error *err)
{
    char why[LIBRARY_PROBLEM_SIZE];
    struct libraries all;

    cuda_set_environment(question->visible, question->order);
    enum library_state state = egl_open(&all.egl, question->driver, why);
    if (state == LIBRARY_MISSING)
        return error_add(err, STATUS_DRIVER, "no EGL library (%s); " REMEDY, why);
    if (state == LIBRARY_OPEN)
        state = library_open(&cuda_library, question->driver, &all.cuda, why);
    if (state != LIBRARY_OPEN)
        return error_add(err, STATUS_DRIVER, "EGL cannot be used: %s; " REMEDY, why);
    return ask_all(&all, answer, err);
}

/* ---- in the program -------------------------------------------------------------------------- */

static const struct vendor egl = {"EGL", ask_egl};

int renderers_read(struct renderers *list, const struct question *question, struct error *err)
{
    scope(child_end) struct child child = CHILD_INIT;
    scope(strbuf_release) struct strbuf bytes = STRBUF_INIT;

    if (asking_start(&child, &egl, question, err) < 0 ||
        asking_answer(&child, &egl, &bytes, err) < 0)
        return -1;
    return renderers_decode(strbuf_text(&bytes), bytes.length, list, err);
}

int renderers_decode(const char *bytes, size_t length, struct renderers *list, struct error *err)
{
    size_t count = length / sizeof(struct uuid);

    if (count > RENDERERS_MOST || length % sizeof(struct uuid))
        return asking_nonsense(&egl, err, ": it is too long, or cut short");
    struct uuid *items = calloc(count + 1, sizeof *items);
    if (!items)
        return error_memory(err);
    memcpy(items, bytes, length);
    *list = (struct renderers){items, count, count + 1};
    return 0;
}

size_t renderers_find(const struct renderers *list, const struct uuid *uuid)
{
    size_t i = 0;

    while (i < list->count && memcmp(&list->items[i], uuid, sizeof *uuid) != 0)
        i++;
    return i;
}

void renderers_release(struct renderers *list)
{
    free(list->items);
    *list = (struct renderers){0};
}
