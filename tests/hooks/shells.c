#include "hooks/shells.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* ---- the table ---- */

static const char *const posix_callers[] = {
    "set -C",          /* noclobber */
    "set -f",          /* noglob */
    "set -a",          /* allexport */
    "IFS=/",           /* splits what hooks put together */
    "IFS=0_C",         /* splits the names of variables */
    "IFS=",            /* splits nothing */
    "set -- -x 'a b'", /* has arguments */
    "X() { :; }",      /* a function of a variable's name */
    NULL,
};

static const struct dialect posix = {
    .begin = "hook() { eval '. \"$1\"'; }\n",
    .set = "export %s='%s'\n",
    .copy = "export %s=\"$%s\"\n",
    .unset = "unset -v %s\n",
    .source = ". \"$%s\"/%s\n",
    .inside = "hook \"$%s\"/%s\n",
    .check = "test \"$?\" = 0 || echo 'the last status is not 0'\n",
    /* The : is for the shells that keep the last word in $_. */
    .list = ":\n{ %s; echo \"$# $*\"; } >>%s\n",
    .callers = posix_callers,
};

static const char *const fish_callers[] = {"set -g IFS ''", "set -g IFS /", NULL};

static const struct dialect fish = {
    .begin = "function hook; eval 'source $argv[1]'; end\n",
    .set = "set -gx %s '%s'\n",
    .copy = "set -gx %s \"$%s\"\n",
    .unset = "set -eg %s\n",
    .source = "source \"$%s\"/%s\n",
    .inside = "hook \"$%s\"/%s\n",
    .check = "test $status = 0; or echo 'the last status is not 0'\n",
    .list = "begin; %s; end >>%s\n",
    .callers = fish_callers,
};

static const char *const csh_callers[] = {"set noclobber", "set noglob", "set nonomatch",
                                          "set symlinks = chase", NULL};

static const struct dialect csh = {
    .begin = "",
    .set = "setenv %s '%s'\n",
    .copy = "setenv %s $%s:q\n",
    .unset = "unsetenv %s\n",
    .source = "source $%s:q/%s\n",
    .inside = "eval 'source $%s:q/%s'\n",
    .check = "if ($status != 0) echo 'the last status is not 0'\n",
    .list = "( %s ) >>%s\n",
    .callers = csh_callers,
};

#define ZSH(what, how, is_variant)                                                                 \
    {                                                                                              \
        .name = what, .argv = {"zsh", "-f"}, .extension = "sh", .options = how, .dialect = &posix, \
        .variant = is_variant, .listing = "set; functions; alias -L; trap; setopt; set +o",        \
        .changing_lines = {"LINENO=", "RANDOM=", "SECONDS=", "_="}, .changing_names = {            \
            "_"                                                                                    \
        }                                                                                          \
    }

