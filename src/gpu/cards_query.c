#include "gpu/cards.h"

#include "base/scope.h"
#include "gpu/nvml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PROFILE_SIZE = 32 };

struct asking {
    struct nvml nvml;
    struct strbuf cards, instances, processes; /* what each is told of, for the answer */
};

static void free_block(void **block)
{
    free(*block);
}

static const char *reason(const struct asking *ask, int code)
{
    const char *text = ask->nvml.error_string ? ask->nvml.error_string(code) : NULL;

    return text ? text : "unknown code";
}

/* Total and used; what v1 calls used includes what the driver keeps for itself. */
static void ask_memory(const struct nvml *nvml, nvml_device device, uint64_t *total, uint64_t *used)
{
    struct nvml_memory_v2 v2 = {.version = NVML_MEMORY_V2};
    struct nvml_memory v1;

    *total = 0;
    *used = CARD_NOT_TOLD;
    if (nvml->memory_v2 && nvml->memory_v2(device, &v2) == NVML_SUCCESS) {
        *total = v2.total;
        *used = v2.used;
    } else if (nvml->memory && nvml->memory(device, &v1) == NVML_SUCCESS) {
        *total = v1.total;
        *used = v1.used;
    }
}

/* NVML wants room for all, and says how many there are where it is too little. False where it does
   not tell all. */
static bool add_processes(struct asking *ask, nvml_device device, uint32_t instance,
                          struct card *card)
{
    const struct nvml *nvml = &ask->nvml;
    bool is_v1 = !nvml->processes;
    size_t size = is_v1 ? sizeof(struct nvml_process_v1) : sizeof(struct nvml_process);
    unsigned room = 64, count = 0;
    int code = NVML_INSUFFICIENT_SIZE;
    scope(free_block) void *found = NULL;

    if (is_v1 && !nvml->processes_v1)
        return false;
    for (int i = 0; i < 5 && code == NVML_INSUFFICIENT_SIZE && room <= CARD_MOST_PROCESSES; i++) {
        free(found);
        found = calloc(room, sizeof(struct nvml_process)); /* the larger of the two */
        if (!found)
            return ask->processes.failed = true, false;
        count = room;
        code = (is_v1 ? nvml->processes_v1 : nvml->processes)(device, &count, found);
        if (code == NVML_SUCCESS && count > room)
            count = room; /* there is no more than that to be read */
        room = count + 64;
    }
    if (code != NVML_SUCCESS)
        return false;
    for (unsigned i = 0; i < count && card->process_count < CARD_MOST_PROCESSES; i++) {
        struct nvml_process_v1 told; /* the other one begins so, too */
        memcpy(&told, (const char *)found + i * size, sizeof told);
        const struct card_process process = {told.pid, instance, told.memory};
        strbuf_add(&ask->processes, &process, sizeof process);
        card->process_count++;
    }
    return true;
}

/* "3g.20gb" of "NVIDIA A100-SXM4-40GB MIG 3g.20gb". */
static bool profile_of_name(const struct nvml *nvml, nvml_device device, char *profile)
{
    char name[DEVICE_NAME_SIZE] = "";

    if (nvml->name(device, name, sizeof name - 1) != NVML_SUCCESS)
        return false;
    const char *last = strrchr(name, ' ');
    last = last ? last + 1 : name;
    bool is_profile = *last >= '0' && *last <= '9' && strstr(last, "gb");
    if (is_profile)
        snprintf(profile, PROFILE_SIZE, "%.*s", PROFILE_SIZE - 1, last);
    return is_profile;
}

