#include "hook/shell.h"

#include "hook/match.h"

#include "base/scope.h"
#include "section/job.h"

#include <string.h>

void quote_sh(struct strbuf *out, const char *text, size_t length)
{
    strbuf_addc(out, '\'');
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\'')
            strbuf_adds(out, "'\\''");
        else
            strbuf_addc(out, text[i]);
    }
    strbuf_addc(out, '\'');
}

void quote_fish(struct strbuf *out, const char *text, size_t length)
{
    strbuf_addc(out, '\'');
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\'' || text[i] == '\\')
            strbuf_addc(out, '\\');
        strbuf_addc(out, text[i]);
    }
    strbuf_addc(out, '\'');
}

void quote_csh(struct strbuf *out, const char *text, size_t length)
{
    strbuf_addc(out, '\'');
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\'')
            strbuf_adds(out, "'\\'");
        else if (text[i] == '!' || text[i] == '\n')
            strbuf_addc(out, '\\');
        strbuf_addc(out, text[i]);
    }
    strbuf_addc(out, '\'');
}

void quote_csh_pattern(struct strbuf *out, const char *text, size_t length)
{
    scope(strbuf_release) struct strbuf pattern = STRBUF_INIT;

    for (size_t i = 0; i < length; i++)
        if (strchr("*?[", text[i]))
            strbuf_addf(&pattern, "[%c]", text[i]);
        else
            strbuf_addc(&pattern, text[i]);
    quote_csh(out, strbuf_text(&pattern), pattern.length);
    out->failed = out->failed || pattern.failed;
}

/* How many of its variables, from the first on, must be filled in a job. */
static size_t needed_of(const struct scheduler *scheduler)
{
    size_t count = 1;

    while (scheduler->needs_all && scheduler->variables[count])
        count++;
    return count;
}

/* ${A:+.${A_STEP-}}, or ${A:+${A_TASK:+.$A.$A_TASK}} where both are needed. */
static void tell_details_sh(struct strbuf *out, const struct scheduler *scheduler)
{
    const char *const *details = scheduler_details(scheduler);
    size_t needed = needed_of(scheduler);

    for (size_t i = 0; i < needed; i++)
        strbuf_addf(out, "${%s:+", scheduler->variables[i]);
    for (; *details; details++)
        strbuf_addf(out, scheduler->needs_all ? ".$%s" : ".${%s-}", *details);
    for (size_t i = 0; i < needed; i++)
        strbuf_addc(out, '}');
}

static void tell_job_sh(struct strbuf *out)
{
    strbuf_adds(out, "export __gpu_job=\"");
    for (size_t i = 0; i < scheduler_count; i++)
        if (!schedulers[i].needs_all)
            strbuf_addf(out, "${%s-}", schedulers[i].variables[0]);
    strbuf_adds(out, "\"\nexport __gpu_job=\"$__gpu_job");
    for (size_t i = 0; i < scheduler_count; i++)
        if (*scheduler_details(&schedulers[i]))
            tell_details_sh(out, &schedulers[i]);
    strbuf_adds(out, "\"");
}

/* In quotes, a variable that is not set is nothing. */
static void tell_job_fish(struct strbuf *out)
{
    strbuf_adds(out, "set -g __gpu_job \"");
    for (size_t i = 0; i < scheduler_count; i++)
        if (!schedulers[i].needs_all)
            strbuf_addf(out, "$%s", schedulers[i].variables[0]);
    strbuf_addc(out, '"');
    for (size_t i = 0; i < scheduler_count; i++) {
        const char *const *details = scheduler_details(&schedulers[i]);
        if (!*details)
            continue;
        strbuf_addc(out, '\n');
        for (size_t n = 0; n < needed_of(&schedulers[i]); n++)
            strbuf_addf(out, "test -z \"$%s\"; or ", schedulers[i].variables[n]);
        strbuf_adds(out, "set __gpu_job \"$__gpu_job");
        for (; *details; details++)
            strbuf_addf(out, ".$%s", *details);
        strbuf_addc(out, '"');
    }
}

/* tcsh would expand $A before it looks at the condition, so that is left to eval, or to a block. */
static void tell_details_csh(struct strbuf *out, const struct scheduler *scheduler)
{
    const char *const *names = scheduler->variables;
    size_t needed = needed_of(scheduler);

    for (size_t n = 0; n < needed; n++)
        strbuf_addf(out, "%s$?%s", n ? " && " : "  if (", names[n]);
    for (size_t n = 0; n < needed; n++)
        strbuf_addf(out, "%sx$%s:q != x", n ? " && " : ") then\n    if (", names[n]);
    strbuf_adds(out, ") then\n");
    for (const char *const *detail = scheduler_details(scheduler); *detail; detail++) {
        strbuf_adds(out, "      set __gpu_job = $__gpu_job:q.\n");
        strbuf_addf(out, "      if ($?%s) eval 'set __gpu_job = $__gpu_job:q$%s:q'\n", *detail,
                    *detail);
    }
    strbuf_adds(out, "    endif\n  endif\n");
}

static void tell_job_csh(struct strbuf *out)
{
    strbuf_adds(out, "set __gpu_job = ''\n");
    for (size_t i = 0; i < scheduler_count; i++)
        strbuf_addf(out, "%s$?%s", i ? " || " : "if (", schedulers[i].variables[0]);
    strbuf_adds(out, ") then\n");
    strbuf_adds(out, "  foreach __gpu_x (");
    for (size_t i = 0; i < scheduler_count; i++)
        if (!schedulers[i].needs_all)
            strbuf_addf(out, "%s%s", i ? " " : "", schedulers[i].variables[0]);
    strbuf_adds(out,
                ")\n    eval 'set __gpu_is = $?'$__gpu_x\n"
                "    if ($__gpu_is) eval 'set __gpu_job = $__gpu_job:q$'$__gpu_x':q'\n  end\n");
    for (size_t i = 0; i < scheduler_count; i++)
        if (*scheduler_details(&schedulers[i]))
            tell_details_csh(out, &schedulers[i]);
    strbuf_adds(out, "endif");
}

const struct shell shells[] = {
    {"sh", {"\"${", "-}\""}, quote_sh, NULL, tell_job_sh, tell_patterns_sh, true},
    {"fish", {"\"$", "\""}, quote_fish, NULL, tell_job_fish, tell_patterns_fish, false},
    {"csh", {"$__gpu_", ":q"}, quote_csh, quote_csh_pattern, tell_job_csh, tell_patterns_csh, true},
};
const size_t shell_count = sizeof shells / sizeof *shells;

static void quote_around(const struct shell *shell, struct strbuf *out, const char *value,
                         void (*quote)(struct strbuf *, const char *, size_t))
{
    const char *at = value, *reference, *name;
    size_t length;

    while ((reference = var_reference_find(at, &length, &name))) {
        if (reference > at)
            quote(out, at, (size_t)(reference - at));
        strbuf_addf(out, "%s%s%s", shell->expand[0], name, shell->expand[1]);
        at = reference + length;
    }
    if (*at || at == value)
        quote(out, at, strlen(at));
}

void shell_quote_value(const struct shell *shell, struct strbuf *out, const char *value)
{
    quote_around(shell, out, value, shell->quote);
}

void shell_quote_pattern(const struct shell *shell, struct strbuf *out, const char *value)
{
    quote_around(shell, out, value, shell->quote_pattern ? shell->quote_pattern : shell->quote);
}

void shell_quote_if_needed(struct strbuf *out, const char *text)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./:@%+-";

    if (*text && !text[strspn(text, plain)])
        strbuf_adds(out, text);
    else
        quote_sh(out, text, strlen(text));
}
