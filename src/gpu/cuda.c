#include "gpu/cuda.h"

#include <stdlib.h>

static const struct library_call calls[] = {
    {"cuInit", offsetof(struct cuda, init), LIBRARY_REQUIRED},
    {"cuDriverGetVersion", offsetof(struct cuda, driver_version), LIBRARY_REQUIRED},
    {"cuDeviceGetCount", offsetof(struct cuda, device_count), LIBRARY_REQUIRED},
    {"cuDeviceGet", offsetof(struct cuda, device), LIBRARY_REQUIRED},
    {"cuDeviceGetName", offsetof(struct cuda, device_name), LIBRARY_REQUIRED},
    {"cuDeviceGetUuid", offsetof(struct cuda, device_uuid), LIBRARY_REQUIRED},
    {"cuDeviceGetUuid_v2", offsetof(struct cuda, device_uuid_v2), LIBRARY_OPTIONAL},
    {"cuDeviceGetPCIBusId", offsetof(struct cuda, device_pci), LIBRARY_REQUIRED},
    {"cuDeviceTotalMem_v2", offsetof(struct cuda, device_memory), LIBRARY_REQUIRED},
    {"cuDeviceGetAttribute", offsetof(struct cuda, device_attribute), LIBRARY_REQUIRED},
    {"cuGetErrorName", offsetof(struct cuda, error_name), LIBRARY_OPTIONAL},
    {"cuGetErrorString", offsetof(struct cuda, error_string), LIBRARY_OPTIONAL},
    {0},
};

static const char *const names[] = {
    "libcuda.so.1",
    "/usr/lib/wsl/lib/libcuda.so.1",
    "/usr/local/nvidia/lib64/libcuda.so.1",
    "/usr/local/nvidia/lib/libcuda.so.1",
    "/run/opengl-driver/lib/libcuda.so.1",
    NULL,
};

const struct library cuda_library = {.names = names, .calls = calls};

static void set_or_unset(const char *name, const char *value)
{
    if (value)
        setenv(name, value, 1);
    else
        unsetenv(name);
}

void cuda_set_environment(const char *visible, const char *order)
{
    set_or_unset("CUDA_VISIBLE_DEVICES", visible);
    set_or_unset("CUDA_DEVICE_ORDER", order);
    setenv("CUDA_FORCE_PRELOAD_LIBRARIES", "0", 1);
    setenv("CUDA_DISABLE_JIT", "1", 1);
}

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
    {101,
     "CUDA_VISIBLE_DEVICES names a device twice, or CUDA_DEVICE_ORDER is neither PCI_BUS_ID nor "
     "FASTEST_FIRST; else a GPU has failed: see 'nvidia-smi' and 'dmesg | grep NVRM'"},
    {304, "a call to the kernel failed: see whether you may open /dev/nvidia* ('ls -l "
          "/dev/nvidia*'; groups video or render) and whether 'nvidia-modprobe -u' helps"},
    {802, "the NVSwitch fabric is not up: start it with 'sudo systemctl start "
          "nvidia-fabricmanager', in the driver's own version"},
    {803, "the driver was updated and the old one still runs in the kernel: reboot"},
    {804, "a forward compatibility library (cuda-compat) is loaded that this GPU does not "
          "support: take it out of LD_LIBRARY_PATH, often /usr/local/cuda/compat"},
    {999, "the driver failed without a reason: see 'dmesg | grep NVRM'; after a suspend 'sudo "
          "rmmod nvidia_uvm && sudo modprobe nvidia_uvm' or a reboot helps"},
};

const char *cuda_remedy(int code)
{
    if (code >= CUDA_FIRST_OF_MPS && code <= CUDA_LAST_OF_MPS)
        return "the GPUs are shared through NVIDIA MPS and its server does not answer as it "
               "should: see /var/log/nvidia-mps, and restart it with 'echo quit | "
               "nvidia-cuda-mps-control; nvidia-cuda-mps-control -d'";
    for (size_t i = 0; i < sizeof remedies / sizeof *remedies; i++)
        if (remedies[i].code == code)
            return remedies[i].remedy;
    return NULL;
}