/* The same of its sizes, as NVIDIA's own tools make it: the memory in eighths of the card's. */
static void profile_of_sizes(const struct nvml *nvml, nvml_device device, uint64_t card_memory,
                             char *profile)
{
    struct nvml_attributes sizes = {0};
    const uint64_t gib = 1 << 30;

    if (!nvml->attributes || nvml->attributes(device, &sizes) != NVML_SUCCESS || card_memory < 8)
        return;
    uint64_t eighth = card_memory / 8, bytes = sizes.memory << 20;
    uint64_t eighths = (bytes + eighth - 1) / eighth, whole = (card_memory + gib - 1) / gib;
    uint64_t gigabytes = (eighths * whole + 4) / 8;
    if (sizes.compute_slices != sizes.gpu_slices)
        snprintf(profile, PROFILE_SIZE, "%uc.%ug.%ugb", sizes.compute_slices, sizes.gpu_slices,
                 (unsigned)gigabytes);
    else
        snprintf(profile, PROFILE_SIZE, "%ug.%ugb", sizes.gpu_slices, (unsigned)gigabytes);
}

static void ask_uuid(const struct nvml *nvml, nvml_device device, struct uuid *uuid)
{
    char text[96] = "";

    *uuid = (struct uuid){{0}};
    if (nvml->uuid(device, text, sizeof text - 1) == NVML_SUCCESS)
        uuid_parse(text, uuid);
}

/* Behind the card's name. */
static void add_profile(const struct nvml *nvml, nvml_device device, uint64_t card_memory,
                        char *name)
{
    char profile[PROFILE_SIZE] = "";
    size_t length = strlen(name);

    if (!profile_of_name(nvml, device, profile))
        profile_of_sizes(nvml, device, card_memory, profile);
    if (*profile)
        snprintf(name + length, DEVICE_NAME_SIZE - length, " MIG %s", profile);
}

/* As add_processes. */
static bool add_instance(struct asking *ask, nvml_device device, struct card *card)
{
    const struct nvml *nvml = &ask->nvml;
    struct card_instance instance = {.device = card->device};

    instance.device.mig = true;
    ask_uuid(nvml, device, &instance.device.uuid);
    add_profile(nvml, device, card->device.memory, instance.device.name);
    ask_memory(nvml, device, &instance.device.memory, &instance.memory_used);
    strbuf_add(&ask->instances, &instance, sizeof instance);
    return add_processes(ask, device, card->instance_count++, card);
}

/* Indices need not be without gaps. */
static bool add_instances(struct asking *ask, nvml_device device, struct card *card)
{
    const struct nvml *nvml = &ask->nvml;
    unsigned most = 0;
    nvml_device instance;
    bool told = true;

    if (!nvml->instance || !nvml->most_instances ||
        nvml->most_instances(device, &most) != NVML_SUCCESS)
        return false;
    for (unsigned i = 0; i < most && i < CARD_MOST_INSTANCES; i++)
        if (nvml->instance(device, i, &instance) == NVML_SUCCESS)
            told = add_instance(ask, instance, card) && told;
    return told;
}

/* What a card may not tell. */
static void ask_state(const struct nvml *nvml, nvml_device device, struct card *card)
{
    struct nvml_utilization utilization;
    unsigned degrees, current, pending;
    int mode, major, minor;

    if (nvml->utilization && nvml->utilization(device, &utilization) == NVML_SUCCESS)
        card->utilization = (int32_t)utilization.gpu;
    if (nvml->temperature &&
        nvml->temperature(device, NVML_TEMPERATURE_OF_GPU, &degrees) == NVML_SUCCESS)
        card->temperature = (int32_t)degrees;
    if (nvml->persistence && nvml->persistence(device, &mode) == NVML_SUCCESS)
        card->persistence = mode == 1;
    if (nvml->compute && nvml->compute(device, &major, &minor) == NVML_SUCCESS && major >= 0 &&
        minor >= 0) {
        card->device.compute_major = major;
        card->device.compute_minor = minor;
    }
    if (nvml->mig_mode && nvml->mig_mode(device, &current, &pending) == NVML_SUCCESS)
        card->mig = current == 1;
}

