/* CDI device names, for `podman run --device` and Kubernetes: as nvidia-ctk(1) `cdi generate` makes
   them by UUID, and nvidia.com/gpu=all. */
#include "export/export.h"

int export_cdi(struct strbuf *out, const struct exported *what, struct error *err)
{
    static const char kind[] = "nvidia.com/gpu=";
    const struct plan *plan = what->plan;

    if (export_needs_devices("cdi", plan, err) < 0)
        return -1;
    if (plan->gpus == PLAN_GPUS_ALL)
        strbuf_addf(out, "%sall\n", kind);
    if (plan->gpus == PLAN_GPUS_CHOSEN) {
        export_uuids(out, plan, kind, "\n");
        strbuf_addc(out, '\n');
    }
    return 0;
}
