#include "gpu/inventory.h"

#include "base/scope.h"
#include "gpu/cuda.h"
#include "gpu/kernel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int ask_cuda(const struct question *question, struct strbuf *answer, struct error *err);

static const struct vendor driver = {"the CUDA driver", ask_cuda};

/* ---- in the child ---------------------------------------------------------------------------- */

struct asking {
    const struct question *question;
    struct cuda cuda;
    int result; /* once something has failed */
    struct error *err;
};

static int open_library(struct asking *ask)
{
    char why[LIBRARY_PROBLEM_SIZE];

    switch (library_open(&cuda_library, ask->question->driver, &ask->cuda, why)) {
    case LIBRARY_OPEN:
        return 0;
    case LIBRARY_MISSING:
        ask->result = ASKING_ABSENT;
        return error_add(ask->err, STATUS_DRIVER,
                         "no CUDA driver library (%s); install NVIDIA's driver (on Debian "
                         "libcuda1), start a container with --gpus all, or name the library with "
                         "--driver PATH",
                         why);
    case LIBRARY_PLACEHOLDER:
        return error_add(ask->err, STATUS_DRIVER,
                         "the CUDA driver library is an empty file (%s), as the image of a "
                         "container has it that was once started with GPUs; start this one with "
                         "--gpus all, or name another library with --driver PATH",
                         why);
    default:
        return error_add(ask->err, STATUS_DRIVER,
                         "the CUDA driver library cannot be used: %s; reinstall NVIDIA's driver, "
                         "or name another library with --driver PATH",
                         why);
    }
}

/* Only where all devices are asked for: a choice leaves some out. */
static void add_unseen(const struct asking *ask, const struct device_list *seen, struct strbuf *out)
{
    if (!ask->question->visible)
        kernel_add_unseen(out, ask->question->root ? ask->question->root : "", seen);
}

/* A code with which cuInit fails when the kernel's part is missing, and on other occasions. */
static bool is_unloaded(const char *call, int code)
{
    return strcmp(call, "cuInit") == 0 && (code == 3 || code == 304 || code == 999) &&
           !kernel_has_driver();
}

static int report(struct asking *ask, const char *call, int code)
{
    scope(strbuf_release) struct strbuf unseen = STRBUF_INIT;
    const char *name = NULL, *text = NULL, *remedy = cuda_remedy(code);
    bool unloaded = is_unloaded(call, code);

    if (ask->cuda.error_name)
        ask->cuda.error_name(code, &name);
    if (ask->cuda.error_string)
        ask->cuda.error_string(code, &text);
    if (unloaded)
        remedy = "NVIDIA's kernel module is not loaded: install the driver, or load it with 'sudo "
                 "modprobe nvidia'";
    if (unloaded || code == CUDA_NO_DEVICE) {
        ask->result = ASKING_ABSENT;
        add_unseen(ask, &(struct device_list){0}, &unseen);
    }
    if (unseen.length)
        return error_add(ask->err, STATUS_DRIVER,
                         "CUDA shows no GPU, and the kernel has %s: one in MIG mode needs an "
                         "instance ('nvidia-smi mig -lgi' lists them; its administrator makes "
                         "them)",
                         unseen.text);
    return error_add(ask->err, STATUS_DRIVER,
                     "the CUDA driver failed: %s gave %d (%.100s%s%.300s); %s", call, code,
                     name ? name : "unknown code", text ? ", " : "", text ? text : "",
                     remedy ? remedy : "see NVIDIA's CUDA Driver API reference, CUresult");
}

static int failed(struct asking *ask, const char *call, int code)
{
    return code == CUDA_SUCCESS ? 0 : report(ask, call, code);
}

static int ask_uuid(struct asking *ask, struct device *to, int device)
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

static int ask_device(struct asking *ask, struct device *to, int ordinal)
{
    const struct cuda *cuda = &ask->cuda;
    char pci[24] = "";
    size_t memory = 0;
    int device = 0;

    if (failed(ask, "cuDeviceGet", cuda->device(&device, ordinal)) < 0 ||
        failed(ask, "cuDeviceGetName",
               cuda->device_name(to->name, (int)sizeof to->name - 1, device)) < 0 ||
        ask_uuid(ask, to, device) < 0 ||
        failed(ask, "cuDeviceGetPCIBusId", cuda->device_pci(pci, (int)sizeof pci - 1, device)) <
            0 ||
        failed(ask, "cuDeviceTotalMem_v2", cuda->device_memory(&memory, device)) < 0 ||
        failed(ask, "cuDeviceGetAttribute",
               cuda->device_attribute(&to->compute_major, CUDA_COMPUTE_MAJOR, device)) < 0 ||
        failed(ask, "cuDeviceGetAttribute",
               cuda->device_attribute(&to->compute_minor, CUDA_COMPUTE_MINOR, device)) < 0)
        return -1;
    to->memory = memory;
    if (!pci_parse(pci, &to->pci))
        return asking_nonsense(&driver, ask->err, ": device %d has no PCI bus ID", ordinal);
    return 0;
}