const struct shell_kind shell_kinds[] = {
    {.name = "bash",
     .argv = {"bash"},
     .extension = "sh",
     .options = "set -eu\n",
     .dialect = &posix,
     .listing = "set; alias; trap; set +o; shopt",
     .changing_lines = {"BASH_ARG", "_="},
     .changing_names = {"_"}},
    {.name = "bash-posix",
     .argv = {"bash", "--posix"},
     .variant = true,
     .extension = "sh",
     .options = "set -eu\n",
     .dialect = &posix,
     .listing = "set; declare -f; alias; trap; set +o; shopt",
     .changing_lines = {"BASH_ARG", "_="},
     .changing_names = {"_"}},
    {.name = "dash",
     .argv = {"dash"},
     .extension = "sh",
     .options = "set -eu\n",
     .dialect = &posix,
     .listing = "set; alias; trap; set +o"},
    ZSH("zsh", "", false),
    ZSH("zsh-eu", "set -eu\n", true),
    ZSH("zsh-sh", "emulate sh\nset -eu\n", true),
    ZSH("zsh-ksharrays", "setopt ksh_arrays\n", true),
    ZSH("zsh-shwordsplit", "setopt sh_word_split\n", true),
    ZSH("zsh-errreturn", "setopt err_return\n", true),
    ZSH("zsh-nounset", "setopt no_unset warn_create_global\n", true),
    {.name = "ksh",
     .argv = {"ksh"},
     .extension = "sh",
     .options = "set -eu\n",
     .dialect = &posix,
     .listing = "set; typeset -f; alias; trap; set +o",
     .changing_lines = {"LINENO=", "RANDOM=", "SECONDS=", "_=", ".sh."},
     /* A__z tells a child ksh the variables' types; the other one stems from a library */
     .changing_names = {"_", "A__z", "_AST_FEATURES"}},
    {.name = "mksh",
     .argv = {"mksh"},
     .extension = "sh",
     .options = "set -eu\n",
     .dialect = &posix,
     .listing = "set; typeset -f; alias; trap; set +o",
     /* KSH_MATCH: what the last `case` matched */
     .changing_lines = {"EPOCHREALTIME=", "KSH_MATCH=", "LINENO=", "RANDOM=", "SECONDS=", "_="},
     .changing_names = {"_"}},
    {.name = "busybox",
     .argv = {"busybox", "sh"},
     .extension = "sh",
     .options = "set -eu\n",
     .dialect = &posix,
     .listing = "set; alias; trap; set +o"},
    {.name = "yash",
     .argv = {"yash"},
     .extension = "sh",
     .options = "set -eu\n",
     .dialect = &posix,
     .listing = "set; typeset -fp; alias -p; trap; set +o",
     .text_only = true},
    {.name = "fish",
     .argv = {"fish", "-N"},
     .extension = "fish",
     .options = "",
     .dialect = &fish,
     .listing = "set; functions -n -a; abbr; trap -p",
     .changing_lines = {"pipestatus ", "status "}},
    {.name = "tcsh",
     .argv = {"tcsh", "-f"},
     .extension = "csh",
     .options = "",
     .dialect = &csh,
     .listing = "set; alias",
     .changing_lines = {"_\t"}},
};
const size_t shell_kind_count = sizeof shell_kinds / sizeof *shell_kinds;

bool shell_kind_wanted(const struct shell_kind *kind)
{
    return shell_wanted(kind->name);
}

char *formatted(const char *format, ...)
{
    char *text = NULL;
    va_list args;

    va_start(args, format);
    int length = vasprintf(&text, format, args);
    va_end(args);
    if (length < 0)
        abort();
    return text;
}

bool shell_kind_present(const struct shell_kind *kind)
{
    return program_present(kind->argv[0]);
}

static size_t kind_named(const char *name, size_t length)
{
    for (size_t i = 0; i < shell_kind_count; i++)
        if (strlen(shell_kinds[i].name) == length &&
            strncmp(shell_kinds[i].name, name, length) == 0)
            return i;
    ck_abort_msg("no shell '%.*s' in the table", (int)length, name);
    return 0;
}

/* ---- environments ---- */

void environment_open(struct environment *environment, const struct sandbox *box, const char *name,
                      int key)
{
    char *prefix = sandbox_environment(box, name);

    *environment = (struct environment){.name = name, .key = key};
    snprintf(environment->variable, sizeof environment->variable, "T_%s", name);
    snprintf(environment->prefix, sizeof environment->prefix, "%s", prefix);
    free(prefix);
}

static void run_in(const struct sandbox *box, const char *const *argv)
{
    const char *const env[] = {"PATH=/usr/bin:/bin", NULL};
    struct outcome outcome = sandbox_run(box, argv, env, NULL);

    if (outcome.status != 0)
        ck_abort_msg("%s: %s", argv[0], outcome.err);
    outcome_free(&outcome);
}

/* Keeps the hooks that are in the prefix now as the next generation. */
static void keep_generation(struct environment *environment, const struct sandbox *box,
                            const struct model_plan *plan, const char *folder)
{
    struct generation *generation = &environment->generations[environment->count++];
    char *hooks = formatted("%s/etc/conda", environment->prefix);
    char *parents = formatted("%s/.keep", folder);

    *generation = (struct generation){.plan = plan, .base = "T_ROOT"};
    snprintf(generation->folder, sizeof generation->folder, "%s/%zu", folder,
             environment->count - 1);
    sandbox_write(box, parents, "");
    sandbox_remove(box, generation->folder);
    run_in(box, (const char *const[]){"cp", "-R", hooks, generation->folder, NULL});
    free(parents);
    free(hooks);
}

