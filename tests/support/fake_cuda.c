/*
 * A simulated CUDA driver: build it as libcuda.so.1, load it in place of NVIDIA's. It shows the
 * machine that fake_machine.c tells about.
 *
 *   cc -std=c11 -shared -fPIC -fvisibility=hidden -o DIR/libcuda.so.1 tests/support/fake_cuda.c
 *   FAKE_CUDA_MACHINE=tests/machines/mixed LD_LIBRARY_PATH=DIR conda-gpu devices
 *
 * What is simulated, and after what:
 * - CUDA_VISIBLE_DEVICES: as driver 580.159.04 took 42 forms of it on a machine with one H200;
 *   gpu/facts.json has them, and check_facts.c holds this against them. An index is read as by
 *   strtol(); GPU- in upper case, then one or more digits in either case; a device named twice
 *   makes cuInit return 101; the first entry says which kind the others must be.
 * - A prefix that fits two GPUs fits none: CUDA Programming Guide, 5.2.1.1. Of a MIG instance only
 *   the whole UUID, in lower case: not seen on hardware.
 * - CUDA_DEVICE_ORDER: its two values, exactly so; with any other, an empty one too, cuInit
 *   returns 101 (another H200, the same driver). What is fastest, the Programming Guide, 5.2.1.2,
 *   calls only "a simple heuristic"; the one here is made up.
 * - MIG: MIG User Guide, "CUDA Device Enumeration". Before R570 (CUDA 12.8) a process sees the
 *   first MIG instance and then nothing else, no GPU without MIG either; from R570 on, one compute
 *   instance of each GPU instance, and GPUs without MIG. Without CUDA_VISIBLE_DEVICES too: one GPU
 *   without MIG and three with, R510, gave a count of 1 (github.com/XuehaiPan/nvitop, pull request
 *   8). An index or GPU-UUID of a GPU in MIG mode is taken for its instances: not documented.
 * - UUIDs: Driver API, 6.5: cuDeviceGetUuid has the GPU's, cuDeviceGetUuid_v2 the MIG instance's.
 * - Addresses in upper case: XLA's GetPCIBusID lowers them "to match sysfs".
 * - Checks in this order: faults, 3 before cuInit, 1 for NULL, 101 for a bad ordinal.
 */
#define _POSIX_C_SOURCE 200809L
#include "fake_machine.c"

EXPORT CUresult cuInit(unsigned int flags);
EXPORT CUresult cuDriverGetVersion(int *version);
EXPORT CUresult cuDeviceGetCount(int *count);
EXPORT CUresult cuDeviceGet(CUdevice *device, int ordinal);
EXPORT CUresult cuDeviceGetName(char *name, int length, CUdevice device);
EXPORT CUresult cuDeviceGetUuid(CUuuid *uuid, CUdevice device);
EXPORT CUresult cuDeviceGetUuid_v2(CUuuid *uuid, CUdevice device);
EXPORT CUresult cuDeviceGetPCIBusId(char *id, int length, CUdevice device);
EXPORT CUresult cuDeviceTotalMem_v2(size_t *bytes, CUdevice device);
EXPORT CUresult cuDeviceGetAttribute(int *value, int attribute, CUdevice device);
EXPORT CUresult cuGetErrorName(CUresult error, const char **name);
EXPORT CUresult cuGetErrorString(CUresult error, const char **text);

static struct list visible;
static bool initialized;

/* Which devices are visible, and in what order */

static int compare_speed(const void *left, const void *right)
{
    const struct device *a = *(const struct device *const *)left;
    const struct device *b = *(const struct device *const *)right;
    if (a->rank != b->rank)
        return a->rank < b->rank ? -1 : 1;
    int cc_a = a->major * 100 + a->minor, cc_b = b->major * 100 + b->minor;
    if (cc_a != cc_b)
        return cc_a > cc_b ? -1 : 1;
    if (a->memory != b->memory)
        return a->memory > b->memory ? -1 : 1;
    return compare_pci(left, right);
}

static const struct device *find_index(const struct list *gpus, const char *text)
{
    char *end;
    long index = strtol(text, &end, 10);
    return end == text || index < 0 || index >= gpus->count ? NULL : gpus->at[index];
}

