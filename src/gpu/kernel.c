#include "gpu/kernel.h"

#include "base/file.h"
#include "base/scope.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

enum { INFORMATION_LIMIT = 1 << 16 };

bool kernel_has_driver(void)
{
    static const char *const signs[] = {"/proc/driver/nvidia/version", "/dev/dxg",
                                        "/dev/nvhost-gpu", "/dev/nvgpu"};

    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (access(signs[i], F_OK) == 0)
            return true;
    return false;
}

static bool is_among(const struct device_list *list, const struct pci_address *pci)
{
    for (size_t i = 0; i < list->count; i++)
        if (pci_equal(&list->items[i].pci, pci))
            return true;
    return false;
}

/* "Device Minor: \t 3" in its information is /dev/nvidia3. */
static bool may_open(const char *root, const char *address)
{
    static const char key[] = "Device Minor:";
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;
    scope(free_text) char *path =
        format_text("%s/proc/driver/nvidia/gpus/%s/information", root, address);

    if (!path || file_read(path, INFORMATION_LIMIT, &text) < 0)
        return false;
    const char *minor = strstr(strbuf_text(&text), key);
    if (!minor)
        return false;
    scope(free_text) char *device =
        format_text("%s/dev/nvidia%lu", root, strtoul(minor + strlen(key), NULL, 10));
    scope(close_fd) int fd = device ? again(open(device, O_RDWR | O_CLOEXEC)) : -1;
    return fd >= 0;
}

void kernel_add_unseen(struct strbuf *out, const char *root, const struct device_list *seen)
{
    scope(free_text) char *folder = format_text("%s/proc/driver/nvidia/gpus", root);
    struct dirent **entries = NULL;
    int found = folder ? scandir(folder, &entries, NULL, alphasort) : 0;

    for (int i = 0; i < found; i++) {
        struct pci_address pci;
        const char *name = entries[i]->d_name;
        if (pci_parse(name, &pci) && !is_among(seen, &pci) && may_open(root, name))
            strbuf_addf(out, "%s%s", out->length ? ", " : "", name);
        free(entries[i]);
    }
    free(entries);
}