void environment_apply(struct environment *environment, const struct sandbox *box,
                       const struct model_plan *plan, const char *folder)
{
    char *text = model_plan_yaml(plan);

    sandbox_write(box, "gpu.yml", text);
    struct outcome outcome =
        conda_gpu(box, NULL, "apply", "-q", "-p", environment->prefix, "-f", "gpu.yml", NULL);
    if (outcome.status != 0)
        ck_abort_msg("%s\nconda-gpu apply: %s", text, outcome.err);
    keep_generation(environment, box, plan, folder);
    outcome_free(&outcome);
    free(text);
}

void environment_forget(struct environment *environment, const struct sandbox *box)
{
    char *hooks = formatted("%s/etc", environment->prefix + strlen(box->root) + 1);

    environment->count = 0;
    sandbox_remove(box, hooks);
    free(hooks);
}

/* Replaces the one path by the other wherever it is in the file. */
static void rewrite(const char *file, const char *from, const char *to)
{
    struct sandbox whole = {"/"};
    size_t length;
    char *text = sandbox_read(&whole, file, &length), *at = text, *found;
    FILE *out = fopen(file, "w");

    for (; (found = strstr(at, from)); at = found + strlen(from)) {
        fwrite(at, 1, (size_t)(found - at), out);
        fputs(to, out);
    }
    fputs(at, out);
    if (fclose(out) != 0)
        ck_abort_msg("%s: cannot be written", file);
    free(text);
}

static int is_plain(const struct dirent *entry)
{
    return entry->d_type == DT_REG;
}

static void rewrite_folder(const char *folder, const char *from, const char *to)
{
    struct dirent **found;
    int count = scandir(folder, &found, is_plain, alphasort);

    for (int i = 0; i < count; i++) {
        char *file = formatted("%s/%s", folder, found[i]->d_name);
        rewrite(file, from, to);
        free(file);
        free(found[i]);
    }
    if (count >= 0)
        free(found);
}

void environment_clone(struct environment *clone, const struct sandbox *box,
                       const struct environment *original, size_t generation, const char *folder)
{
    static const char *const folders[] = {"etc/conda", "etc/conda/activate.d",
                                          "etc/conda/deactivate.d"};
    const struct generation *from = &original->generations[generation];
    char *hooks = formatted("%s/etc/conda", clone->prefix);
    char *etc = formatted("%s/etc/.keep", clone->prefix + strlen(box->root) + 1);

    environment_forget(clone, box);
    sandbox_write(box, etc, "");
    run_in(box, (const char *const[]){"cp", "-R", from->folder, hooks, NULL});
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        char *inside = formatted("%s/%s", clone->prefix, folders[i]);
        rewrite_folder(inside, original->prefix, clone->prefix);
        free(inside);
    }
    keep_generation(clone, box, from->plan, folder);
    free(etc);
    free(hooks);
}

/* ---- writing the scripts ---- */

/* What the environment is to be, at one time. */
struct snapshot {
    size_t process;
    const struct shell_kind *kind;
    bool first; /* of its process */
    size_t sequence;
    char *told;
    const char *values[MODEL_NAMES];
    bool known[MODEL_NAMES];
    bool may_have_state;
    char *conda_prefix, *conda_level; /* NULL: unset */
};

static const struct shell_kind *present_kind(const struct trial *trial)
{
    return &shell_kinds[trial->processes[trial->process_count - 1].kind];
}

static const struct dialect *words(const struct trial *trial)
{
    return present_kind(trial)->dialect;
}

static FILE *script(const struct trial *trial)
{
    return trial->processes[trial->process_count - 1].script;
}

static const char *variable(const struct trial *trial, const char *name)
{
    size_t length = strlen(name);

    for (size_t i = 0; i < trial->variable_count; i++)
        if (strncmp(trial->variables[i], name, length) == 0 && trial->variables[i][length] == '=')
            return trial->variables[i] + length + 1;
    ck_abort_msg("the trial has no variable %s", name);
    return NULL;
}

static void add_variable(struct trial *trial, char *entry)
{
    trial->variables =
        realloc(trial->variables, (trial->variable_count + 2) * sizeof *trial->variables);
    if (!trial->variables)
        abort();
    trial->variables[trial->variable_count++] = entry;
    trial->variables[trial->variable_count] = NULL;
}

