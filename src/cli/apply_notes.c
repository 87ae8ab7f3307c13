#include "cli/apply.h"

#include "base/env.h"
#include "base/scope.h"
#include "hook/enact.h"
#include "section/job.h"

#include <string.h>

/* Whoever may write to a folder on the way can replace our hooks, or put others beside them. */
static void warn_of_open_folders(struct apply *apply)
{
    for (size_t i = 0; i <= OUR_FOLDERS; i++) {
        const char *folder = i ? our_folders[i - 1] : ".";
        scope(strbuf_release) struct strbuf path = STRBUF_INIT;
        scope(strbuf_release) struct strbuf quoted = STRBUF_INIT;
        if (!prefix_is_open_to_all(&apply->prefix, folder))
            continue;
        strbuf_addf(&path, "%s%s%s", apply->environment.path, i ? "/" : "", i ? folder : "");
        shell_quote_if_needed(&quoted, strbuf_text(&path));
        cli_note("everybody may write to %s, and so put commands there that run in your shell at "
                 "'conda activate'; take that away with: chmod o-w %s",
                 strbuf_text(&path), strbuf_text(&quoted));
    }
}

/* The active environment was taken, which is not the one that the file names. */
static bool is_another(const struct apply *apply)
{
    const struct environment *prefix = &apply->environment;
    const char *wanted = apply->section.name;

    if (apply->options->prefix || apply->options->name || !wanted)
        return false;
    if (strcmp(wanted, "root") == 0)
        wanted = "base"; /* conda's earlier name of it */
    return strcmp(wanted, prefix->name) != 0 && strcmp(wanted, prefix->called) != 0;
}

static void note_job(struct apply *apply)
{
    const char *visible = env_get(apply->options->env, "CUDA_VISIBLE_DEVICES");
    const char *planned = plan_visible(apply->plan);

    if (!job_is_running(apply->options->env) || !enact_leaves(apply->options->env, apply->plan) ||
        (planned && strcmp(visible, planned) == 0))
        return;
    cli_note("this shell is in a scheduler's job with CUDA_VISIBLE_DEVICES=%s, which stays so here "
             "(in_job: keep); in_job: override in %s changes that",
             visible, apply->section.file);
}

/* Who else has a say in the variables. */
static void note_rivals(struct apply *apply)
{
    struct rivals *rivals = &apply->rivals;
    const struct prefix *prefix = &apply->prefix;

    if (rivals_find(rivals, prefix, &apply->plan->variables, &apply->install.files) < 0)
        cli_lost();
    for (size_t i = 0; i < rivals->count; i++) {
        scope(strbuf_release) struct strbuf text = STRBUF_INIT;
        rival_describe(&rivals->items[i], prefix, &text);
        cli_note("%s", strbuf_text(&text));
        apply->beaten = apply->beaten || rivals->items[i].kind == RIVAL_BEATS;
    }
}

/* environment.yml's own `variables:`, which conda takes into conda-meta/state. */
static void note_conda_variables(struct apply *apply)
{
    const struct section *section = &apply->section;
    const struct var_list *planned = &apply->plan->variables;

    for (size_t i = 0; i < section->conda_variables.count; i++) {
        const struct var *var = &section->conda_variables.items[i];
        if (vars_find(planned, var->name))
            cli_note(
                "%s: by its own 'variables:' conda sets %s=%s, and after our hook has put back "
                "what was there, conda unsets or empties it; leave it out there, since the gpu: "
                "section says it",
                section->environment_file ? section->environment_file : section->file, var->name,
                var->value);
    }
}

/* conda create --clone, conda rename and conda-pack rewrite such a path inside the hook, which then
   looks edited. */
static void note_own_path(struct apply *apply, const struct var *var)
{
    const char *path = apply->environment.path;
    const char *at = var->value ? strstr(var->value, path) : NULL;
    const char *next = at ? at + strlen(path) : "";

    if (at && (!*next || *next == '/' || *next == ':'))
        cli_note("%s: gpu.variables.%s: the value holds this environment's own path; write "
                 "${CONDA_PREFIX} for it, so that it stays right in a clone and after a move",
                 apply->section.file, var->name);
}

/* What the section's readers had to say. */
static void note_lines(const struct error *notes)
{
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;

    error_print(notes, "", &text);
    for (const char *line = strbuf_text(&text); *line; line += strcspn(line, "\n") + 1)
        cli_note("%.*s", (int)strcspn(line, "\n"), line);
    if (text.failed)
        cli_lost();
}

void apply_note_all(struct apply *apply)
{
    apply_note_hosts(apply);
    if (is_another(apply))
        cli_note("using the active environment '%s', though %s names '%s'; -n chooses another",
                 apply->environment.name, apply->section.file, apply->section.name);
    if (apply->install.earlier.missing)
        cli_note("%s/" RECEIPT_PATH " is missing; what the hooks themselves tell is used instead",
                 apply->environment.path);
    note_job(apply);
    note_lines(&apply->section.notes);
    for (size_t i = 0; i < apply->section.variables.count; i++)
        note_own_path(apply, &apply->section.variables.items[i]);
    note_conda_variables(apply);
    note_rivals(apply);
    warn_of_open_folders(apply);
}
