/*
 * The devices that EGL lists, and which CUDA devices they are: asked in a child process, as
 * inventory.h asks CUDA. Programs that render without a screen (MuJoCo, pyrender, VirtualGL) choose
 * by the place in this list, which follows neither CUDA_VISIBLE_DEVICES nor the order of the GPUs.
 *
 *     scope(renderers_release) struct renderers list = {0};
 *     struct question question = {.visible = "1,3", .order = "PCI_BUS_ID", .timeout = 60};
 *     if (renderers_read(&list, &question, &err) < 0) ...
 *     size_t number = renderers_find(&list, &uuid);
 *
 * EGL tells the CUDA ordinal of a device as this process counts, so the child has the variables of
 * the question, and asks CUDA for the UUID of that ordinal. Errors have STATUS_DRIVER.
 */
#pragma once

#include "base/array.h"
#include "gpu/asking.h"
#include "gpu/device.h"

/* The UUIDs of the GPUs, also of those with MIG instances; of zeros where it is no CUDA device. */
struct renderers array_of(struct uuid);

int renderers_read(struct renderers *list, const struct question *question, struct error *err);

/* The number of the device with this UUID, or list->count. */
size_t renderers_find(const struct renderers *list, const struct uuid *uuid);

void renderers_release(struct renderers *list);

/* Reads what a child has answered: the devices. Pure; for renderers_read and the tests. */
int renderers_decode(const char *bytes, size_t length, struct renderers *list, struct error *err);

enum { RENDERERS_MOST = 1024 };