static void open_script(struct trial *trial, size_t kind)
{
    char *name = formatted("script.%zu", trial->started);
    char *path = sandbox_path(trial->box, name);
    size_t process = trial->process_count++;

    trial->processes[process].script = fopen(path, "w");
    trial->processes[process].kind = kind;
    trial->processes[process].id = trial->started++;
    if (!script(trial))
        ck_abort_msg("%s: cannot be written", path);
    fputs(shell_kinds[kind].options, script(trial));
    fputs(words(trial)->begin, script(trial));
    free(name);
    free(path);
}

static void close_script(struct trial *trial)
{
    FILE *file = script(trial);

    trial->process_count--;
    if (fclose(file) != 0)
        ck_abort_msg("the script cannot be written");
}

static void list(struct trial *trial, const char *file)
{
    sandbox_write(trial->box, file, "");
    fprintf(script(trial), words(trial)->list, shell_kinds[trial->processes[0].kind].listing, file);
}

void trial_open(struct trial *trial, const struct sandbox *box, const struct shell_kind *kind,
                const char *const *variables, const struct manner *manner)
{
    char *link = sandbox_path(box, "print_env");

    *trial = (struct trial){.box = box, .manner = *manner};
    add_variable(trial, formatted("PATH=%s", getenv("PATH")));
    add_variable(trial, formatted("HOME=%s/home", box->root));
    add_variable(trial, formatted("LC_ALL=C.UTF-8"));
    add_variable(trial, formatted("T_ROOT=%s", box->root));
    if (!manner->packed) {
        add_variable(trial, formatted("CONDA_PREFIX="));
        add_variable(trial, formatted("CONDA_SHLVL=0"));
    }
    for (; variables && *variables; variables++)
        add_variable(trial, formatted("%s", *variables));
    sandbox_write(box, "dump", "");
    if (symlink(getenv("PRINT_ENV"), link) && errno != EEXIST)
        ck_abort_msg("%s: %s", link, strerror(errno));
    free(link);
    open_script(trial, (size_t)(kind - shell_kinds));
    if (manner->caller)
        fprintf(script(trial), "%s\n", manner->caller);
    list(trial, "list.warm"); /* fish loads functions to list them, bash makes variables */
}

static void snapshot_clear(struct snapshot *snapshot)
{
    free(snapshot->told);
    free(snapshot->conda_prefix);
    free(snapshot->conda_level);
}

void trial_close(struct trial *trial)
{
    while (trial->process_count)
        close_script(trial);
    for (size_t i = 0; i < trial->expected_count; i++)
        snapshot_clear(&trial->expected[i]);
    for (size_t i = 0; i < trial->variable_count; i++)
        free(trial->variables[i]);
    free(trial->expected);
    free(trial->variables);
    free(trial->told);
}

/* Has the script write its environment, and notes what that must be. */
static void look(struct trial *trial, bool first)
{
    size_t level, number = trial->expected_count++;
    int active = model_active(&trial->model, &level);

    fprintf(script(trial), "./print_env T_MARK=%zu >>dump\n", number);
    trial->expected = realloc(trial->expected, trial->expected_count * sizeof *trial->expected);
    if (!trial->expected)
        abort();
    struct snapshot *snapshot = &trial->expected[number];
    *snapshot = (struct snapshot){.process = trial->processes[trial->process_count - 1].id,
                                  .kind = present_kind(trial),
                                  .first = first,
                                  .sequence = trial->sequence,
                                  .told = formatted("%s", trial->told),
                                  .may_have_state = model_has_state(&trial->model)};
    for (size_t i = 0; i < MODEL_NAMES; i++) {
        snapshot->values[i] = model_value(&trial->model, i);
        snapshot->known[i] = model_knows(&trial->model, i);
    }
    if (active >= 0)
        snapshot->conda_prefix = formatted("%s", trial->model.environments[active].prefix);
    else if (!trial->manner.packed)
        snapshot->conda_prefix = formatted("%s", "");
    if (!trial->manner.packed)
        snapshot->conda_level = formatted("%zu", level);
}

static void say_level(struct trial *trial, int active, size_t level)
{
    const struct dialect *dialect = words(trial);
    char number[32];

    snprintf(number, sizeof number, "%zu", level);
    if (active >= 0)
        fprintf(script(trial), dialect->copy, "CONDA_PREFIX",
                trial->model.environments[active].variable);
    else if (trial->manner.packed)
        fprintf(script(trial), dialect->unset, "CONDA_PREFIX");
    else
        fprintf(script(trial), dialect->set, "CONDA_PREFIX", "");
    if (!trial->manner.packed)
        fprintf(script(trial), dialect->set, "CONDA_SHLVL", number);
}

