/* Formats that tell which GPUs there are, and nothing else. In a container GPUs count from 0, so
   CUDA_VISIBLE_DEVICES with the host's numbers must not be set there. */
#include "export/export.h"

static int needs_devices(const char *format, const struct plan *plan, struct error *err)
{
    if (plan->gpus != PLAN_GPUS_AS_BEFORE)
        return 0;
    return error_add(err, STATUS_INPUT,
                     "the format %s tells which GPUs there are, and the section has no 'devices'",
                     format);
}

/* CDI device names, for `podman run --device` and Kubernetes: as nvidia-ctk(1) `cdi generate` makes
   them by UUID, and nvidia.com/gpu=all. */
static int export_cdi(struct strbuf *out, const struct exported *what, struct error *err)
{
    static const char kind[] = "nvidia.com/gpu=";
    const struct plan *plan = what->plan;

    if (needs_devices("cdi", plan, err) < 0)
        return -1;
    if (plan->gpus == PLAN_GPUS_ALL)
        strbuf_addf(out, "%sall\n", kind);
    if (plan->gpus == PLAN_GPUS_CHOSEN) {
        export_uuids(out, plan, kind, "\n");
        strbuf_addc(out, '\n');
    }
    return 0;
}

const struct format cdi_format = {"cdi", export_cdi, NULL, NULL};

/* The --gpus argument of `docker run`, as words of a shell. It is a CSV record, so a list needs
   double quotes of its own (docker/cli, opts/gpus.go). */
static int export_docker(struct strbuf *out, const struct exported *what, struct error *err)
{
    const struct plan *plan = what->plan;

    if (needs_devices("docker", plan, err) < 0)
        return -1;
    if (plan->gpus == PLAN_GPUS_ALL) {
        strbuf_adds(out, "--gpus all\n");
    } else if (plan->gpus == PLAN_GPUS_NONE) {
        /* An image may ask for all (NVIDIA Container Toolkit, "void"). */
        strbuf_adds(out, "--env NVIDIA_VISIBLE_DEVICES=void\n");
    } else {
        strbuf_adds(out, "--gpus '\"device=");
        export_uuids(out, plan, "", ",");
        strbuf_adds(out, "\"'\n");
    }
    return 0;
}

const struct format docker_format = {"docker", export_docker, NULL, NULL};