/* What follows a whole UUID is not looked at; "GPU-" alone names none. */
static const struct device *find_prefix(const struct list *gpus, const char *text)
{
    const struct device *found = NULL;
    size_t length = strlen(text), whole = strlen("GPU-8932f937-d72c-4106-c12f-20bd9faed9f6");
    for (int i = 0; i < gpus->count && length > strlen("GPU-"); i++) {
        if (strncasecmp(gpus->at[i]->uuid, text, length < whole ? length : whole) != 0)
            continue;
        if (found != NULL)
            return NULL;
        found = gpus->at[i];
    }
    return found;
}

static const struct device *find_instance(const struct list *gpus, const char *text)
{
    (void)gpus;
    for (int i = 0; i < machine.instance_count; i++)
        if (strcmp(machine.instances[i].uuid, text) == 0)
            return &machine.instances[i];
    return NULL;
}

static const struct kind {
    const char *prefix;
    const struct device *(*find)(const struct list *gpus, const char *text);
} kinds[] = {{"GPU-", find_prefix}, {"MIG-", find_instance}, {"", find_index}};

static const struct kind *kind_of(const char *text)
{
    const struct kind *kind = kinds;
    while (strncmp(text, kind->prefix, strlen(kind->prefix)) != 0)
        kind++;
    return kind;
}

static bool contains(const struct list *list, const struct device *device)
{
    for (int i = 0; i < list->count; i++)
        if (list->at[i] == device)
            return true;
    return false;
}

/* What fits no device, or is of another kind than the first, ends the list. False where one is
   named twice. */
static bool select_devices(const struct list *gpus, const char *wanted, struct list *chosen)
{
    const struct kind *kind = kind_of(wanted);
    for (;;) {
        char entry[MAX_TEXT];
        size_t length = strcspn(wanted, ",");
        snprintf(entry, sizeof entry, "%.*s", length < sizeof entry ? (int)length : 0, wanted);
        const struct device *found = kind_of(entry) == kind ? kind->find(gpus, entry) : NULL;
        if (found == NULL)
            return true;
        if (contains(chosen, found))
            return false;
        append(chosen, found);
        if (wanted[length] == '\0')
            return true;
        wanted += length + 1;
    }
}

/* Shows a GPU in MIG mode as its instances. */
static void show(const struct device *device)
{
    if (device->parent != NULL || !device->mig_mode)
        append(&visible, device);
    for (int i = 0; i < machine.instance_count && device->parent == NULL; i++)
        if (machine.instances[i].parent == device)
            append(&visible, &machine.instances[i]);
}

/* Before R570 the first MIG instance hides everything else. */
static void hide_beside_mig(void)
{
    for (int i = 0; i < visible.count && machine.version < R570; i++)
        if (visible.at[i]->parent != NULL) {
            visible.at[0] = visible.at[i];
            visible.count = 1;
        }
}

static void edit_visible(const struct edit *edit)
{
    if (edit->a >= visible.count || edit->b >= visible.count) {
        fprintf(stderr, "FAKE_CUDA_MACHINE: swap or drop of a device that is not visible\n");
        abort();
    }
    const struct device *kept = visible.at[edit->a];
    visible.at[edit->a] = visible.at[edit->b];
    visible.at[edit->b] = kept;
    if (!edit->drop)
        return;
    visible.count--;
    for (long i = edit->a; i < visible.count; i++)
        visible.at[i] = visible.at[i + 1];
}