static const char *wanted_extension;

static int has_wanted_extension(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');

    return dot && strcmp(dot + 1, wanted_extension) == 0;
}

/* Sources every file of the folder, in conda's order. */
static void say_event(struct trial *trial, const struct event *event)
{
    const struct environment *environment = &trial->model.environments[event->environment];
    const struct generation *generation = &environment->generations[event->generation];
    const struct dialect *dialect = words(trial);
    char *below =
        formatted("%s/%s.d", generation->folder, event->activates ? "activate" : "deactivate");
    char *folder = formatted("%s/%s", variable(trial, generation->base), below);
    struct dirent **found;

    say_level(trial, event->environment, event->level);
    wanted_extension = present_kind(trial)->extension;
    int count = scandir(folder, &found, has_wanted_extension, alphasort);
    if (count <= 0)
        ck_abort_msg("no hooks in %s", folder);
    for (int i = 0; i < count; i++) {
        const char *name = found[event->activates ? i : count - 1 - i]->d_name;
        char *path = formatted("%s/%s", below, name);
        fprintf(script(trial), trial->manner.inside ? dialect->inside : dialect->source,
                generation->base, path);
        fputs(dialect->check, script(trial));
        free(path);
    }
    for (int i = 0; i < count; i++)
        free(found[i]);
    free(found);
    free(below);
    free(folder);
}

static void say_child(struct trial *trial, const struct step *step)
{
    size_t kind = step->action == CHILD ? (size_t)step->number
                                        : trial->processes[trial->process_count - 1].kind;
    FILE *out = script(trial);

    if (step->action == JOB) {
        const struct model_job *job = &model_jobs[step->number];
        bool unset = job->visible && strcmp(job->visible, "unset") == 0;
        fprintf(out, "/usr/bin/env %s ", unset ? "-u CUDA_VISIBLE_DEVICES" : "");
        for (size_t i = 0; i < COUNT(job->variables) && job->variables[i]; i++)
            fprintf(out, "'%s' ", job->variables[i]);
        if (job->visible && !unset)
            fprintf(out, "'CUDA_VISIBLE_DEVICES=%s' ", job->visible);
    }
    for (const char *const *word = shell_kinds[kind].argv; *word; word++)
        fprintf(out, "%s ", *word);
    fprintf(out, "script.%zu\n", trial->started);
    open_script(trial, kind);
    model_set_tcsh(&trial->model, words(trial) == &csh);
}

/* A variable of the trial's with this value. */
static char *variable_with(struct trial *trial, const char *value)
{
    size_t count = 0;

    for (size_t i = 0; i < trial->variable_count; i++) {
        const char *entry = trial->variables[i];
        size_t length = strcspn(entry, "=");
        if (strncmp(entry, "T_V", 3) != 0)
            continue;
        if (strcmp(entry + length + 1, value) == 0)
            return formatted("%.*s", (int)length, entry);
        count++;
    }
    add_variable(trial, formatted("T_V%zu=%s", count, value));
    return formatted("T_V%zu", count);
}

/* What another party made of a variable. */
static void say_change(struct trial *trial, size_t name)
{
    const char *value = model_value(&trial->model, name);
    char *from = value ? variable_with(trial, value) : NULL;

    if (value)
        fprintf(script(trial), words(trial)->copy, model_names[name], from);
    else
        fprintf(script(trial), words(trial)->unset, model_names[name]);
    free(from);
}

static void say_out_of_job(struct trial *trial)
{
    for (size_t i = 0; i < JOB_VARIABLES; i++)
        fprintf(script(trial), words(trial)->unset, job_variables[i]);
}

/* What a step is about, in words. */
static const char *object_of(const struct trial *trial, const struct step *step)
{
    size_t number = (size_t)step->number;

    switch (step->action) {
    case ACTIVATE:
    case STACK:
    case PRESENT:
    case APPLY:
        return trial->model.environments[number].name;
    case CHILD:
        return shell_kinds[number].name;
    case JOB:
        return model_jobs[number].name;
    default:
        return action_is_other(step->action) ? model_names[number] : "";
    }
}

