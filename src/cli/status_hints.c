#include "cli/status.h"

#include "base/env.h"
#include "base/file.h"
#include "base/scope.h"

#include <glob.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

__attribute__((format(printf, 2, 3))) static void hint(struct situation *status, const char *format,
                                                       ...)
{
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;
    va_list args;

    va_start(args, format);
    strbuf_vaddf(&text, format, args);
    va_end(args);
    if (text.failed || names_add(&status->hints, strbuf_text(&text)) < 0)
        cli_lost();
}

/* NVIDIA's MPS documentation, "Environment Variables": the daemon's clients get its devices, by
   numbers of its own from 0 on. */
static void look_for_mps(struct situation *status)
{
    const char *folder = env_get_filled(status->options->env, "CUDA_MPS_PIPE_DIRECTORY");
    scope(free_text) char *pipe = path_join(folder ? folder : "/tmp/nvidia-mps", "control");

    if (!pipe)
        cli_lost();
    else if (access(pipe, F_OK) == 0)
        hint(status,
             "An MPS daemon (%s) gives programs the GPUs that it was started with, numbered anew "
             "from 0: stop it with 'echo quit | nvidia-cuda-mps-control', or write 'ids: uuid'.",
             pipe);
}

/* CDI gives a container its devices, and sets this so that the older runtime gives it none. */
static void look_for_cdi(struct situation *status)
{
    const char *given = env_get(status->options->env, "NVIDIA_VISIBLE_DEVICES");

    if (given && strcmp(given, "void") == 0)
        hint(status,
             "NVIDIA_VISIBLE_DEVICES=void: this container was given its GPUs by CDI, and "
             "numbers count only those; choose others with --device nvidia.com/gpu=... where "
             "it is started.");
}

static void look_for_mig(struct situation *status)
{
    const struct plan *plan = &status->chosen.planned.plan;

    for (size_t i = 0; i < plan->devices.count; i++) {
        const struct seat *seat = status_device(status, i).seat;
        if (seat && !seat->device.mig && seat->card && seat->card->mig == 1)
            hint(status,
                 "GPU %u is in MIG mode, where CUDA shows only its instances: name one of them by "
                 "the UUID that 'nvidia-smi -L' shows.",
                 seat->device.number);
    }
}

/* Whether a package of conda's, or of pip's, is in the environment. */
static bool has_package(const struct situation *status, const char *name, const char *conda_name)
{
    char pattern[256];
    glob_t found = {0};

    snprintf(pattern, sizeof pattern,
             "/proc/self/fd/%d/{conda-meta/%s-*,lib/python*/site-packages/%s{,-*}}",
             status->chosen.prefix.folder, conda_name, name);
    int result = glob(pattern, GLOB_BRACE | GLOB_NOSORT, NULL, &found);
    globfree(&found);
    return result == 0;
}

static void look_for_packages(struct situation *status)
{
    if (has_package(status, "ray", "ray-core"))
        hint(status,
             "Ray, which is in the environment, sets CUDA_VISIBLE_DEVICES itself in each of its "
             "workers, out of those that are visible where 'ray start' or ray.init() runs; with "
             "RAY_EXPERIMENTAL_NOSET_CUDA_VISIBLE_DEVICES=1 in gpu.variables it does not.");
    if (has_package(status, "deepspeed", "deepspeed"))
        hint(status, "DeepSpeed's launcher, which is in the environment, sets CUDA_VISIBLE_DEVICES "
                     "itself where it is given --include or a hostfile: leave these out on one "
                     "machine, or use torchrun.");
}

/* What a program finds in a variable, where the environment is active. */
static const char *value_of(const struct situation *status, const char *name)
{
    const struct var *planned = vars_find(&status->chosen.planned.plan.variables, name);

    return planned ? planned->value : env_get(status->options->env, name);
}

/* The EGL implementation lists all cards that the process may open. */
static void look_for_egl(struct situation *status)
{
    static const struct {
        const char *platform, *device;
    } names[] = {{"MUJOCO_GL", "MUJOCO_EGL_DEVICE_ID"}, {"PYOPENGL_PLATFORM", "EGL_DEVICE_ID"}};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = value_of(status, names[i].platform);
        if (value && strcmp(value, "egl") == 0 && !value_of(status, names[i].device))
            hint(status,
                 "%s=egl: EGL does not read CUDA_VISIBLE_DEVICES and draws on the first of all "
                 "cards; in gpu.variables, %s: ${gpu.egl} is the first card of the plan.",
                 names[i].platform, names[i].device);
    }
}

static void look_for_uuids(struct situation *status)
{
    const char *visible = plan_visible(&status->chosen.planned.plan);

    if (visible && strncmp(visible, "GPU-", 4) == 0)
        hint(status,
             "CUDA_VISIBLE_DEVICES holds UUIDs, which some libraries take for numbers and fail "
             "at; if one does, write 'ids: index'.");
}

static void look_for_rivals(struct situation *status)
{
    for (size_t i = 0; i < status->rivals.count; i++) {
        scope(strbuf_release) struct strbuf text = STRBUF_INIT;
        rival_describe(&status->rivals.items[i], &status->chosen.prefix, &text);
        hint(status, "%s", strbuf_text(&text));
        if (text.failed)
            cli_lost();
    }
}

void status_find_hints(struct situation *status)
{
    if (status->chosen.planned.plan.gpus != PLAN_GPUS_AS_BEFORE) {
        look_for_mps(status);
        look_for_cdi(status);
        look_for_mig(status);
        look_for_packages(status);
        look_for_egl(status);
        look_for_uuids(status);
    }
    look_for_rivals(status);
}
