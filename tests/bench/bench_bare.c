/*
 * The least that does the work of `conda-gpu apply`, for tests/bench/bench.sh to compare with: it
 * checks, chooses and prints nothing.
 *
 *     bench_bare FILE LIBRARY VISIBLE [PREFIX PATH=SIZE...]
 *
 * Reads FILE with libyaml's document API (not where FILE is empty). Asks LIBRARY (libcuda.so.1
 * where that is empty) for its devices in two child processes one after the other, the second one
 * with CUDA_VISIBLE_DEVICES=VISIBLE; not where VISIBLE is empty. Writes SIZE bytes to each PATH
 * below PREFIX: a temporary file, synced and renamed; then syncs each changed folder once.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <yaml.h>

enum { MOST_DEVICES = 64, MOST_BYTES = 1 << 20 };

struct device {
    char name[256], pci[24], uuid[16], own_uuid[16];
    size_t memory;
    int major, minor;
};

static void read_file(const char *path)
{
    yaml_parser_t parser;
    yaml_document_t document;
    FILE *file = fopen(path, "r");

    if (!file || !yaml_parser_initialize(&parser))
        err(1, "%s", path);
    yaml_parser_set_input_file(&parser, file);
    if (!yaml_parser_load(&parser, &document))
        errx(1, "%s: %s", path, parser.problem);
    yaml_document_delete(&document);
    yaml_parser_delete(&parser);
    fclose(file);
}

static void must(int code)
{
    if (code)
        _exit(1);
}

/* Calls a function of the library whose arguments have these types. */
#define CALL(name, types, ...)                                                                     \
    do {                                                                                           \
        int(*call) types;                                                                          \
        *(void **)&call = dlsym(library, name);                                                    \
        must(!call || call(__VA_ARGS__));                                                          \
    } while (0)

static _Noreturn void answer(const char *path, int fd)
{
    static struct device devices[MOST_DEVICES];
    void *library = dlopen(*path ? path : "libcuda.so.1", RTLD_NOW);
    int version, count;

    must(!library);
    CALL("cuInit", (unsigned), 0);
    CALL("cuDriverGetVersion", (int *), &version);
    CALL("cuDeviceGetCount", (int *), &count);
    must(count > MOST_DEVICES);
    for (int i = 0; i < count; i++) {
        struct device *to = &devices[i];
        int device;
        CALL("cuDeviceGet", (int *, int), &device, i);
        CALL("cuDeviceGetName", (char *, int, int), to->name, sizeof to->name, device);
        CALL("cuDeviceGetUuid", (char *, int), to->uuid, device);
        CALL("cuDeviceGetUuid_v2", (char *, int), to->own_uuid, device);
        CALL("cuDeviceGetPCIBusId", (char *, int, int), to->pci, sizeof to->pci, device);
        CALL("cuDeviceTotalMem_v2", (size_t *, int), &to->memory, device);
        CALL("cuDeviceGetAttribute", (int *, int, int), &to->major, 75, device);
        CALL("cuDeviceGetAttribute", (int *, int, int), &to->minor, 76, device);
    }
    size_t length = sizeof *devices * (size_t)count;
    must(write(fd, devices, length) != (ssize_t)length);
    _exit(0);
}

static void ask(const char *library, const char *visible)
{
    char devices[sizeof(struct device) * MOST_DEVICES];
    int ends[2], status;
    ssize_t got = pipe(ends);
    pid_t child = fork();

    if (got < 0 || child < 0)
        err(1, "no child");
    if (child == 0) {
        close(ends[0]);
        setenv("CUDA_DEVICE_ORDER", "PCI_BUS_ID", 1);
        if (visible)
            setenv("CUDA_VISIBLE_DEVICES", visible, 1);
        else
            unsetenv("CUDA_VISIBLE_DEVICES");
        answer(library, ends[1]);
    }
    close(ends[1]);
    do
        got = read(ends[0], devices, sizeof devices);
    while (got > 0);
    close(ends[0]);
    if (waitpid(child, &status, 0) < 0 || status)
        errx(1, "the child failed");
}

static const char *const folders[] = {".", "etc", "etc/conda", "etc/conda/deactivate.d",
                                      "etc/conda/activate.d"};
static const int parents[] = {0, 0, 1, 2, 2};
enum { FOLDERS = sizeof folders / sizeof *folders };

static void write_file(const char *path, size_t size)
{
    static char bytes[MOST_BYTES], temporary[4096];

    memset(bytes, '#', size);
    snprintf(temporary, sizeof temporary, "%s.tmp", path);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0 || write(fd, bytes, size) != (ssize_t)size || fsync(fd) < 0 || close(fd) < 0 ||
        rename(temporary, path) < 0)
        err(1, "%s", path);
}

static void write_files(char **files)
{
    int changed[FOLDERS] = {0};

    for (int i = 1; i < FOLDERS; i++)
        if (mkdir(folders[i], 0755) == 0)
            changed[parents[i]] = 1;
    for (; *files; files++) {
        size_t length = strcspn(*files, "=");
        char *path = strndup(*files, length);
        write_file(path, strtoul(*files + length + 1, NULL, 10) % MOST_BYTES);
        *strrchr(path, '/') = '\0';
        for (int i = 1; i < FOLDERS; i++)
            changed[i] |= strcmp(folders[i], path) == 0;
        free(path);
    }
    for (int i = 0; i < FOLDERS; i++) {
        int fd = changed[i] ? open(folders[i], O_RDONLY | O_DIRECTORY) : -1;
        if (changed[i] && (fd < 0 || fsync(fd) < 0 || close(fd) < 0))
            err(1, "%s", folders[i]);
    }
}

int main(int argc, char **argv)
{
    if (argc < 4)
        errx(1, "usage: bench_bare FILE LIBRARY VISIBLE [PREFIX PATH=SIZE...]");
    if (*argv[1])
        read_file(argv[1]);
    if (*argv[3]) {
        ask(argv[2], NULL);
        ask(argv[2], argv[3]);
    }
    if (argc == 4)
        return 0;
    if (chdir(argv[4]) < 0)
        err(1, "%s", argv[4]);
    write_files(argv + 5);
    return 0;
}