static void tell(struct trial *trial, const struct step *step)
{
    const char *object = object_of(trial, step);
    char *told = formatted("%s%s%s%s%s", trial->told, *trial->told ? ", " : "",
                           action_verb(step->action), *object ? " " : "", object);

    free(trial->told);
    trial->told = told;
}

void trial_step(struct trial *trial, const struct step *step)
{
    struct events events;
    size_t level;
    bool starts = step->action == CHILD || step->action == JOB;

    if (!model_step(&trial->model, step, &events))
        return;
    tell(trial, step);
    if (starts)
        say_child(trial, step);
    if (step->action == LEAVE)
        close_script(trial);
    if (step->action == OUT_OF_JOB)
        say_out_of_job(trial);
    if (action_is_other(step->action))
        say_change(trial, (size_t)step->number);
    for (size_t i = 0; i < events.count; i++)
        say_event(trial, &events.items[i]);
    int active = model_active(&trial->model, &level);
    if (!starts && step->action != APPLY)
        say_level(trial, active, level);
    bool begins = starts || step->action == OUT_OF_JOB;
    if (begins || (step->action != APPLY && !trial->manner.sparse))
        look(trial, begins);
}

/* The number that the object of a step has. */
static int number_of(const struct trial *trial, enum action action, const char *object,
                     size_t length)
{
    const struct model *model = &trial->model;

    if (action == CHILD)
        return (int)kind_named(object, length);
    if (action == JOB)
        return (int)strtol(object, NULL, 10);
    for (size_t i = 0; i < MODEL_NAMES && action_is_other(action); i++)
        if (strlen(model_names[i]) == length && strncmp(model_names[i], object, length) == 0)
            return (int)i;
    for (size_t i = 0; i < model->environment_count && !action_is_other(action); i++)
        if (strncmp(model->environments[i].name, object, length) == 0)
            return (int)i;
    return -1;
}

static struct step step_from_words(const struct trial *trial, const char *text, size_t length)
{
    for (enum action action = 0; action < ACTIONS; action++) {
        size_t verb = strlen(action_verb(action));
        if (strncmp(text, action_verb(action), verb) != 0 || !strchr(" ,", text[verb]))
            continue;
        const char *object = text + verb + (verb < length);
        size_t rest = length - (size_t)(object - text);
        int number = rest ? number_of(trial, action, object, rest) : 0;
        if (number >= 0)
            return (struct step){action, number};
    }
    ck_abort_msg("'%.*s' is no step", (int)length, text);
    return (struct step){LEAVE, 0};
}

void trial_steps(struct trial *trial, const char *steps)
{
    while (*steps) {
        size_t length = strcspn(steps, ",");
        struct step step = step_from_words(trial, steps, length);
        trial_step(trial, &step);
        steps += length;
        steps += strspn(steps, ", ");
    }
}

void trial_begin(struct trial *trial, const struct environment *environments, size_t count,
                 const struct priors *priors)
{
    bool first = trial->expected_count == 0;

    model_start(&trial->model, environments, count, priors->values);
    model_set_tcsh(&trial->model, words(trial) == &csh);
    free(trial->told);
    trial->told = formatted("%s", "");
    if (first)
        list(trial, "list.before");
    trial->sets_priors = priors->set_by_script;
    for (size_t i = 0; i < MODEL_NAMES && priors->set_by_script; i++) {
        if (priors->variables[i])
            fprintf(script(trial), words(trial)->copy, model_names[i], priors->variables[i]);
        else
            fprintf(script(trial), words(trial)->unset, model_names[i]);
    }
    if (first)
        look(trial, true);
}

void trial_end(struct trial *trial)
{
    size_t level;

    while (model_active(&trial->model, &level) >= 0 || trial->process_count > 1)
        trial_step(trial, &(struct step){level ? DEACTIVATE : LEAVE, 0});
    if (trial->manner.sparse)
        look(trial, false);
    trial->sequence++;
}

/* ---- comparing ---- */

/* One environment that a script wrote: entries "NAME=value". */
struct dump {
    const char *const *entries;
    size_t count;
};

static const char *entry_value(const struct dump *dump, const char *name)
{
    size_t length = strlen(name);

    for (size_t i = 0; i < dump->count; i++)
        if (strncmp(dump->entries[i], name, length) == 0 && dump->entries[i][length] == '=')
            return dump->entries[i] + length + 1;
    return NULL;
}

