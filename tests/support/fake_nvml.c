/*
 * A simulated NVML: build it as libnvidia-ml.so.1. It shows the machine that fake_machine.c tells
 * about, whole: CUDA_VISIBLE_DEVICES means nothing to it, as to NVIDIA's (seen with driver 580).
 *
 *   cc -std=c11 -shared -fPIC -fvisibility=hidden -o DIR/libnvidia-ml.so.1
 * tests/support/fake_nvml.c
 *
 * -DOLD_NVML is a library of before MIG: no _v2 of memory, no _v2 or _v3 of processes, nothing of
 * MIG. -DBARE_NVML has what a card's identity needs, in the oldest form, and no more.
 *
 * What is simulated, and after what: NVML API Reference Guide, and driver 580.159.04 on an H200:
 * - Where the room for processes is too little, code 7 and the count; the plain call fills entries
 * of 16 bytes, _v2 and _v3 of 24. Memory v2 does not count what the driver keeps for itself as
 * used.
 * - Of a card without MIG the mode is 0 and the most instances are 0, and instance 0 is "not
 * found".
 * - A card in MIG mode tells no utilisation (3, not supported), and no processes but by its
 * instances: not seen on hardware. Their names end as CUDA's do.
 */
#define _POSIX_C_SOURCE 200809L
#include "fake_machine.c"

#include <stdint.h>

enum {
    ML_OK = 0,
    ML_UNINITIALIZED = 1,
    ML_INVALID = 2,
    ML_NOT_SUPPORTED = 3,
    ML_NOT_FOUND = 6,
    ML_SIZE = 7,
    ML_MISMATCH = 25,
};

enum { KEPT_BY_THE_DRIVER = 600 << 20 }; /* bytes of a card's memory */

typedef const struct device *handle;

static struct list cards;
static bool initialized;

static long number_of(handle device)
{
    handle card = device->parent == NULL ? device : device->parent;
    for (int i = 0; i < cards.count; i++)
        if (cards.at[i] == card)
            return i;
    return ANY;
}

static int compare_smi(const void *left, const void *right)
{
    handle a = *(const handle *)left, b = *(const handle *)right;
    if (a->smi != b->smi)
        return a->smi < b->smi ? -1 : 1;
    return compare_pci(left, right);
}

/* As enter() of the CUDA driver, for a device or for none. */
static int begin(int number, const void *out, handle device)
{
    run_faults(&calls[number], device == NULL ? ANY : number_of(device));
    if (verdict.code != ML_OK)
        return verdict.code;
    if (!initialized && (calls[number].traits & BEFORE_INIT) == 0)
        return ML_UNINITIALIZED;
    bool no_device = device == NULL && (calls[number].traits & OF_DEVICE) != 0;
    return out == NULL || no_device ? ML_INVALID : ML_OK;
}

static int say(char *out, unsigned int size, const char *truth)
{
    if (verdict.lie != NULL && verdict.lie->number != 0) {
        memset(out, 'A', size);
        return ML_OK;
    }
    const char *text = verdict.lie == NULL ? truth : verdict.lie->text;
    if (strlen(text) >= size)
        return ML_SIZE;
    strcpy(out, text);
    return ML_OK;
}

EXPORT int nvmlInit(void);
int nvmlInit(void)
{
    if (!initialized)
        load_machine(true);
    int result = begin(ML_INIT, &cards, NULL);
    if (result != ML_OK || initialized)
        return result;
    cards.count = 0;
    for (int i = 0; i < machine.gpu_count; i++)
        append(&cards, &machine.gpus[i]);
    qsort(cards.at, (size_t)cards.count, sizeof cards.at[0], compare_smi);
    initialized = true;
    return ML_OK;
}

EXPORT int nvmlDeviceGetCount(unsigned int *count);
int nvmlDeviceGetCount(unsigned int *count)
{
    int result = begin(ML_COUNT, count, NULL);
    if (result == ML_OK)
        *count = (unsigned int)said(cards.count);
    return result;
}

EXPORT int nvmlDeviceGetHandleByIndex(unsigned int number, handle *device);
int nvmlDeviceGetHandleByIndex(unsigned int number, handle *device)
{
    bool there = number < (unsigned int)cards.count;
    int result = begin(ML_HANDLE, device, there ? cards.at[number] : NULL);
    if (result == ML_OK)
        *device = cards.at[number];
    return result;
}

EXPORT int nvmlDeviceGetName(handle device, char *name, unsigned int size);
int nvmlDeviceGetName(handle device, char *name, unsigned int size)
{
    int result = begin(ML_NAME, name, device);
    return result == ML_OK ? say(name, size, device->name) : result;
}

EXPORT int nvmlDeviceGetUUID(handle device, char *uuid, unsigned int size);
int nvmlDeviceGetUUID(handle device, char *uuid, unsigned int size)
{
    int result = begin(ML_UUID, uuid, device);
    return result == ML_OK ? say(uuid, size, device->uuid) : result;
}