static CUresult enumerate(void)
{
    const char *order = getenv("CUDA_DEVICE_ORDER"), *wanted = getenv("CUDA_VISIBLE_DEVICES");
    bool by_pci = order != NULL && strcmp(order, "PCI_BUS_ID") == 0;
    bool known = order == NULL || by_pci || strcmp(order, "FASTEST_FIRST") == 0;
    struct list gpus = {.count = 0}, chosen = {.count = 0};
    if (!known)
        return INVALID_DEVICE;
    for (int i = 0; i < machine.gpu_count; i++)
        append(&gpus, &machine.gpus[i]);
    qsort(gpus.at, (size_t)gpus.count, sizeof gpus.at[0], by_pci ? compare_pci : compare_speed);
    if (wanted == NULL)
        chosen = gpus;
    else if (!select_devices(&gpus, wanted, &chosen))
        return INVALID_DEVICE;
    visible.count = 0;
    for (int i = 0; i < chosen.count; i++)
        show(chosen.at[i]);
    hide_beside_mig();
    for (int i = 0; i < machine.edit_count; i++)
        edit_visible(&machine.edits[i]);
    return visible.count > 0 || machine.empty_ok ? OK : NO_DEVICE;
}

/* The driver's functions */

/* What every call begins with: its faults, then the checks that all calls share. */
static CUresult enter(int number, const void *out, long ordinal)
{
    const struct call *call = &calls[number];
    run_faults(call, ordinal);
    if (verdict.code != OK)
        return verdict.code;
    if (!initialized && (call->traits & BEFORE_INIT) == 0)
        return NOT_INITIALIZED;
    if (out == NULL)
        return INVALID_VALUE;
    bool bad_ordinal = ordinal < 0 || ordinal >= visible.count;
    return bad_ordinal && (call->traits & OF_DEVICE) != 0 ? INVALID_DEVICE : OK;
}

static CUresult put_text(char *out, int length, const char *truth)
{
    if (length <= 0)
        return INVALID_VALUE;
    if (verdict.lie != NULL && verdict.lie->number != 0)
        memset(out, 'A', (size_t)length);
    else
        snprintf(out, (size_t)length, "%s", verdict.lie == NULL ? truth : verdict.lie->text);
    return OK;
}

CUresult cuInit(unsigned int flags)
{
    if (!initialized)
        load_machine(true);
    CUresult result = enter(INIT, &flags, ANY);
    if (result == OK && flags != 0)
        result = INVALID_VALUE;
    if (result == OK)
        result = machine.refusal;
    if (result != OK || initialized)
        return result;
    result = enumerate();
    initialized = result == OK;
    return result;
}

CUresult cuDriverGetVersion(int *version)
{
    CUresult result = enter(VERSION, version, ANY);
    if (result == OK)
        *version = (int)said(machine.version);
    return result;
}

CUresult cuDeviceGetCount(int *count)
{
    CUresult result = enter(DEVICES, count, ANY);
    if (result == OK)
        *count = (int)said(visible.count);
    return result;
}

CUresult cuDeviceGet(CUdevice *device, int ordinal)
{
    CUresult result = enter(DEVICE, device, ordinal);
    if (result == OK)
        *device = (CUdevice)said(ordinal);
    return result;
}

CUresult cuDeviceGetName(char *name, int length, CUdevice device)
{
    CUresult result = enter(NAME, name, device);
    return result == OK ? put_text(name, length, visible.at[device]->name) : result;
}

CUresult cuDeviceGetUuid(CUuuid *uuid, CUdevice device)
{
    CUresult result = enter(UUID, uuid, device);
    if (result != OK)
        return result;
    const struct device *shown = visible.at[device];
    const struct device *gpu = shown->parent == NULL ? shown : shown->parent;
    *uuid = verdict.lie == NULL ? gpu->id : verdict.lie->id;
    return OK;
}

CUresult cuDeviceGetUuid_v2(CUuuid *uuid, CUdevice device)
{
    CUresult result = enter(UUID_V2, uuid, device);
    if (result == OK)
        *uuid = verdict.lie == NULL ? visible.at[device]->id : verdict.lie->id;
    return result;
}

CUresult cuDeviceGetPCIBusId(char *id, int length, CUdevice device)
{
    char text[40];
    CUresult result = enter(PCI, id, device);
    if (result != OK)
        return result;
    const struct device *shown = visible.at[device];
    int used = snprintf(text, sizeof text, "%04X:%02X:%02X.%X", shown->domain, shown->bus,
                        shown->slot, shown->function);
    return used < length ? put_text(id, length, text) : INVALID_VALUE;
}

