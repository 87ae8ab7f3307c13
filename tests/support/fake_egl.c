/*
 * A simulated EGL: build it as libEGL.so.1. Its devices are the GPUs of the machine that
 * fake_machine.c tells about, and Mesa's where the machine says `software`.
 *
 *   cc -std=c11 -shared -fPIC -fvisibility=hidden -o DIR/libEGL.so.1 tests/support/fake_egl.c
 *
 * What is simulated, and after what:
 * - The list heeds neither CUDA_VISIBLE_DEVICES nor CUDA_DEVICE_ORDER, and has an order of its own
 *   (github.com/google-deepmind/mujoco, issue 3245: 0, 1, 2, 3 are 2, 1, 0, 5 on seven GPUs).
 * - EGL_CUDA_DEVICE_NV is the ordinal in this process (github.com/RLinf/RLinf, pull request 1458).
 *   That it is refused for a GPU that CUDA_VISIBLE_DEVICES hides is not seen on hardware.
 * - A device that is no GPU lacks EGL_NV_device_cuda. eglGetProcAddress gives an address for any
 *   name, as libglvnd's does (EGL 1.5, 3.13: a pointer does not say that a call is there).
 */
#include "fake_cuda.c"

#include <stdint.h>

EXPORT void (*eglGetProcAddress(const char *name))(void);
EXPORT const char *eglQueryString(void *display, int name);
EXPORT int eglGetError(void);

enum { EXTENSIONS = 0x3055, CUDA_DEVICE = 0x323A, BAD_ALLOC = 0x3003 };

typedef const struct device *handle;

static const struct device mesa;
static struct list listed;

static int compare_egl(const void *left, const void *right)
{
    handle a = *(const handle *)left, b = *(const handle *)right;
    if (a->egl != b->egl)
        return a->egl < b->egl ? -1 : 1;
    return compare_pci(left, right);
}

static void list_devices(void)
{
    load_machine(true);
    listed.count = 0;
    for (int i = 0; i < machine.gpu_count; i++)
        if (machine.gpus[i].egl >= 0)
            append(&listed, &machine.gpus[i]);
    qsort(listed.at, (size_t)listed.count, sizeof listed.at[0], compare_egl);
    if (machine.software) {
        append(&listed, &mesa);
        memmove(&listed.at[1], &listed.at[0], (size_t)(listed.count - 1) * sizeof listed.at[0]);
        listed.at[0] = &mesa;
    }
    enumerate();
}

static long number_of(handle device)
{
    for (int i = 0; i < listed.count; i++)
        if (listed.at[i] == device)
            return i;
    return ANY;
}

static bool is_refused(int call, handle device)
{
    run_faults(&calls[call], device == NULL ? ANY : number_of(device));
    return verdict.code != OK;
}

static unsigned int query_devices(int room, handle *devices, int *count)
{
    list_devices();
    if (is_refused(E_DEVICES, NULL))
        return 0;
    *count = (int)said(listed.count);
    for (int i = 0; i < listed.count && i < room && devices != NULL; i++)
        devices[i] = listed.at[i];
    return 1;
}

static unsigned int query_attribute(handle device, int attribute, intptr_t *value)
{
    if (is_refused(E_ATTRIBUTE, device) || attribute != CUDA_DEVICE)
        return 0;
    for (int i = 0; i < visible.count; i++)
        if (visible.at[i] == device) {
            *value = (intptr_t)said(i);
            return 1;
        }
    return 0;
}

static const char *query_device_string(handle device, int name)
{
    if (is_refused(E_DEVICE_STRING, device) || name != EXTENSIONS)
        return NULL;
    if (verdict.lie != NULL)
        return verdict.lie->text;
    return device == &mesa ? "EGL_MESA_device_software EGL_EXT_device_drm_render_node"
                           : "EGL_NV_device_cuda EGL_EXT_device_drm EGL_EXT_device_drm_render_node";
}

static void no_call(void)
{
    abort();
}

void (*eglGetProcAddress(const char *name))(void)
{
    is_refused(E_FIND, NULL);
    if (strcmp(name, "eglQueryDevicesEXT") == 0)
        return (void (*)(void))query_devices;
    if (strcmp(name, "eglQueryDeviceAttribEXT") == 0)
        return (void (*)(void))query_attribute;
    if (strcmp(name, "eglQueryDeviceStringEXT") == 0)
        return (void (*)(void))query_device_string;
    return no_call;
}

const char *eglQueryString(void *display, int name)
{
    if (is_refused(E_STRING, NULL) || display != NULL || name != EXTENSIONS)
        return NULL;
    return verdict.lie != NULL ? verdict.lie->text
                               : "EGL_EXT_client_extensions EGL_EXT_device_base "
                                 "EGL_EXT_device_enumeration EGL_EXT_device_query";
}

int eglGetError(void)
{
    return BAD_ALLOC;
}
