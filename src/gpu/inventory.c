#include "gpu/inventory.h"

#include "base/scope.h"
#include "gpu/asking.h"
#include "gpu/cuda.h"
#include "gpu/kernel.h"

#include <stdlib.h>
#include <string.h>

#define WHOM "the CUDA driver"

enum {
    LONGEST_ANSWER =
        sizeof(struct answer_head) + ANSWER_MOST_DEVICES * sizeof(struct answer_device),
};

int inventory_ask(struct child *child, const struct question *question, struct error *err)
{
    return asking_start(child, WHOM, query_cuda, question, question->timeout, err);
}

int inventory_answer(struct child *child, struct inventory *inventory, struct error *err)
{
    scope(strbuf_release) struct strbuf bytes = STRBUF_INIT;

    if (asking_answer(child, WHOM, LONGEST_ANSWER, &bytes, err) < 0)
        return -1;
    int result = inventory_decode(strbuf_text(&bytes), bytes.length, inventory, err);
    if (result < 0 && err->status == STATUS_SYSTEM)
        inventory->absent = false;
    return result;
}

int inventory_read(struct inventory *inventory, const struct question *question, struct error *err)
{
    struct child child = CHILD_INIT;

    if (inventory_ask(&child, question, err) < 0)
        return -1;
    return inventory_answer(&child, inventory, err);
}

/* Codes with which cuInit fails when the kernel's part is missing, and on other occasions. */
static bool is_vague(int code)
{
    return code == 3 || code == 304 || code == 999;
}

static int report_call(const struct answer_head *head, bool *absent, struct error *err)
{
    const char *remedy = cuda_remedy(head->code);
    bool at_start = strcmp(head->call, "cuInit") == 0;

    *absent = head->code == CUDA_NO_DEVICE;
    if (at_start && is_vague(head->code) && !kernel_has_driver("")) {
        *absent = true;
        remedy = "NVIDIA's kernel module is not loaded: install the driver, or load it with 'sudo "
                 "modprobe nvidia'";
    }
    if (*absent && *head->unseen)
        return error_add(
            err, STATUS_DRIVER,
            "CUDA shows no GPU, and the kernel has %s: one in MIG mode needs an "
            "instance ('nvidia-smi mig -lgi' lists them; its administrator makes them)",
            head->unseen);
    return error_add(err, STATUS_DRIVER, "the CUDA driver failed: %s gave %d (%s); %s", head->call,
                     head->code, head->detail,
                     remedy ? remedy : "see NVIDIA's CUDA Driver API reference, CUresult");
}

static int report_kind(const struct answer_head *head, bool *absent, struct error *err)
{
    switch (head->kind) {
    case ANSWER_NO_LIBRARY:
        *absent = true;
        return error_add(err, STATUS_DRIVER,
                         "no CUDA driver library (%s); install NVIDIA's driver (on Debian "
                         "libcuda1), start a container with --gpus all, or name the library with "
                         "--driver PATH",
                         head->detail);
    case ANSWER_BAD_LIBRARY:
        return error_add(err, STATUS_DRIVER,
                         "the CUDA driver library cannot be used: %s; reinstall NVIDIA's driver, "
                         "or name another library with --driver PATH",
                         head->detail);
    case ANSWER_PLACEHOLDER:
        return error_add(err, STATUS_DRIVER,
                         "the CUDA driver library is an empty file (%s), as the image of a "
                         "container has it that was once started with GPUs; start this one with "
                         "--gpus all, or name another library with --driver PATH",
                         head->detail);
    case ANSWER_FAILED:
        return report_call(head, absent, err);
    case ANSWER_ODD:
        return error_add(
            err, STATUS_DRIVER,
            "the CUDA driver's answer makes no sense: %s; see whether nvidia-smi works",
            head->detail);
    default:
        return error_add(err, STATUS_DRIVER, "the CUDA driver's answer makes no sense: kind %d",
                         (int)head->kind);
    }
}

static bool is_text(const char *text, size_t size)
{
    return memchr(text, '\0', size) != NULL;
}

static int odd_device(size_t ordinal, const char *what, struct error *err)
{
    return error_add(err, STATUS_DRIVER,
                     "the CUDA driver's answer makes no sense: device %zu %s; see whether "
                     "nvidia-smi works",
                     ordinal, what);
}

static int decode_device(const struct answer_device *from, size_t ordinal, struct device_list *list,
                         struct error *err)
{
    struct device *to = &list->items[ordinal];
    static const struct uuid zero = {{0}};

    if (!is_text(from->name, sizeof from->name) || !is_text(from->pci, sizeof from->pci))
        return odd_device(ordinal, "has a name without an end", err);
    if (!pci_parse(from->pci, &to->pci))
        return odd_device(ordinal, "has no PCI bus ID", err);
    if (memcmp(&from->uuid, &zero, sizeof zero) == 0)
        return odd_device(ordinal, "has no UUID", err);
    if (from->compute_major < 0 || from->compute_minor < 0)
        return odd_device(ordinal, "has a negative compute capability", err);
    list->count = ordinal;
    if (device_list_find(list, &from->uuid) < ordinal)
        return odd_device(ordinal, "has the UUID of another one", err);
    list->count = ordinal + 1;
    memcpy(to->name, from->name, sizeof to->name);
    to->uuid = from->uuid;
    to->number = (uint32_t)ordinal;
    to->mig = from->mig != 0;
    to->memory = from->memory;
    to->compute_major = from->compute_major;
    to->compute_minor = from->compute_minor;
    return 0;
}

int inventory_decode(const char *bytes, size_t length, struct inventory *inventory,
                     struct error *err)
{
    struct answer_head head;

    if (length < sizeof head)
        return error_add(err, STATUS_DRIVER, "the CUDA driver's answer is cut short");
    memcpy(&head, bytes, sizeof head);
    if (memcmp(head.magic, ANSWER_MAGIC, sizeof head.magic) != 0 ||
        !is_text(head.call, sizeof head.call) || !is_text(head.detail, sizeof head.detail) ||
        !is_text(head.unseen, sizeof head.unseen) || head.count > ANSWER_MOST_DEVICES ||
        head.driver_version < 0 ||
        length != sizeof head + head.count * sizeof(struct answer_device))
        return error_add(err, STATUS_DRIVER,
                         "the CUDA driver's answer makes no sense; see whether nvidia-smi works");
    if (head.kind != ANSWER_DEVICES)
        return report_kind(&head, &inventory->absent, err);
    if (!head.count) {
        inventory->absent = true;
        return error_add(err, STATUS_DRIVER, "the CUDA driver sees no GPU: %s",
                         cuda_remedy(CUDA_NO_DEVICE) + strlen("the driver sees no GPU: "));
    }
    scope(device_list_release) struct device_list list = {
        .items = calloc(head.count, sizeof *list.items)};
    if (!list.items)
        return error_memory(err);
    for (size_t i = 0; i < head.count; i++) {
        struct answer_device record;
        memcpy(&record, bytes + sizeof head + i * sizeof record, sizeof record);
        if (decode_device(&record, i, &list, err) < 0)
            return -1;
    }
    list.unseen = *head.unseen ? strdup(head.unseen) : NULL;
    if (*head.unseen && !list.unseen)
        return error_memory(err);
    *inventory = (struct inventory){head.driver_version, list, false};
    list = (struct device_list){0};
    return 0;
}

void inventory_release(struct inventory *inventory)
{
    device_list_release(&inventory->devices);
}