struct pci {
    char legacy_id[16];
    unsigned int domain, bus, device, id, subsystem;
    char bus_id[32];
};

EXPORT int nvmlDeviceGetPciInfo(handle device, struct pci *pci);
int nvmlDeviceGetPciInfo(handle device, struct pci *pci)
{
    int result = begin(ML_PCI, pci, device);
    if (result != ML_OK)
        return result;
    *pci = (struct pci){"", device->domain, device->bus, device->slot, 0, 0, ""};
    snprintf(pci->bus_id, sizeof pci->bus_id, "%08X:%02X:%02X.0", device->domain, device->bus,
             device->slot);
    snprintf(pci->legacy_id, sizeof pci->legacy_id, "%04X:%02X:%02X.0", device->domain & 0xffff,
             device->bus, device->slot);
    return ML_OK;
}

#ifndef BARE_NVML

EXPORT int nvmlInit_v2(void);
int nvmlInit_v2(void)
{
    return nvmlInit();
}

EXPORT int nvmlDeviceGetCount_v2(unsigned int *count);
int nvmlDeviceGetCount_v2(unsigned int *count)
{
    return nvmlDeviceGetCount(count);
}

EXPORT int nvmlDeviceGetHandleByIndex_v2(unsigned int number, handle *device);
int nvmlDeviceGetHandleByIndex_v2(unsigned int number, handle *device)
{
    return nvmlDeviceGetHandleByIndex(number, device);
}

EXPORT int nvmlDeviceGetPciInfo_v3(handle device, struct pci *pci);
int nvmlDeviceGetPciInfo_v3(handle device, struct pci *pci)
{
    return nvmlDeviceGetPciInfo(device, pci);
}

EXPORT const char *nvmlErrorString(int code);
const char *nvmlErrorString(int code)
{
    static const struct {
        int code;
        const char *text;
    } texts[] = {
        {ML_UNINITIALIZED, "Uninitialized"},
        {ML_INVALID, "Invalid Argument"},
        {ML_NOT_SUPPORTED, "Not Supported"},
        {ML_NOT_FOUND, "Not Found"},
        {9, "Driver Not Loaded"},
        {15, "GPU is lost"},
        {18, "Driver/library version mismatch"},
    };
    run_faults(&calls[ML_ERROR], ANY);
    for (int i = 0; i < COUNT(texts); i++)
        if (texts[i].code == code)
            return texts[i].text;
    return "Unknown Error";
}

EXPORT int nvmlSystemGetDriverVersion(char *text, unsigned int size);
int nvmlSystemGetDriverVersion(char *text, unsigned int size)
{
    int result = begin(ML_VERSION, text, NULL);
    return result == ML_OK ? say(text, size, "580.159.04") : result;
}

struct memory {
    uint64_t total, free, used;
};

EXPORT int nvmlDeviceGetMemoryInfo(handle device, struct memory *memory);
int nvmlDeviceGetMemoryInfo(handle device, struct memory *memory)
{
    int result = begin(ML_MEMORY, memory, device);
    uint64_t used = result == ML_OK ? device->used + KEPT_BY_THE_DRIVER : 0;
    if (result == ML_OK)
        *memory = (struct memory){device->memory, device->memory - used, used};
    return result;
}

EXPORT int nvmlDeviceGetUtilizationRates(handle device, unsigned int *rates);
int nvmlDeviceGetUtilizationRates(handle device, unsigned int *rates)
{
    int result = begin(ML_BUSY, rates, device);
    if (result != ML_OK)
        return result;
    if (device->mig_mode)
        return ML_NOT_SUPPORTED;
    rates[0] = (unsigned int)said(device->busy);
    rates[1] = 0;
    return ML_OK;
}

EXPORT int nvmlDeviceGetTemperature(handle device, int sensor, unsigned int *degrees);
int nvmlDeviceGetTemperature(handle device, int sensor, unsigned int *degrees)
{
    int result = begin(ML_HEAT, degrees, device);
    if (result != ML_OK || sensor != 0)
        return result != ML_OK ? result : ML_INVALID;
    *degrees = (unsigned int)said(device->heat);
    return ML_OK;
}

EXPORT int nvmlDeviceGetPersistenceMode(handle device, int *mode);
int nvmlDeviceGetPersistenceMode(handle device, int *mode)
{
    int result = begin(ML_PERSISTENCE, mode, device);
    if (result == ML_OK)
        *mode = (int)said(device->persistent);
    return result;
}

EXPORT int nvmlDeviceGetCudaComputeCapability(handle device, int *major, int *minor);
int nvmlDeviceGetCudaComputeCapability(handle device, int *major, int *minor)
{
    int result = begin(ML_COMPUTE, major, device);
    if (result != ML_OK)
        return result;
    *major = device->major;
    *minor = device->minor;
    return ML_OK;
}

