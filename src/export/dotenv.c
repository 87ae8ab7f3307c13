/* A .env file. Its readers agree on little: python-dotenv and VS Code replace ${NAME} in every kind
   of quotes, compose and python-dotenv read a backslash differently. So a value is written plain,
   or between single quotes, where all of them take it as it stands; what would need more is
   refused. */
#include "export/export.h"

#include "base/scope.h"

#include <string.h>

static const char *fault(const char *value)
{
    for (const char *c = value; *c; c++)
        if ((unsigned char)*c < ' ' || *c == '\177')
            return "its value has a control character, such as a line end";
    if (strchr(value, '\''))
        return "readers of such files do not agree on a quote within quotes";
    if (strchr(value, '\\'))
        return "readers of such files do not agree on a backslash";
    if (strstr(value, "${"))
        return "readers of such files would replace the ${...} in its value";
    return NULL;
}

static int add(struct strbuf *out, const struct exported *what, const struct var *var,
               struct error *err)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./:@%+,-";
    scope(free_text) char *value = export_fixed("dotenv", what, var, err);

    if (!value)
        return -1;
    if (fault(value))
        return export_refuse("dotenv", var, fault(value), err);
    const char *quote = value[strspn(value, plain)] ? "'" : "";
    strbuf_addf(out, "%s=%s%s%s\n", var->name, quote, value, quote);
    return 0;
}

int export_dotenv(struct strbuf *out, const struct exported *what, struct error *err)
{
    const struct plan *plan = what->plan;
    int result = 0;

    for (size_t i = 0; i < plan->variables.count; i++) {
        const struct var *var = &plan->variables.items[i];
        bool is_all = plan->gpus == PLAN_GPUS_ALL && strcmp(var->name, "CUDA_VISIBLE_DEVICES") == 0;
        if (!is_all && add(out, what, var, err) < 0)
            result = -1;
    }
    return result;
}
