/*
 * NVIDIA's management library as a value: the calls that we make, as typed pointers. It sees the
 * cards as nvidia-smi does, whatever CUDA_VISIBLE_DEVICES says, and who is on them. Only a process
 * that the library may harm opens it: see cards.h.
 *
 * The declarations are ours, after NVIDIA's NVML API Reference Guide (docs.nvidia.com/deploy/
 * nvml-api): nvmlReturn_t is an enum, nvmlDevice_t a pointer. Calls have grown versions; of one
 * whose answer has the same form in all of them, the newest that is there is taken.
 *
 * Of a MIG instance nvmlDeviceGetName tells a name that ends in its profile, "3g.20gb", or "1c.3g.
 * 20gb" where the memory is shared by several (MIG User Guide, "MIG Device Names"); an older one
 * tells its attributes only, of which the same is made. NVML_MPS_DEVICE_ENUMERATION=1 would make it
 * list what MPS divides the cards into, in place of them ("MPS Locality Domain Device
 * Enumeration"), with numbers that nvidia-smi does not show otherwise; the child that asks unsets
 * it.
 */
#pragma once

#include "gpu/library.h"

#include <stdint.h>

/* nvmlReturn_t: the codes that the program tells apart. */
enum {
    NVML_SUCCESS = 0,
    NVML_INSUFFICIENT_SIZE = 7,
};

enum { NVML_TEMPERATURE_OF_GPU = 0 };

typedef struct nvml_device *nvml_device;

/* nvmlPciInfo_t; the versions differ behind `device`. */
struct nvml_pci {
    char legacy_id[16];
    unsigned domain, bus, device;
    char further[256];
};

/* nvmlMemory_t, where `used` includes what the driver keeps for itself. */
struct nvml_memory {
    uint64_t total, free, used;
};

/* nvmlMemory_v2_t, where it does not; `used` is nvidia-smi's memory.used. */
struct nvml_memory_v2 {
    unsigned version; /* NVML_MEMORY_V2 */
    uint64_t total, reserved, free, used;
};
#define NVML_MEMORY_V2 (unsigned)(sizeof(struct nvml_memory_v2) | 2u << 24)

/* nvmlUtilization_t: per cent of the last period. */
struct nvml_utilization {
    unsigned gpu, memory;
};

/* nvmlProcessInfo_v1_t. (Seen with driver 580: the plain call fills this form.) */
struct nvml_process_v1 {
    unsigned pid;
    uint64_t memory;
};

/* nvmlProcessInfo_v2_t, of _v2 and _v3. */
struct nvml_process {
    unsigned pid;
    uint64_t memory;
    unsigned gpu_instance, compute_instance; /* UINT_MAX without MIG */
};

/* nvmlDeviceAttributes_t */
struct nvml_attributes {
    unsigned multiprocessors, copy_engines, decoders, encoders, jpeg_engines, flow_engines;
    unsigned gpu_slices, compute_slices;
    uint64_t memory; /* MiB */
};

struct nvml {
    int (*init)(void);
    const char *(*error_string)(int code);
    int (*driver_version)(char *text, unsigned size);
    int (*count)(unsigned *count);
    int (*device)(unsigned number, nvml_device *device);
    int (*name)(nvml_device device, char *text, unsigned size);
    int (*uuid)(nvml_device device, char *text, unsigned size);
    int (*pci)(nvml_device device, struct nvml_pci *pci);
    int (*memory)(nvml_device device, struct nvml_memory *memory);
    int (*memory_v2)(nvml_device device, struct nvml_memory_v2 *memory);
    int (*utilization)(nvml_device device, struct nvml_utilization *utilization);
    int (*temperature)(nvml_device device, int sensor, unsigned *degrees);
    int (*persistence)(nvml_device device, int *mode);
    int (*processes)(nvml_device device, unsigned *count, void *nvml_process);
    int (*processes_v1)(nvml_device device, unsigned *count, void *nvml_process_v1);
    int (*compute)(nvml_device device, int *major, int *minor);
    int (*mig_mode)(nvml_device device, unsigned *current, unsigned *pending);
    int (*most_instances)(nvml_device device, unsigned *count);
    int (*instance)(nvml_device device, unsigned index, nvml_device *instance);
    int (*attributes)(nvml_device instance, struct nvml_attributes *attributes);
};

/* libnvidia-ml.so.1 as the dynamic linker finds it and then in the folders of WSL, containers and
   NixOS. */
extern const struct library nvml_library;
