/*
 * EGL as a value: the calls that list its devices, as typed pointers. Only a process that the
 * library may harm opens it: see renderers.h.
 *
 * The declarations are ours, after the Khronos EGL Registry (registry.khronos.org/EGL): EGL 1.5 for
 * eglGetProcAddress and eglQueryString, and the extensions EGL_EXT_device_enumeration
 * (eglQueryDevicesEXT), EGL_EXT_device_query (eglQueryDeviceAttribEXT, eglQueryDeviceStringEXT), of
 * which EGL_EXT_device_base is both in one, and EGL_NV_device_cuda (EGL_CUDA_DEVICE_NV: the ordinal
 * to be passed to cuDeviceGet). EGLint and EGLBoolean are 32 bits, EGLAttrib is an intptr_t.
 */
#pragma once

#include "gpu/library.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    EGL_EXTENSIONS = 0x3055,
    EGL_CUDA_DEVICE = 0x323A,
};

typedef struct egl_opaque *egl_device;

typedef void egl_any_call(void);

struct egl {
    egl_any_call *(*find)(const char *name);
    const char *(*string)(void *display, int32_t name); /* NULL: of EGL itself */
    int32_t (*error)(void);
    uint32_t (*devices)(int32_t room, egl_device *devices, int32_t *count);
    uint32_t (*attribute)(egl_device device, int32_t attribute, intptr_t *value);
    const char *(*device_string)(egl_device device, int32_t name);
};

/* library_open() of libEGL.so.1, which asks every vendor's, as programs do. LIBRARY_UNUSABLE is
   also one that cannot list devices. */
enum library_state egl_open(struct egl *egl, const char *driver,
                            char problem[LIBRARY_PROBLEM_SIZE]);

/* Whether a word is among those of a list with blanks between. */
bool egl_has(const char *extensions, const char *extension);