CUresult cuDeviceTotalMem_v2(size_t *bytes, CUdevice device)
{
    CUresult result = enter(MEMORY, bytes, device);
    if (result == OK)
        *bytes = (size_t)said((long long)visible.at[device]->memory);
    return result;
}

CUresult cuDeviceGetAttribute(int *value, int attribute, CUdevice device)
{
    enum { PCI_BUS = 33, PCI_DEVICE = 34, PCI_DOMAIN = 50, CC_MAJOR = 75, CC_MINOR = 76 };
    CUresult result = enter(ATTRIBUTE, value, device);
    if (result != OK)
        return result;
    const struct device *shown = visible.at[device];
    const struct {
        int attribute, value;
    } answers[] = {
        {CC_MAJOR, shown->major},         {CC_MINOR, shown->minor},
        {PCI_BUS, (int)shown->bus},       {PCI_DEVICE, (int)shown->slot},
        {PCI_DOMAIN, (int)shown->domain},
    };
    for (int i = 0; i < COUNT(answers); i++)
        if (answers[i].attribute == attribute) {
            *value = (int)said(answers[i].value);
            return OK;
        }
    return INVALID_VALUE;
}

/* Names and texts as NVIDIA has them. */
#define E(code, name, text) code, "CUDA_" #name, text
static const struct {
    CUresult code;
    const char *name, *text;
} errors[] = {
    {E(0, SUCCESS, "no error")},
    {E(1, ERROR_INVALID_VALUE, "invalid argument")},
    {E(2, ERROR_OUT_OF_MEMORY, "out of memory")},
    {E(3, ERROR_NOT_INITIALIZED, "initialization error")},
    {E(4, ERROR_DEINITIALIZED, "driver shutting down")},
    {E(34, ERROR_STUB_LIBRARY, "CUDA driver is a stub library")},
    {E(46, ERROR_DEVICE_UNAVAILABLE, "CUDA-capable device(s) is/are busy or unavailable")},
    {E(100, ERROR_NO_DEVICE, "no CUDA-capable device is detected")},
    {E(101, ERROR_INVALID_DEVICE, "invalid device ordinal")},
    {E(304, ERROR_OPERATING_SYSTEM, "OS call failed or operation not supported on this OS")},
    {E(800, ERROR_NOT_PERMITTED, "operation not permitted")},
    {E(801, ERROR_NOT_SUPPORTED, "operation not supported")},
    {E(802, ERROR_SYSTEM_NOT_READY, "system not yet initialized")},
    {E(803, ERROR_SYSTEM_DRIVER_MISMATCH,
       "system has unsupported display driver / cuda driver combination")},
    {E(804, ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE,
       "forward compatibility was attempted on non supported HW")},
    {E(805, ERROR_MPS_CONNECTION_FAILED,
       "MPS client failed to connect to the MPS control daemon or the MPS server")},
    {E(806, ERROR_MPS_RPC_FAILURE,
       "the remote procedural call between the MPS server and the MPS client failed")},
    {E(807, ERROR_MPS_SERVER_NOT_READY,
       "MPS server is not ready to accept new MPS client requests")},
    {E(808, ERROR_MPS_MAX_CLIENTS_REACHED,
       "the hardware resources required to create MPS client have been exhausted")},
    {E(809, ERROR_MPS_MAX_CONNECTIONS_REACHED,
       "the hardware resources required to support device connections have been exhausted")},
    {E(810, ERROR_MPS_CLIENT_TERMINATED, "the MPS client has been terminated by the server")},
    {E(999, ERROR_UNKNOWN, "unknown error")},
};

static CUresult describe(int call, CUresult error, const char **out)
{
    CUresult result = enter(call, out, ANY);
    if (result != OK)
        return result;
    *out = NULL;
    for (int i = 0; i < COUNT(errors); i++)
        if (errors[i].code == error)
            *out = call == ERROR ? errors[i].name : errors[i].text;
    return *out == NULL ? INVALID_VALUE : OK;
}

CUresult cuGetErrorName(CUresult error, const char **name)
{
    return describe(ERROR, error, name);
}

CUresult cuGetErrorString(CUresult error, const char **text)
{
    return describe(STRING, error, text);
}