static int count_devices(struct asking *ask, struct answer_head *head)
{
    const struct cuda *cuda = &ask->cuda;
    int count = 0, version = 0;

    if (failed(ask, "cuInit", cuda->init(0)) < 0 ||
        failed(ask, "cuDriverGetVersion", cuda->driver_version(&version)) < 0 ||
        failed(ask, "cuDeviceGetCount", cuda->device_count(&count)) < 0)
        return -1;
    if (count < 0 || count > ANSWER_MOST_DEVICES)
        return asking_nonsense(&driver, ask->err, ": the number of devices is %d", count);
    *head = (struct answer_head){.driver_version = version, .count = (uint32_t)count};
    if (count)
        return 0;
    ask->result = ASKING_ABSENT;
    return error_add(ask->err, STATUS_DRIVER, "the CUDA driver sees no GPU: %s",
                     cuda_remedy(CUDA_NO_DEVICE) + strlen("the driver sees no GPU: "));
}

static int ask_all(struct asking *ask, struct strbuf *answer)
{
    scope(device_list_release) struct device_list list = {0};
    scope(strbuf_release) struct strbuf unseen = STRBUF_INIT;
    struct answer_head head = {0};

    if (count_devices(ask, &head) < 0)
        return -1;
    list.items = calloc(head.count + 1, sizeof *list.items);
    if (!list.items)
        return error_memory(ask->err);
    for (; list.count < head.count; list.count++)
        if (ask_device(ask, &list.items[list.count], (int)list.count) < 0)
            return -1;
    add_unseen(ask, &list, &unseen);
    snprintf(head.unseen, sizeof head.unseen, "%s", strbuf_text(&unseen));
    strbuf_add(answer, &head, sizeof head);
    strbuf_add(answer, list.items, list.count * sizeof *list.items);
    return 0;
}

static int ask_cuda(const struct question *question, struct strbuf *answer, struct error *err)
{
    struct asking ask = {.question = question, .result = ASKING_FAILED, .err = err};

    cuda_set_environment(question->visible, question->order);
    return open_library(&ask) < 0 || ask_all(&ask, answer) < 0 ? ask.result : 0;
}

/* ---- in the program -------------------------------------------------------------------------- */

int inventory_ask(struct child *child, const struct question *question, struct error *err)
{
    return asking_start(child, &driver, question, err);
}

int inventory_answer(struct child *child, struct inventory *inventory, struct error *err)
{
    scope(strbuf_release) struct strbuf bytes = STRBUF_INIT;
    int result = asking_answer(child, &driver, &bytes, err);

    inventory->absent = result == ASKING_ABSENT;
    return result < 0 ? -1 : inventory_decode(strbuf_text(&bytes), bytes.length, inventory, err);
}

int inventory_read(struct inventory *inventory, const struct question *question, struct error *err)
{
    struct child child = CHILD_INIT;

    if (inventory_ask(&child, question, err) < 0)
        return -1;
    return inventory_answer(&child, inventory, err);
}

/* The devices before it are sound. */
static int check_device(const struct device_list *before, struct device *device, struct error *err)
{
    const char *fault = device_fault(device);

    if (!fault && uuid_is_zero(&device->uuid))
        fault = "has no UUID";
    if (!fault && device_list_find(before, &device->uuid) < before->count)
        fault = "has the UUID of another one";
    device->number = (uint32_t)before->count;
    return fault ? asking_nonsense(&driver, err, ": device %zu %s", before->count, fault) : 0;
}

int inventory_decode(const char *bytes, size_t length, struct inventory *inventory,
                     struct error *err)
{
    scope(device_list_release) struct device_list list = {0};
    struct answer_head head = {0};

    if (length >= sizeof head)
        memcpy(&head, bytes, sizeof head);
    if (!head.count || head.count > ANSWER_MOST_DEVICES || head.driver_version < 0 ||
        !memchr(head.unseen, '\0', sizeof head.unseen) ||
        length != sizeof head + head.count * sizeof *list.items)
        return asking_nonsense(&driver, err, "%s", "");
    list.items = calloc(head.count, sizeof *list.items);
    list.unseen = *head.unseen ? strdup(head.unseen) : NULL;
    if (!list.items || (*head.unseen && !list.unseen))
        return error_memory(err);
    memcpy(list.items, bytes + sizeof head, head.count * sizeof *list.items);
    for (; list.count < head.count; list.count++)
        if (check_device(&list, &list.items[list.count], err) < 0)
            return -1;
    *inventory = (struct inventory){head.driver_version, take(&list), false};
    return 0;
}

void inventory_release(struct inventory *inventory)
{
    device_list_release(&inventory->devices);
}
