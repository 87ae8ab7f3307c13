#include "plan/derive.h"

#include "base/scope.h"
#include "section/keys.h"

#include <stdlib.h>
#include <string.h>

struct question driver_question(const struct driver *driver, const char *visible)
{
    return (struct question){driver->library, visible, PLAN_ORDER, driver->timeout, NULL};
}

struct deriving {
    const struct plan *plan;
    const struct section *section;
    struct derivation *derivation;
    const struct var *var; /* whose value is at hand */
    struct error *err;
};

static struct place place_of(const struct deriving *in)
{
    return (struct place){in->section->file, in->var->line, in->var->column};
}

/* ---- EGL ------------------------------------------------------------------------------------- */

static const struct renderers *recall(const struct derivation *derivation, const char *visible)
{
    for (size_t i = 0; i < derivation->answers.count; i++) {
        const struct derivation_answer *answer = &derivation->answers.items[i];
        if (text_is_same(answer->visible, visible))
            return &answer->list;
    }
    return NULL;
}

static const struct renderers *ask(struct derivation *derivation, const char *visible,
                                   struct error *err)
{
    const struct question question = driver_question(derivation->driver, visible);
    const struct renderers *known = recall(derivation, visible);
    scope(renderers_release) struct renderers list = {0};
    scope(free_text) char *copy = visible ? strdup(visible) : NULL;

    if (known)
        return known;
    if (renderers_read(&list, &question, err) < 0)
        return NULL;
    if (!copy != !visible ||
        array_add(&derivation->answers, (struct derivation_answer){take(&copy), take(&list)}) < 0) {
        error_memory(err);
        return NULL;
    }
    return recall(derivation, visible);
}

/* Whatever went wrong is said of the value that asks for it. */
static int cannot_tell(const struct deriving *in, const char *why)
{
    return error_of(in->err, STATUS_DRIVER, place_of(in),
                    "gpu.variables.%s: ${gpu.egl} cannot be told: %s", in->var->name, why);
}

static int no_renderer(const struct deriving *in, const struct renderers *all)
{
    scope(strbuf_release) struct strbuf why = STRBUF_INIT;

    strbuf_addf(&why, "none of the %zu devices that EGL lists is %s", all->count,
                UUID_TEXT(&in->plan->devices.items[0].device));
    strbuf_adds(&why, "; is NVIDIA's part of EGL there (on Debian libegl-nvidia0; in a container "
                      "NVIDIA_DRIVER_CAPABILITIES=all)?");
    return why.failed ? error_memory(in->err) : cannot_tell(in, strbuf_text(&why));
}

static int find_renderer(const struct deriving *in, const struct uuid *uuid, struct error *failed,
                         size_t *number)
{
    const struct renderers *all = ask(in->derivation, NULL, failed);

    if (!all)
        return -1;
    *number = renderers_find(all, uuid);
    if (*number == all->count)
        return no_renderer(in, all);
    const struct renderers *seen = ask(in->derivation, plan_visible(in->plan), failed);
    if (!seen)
        return -1;
    if (renderers_find(seen, uuid) != *number)
        return cannot_tell(in, "with the planned CUDA_VISIBLE_DEVICES it numbers the GPU otherwise "
                               "than with every GPU visible");
    return 0;
}

static int add_egl(const struct deriving *in, struct strbuf *out)
{
    scope(error_release) struct error failed = ERROR_INIT;
    const struct planned_device *first = in->plan->devices.items;
    size_t number = 0;

    if (!in->plan->devices.count)
        return cannot_tell(in, "there is no device; where that is meant, write null");
    if (first->device.mig)
        return cannot_tell(in,
                           "the first device is a MIG instance, and EGL knows whole cards only");
    if (in->derivation->driver->inventory)
        return cannot_tell(in, "only the machine itself can say it; run conda-gpu apply there");
    if (find_renderer(in, &first->device.uuid, &failed, &number) == 0)
        strbuf_addf(out, "%zu", number);
    else if (failed.status == STATUS_SYSTEM)
        return error_join(in->err, &failed);
    else if (failed.count)
        return cannot_tell(in, error_first(&failed));
    else
        return -1;
    return 0;
}