/* 'text', with what does not print as \xHH, and cut. */
static char *shown(const char *text)
{
    char *out = NULL;
    size_t length;
    FILE *file = open_memstream(&out, &length);

    if (!text)
        fputs("unset", file);
    for (size_t i = 0; text && i < 100 && text[i]; i++)
        fprintf(file, text[i] > ' ' && text[i] < 127 ? "%c" : "\\x%02x", (unsigned char)text[i]);
    if (text && !*text)
        fputs("empty", file);
    fclose(file);
    return out;
}

static char *difference(const char *name, const char *found, const char *wanted)
{
    char *is = shown(found), *should = shown(wanted);
    char *text = formatted("%s is %s, not %s", name, is, should);

    free(is);
    free(should);
    return text;
}

static char *compare_variable(const struct dump *dump, const char *name, const char *wanted)
{
    const char *found = entry_value(dump, name);

    if ((!found && !wanted) || (found && wanted && strcmp(found, wanted) == 0))
        return NULL;
    return difference(name, found, wanted);
}

static bool is_named(const char *entry, const char *name)
{
    size_t length = strlen(name);

    return strncmp(entry, name, length) == 0 && entry[length] == '=';
}

/* Whether an entry is compared by compare_rest. */
static bool is_rest(const char *entry, const struct shell_kind *kind)
{
    static const char *const others[] = {"CONDA_PREFIX", "CONDA_SHLVL", "T_MARK"};

    for (size_t i = 0; i < MODEL_NAMES; i++)
        if (is_named(entry, model_names[i]))
            return false;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (is_named(entry, others[i]))
            return false;
    for (size_t i = 0; kind->changing_names[i]; i++)
        if (is_named(entry, kind->changing_names[i]))
            return false;
    return strncmp(entry, "__CONDA_GPU_", 12) != 0;
}

/* Everything that is in one must be in the other, and the same. */
static char *compare_rest(const struct dump *one, const struct dump *other,
                          const struct shell_kind *kind, bool gone)
{
    for (size_t i = 0; i < one->count; i++) {
        char *name = formatted("%.*s", (int)strcspn(one->entries[i], "="), one->entries[i]);
        const char *value = one->entries[i] + strlen(name) + 1;
        const char *there = entry_value(other, name);
        char *fault = NULL;
        if (is_rest(one->entries[i], kind) && (!there || strcmp(there, value) != 0))
            fault = gone ? difference(name, there, value) : difference(name, value, there);
        free(name);
        if (fault)
            return fault;
    }
    return NULL;
}

static char *compare_state(const struct snapshot *expected, const struct dump *dump)
{
    for (size_t i = 0; i < dump->count && !expected->may_have_state; i++)
        if (strncmp(dump->entries[i], "__CONDA_GPU_", 12) == 0)
            return formatted("%.60s is left behind", dump->entries[i]);
    return NULL;
}

static char *compare_dump(const struct snapshot *expected, const struct dump *dump,
                          const struct dump *first)
{
    char *fault = NULL;

    for (size_t i = 0; i < MODEL_NAMES && !fault; i++)
        if (expected->known[i])
            fault = compare_variable(dump, model_names[i], expected->values[i]);
    if (!fault)
        fault = compare_variable(dump, "CONDA_PREFIX", expected->conda_prefix);
    if (!fault)
        fault = compare_variable(dump, "CONDA_SHLVL", expected->conda_level);
    if (!fault)
        fault = compare_state(expected, dump);
    if (!fault)
        fault = compare_rest(first, dump, expected->kind, true);
    if (!fault)
        fault = compare_rest(dump, first, expected->kind, false);
    return fault;
}

/* Splits "A=1\0B=2\0T_MARK=0\0A=1\0..." after each T_MARK. */
static size_t split_dumps(const char *text, size_t length, const char **entries, struct dump *dumps,
                          size_t most)
{
    size_t count = 0, entry = 0, start = 0;

    for (const char *at = text; at < text + length && count < most; at += strlen(at) + 1) {
        entries[entry++] = at;
        if (strncmp(at, "T_MARK=", 7) != 0)
            continue;
        dumps[count++] = (struct dump){entries + start, entry - start};
        start = entry;
    }
    return count;
}

static size_t entries_in(const char *text, size_t length)
{
    size_t count = 0;

    for (size_t i = 0; i < length; i++)
        count += text[i] == '\0';
    return count + 1;
}

