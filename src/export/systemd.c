/* A drop-in for a service. Environment= takes C escapes within double quotes, and % begins a
   specifier (systemd.exec(5), systemd.syntax(7)); of control characters a value may hold tab and
   newline only. */
#include "export/export.h"

#include "base/scope.h"

#include <string.h>

static bool has_control(const char *value)
{
    for (; *value; value++)
        if (((unsigned char)*value < ' ' && *value != '\t' && *value != '\n') || *value == '\177')
            return true;
    return false;
}

static void quote(struct strbuf *out, const char *value)
{
    for (; *value; value++)
        switch (*value) {
        case '\n':
            strbuf_adds(out, "\\n");
            break;
        case '\t':
            strbuf_adds(out, "\\t");
            break;
        case '%':
            strbuf_adds(out, "%%");
            break;
        case '"':
        case '\\':
            strbuf_addc(out, '\\');
            strbuf_addc(out, *value);
            break;
        default:
            strbuf_addc(out, *value);
        }
}

static int add(struct strbuf *out, const struct exported *what, const struct var *var,
               struct error *err)
{
    if (var->kind == VAR_UNSET)
        return strbuf_addf(out, "UnsetEnvironment=%s\n", var->name), 0;
    scope(free_text) char *value = export_fixed("systemd", what, var, err);
    if (!value)
        return -1;
    if (has_control(value))
        return export_refuse("systemd", var, "its value has a control character", err);
    strbuf_addf(out, "Environment=\"%s=", var->name);
    if (strcmp(var->name, "CUDA_VISIBLE_DEVICES") == 0 && what->plan->gpus == PLAN_GPUS_CHOSEN)
        export_uuids(out, what->plan, "", ",");
    else
        quote(out, value);
    strbuf_adds(out, "\"\n");
    return 0;
}

int export_systemd(struct strbuf *out, const struct exported *what, struct error *err)
{
    int result = 0;

    strbuf_adds(out, "[Service]\n");
    for (size_t i = 0; i < what->plan->variables.count; i++)
        if (add(out, what, &what->plan->variables.items[i], err) < 0)
            result = -1;
    return result;
}
