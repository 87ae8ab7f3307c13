#include "gpu/query.h"

#include "base/scope.h"
#include "gpu/cuda.h"
#include "gpu/kernel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct asking {
    struct cuda cuda;
    struct answer_head head;
};

static int failed(struct asking *ask, const char *call, int code)
{
    const char *name = NULL, *text = NULL;
    const struct cuda *cuda = &ask->cuda;

    if (code == CUDA_SUCCESS)
        return 0;
    if (cuda->error_name)
        cuda->error_name(code, &name);
    if (cuda->error_string)
        cuda->error_string(code, &text);
    ask->head.kind = ANSWER_FAILED;
    ask->head.code = code;
    snprintf(ask->head.call, sizeof ask->head.call, "%s", call);
    snprintf(ask->head.detail, sizeof ask->head.detail, "%.100s%s%.300s",
             name ? name : "unknown code", text ? ", " : "", text ? text : "");
    return -1;
}

static int odd(struct asking *ask, const char *what, int value)
{
    ask->head.kind = ANSWER_ODD;
    snprintf(ask->head.detail, sizeof ask->head.detail, "%s is %d", what, value);
    return -1;
}

static int ask_uuid(struct asking *ask, struct answer_device *to, int device)
{
    const struct cuda *cuda = &ask->cuda;
    struct uuid gpu = {{0}};

    if (failed(ask, "cuDeviceGetUuid", cuda->device_uuid(&gpu, device)) < 0)
        return -1;
    to->uuid = gpu;
    if (!cuda->device_uuid_v2)
        return 0;
    if (failed(ask, "cuDeviceGetUuid_v2", cuda->device_uuid_v2(&to->uuid, device)) < 0)
        return -1;
    to->mig = memcmp(&gpu, &to->uuid, sizeof gpu) != 0;
    return 0;
}

static int ask_device(struct asking *ask, struct answer_device *to, int ordinal)
{
    const struct cuda *cuda = &ask->cuda;
    int device = 0, major = 0, minor = 0;
    size_t memory = 0;

    if (failed(ask, "cuDeviceGet", cuda->device(&device, ordinal)) < 0 ||
        failed(ask, "cuDeviceGetName",
               cuda->device_name(to->name, (int)sizeof to->name - 1, device)) < 0 ||
        ask_uuid(ask, to, device) < 0 ||
        failed(ask, "cuDeviceGetPCIBusId",
               cuda->device_pci(to->pci, (int)sizeof to->pci - 1, device)) < 0 ||
        failed(ask, "cuDeviceTotalMem_v2", cuda->device_memory(&memory, device)) < 0 ||
        failed(ask, "cuDeviceGetAttribute",
               cuda->device_attribute(&major, CUDA_COMPUTE_MAJOR, device)) < 0 ||
        failed(ask, "cuDeviceGetAttribute",
               cuda->device_attribute(&minor, CUDA_COMPUTE_MINOR, device)) < 0)
        return -1;
    to->memory = memory;
    to->compute_major = major;
    to->compute_minor = minor;
    return 0;
}

static struct answer_device *ask_all(struct asking *ask)
{
    const struct cuda *cuda = &ask->cuda;
    int count = 0, version = 0;

    if (failed(ask, "cuInit", cuda->init(0)) < 0 ||
        failed(ask, "cuDriverGetVersion", cuda->driver_version(&version)) < 0 ||
        failed(ask, "cuDeviceGetCount", cuda->device_count(&count)) < 0)
        return NULL;
    if (count < 0 || count > ANSWER_MOST_DEVICES) {
        odd(ask, "the number of devices", count);
        return NULL;
    }
    struct answer_device *devices = calloc((size_t)count + 1, sizeof *devices);
    if (!devices) {
        odd(ask, "out of memory: the number of devices", count);
        return NULL;
    }
    for (int i = 0; i < count; i++) {
        if (ask_device(ask, &devices[i], i) < 0) {
            free(devices);
            return NULL;
        }
    }
    ask->head.driver_version = version;
    ask->head.count = (uint32_t)count;
    return devices;
}

static void look_for_unseen(struct asking *ask, const char *root,
                            const struct answer_device *devices)
{
    scope(strbuf_release) struct strbuf unseen = STRBUF_INIT;
    struct pci_address *seen = calloc(ask->head.count + 1, sizeof *seen);

    for (uint32_t i = 0; seen && i < ask->head.count; i++)
        pci_parse(devices[i].pci, &seen[i]);
    if (seen)
        kernel_add_unseen(&unseen, root, seen, ask->head.count);
    snprintf(ask->head.unseen, sizeof ask->head.unseen, "%s", strbuf_text(&unseen));
    free(seen);
}

void query_cuda(const void *data, struct strbuf *answer)
{
    static const enum answer_kind kinds[] = {[LIBRARY_OPEN] = ANSWER_DEVICES,
                                             [LIBRARY_MISSING] = ANSWER_NO_LIBRARY,
                                             [LIBRARY_UNUSABLE] = ANSWER_BAD_LIBRARY,
                                             [LIBRARY_PLACEHOLDER] = ANSWER_PLACEHOLDER};
    const struct question *question = data;
    struct asking ask = {.head = {.magic = ANSWER_MAGIC}};
    struct answer_device *devices = NULL;

    cuda_set_environment(question->visible, question->order);
    enum library_state state =
        cuda_open(&ask.cuda, question->library, ask.head.detail, sizeof ask.head.detail);
    ask.head.kind = (int32_t)kinds[state];
    if (state == LIBRARY_OPEN)
        devices = ask_all(&ask);
    if (state == LIBRARY_OPEN && !question->visible)
        look_for_unseen(&ask, question->root ? question->root : "", devices);
    strbuf_add(answer, &ask.head, sizeof ask.head);
    strbuf_add(answer, devices, ask.head.count * sizeof *devices);
    free(devices);
}
