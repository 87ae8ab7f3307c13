#include "gpu/cuda.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct {
    const char *symbol;
    size_t offset;
    bool optional;
} calls[] = {
    {"cuInit", offsetof(struct cuda, init), false},
    {"cuDriverGetVersion", offsetof(struct cuda, driver_version), false},
    {"cuDeviceGetCount", offsetof(struct cuda, device_count), false},
    {"cuDeviceGet", offsetof(struct cuda, device), false},
    {"cuDeviceGetName", offsetof(struct cuda, device_name), false},
    {"cuDeviceGetUuid", offsetof(struct cuda, device_uuid), false},
    {"cuDeviceGetUuid_v2", offsetof(struct cuda, device_uuid_v2), true},
    {"cuDeviceGetPCIBusId", offsetof(struct cuda, device_pci), false},
    {"cuDeviceTotalMem_v2", offsetof(struct cuda, device_memory), false},
    {"cuDeviceGetAttribute", offsetof(struct cuda, device_attribute), false},
    {"cuGetErrorName", offsetof(struct cuda, error_name), true},
    {"cuGetErrorString", offsetof(struct cuda, error_string), true},
};

static const char *const libraries[] = {
    "libcuda.so.1",
    "/usr/lib/wsl/lib/libcuda.so.1",
    "/usr/local/nvidia/lib64/libcuda.so.1",
    "/usr/local/nvidia/lib/libcuda.so.1",
    "/run/opengl-driver/lib/libcuda.so.1",
};

static int resolve(struct cuda *cuda, char *problem, size_t size)
{
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        void *symbol = dlsym(cuda->handle, calls[i].symbol);
        if (!symbol && !calls[i].optional) {
            snprintf(problem, size, "it has no %s", calls[i].symbol);
            return -2;
        }
        memcpy((char *)cuda + calls[i].offset, &symbol, sizeof symbol);
    }
    return 0;
}

int cuda_open(struct cuda *cuda, const char *library, char *problem, size_t size)
{
    struct cuda opened = {0};
    bool there = library && access(library, F_OK) == 0;
    const char *const *names = library ? &library : libraries;
    size_t count = library ? 1 : sizeof libraries / sizeof *libraries;

    for (size_t i = 0; i < count && !opened.handle; i++) {
        opened.handle = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
        if (opened.handle)
            break;
        const char *why = dlerror();
        bool exists = names[i][0] == '/' && access(names[i], F_OK) == 0;
        if (i == 0 || (exists && !there))
            snprintf(problem, size, "%s", why ? why : "unknown reason");
        there = there || exists;
    }
    if (!opened.handle)
        return there ? -2 : -1;
    int result = resolve(&opened, problem, size);
    if (result == 0)
        *cuda = opened;
    return result;
}

#define MPS_REMEDY                                                                                 \
    "the GPUs are shared through NVIDIA MPS and its server does not answer as it should: see "     \
    "/var/log/nvidia-mps, and restart it with 'echo quit | nvidia-cuda-mps-control; "              \
    "nvidia-cuda-mps-control -d'"

/* Codes as in CUresult, "Data types used by CUDA driver". */
static const struct {
    int code;
    const char *remedy;
} remedies[] = {
    {3, "the driver did not initialise: see whether nvidia-smi works; if not, reinstall the driver "
        "or reboot"},
    {34, "this libcuda is the toolkit's stub, which is only for linking: take its 'stubs' folder "
         "out of LD_LIBRARY_PATH, or name the driver's own library with --driver"},
    {46, "every GPU is taken by a process in exclusive mode: see 'nvidia-smi -q -d COMPUTE', and "
         "wait or ask its owner"},
    {CUDA_NO_DEVICE, "the driver sees no GPU: see whether nvidia-smi lists one; start a container "
                     "with --gpus all, ask Slurm for --gres=gpu:1"},
    {101, "the driver lists a device that it then does not know: see 'nvidia-smi' and 'dmesg | "
          "grep NVRM' for a GPU that failed"},
    {304, "a call to the kernel failed: see whether you may open /dev/nvidia* ('ls -l "
          "/dev/nvidia*'; groups video or render) and whether 'nvidia-modprobe -u' helps"},
    {802, "the NVSwitch fabric is not up: start it with 'sudo systemctl start "
          "nvidia-fabricmanager', in the driver's own version"},
    {803, "the driver was updated and the old one still runs in the kernel: reboot"},
    {804, "a forward compatibility library (cuda-compat) is loaded that this GPU does not "
          "support: take it out of LD_LIBRARY_PATH, often /usr/local/cuda/compat"},
    {805, MPS_REMEDY},
    {806, MPS_REMEDY},
    {807, MPS_REMEDY},
    {808, MPS_REMEDY},
    {809, MPS_REMEDY},
    {810, MPS_REMEDY},
    {999, "the driver failed without a reason: see 'dmesg | grep NVRM'; after a suspend 'sudo "
          "rmmod nvidia_uvm && sudo modprobe nvidia_uvm' or a reboot helps"},
};

const char *cuda_remedy(int code)
{
    for (size_t i = 0; i < sizeof remedies / sizeof *remedies; i++)
        if (remedies[i].code == code)
            return remedies[i].remedy;
    return NULL;
}
