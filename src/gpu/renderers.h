/*
 * The devices that EGL lists, and which CUDA devices they are: asked in a child process, as
 * inventory.h asks CUDA. Programs that render without a screen (MuJoCo, pyrender, VirtualGL) choose
 * by the place in this list, which follows neither CUDA_VISIBLE_DEVICES nor the order of the GPUs.
 *
 *     scope(renderers_release) struct renderers list = {0};
 *     struct renderer_question question = {.visible = "1,3", .timeout = 60};
 *     if (renderers_read(&list, &question, &err) < 0) ...
 *     size_t number = renderers_find(&list, &uuid);
 *
 * EGL tells the CUDA ordinal of a device as this process counts, so the child has the variables of
 * the question, and asks CUDA for the UUID of that ordinal. Errors have STATUS_DRIVER.
 */
#pragma once

#include "base/array.h"
#include "base/child.h"
#include "base/error.h"
#include "gpu/device.h"

struct renderer {
    int32_t cuda; /* 1: it is a CUDA device, with this UUID: of the GPU, not of a MIG instance */
    struct uuid uuid;
};

struct renderers array_of(struct renderer);

struct renderer_question {
    const char *driver;  /* as in struct question; where it is given, EGL is that of its folder */
    const char *visible; /* CUDA_VISIBLE_DEVICES; NULL: unset */
    unsigned timeout;    /* seconds */
};

int renderers_read(struct renderers *list, const struct renderer_question *question,
                   struct error *err);

/* The number of the device with this UUID, or list->count. */
size_t renderers_find(const struct renderers *list, const struct uuid *uuid);

void renderers_release(struct renderers *list);

/* Reads what a child has answered. Pure; for renderers_read and the tests. */
int renderers_decode(const char *bytes, size_t length, struct renderers *list, struct error *err);

/* What a child answers: one head, then the devices. */
struct renderer_head {
    char magic[8];
    int32_t kind;
    uint32_t count;
    char detail[256];
};

enum renderer_answer {
    RENDERER_DEVICES,
    RENDERER_NO_LIBRARY,  /* detail: what dlopen said */
    RENDERER_BAD_LIBRARY, /* detail: what is wrong */
    RENDERER_FAILED,      /* detail: the call and its code */
};

#define RENDERER_MAGIC "cgegl01"

enum { RENDERERS_MOST = 1024 };
