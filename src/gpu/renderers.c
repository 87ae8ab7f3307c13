#include "gpu/renderers.h"

#include "base/file.h"
#include "base/scope.h"
#include "gpu/asking.h"
#include "gpu/cuda.h"
#include "gpu/egl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WHOM "EGL"

/* In a container the driver's EGL is there only if it was asked for. */
#define REMEDY                                                                                     \
    "install libEGL and NVIDIA's part of it (on Debian libegl1 and libegl-nvidia0), or start a "   \
    "container with NVIDIA_DRIVER_CAPABILITIES=all"

enum { LONGEST_ANSWER = sizeof(struct renderer_head) + RENDERERS_MOST * sizeof(struct renderer) };

/* ---- in the child ---------------------------------------------------------------------------- */

struct asking {
    struct egl egl;
    struct cuda cuda;
    struct renderer_head head;
    struct renderer devices[RENDERERS_MOST];
};

static int failed(struct asking *ask, const char *call, int code)
{
    ask->head.kind = RENDERER_FAILED;
    snprintf(ask->head.detail, sizeof ask->head.detail, "%s gave 0x%x", call, (unsigned)code);
    return -1;
}

/* What is no CUDA device of this process has no ordinal. */
static void ask_device(struct asking *ask, egl_device device, struct renderer *to)
{
    intptr_t ordinal = -1;
    int gpu = 0;

    if (egl_has(ask->egl.device_string(device, EGL_EXTENSIONS), "EGL_NV_device_cuda") &&
        ask->egl.attribute(device, EGL_CUDA_DEVICE, &ordinal) && ordinal >= 0 &&
        ordinal < RENDERERS_MOST && ask->cuda.device(&gpu, (int)ordinal) == CUDA_SUCCESS)
        to->cuda = ask->cuda.device_uuid(&to->uuid, gpu) == CUDA_SUCCESS;
}

static int ask_all(struct asking *ask)
{
    egl_device devices[RENDERERS_MOST];
    int32_t count = 0;

    int code = ask->cuda.init(0);
    if (code != CUDA_SUCCESS)
        return failed(ask, "cuInit", code);
    if (!ask->egl.devices(RENDERERS_MOST, devices, &count))
        return failed(ask, "eglQueryDevicesEXT", ask->egl.error());
    if (count < 0 || count > RENDERERS_MOST)
        return failed(ask, "eglQueryDevicesEXT, as the number of devices,", count);
    for (int32_t i = 0; i < count; i++)
        ask_device(ask, devices[i], &ask->devices[i]);
    ask->head.count = (uint32_t)count;
    return 0;
}

/* What the child gets. */
struct errand {
    const struct renderer_question *question;
    char *library; /* of the driver's folder; NULL: libEGL.so.1 where it usually is */
};

static void errand_release(struct errand *errand)
{
    free(errand->library);
}

static enum renderer_answer open_both(struct asking *ask, const struct errand *errand)
{
    char *problem = ask->head.detail;
    size_t size = sizeof ask->head.detail;

    enum library_state state = egl_open(&ask->egl, errand->library, problem, size);
    if (state == LIBRARY_MISSING)
        return RENDERER_NO_LIBRARY;
    if (state == LIBRARY_OPEN)
        state = cuda_open(&ask->cuda, errand->question->driver, problem, size);
    return state == LIBRARY_OPEN ? RENDERER_DEVICES : RENDERER_BAD_LIBRARY;
}

static void query(const void *data, struct strbuf *answer)
{
    const struct errand *errand = data;
    static struct asking ask = {.head = {.magic = RENDERER_MAGIC}};

    cuda_set_environment(errand->question->visible, "PCI_BUS_ID");
    ask.head.kind = (int32_t)open_both(&ask, errand);
    if (ask.head.kind == RENDERER_DEVICES)
        ask_all(&ask);
    strbuf_add(answer, &ask.head, sizeof ask.head);
    strbuf_add(answer, ask.devices, ask.head.count * sizeof *ask.devices);
}

/* ---- in the program -------------------------------------------------------------------------- */

int renderers_read(struct renderers *list, const struct renderer_question *question,
                   struct error *err)
{
    scope(child_end) struct child child = CHILD_INIT;
    scope(strbuf_release) struct strbuf bytes = STRBUF_INIT;
    scope(errand_release) struct errand errand = {question, NULL};
    const char *driver = question->driver;

    if (driver)
        errand.library = format_text("%.*slibEGL.so.1", (int)(path_name(driver) - driver), driver);
    if (driver && !errand.library)
        return error_memory(err);
    if (asking_start(&child, WHOM, query, &errand, question->timeout, err) < 0 ||
        asking_answer(&child, WHOM, LONGEST_ANSWER, &bytes, err) < 0)
        return -1;
    return renderers_decode(strbuf_text(&bytes), bytes.length, list, err);
}

static int report(const struct renderer_head *head, struct error *err)
{
    switch (head->kind) {
    case RENDERER_NO_LIBRARY:
        return error_add(err, STATUS_DRIVER, "no EGL library (%s); " REMEDY, head->detail);
    case RENDERER_BAD_LIBRARY:
        return error_add(err, STATUS_DRIVER, "EGL cannot be used: %s; " REMEDY, head->detail);
    case RENDERER_FAILED:
        return error_add(err, STATUS_DRIVER, "EGL failed: %s; " REMEDY, head->detail);
    default:
        return error_add(err, STATUS_DRIVER, "EGL's answer makes no sense: kind %d",
                         (int)head->kind);
    }
}

int renderers_decode(const char *bytes, size_t length, struct renderers *list, struct error *err)
{
    struct renderer_head head;

    if (length < sizeof head)
        return error_add(err, STATUS_DRIVER, "EGL's answer is cut short");
    memcpy(&head, bytes, sizeof head);
    if (memcmp(head.magic, RENDERER_MAGIC, sizeof head.magic) != 0 ||
        !memchr(head.detail, '\0', sizeof head.detail) || head.count > RENDERERS_MOST ||
        length != sizeof head + head.count * sizeof(struct renderer))
        return error_add(err, STATUS_DRIVER, "EGL's answer makes no sense");
    if (head.kind != RENDERER_DEVICES)
        return report(&head, err);
    struct renderer *items = calloc(head.count + 1, sizeof *items);
    if (!items)
        return error_memory(err);
    memcpy(items, bytes + sizeof head, head.count * sizeof *items);
    *list = (struct renderers){items, head.count, head.count + 1};
    return 0;
}

size_t renderers_find(const struct renderers *list, const struct uuid *uuid)
{
    size_t i = 0;

    while (i < list->count &&
           (!list->items[i].cuda || memcmp(&list->items[i].uuid, uuid, sizeof *uuid) != 0))
        i++;
    return i;
}

void renderers_release(struct renderers *list)
{
    free(list->items);
    *list = (struct renderers){0};
}