/* ---- the others ------------------------------------------------------------------------------ */

static int add_list(const struct deriving *in, struct strbuf *out, enum device_value value)
{
    for (size_t i = 0; i < in->plan->devices.count; i++) {
        const struct device *device = &in->plan->devices.items[i].device;
        strbuf_addf(out, "%s%s", i ? "," : "",
                    value == VALUE_PCI ? PCI_TEXT(&device->pci) : UUID_TEXT(device));
    }
    return 0;
}

static int add_value(const struct deriving *in, struct strbuf *out, enum device_value value)
{
    if (value == VALUE_EGL)
        return add_egl(in, out);
    if (value != VALUE_COUNT)
        return add_list(in, out, value);
    strbuf_addf(out, "%zu", in->plan->devices.count);
    return 0;
}

/* Why nothing is known of the devices, and what to do; NULL where it is. */
static const char *find_gap(const struct plan *plan)
{
    if (plan->gpus == PLAN_GPUS_AS_BEFORE)
        return "neither the section nor the rule that holds names 'devices'";
    if (plan->gpus == PLAN_GPUS_ALL)
        return "'devices: all' leaves open which they are; name them";
    if (plan->gpus == PLAN_GPUS_CHOSEN && !plan->devices.count)
        return "no driver has told what they are (if_no_gpu: unconfirmed); run conda-gpu apply "
               "where the GPUs are, or leave the value out";
    return NULL;
}

/* The value with all references replaced. */
static int expand(const struct deriving *in, struct strbuf *out)
{
    const char *gap = find_gap(in->plan);
    const char *rest = in->var->value;
    enum device_value value;

    for (const char *at = rest; at && (at = strchr(at, '$')); at++) {
        size_t length = device_value_length(at, &value);
        if (!length)
            continue;
        if (gap)
            return error_at(in->err, place_of(in),
                            "gpu.variables.%s: ${gpu.%s} is of the devices, and %s", in->var->name,
                            device_values[value], gap);
        strbuf_add(out, rest, (size_t)(at - rest));
        if (add_value(in, out, value) < 0)
            return -1;
        if (out->length > KEYS_VALUE_LIMIT)
            break;
        rest = at + length;
        at = rest - 1;
    }
    strbuf_adds(out, rest);
    return 0;
}

static int replace(const struct deriving *in, struct var *var)
{
    scope(strbuf_release) struct strbuf value = STRBUF_INIT;

    if (!var->value || !strstr(var->value, DEVICE_VALUE_BEGIN))
        return 0;
    if (expand(in, &value) < 0)
        return -1;
    if (value.length > KEYS_VALUE_LIMIT)
        return error_at(in->err, place_of(in),
                        "gpu.variables.%s: with the devices' values in it, it has more than %d "
                        "bytes, and Linux starts no program with much more",
                        var->name, KEYS_VALUE_LIMIT);
    char *text = strbuf_take(&value);
    if (!text)
        return error_memory(in->err);
    free(var->value);
    var->value = text;
    return 0;
}

int derive(struct plan *plan, const struct section *section, struct derivation *derivation,
           struct error *err)
{
    int result = 0;

    for (size_t i = 0; i < plan->variables.count && !keys_is_enough(err); i++) {
        struct var *var = &plan->variables.items[i];
        if (replace(&(struct deriving){plan, section, derivation, var, err}, var) < 0)
            result = -1;
    }
    if (result == 0 && vars_size(&plan->variables) > SECTION_TOTAL_LIMIT)
        return error_at(err, section->devices_place,
                        "gpu.variables: with the devices' values in them, they have more than %d "
                        "bytes together, and Linux starts no program with many more",
                        SECTION_TOTAL_LIMIT);
    return result;
}

void derivation_release(struct derivation *derivation)
{
    for (size_t i = 0; i < derivation->answers.count; i++) {
        free(derivation->answers.items[i].visible);
        renderers_release(&derivation->answers.items[i].list);
    }
    free(derivation->answers.items);
}