/* How many processes there are, where the caller has room for them. */
static int count_processes(handle device, unsigned int *count, const void *entries)
{
    int result = begin(ML_PROCESSES, count, device);
    if (result != ML_OK)
        return result;
    if (device->mig_mode && device->parent == NULL)
        return ML_NOT_SUPPORTED;
    unsigned int room = *count;
    *count = (unsigned int)said(device->process_count);
    if (room < *count)
        return ML_SIZE;
    return *count > 0 && entries == NULL ? ML_INVALID : ML_OK;
}

struct entry_v1 {
    unsigned int pid;
    uint64_t memory;
};

EXPORT int nvmlDeviceGetComputeRunningProcesses(handle device, unsigned int *count,
                                                struct entry_v1 *entries);
int nvmlDeviceGetComputeRunningProcesses(handle device, unsigned int *count,
                                         struct entry_v1 *entries)
{
    int result = count_processes(device, count, entries);
    for (unsigned int i = 0; result == ML_OK && i < *count; i++)
        entries[i] = (struct entry_v1){device->processes[i].pid, device->processes[i].memory};
    return result;
}

#ifndef OLD_NVML

struct memory_v2 {
    unsigned int version;
    uint64_t total, reserved, free, used;
};

EXPORT int nvmlDeviceGetMemoryInfo_v2(handle device, struct memory_v2 *memory);
int nvmlDeviceGetMemoryInfo_v2(handle device, struct memory_v2 *memory)
{
    int result = begin(ML_MEMORY, memory, device);
    if (result != ML_OK)
        return result;
    if (memory->version != (sizeof *memory | 2u << 24))
        return ML_MISMATCH;
    memory->total = device->memory;
    memory->reserved = KEPT_BY_THE_DRIVER;
    memory->used = device->used;
    memory->free = device->memory - device->used - KEPT_BY_THE_DRIVER;
    return ML_OK;
}

struct entry {
    unsigned int pid;
    uint64_t memory;
    unsigned int gpu_instance, compute_instance;
};

EXPORT int nvmlDeviceGetComputeRunningProcesses_v3(handle device, unsigned int *count,
                                                   struct entry *entries);
int nvmlDeviceGetComputeRunningProcesses_v3(handle device, unsigned int *count,
                                            struct entry *entries)
{
    int result = count_processes(device, count, entries);
    for (unsigned int i = 0; result == ML_OK && i < *count; i++)
        entries[i] = (struct entry){device->processes[i].pid, device->processes[i].memory, UINT_MAX,
                                    UINT_MAX};
    return result;
}

EXPORT int nvmlDeviceGetMigMode(handle device, unsigned int *current, unsigned int *pending);
int nvmlDeviceGetMigMode(handle device, unsigned int *current, unsigned int *pending)
{
    int result = begin(ML_MIG_MODE, current, device);
    if (result == ML_OK)
        *current = *pending = (unsigned int)said(device->mig_mode);
    return result;
}

enum { MOST_INSTANCES = 7 };

EXPORT int nvmlDeviceGetMaxMigDeviceCount(handle device, unsigned int *count);
int nvmlDeviceGetMaxMigDeviceCount(handle device, unsigned int *count)
{
    int result = begin(ML_MOST, count, device);
    if (result == ML_OK)
        *count = (unsigned int)said(device->mig_mode ? MOST_INSTANCES : 0);
    return result;
}

/* The instances of a card have every second index. */
EXPORT int nvmlDeviceGetMigDeviceHandleByIndex(handle device, unsigned int index, handle *instance);
int nvmlDeviceGetMigDeviceHandleByIndex(handle device, unsigned int index, handle *instance)
{
    int result = begin(ML_INSTANCE, instance, device);
    unsigned int at = 0;
    for (int i = 0; result == ML_OK && i < machine.instance_count; i++) {
        if (machine.instances[i].parent != device)
            continue;
        if (at == index) {
            *instance = &machine.instances[i];
            return ML_OK;
        }
        at += 2;
    }
    return result == ML_OK ? ML_NOT_FOUND : result;
}

struct attributes {
    unsigned int engines[6], gpu_slices, compute_slices;
    uint64_t memory;
};

/* "3g.40gb" has three slices. */
EXPORT int nvmlDeviceGetAttributes_v2(handle device, struct attributes *attributes);
int nvmlDeviceGetAttributes_v2(handle device, struct attributes *attributes)
{
    int result = begin(ML_ATTRIBUTES, attributes, device);
    if (result != ML_OK)
        return result;
    if (device->parent == NULL)
        return ML_NOT_SUPPORTED;
    unsigned int slices = (unsigned int)strtoul(strrchr(device->name, ' '), NULL, 10);
    *attributes = (struct attributes){{0}, slices, slices, device->memory >> 20};
    return ML_OK;
}

#endif
#endif
