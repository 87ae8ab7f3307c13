/*
 * What the kernel's part of NVIDIA's driver tells in /proc/driver/nvidia, without the library.
 */
#pragma once

#include "base/strbuf.h"
#include "gpu/device.h"

/* The kernel's module is loaded, or it is WSL's device or a Tegra's. */
bool kernel_has_driver(void);

/*
 * Adds "0000:65:00.0, 0000:66:00.0": the GPUs that the driver has at no address of a `seen` device
 * and that this process may open, which are those that nvidia-smi numbers all the same. CUDA does
 * not list a GPU in MIG mode that has no instance. One that a container or a job hides cannot be
 * opened, and nvidia-smi numbers without it. `root` is where /proc and /dev are: "" but in tests.
 */
void kernel_add_unseen(struct strbuf *out, const char *root, const struct device_list *seen);
