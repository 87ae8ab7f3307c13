/*
 * The CUDA driver library as a value: the calls that we make, as typed pointers.
 * Only a process that the driver may harm opens it: see inventory.h.
 *
 *     struct cuda cuda;
 *     if (library_open(&cuda_library, NULL, &cuda, problem) != LIBRARY_OPEN) ...
 *     int code = cuda.init(0);
 *
 * The declarations are ours, after NVIDIA's CUDA Driver API reference (docs.nvidia.com/cuda/
 * cuda-driver-api: "Data types used by CUDA driver", "Initialization", "Version Management",
 * "Device Management", "Error Handling"): CUresult is an enum, CUdevice an int, CUuuid a struct of
 * 16 chars, and calls have the C calling convention. The library is never closed: some versions
 * crash in their destructors.
 */
#pragma once

#include "gpu/device.h"
#include "gpu/library.h"

#include <stddef.h>

/* CUresult: the codes that the program tells apart. */
enum {
    CUDA_SUCCESS = 0,
    CUDA_NO_DEVICE = 100,
    CUDA_FIRST_OF_MPS = 805,
    CUDA_LAST_OF_MPS = 810,
};

/* CUdevice_attribute. */
enum {
    CUDA_COMPUTE_MAJOR = 75,
    CUDA_COMPUTE_MINOR = 76,
};

struct cuda {
    int (*init)(unsigned flags);
    int (*driver_version)(int *version);
    int (*device_count)(int *count);
    int (*device)(int *device, int ordinal);
    int (*device_name)(char *name, int size, int device);
    int (*device_uuid)(struct uuid *uuid, int device);    /* the GPU's, also of a MIG instance */
    int (*device_uuid_v2)(struct uuid *uuid, int device); /* a MIG instance's own */
    int (*device_pci)(char *text, int size, int device);
    int (*device_memory)(size_t *bytes, int device);
    int (*device_attribute)(int *value, int attribute, int device);
    int (*error_name)(int code, const char **name);
    int (*error_string)(int code, const char **text);
};

/* libcuda.so.1 by the dynamic linker's search and then in the folders of WSL, containers and NixOS.
   Plain libcuda.so is never tried: it can be the toolkit's stub. */
extern const struct library cuda_library;

/* Sets CUDA_VISIBLE_DEVICES and CUDA_DEVICE_ORDER, or unsets them for NULL, and what keeps cuInit
   from doing more than needed. Before library_open, in the process that the library may harm. */
void cuda_set_environment(const char *visible, const char *order);

/* What to do about an error code, as a sentence without full stop; NULL where we know nothing. */
const char *cuda_remedy(int code);
