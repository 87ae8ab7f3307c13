#include "export/export.h"

#include "base/scope.h"
#include "base/suggest.h"
#include "base/utf8.h"
#include "hook/element.h"

#include <ctype.h>
#include <string.h>

const struct format *const formats[] = {
    &sh_format,      &fish_format,   &dotenv_format, &systemd_format,
    &jupyter_format, &docker_format, &cdi_format,    &json_format,
};
const size_t format_count = sizeof formats / sizeof *formats;

const struct format *format_find(const char *name, struct error *err)
{
    const char *names[sizeof formats / sizeof *formats];
    scope(strbuf_release) struct strbuf hint = STRBUF_INIT;

    for (size_t i = 0; i < format_count; i++) {
        names[i] = formats[i]->name;
        if (strcmp(name, names[i]) == 0)
            return formats[i];
    }
    suggest_add(&hint, name, names, format_count, "known: ");
    error_add(err, STATUS_INPUT, "unknown format '%s'; %s", name, strbuf_text(&hint));
    return NULL;
}

char *export_expand(const struct exported *what, const char *text)
{
    scope(env_release) struct env env = {0};

    env_copy(&env, what->env);
    env_set(&env, "CONDA_PREFIX", what->prefix);
    return env.failed ? NULL : value_expand(text, &env);
}

int export_refuse(const char *format, const struct var *var, const char *why, struct error *err)
{
    return error_add(err, STATUS_INPUT,
                     "the format %s cannot hold %s: %s; 'conda-gpu exec' can run the program with "
                     "it",
                     format, var->name, why);
}

int export_fixed(char **value, const char *format, const struct exported *what,
                 const struct var *var, struct error *err)
{
    if (what->plan->gpus == PLAN_GPUS_ALL && strcmp(var->name, "CUDA_VISIBLE_DEVICES") == 0)
        return 0;
    if (var->kind == VAR_UNSET)
        return export_refuse(format, var, "it has no way to unset a variable", err);
    if (var->kind != VAR_SET)
        return export_refuse(format, var, "it cannot add to a value that is there before", err);
    scope(free_text) char *expanded = export_expand(what, var->value);
    if (!expanded)
        return error_memory(err);
    if (!is_utf8(expanded, strlen(expanded)))
        return export_refuse(format, var, "its value is no UTF-8", err);
    *value = take(&expanded);
    return 1;
}

void export_uuids(struct strbuf *out, const struct plan *plan, const char *each,
                  const char *between)
{
    const char *entry = plan_visible(plan);

    for (size_t i = 0; i < plan->devices.count; i++) {
        strbuf_addf(out, "%s%s%s", i ? between : "", each,
                    UUID_TEXT(&plan->devices.items[i].device));
    }
    while (!plan->devices.count && entry && *entry) {
        size_t length = strcspn(entry, ",");
        strbuf_addf(out, "%s%.*s%s", each, (int)length, entry, entry[length] ? between : "");
        entry += length + (entry[length] == ',');
    }
}

bool export_has_control(const char *value, const char *but)
{
    for (; *value; value++)
        if (iscntrl((unsigned char)*value) && !strchr(but, *value))
            return true;
    return false;
}
