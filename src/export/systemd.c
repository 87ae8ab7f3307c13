/* A drop-in for a service. Environment= takes C escapes within double quotes, and % begins a
   specifier (systemd.exec(5), systemd.syntax(7)); of control characters a value may hold tab and
   newline only. */
#include "export/export.h"

#include "base/scope.h"

#include <string.h>

static void quote(struct strbuf *out, const char *value)
{
    for (; *value; value++) {
        if (strchr("\n\t\"\\", *value))
            strbuf_addc(out, '\\');
        if (*value == '%')
            strbuf_addc(out, '%');
        strbuf_addc(out, (char)(*value == '\n' ? 'n' : *value == '\t' ? 't' : *value));
    }
}

static int add(struct strbuf *out, const struct exported *what, const struct var *var,
               struct error *err)
{
    if (var->kind == VAR_UNSET)
        return strbuf_addf(out, "UnsetEnvironment=%s\n", var->name), 0;
    scope(free_text) char *value = NULL;
    if (export_fixed(&value, "systemd", what, var, err) < 0)
        return -1;
    if (export_has_control(value, "\t\n"))
        return export_refuse("systemd", var, "its value has a control character", err);
    strbuf_addf(out, "Environment=\"%s=", var->name);
    if (strcmp(var->name, "CUDA_VISIBLE_DEVICES") == 0 && what->plan->gpus == PLAN_GPUS_CHOSEN)
        export_uuids(out, what->plan, "", ",");
    else
        quote(out, value);
    strbuf_adds(out, "\"\n");
    return 0;
}

static int export_systemd(struct strbuf *out, const struct exported *what, struct error *err)
{
    int result = 0;

    strbuf_adds(out, "[Service]\n");
    for (size_t i = 0; i < what->plan->variables.count; i++)
        if (add(out, what, &what->plan->variables.items[i], err) < 0)
            result = -1;
    return result;
}

const struct format systemd_format = {"systemd", export_systemd, NULL, NULL};