/* The dump that a process began with. */
static size_t first_of(const struct trial *trial, size_t index)
{
    size_t process = trial->expected[index].process;

    while (!trial->expected[index].first || trial->expected[index].process != process)
        index--;
    return index;
}

static char *compare_all(struct trial *trial, const struct dump *dumps, size_t count)
{
    for (size_t i = 0; i < trial->expected_count; i++) {
        const struct snapshot *expected = &trial->expected[i];
        char *fault = i >= count ? formatted("the shell did not get here")
                                 : compare_dump(expected, &dumps[i], &dumps[first_of(trial, i)]);
        if (!fault)
            continue;
        char *whole = formatted("%s: %s", *expected->told ? expected->told : "before", fault);
        trial->sequence = expected->sequence;
        free(fault);
        return whole;
    }
    return NULL;
}

static char *compare_dumps(struct trial *trial)
{
    size_t length;
    char *text = sandbox_read(trial->box, "dump", &length);
    const char **entries = calloc(entries_in(text, length), sizeof *entries);
    struct dump *dumps = calloc(trial->expected_count + 1, sizeof *dumps);

    if (!entries || !dumps)
        abort();
    size_t count = split_dumps(text, length, entries, dumps, trial->expected_count);
    char *fault = compare_all(trial, dumps, count);
    free(dumps);
    free(entries);
    free(text);
    return fault;
}

/* The line that `at` begins with, and behind it the next one that does not change by itself. */
static const char *next_line(const char **at, const struct shell_kind *kind)
{
    while (**at) {
        const char *line = *at;
        bool changes = false;
        *at += strcspn(*at, "\n");
        *at += **at == '\n';
        for (size_t i = 0; kind->changing_lines[i]; i++)
            changes = changes ||
                      strncmp(line, kind->changing_lines[i], strlen(kind->changing_lines[i])) == 0;
        if (!changes)
            return line;
    }
    return *at;
}

static char *compare_listings(const struct trial *trial, const struct shell_kind *kind)
{
    char *before = sandbox_read(trial->box, "list.before", NULL);
    char *after = sandbox_read(trial->box, "list.after", NULL);
    const char *was_at = before, *is_at = after, *was, *is;
    size_t length;

    do {
        was = next_line(&was_at, kind);
        is = next_line(&is_at, kind);
        length = strcspn(was, "\n");
    } while (*was && strncmp(was, is, length + 1) == 0);
    char *fault = *was || *is ? formatted("the shell's listing was '%.*s' and is '%.*s'",
                                          (int)length, was, (int)strcspn(is, "\n"), is)
                              : NULL;
    free(before);
    free(after);
    return fault;
}

static char *compare_streams(const struct outcome *outcome)
{
    if (outcome->err_length)
        return formatted("on stderr: %.300s", outcome->err);
    if (strcmp(outcome->out, "kept\n") != 0)
        return formatted("on stdout, where only the line from stdin should be: '%.300s'",
                         outcome->out);
    if (outcome->status != 0)
        return formatted("the shell ended with status %d", outcome->status);
    return NULL;
}

char *trial_run(struct trial *trial)
{
    const struct shell_kind *kind = &shell_kinds[trial->processes[0].kind];
    const char *argv[6] = {NULL};
    size_t count = 0;

    for (size_t i = 0; i < MODEL_NAMES && trial->sets_priors; i++)
        fprintf(script(trial), kind->dialect->unset, model_names[i]);
    list(trial, "list.after");
    fputs("cat\n", script(trial));
    close_script(trial);
    for (; kind->argv[count]; count++)
        argv[count] = kind->argv[count];
    argv[count] = "script.0";
    struct outcome outcome =
        sandbox_run(trial->box, argv, (const char *const *)trial->variables, "kept\n");
    bool stopped = outcome.status == 128 + SIGKILL; /* then what it wrote means nothing */
    char *streams = compare_streams(&outcome), *fault = stopped ? NULL : compare_dumps(trial);
    if (!fault && !streams)
        fault = compare_listings(trial, kind);
    char *whole = fault || streams ? formatted("%s: %s%s%s", kind->name, fault ? fault : "",
                                               fault && streams ? "; " : "", streams ? streams : "")
                                   : NULL;
    free(fault);
    free(streams);
    outcome_free(&outcome);
    return whole;
}
