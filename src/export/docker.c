/* The --gpus argument of `docker run`, as words of a shell. It is a CSV record, so a list needs
   double quotes of its own (docker/cli, opts/gpus.go). In a container GPUs count from 0, so
   CUDA_VISIBLE_DEVICES with the host's numbers must not be set there. */
#include "export/export.h"

int export_docker(struct strbuf *out, const struct exported *what, struct error *err)
{
    const struct plan *plan = what->plan;

    if (export_needs_devices("docker", plan, err) < 0)
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
