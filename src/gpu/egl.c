#include "gpu/egl.h"

#include <stdio.h>
#include <string.h>

static const struct library_call calls[] = {
    {"eglGetProcAddress", offsetof(struct egl, find), LIBRARY_REQUIRED},
    {"eglQueryString", offsetof(struct egl, string), LIBRARY_REQUIRED},
    {"eglGetError", offsetof(struct egl, error), LIBRARY_REQUIRED},
    {0},
};

static const char *const names[] = {"libEGL.so.1", "/run/opengl-driver/lib/libEGL.so.1", NULL};

static const struct library library = {.names = names, .is_beside = true, .calls = calls};

bool egl_has(const char *extensions, const char *extension)
{
    size_t length = strlen(extension);

    for (const char *at = extensions; at && (at = strstr(at, extension)); at += length)
        if ((at == extensions || at[-1] == ' ') && (at[length] == ' ' || !at[length]))
            return true;
    return false;
}

/* An address is given for any name, also where there is no such call. */
static bool find_call(const struct egl *egl, const char *name, void *pointer)
{
    egl_any_call *found = egl->find(name);

    memcpy(pointer, &found, sizeof found);
    return found != NULL;
}

static bool find_calls(struct egl *egl, char *problem)
{
    const char *extensions = egl->string(NULL, EGL_EXTENSIONS);
    bool base = egl_has(extensions, "EGL_EXT_device_base");
    bool lists = (base || egl_has(extensions, "EGL_EXT_device_enumeration")) &&
                 find_call(egl, "eglQueryDevicesEXT", &egl->devices);
    bool tells = (base || egl_has(extensions, "EGL_EXT_device_query")) &&
                 find_call(egl, "eglQueryDeviceAttribEXT", &egl->attribute) &&
                 find_call(egl, "eglQueryDeviceStringEXT", &egl->device_string);

    if (!lists || !tells)
        snprintf(problem, LIBRARY_PROBLEM_SIZE, "it has no EGL_EXT_device_%s",
                 lists ? "query" : "enumeration");
    return lists && tells;
}

enum library_state egl_open(struct egl *egl, const char *driver, char problem[LIBRARY_PROBLEM_SIZE])
{
    enum library_state state = library_open(&library, driver, egl, problem);

    return state == LIBRARY_OPEN && !find_calls(egl, problem) ? LIBRARY_UNUSABLE : state;
}
