#include "gpu/nvml.h"

#define CALL(symbols, field, need)                                                                 \
    {                                                                                              \
        symbols, offsetof(struct nvml, field), LIBRARY_##need                                      \
    }

static const struct library_call calls[] = {
    CALL("nvmlInit_v2 nvmlInit", init, REQUIRED),
    CALL("nvmlErrorString", error_string, OPTIONAL),
    CALL("nvmlSystemGetDriverVersion", driver_version, OPTIONAL),
    CALL("nvmlDeviceGetCount_v2 nvmlDeviceGetCount", count, REQUIRED),
    CALL("nvmlDeviceGetHandleByIndex_v2 nvmlDeviceGetHandleByIndex", device, REQUIRED),
    CALL("nvmlDeviceGetName", name, REQUIRED),
    CALL("nvmlDeviceGetUUID", uuid, REQUIRED),
    CALL("nvmlDeviceGetPciInfo_v3 nvmlDeviceGetPciInfo_v2 nvmlDeviceGetPciInfo", pci, REQUIRED),
    CALL("nvmlDeviceGetMemoryInfo", memory, OPTIONAL),
    CALL("nvmlDeviceGetMemoryInfo_v2", memory_v2, OPTIONAL),
    CALL("nvmlDeviceGetUtilizationRates", utilization, OPTIONAL),
    CALL("nvmlDeviceGetTemperature", temperature, OPTIONAL),
    CALL("nvmlDeviceGetPersistenceMode", persistence, OPTIONAL),
    CALL("nvmlDeviceGetComputeRunningProcesses_v3 nvmlDeviceGetComputeRunningProcesses_v2",
         processes, OPTIONAL),
    CALL("nvmlDeviceGetComputeRunningProcesses", processes_v1, OPTIONAL),
    CALL("nvmlDeviceGetCudaComputeCapability", compute, OPTIONAL),
    CALL("nvmlDeviceGetMigMode", mig_mode, OPTIONAL),
    CALL("nvmlDeviceGetMaxMigDeviceCount", most_instances, OPTIONAL),
    CALL("nvmlDeviceGetMigDeviceHandleByIndex", instance, OPTIONAL),
    CALL("nvmlDeviceGetAttributes_v2", attributes, OPTIONAL),
    {0},
};

static const char *const names[] = {
    "libnvidia-ml.so.1",
    "/usr/lib/wsl/lib/libnvidia-ml.so.1",
    "/usr/local/nvidia/lib64/libnvidia-ml.so.1",
    "/usr/local/nvidia/lib/libnvidia-ml.so.1",
    "/run/opengl-driver/lib/libnvidia-ml.so.1",
    NULL,
};

const struct library nvml_library = {.names = names, .is_beside = true, .calls = calls};