/* What every card that works tells; else NVML's code. */
static int ask_identity(const struct nvml *nvml, nvml_device device, struct card *card)
{
    struct nvml_pci pci = {.domain = 0};

    int code = nvml->pci(device, &pci);
    if (code == NVML_SUCCESS)
        code = nvml->name(device, card->device.name, sizeof card->device.name - 1);
    ask_uuid(nvml, device, &card->device.uuid);
    card->device.pci = (struct pci_address){pci.domain, (uint8_t)pci.bus, (uint8_t)pci.device, 0};
    return code;
}

static void ask_use(struct asking *ask, nvml_device device, struct card *card)
{
    const struct nvml *nvml = &ask->nvml;

    ask_state(nvml, device, card);
    ask_memory(nvml, device, &card->device.memory, &card->memory_used);
    card->processes_told =
        card->mig == 1 ? add_instances(ask, device, card) : add_processes(ask, device, 0, card);
}

static void add_card(struct asking *ask, unsigned number)
{
    struct card card = {.device = {.number = number},
                        .utilization = -1,
                        .temperature = -1,
                        .persistence = -1,
                        .mig = -1,
                        .memory_used = CARD_NOT_TOLD};
    char *why = card.device.reason;
    nvml_device device = NULL;

    card.problem = ask->nvml.device(number, &device);
    if (card.problem == NVML_SUCCESS)
        card.problem = ask_identity(&ask->nvml, device, &card);
    if (card.problem == NVML_SUCCESS)
        ask_use(ask, device, &card);
    else
        snprintf(why, sizeof card.device.reason, "%.60s", reason(ask, card.problem));
    strbuf_add(&ask->cards, &card, sizeof card);
}

static void add_part(struct strbuf *answer, const struct strbuf *part)
{
    strbuf_add(answer, strbuf_text(part), part->length);
    answer->failed = answer->failed || part->failed;
}

static void add_all(struct asking *ask, unsigned count, struct strbuf *answer)
{
    struct card_head head = {.count = count < CARD_MOST ? count : CARD_MOST};

    if (ask->nvml.driver_version)
        ask->nvml.driver_version(head.driver, sizeof head.driver - 1);
    for (unsigned i = 0; i < head.count; i++)
        add_card(ask, i);
    strbuf_add(answer, &head, sizeof head);
    add_part(answer, &ask->cards);
    add_part(answer, &ask->instances);
    add_part(answer, &ask->processes);
}

static int open_library(struct nvml *nvml, const char *driver, struct error *err)
{
    char why[LIBRARY_PROBLEM_SIZE];
    enum library_state state = library_open(&nvml_library, driver, nvml, why);

    if (state == LIBRARY_OPEN)
        return 0;
    if (state == LIBRARY_MISSING)
        return error_add(err, STATUS_DRIVER,
                         "no NVML (%s), so nothing is known of who uses the GPUs; it comes with "
                         "NVIDIA's driver (on Debian libnvidia-ml1)",
                         why);
    return error_add(err, STATUS_DRIVER, "NVML cannot be used: %s; reinstall NVIDIA's driver", why);
}

static int failed(const struct asking *ask, const char *call, int code, struct error *err)
{
    if (code == NVML_SUCCESS)
        return 0;
    return error_add(err, STATUS_DRIVER,
                     "NVML failed: %s gave %d (%.200s); see whether nvidia-smi works", call, code,
                     reason(ask, code));
}

static void asking_release(struct asking *ask)
{
    strbuf_release(&ask->cards);
    strbuf_release(&ask->instances);
    strbuf_release(&ask->processes);
}

int cards_query(const struct question *question, struct strbuf *answer, struct error *err)
{
    scope(asking_release) struct asking ask = {.cards = STRBUF_INIT};
    const struct nvml *nvml = &ask.nvml;
    unsigned count = 0;

    unsetenv("NVML_MPS_DEVICE_ENUMERATION"); /* else it lists what MPS makes of the cards */
    if (open_library(&ask.nvml, question->driver, err) < 0 ||
        failed(&ask, "nvmlInit", nvml->init(), err) < 0 ||
        failed(&ask, "nvmlDeviceGetCount", nvml->count(&count), err) < 0)
        return -1;
    add_all(&ask, count, answer);
    return 0;
}
