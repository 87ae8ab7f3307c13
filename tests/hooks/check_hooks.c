/*
 * The written hooks in real shells, one test per matter and kind of shell. The hooks are those that
 * `conda-gpu apply` writes; shells.h says how they are run and what is compared. SHELLS="dash fish"
 * leaves out the other shells.
 */
#include "hooks/shells.h"

#include "base/scope.h"
#include "base/strbuf.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum { A, B, CLONE, OVERRIDE };

static struct sandbox box;
static struct environment environments[MODEL_ENVIRONMENTS];
static struct model_plan plans[MODEL_ENVIRONMENTS];

/* ---- running trials ---- */

static bool can_run(const struct shell_kind *kind)
{
    if (shell_kind_present(kind))
        return true;
    test_skip(true, "%s is not installed", kind->argv[0]);
    return false;
}

/* Values that scripts give to variables. */
static const char *const texts[][2] = {
    {"T_EMPTY", ""}, {"T_TEXT", "it's \"text\"\n"}, {"T_LIST", "/usr/lib:/lib"}};

/* What a trial's shell is to find: texts, "T_A=/tmp/.../envs/A" for every environment, and the
   priors that it inherits; NULL ends. */
static char **trial_variables(const struct priors *priors)
{
    char **list = calloc(COUNT(texts) + MODEL_ENVIRONMENTS + MODEL_NAMES + 1, sizeof *list);
    size_t count = 0;

    for (size_t i = 0; i < COUNT(texts); i++)
        list[count++] = formatted("%s=%s", texts[i][0], texts[i][1]);
    for (size_t i = 0; i < MODEL_ENVIRONMENTS; i++)
        if (environments[i].name)
            list[count++] = formatted("%s=%s", environments[i].variable, environments[i].prefix);
    for (size_t i = 0; i < MODEL_NAMES; i++)
        if (priors->values[i] && !priors->set_by_script)
            list[count++] = formatted("%s=%s", model_names[i], priors->values[i]);
    return list;
}

static struct priors same_for_all(const char *value)
{
    struct priors priors = {.set_by_script = false};

    for (size_t i = 0; i < MODEL_NAMES; i++)
        priors.values[i] = value;
    return priors;
}

/* A trial in the making. */
struct run {
    struct trial trial;
    char **variables;
    const struct manner *manner;
};

static void run_open(struct run *run, const struct shell_kind *kind, const struct manner *manner,
                     const struct priors *priors)
{
    run->manner = manner;
    run->variables = trial_variables(priors);
    trial_open(&run->trial, &box, kind, (const char *const *)run->variables, manner);
}

static void run_add(struct run *run, const struct priors *priors, const char *sequence)
{
    trial_begin(&run->trial, environments, MODEL_ENVIRONMENTS, priors);
    trial_steps(&run->trial, sequence);
    trial_end(&run->trial);
}

static void run_close(struct run *run)
{
    const char *caller = run->manner->caller;
    char *fault = trial_run(&run->trial);

    if (fault)
        ck_abort_msg("%s%s%s%s", fault, caller ? "; called with " : "", caller ? caller : "",
                     run->manner->inside ? "; in a function" : "");
    ck_assert_msg(!sandbox_has(&box, "canary"), "a value was run");
    trial_close(&run->trial);
    for (char **variable = run->variables; *variable; variable++)
        free(*variable);
    free(run->variables);
}

static void run_sequences(const struct shell_kind *kind, const struct manner *manner,
                          const struct priors *priors, const char *const *sequences)
{
    struct run run;

    run_open(&run, kind, manner, priors);
    for (; *sequences; sequences++)
        run_add(&run, priors, *sequences);
    run_close(&run);
}

/* Variants of a shell do every third of what the shell itself does. */
static size_t stride(const struct shell_kind *kind)
{
    return kind->variant ? 3 : 1;
}

static const char *const hard_values[] = {
    NULL,
    "",
    "plain",
    "it's \"quoted\" `touch canary` $HOME $(touch canary) ${X}",
    "two\nlines\n\n",
    "!! !x ^a^b #",
    "back\\slash\\n \\\\ \\",
    "-n",
    "=ls",
    "~root/x:* [a-z]? {a,b} (touch canary)",
    " tab\t and  spaces ",
    ":a::b:",
    "\xff\xfe bytes \x80",
    "\x01\x1b[0m\r\x7f",
    "caf\xc3\xa9 \xe2\x98\x83",
};

static bool is_text(const char *value)
{
    return !value || !strchr(value, '\xff');
}

/* ---- the table ---- */

static void set_up_table(void)
{
    sandbox_open(&box);
    environment_open(&environments[A], &box, "A", 1);
    environment_open(&environments[B], &box, "B", 2);
    model_plan_begin(&plans[A], "1,3", false);
    plans[A].wishes[2] = (struct wish){CHANGE_PREPEND, "${CONDA_PREFIX}/lib", NULL};
    plans[A].wishes[3] = (struct wish){CHANGE_SET, "8", NULL};
    plans[A].wishes[4] = (struct wish){CHANGE_UNSET, NULL, NULL};
    plans[A].wishes[5] = (struct wish){CHANGE_SET, "", NULL};
    plans[A].wishes[6] = (struct wish){CHANGE_APPEND, "--flag", " "};
    plans[A].wishes[7] = (struct wish){CHANGE_PREPEND, "a", "'; touch canary; '"};
    model_plan_begin(&plans[B], "0", false);
    plans[B].wishes[2] = (struct wish){CHANGE_APPEND, "/b", NULL};
    plans[B].wishes[3] = (struct wish){CHANGE_UNSET, NULL, NULL};
    plans[B].wishes[4] = (struct wish){CHANGE_SET, "=b", NULL};
    plans[B].wishes[6] = (struct wish){CHANGE_PREPEND, "-b", " "};
    plans[B].wishes[8] = (struct wish){CHANGE_SET, "it's $HOME \"q\" `touch canary` !\\\n", NULL};
    environment_apply(&environments[A], &box, &plans[A], "hooks/A");
    environment_apply(&environments[B], &box, &plans[B], "hooks/B");
}

static void tear_down(void)
{
    memset(environments, 0, sizeof environments);
    sandbox_close(&box);
}

/* What the clients do. Each is gone back from to where it began. */
static const char *const table[] = {
    "activate A",
    "activate A, activate B, deactivate",
    "activate A, stack B, deactivate",
    "activate A, activate A",
    "activate A, stack B, activate A",
    "activate A, stack B, activate B, deactivate, activate A",
    "activate A, stack B, stack A",
    "activate A, stack B, stack A, activate B",
    "activate B, activate A, activate B, stack A",
    "present A, deactivate",
    "present A, activate A",
    "present A, stack B",
    NULL,
};

/* Job 1 takes CUDA_VISIBLE_DEVICES as it finds it. */
static const char *const table_in_job[] = {
    "job 1, activate A",
    "job 1, activate A, activate B, deactivate",
    "job 1, activate A, stack B, deactivate",
    "job 1, activate A, stack B, stack A",
    "activate A, job 1, deactivate",
    "activate A, job 1, activate A, activate B",
    "activate A, job 1, stack B, deactivate, leave, activate A",
    NULL,
};

START_TEST(round_trips_and_values)
{
    const struct shell_kind *kind = &shell_kinds[_i];

    for (size_t i = 0; i < COUNT(hard_values) && can_run(kind); i += stride(kind)) {
        struct priors priors = same_for_all(hard_values[i]);
        if (kind->text_only && !is_text(hard_values[i]))
            continue;
        run_sequences(kind, &(struct manner){.inside = i % 2}, &priors, table);
        if (i % 2 == 0 || i < 3)
            run_sequences(kind, &(struct manner){.inside = i % 2}, &priors, table_in_job);
    }
}
END_TEST

static const char *const few[] = {"activate A, stack B, deactivate", "present A, deactivate", NULL};

START_TEST(strict_callers)
{
    const struct shell_kind *kind = &shell_kinds[_i];

    for (size_t i = 0; kind->dialect->callers[i] && can_run(kind); i++)
        for (size_t j = i % stride(kind); j < 3; j += stride(kind)) {
            struct priors priors = same_for_all(hard_values[j + 1]);
            run_sequences(kind, &(struct manner){kind->dialect->callers[i], j == 1, false, false},
                          &priors, few);
        }
}
END_TEST

START_TEST(packed_environments)
{
    static const char *const steps[] = {"activate A", "activate A, activate A", NULL};
    const struct shell_kind *kind = &shell_kinds[_i];

    for (size_t i = 0; i < 4 && can_run(kind); i++) {
        struct priors priors = same_for_all(hard_values[i]);
        run_sequences(kind, &(struct manner){.packed = true, .inside = true}, &priors, steps);
    }
}
END_TEST

/* ---- state that is lost ---- */

static void add_hook(struct strbuf *script, const struct shell_kind *kind, bool activates)
{
    char *hook =
        formatted("hooks/A/0/%sactivate.d/env_vars.%s", activates ? "" : "de", kind->extension);

    strbuf_addf(script, kind->dialect->source, "T_ROOT", hook);
    strbuf_adds(script, kind->dialect->check);
    free(hook);
}

/* Runs the script in an environment where each variable is "prior", and gives what it ends with. */
static char *environment_after(const struct shell_kind *kind, const char *script, size_t *length)
{
    struct priors priors = same_for_all("prior");
    char **variables = trial_variables(&priors), *root = formatted("T_ROOT=%s", box.root);
    char *whole = formatted("%s%s/usr/bin/env -0\n", kind->options, script);
    const char *env[64] = {"PATH=/usr/bin:/bin", "CONDA_PREFIX=/", "CONDA_SHLVL=1", root};
    const char *argv[6] = {NULL};

    sandbox_write(&box, "script", whole);
    for (size_t i = 0; variables[i]; i++)
        env[4 + i] = variables[i];
    for (size_t i = 0; kind->argv[i]; i++)
        argv[i] = kind->argv[i], argv[i + 1] = "script";
    struct outcome outcome = sandbox_run(&box, argv, env, NULL);
    ck_assert_msg(outcome.status == 0 && !outcome.err_length, "%s, in\n%s: %s", kind->name, script,
                  outcome.err);
    for (char **variable = variables; *variable; variable++)
        free(*variable);
    free(variables);
    free(outcome.err);
    free(whole);
    free(root);
    *length = outcome.out_length;
    return outcome.out;
}

/* Activates, takes a variable away, deactivates, and does both once more; with NULL only activates.
   The second time is for the variable that says that there is state at all. */
static char *environment_after_loss(const struct shell_kind *kind, const char *lost, size_t *length)
{
    scope(strbuf_release) struct strbuf script = STRBUF_INIT;

    add_hook(&script, kind, true);
    if (lost) {
        strbuf_addf(&script, kind->dialect->unset, lost);
        add_hook(&script, kind, false);
        add_hook(&script, kind, true);
        add_hook(&script, kind, false);
    }
    return environment_after(kind, strbuf_text(&script), length);
}

static size_t count_priors(const char *text, size_t length)
{
    size_t count = 0;

    for (const char *at = text; at < text + length; at += strlen(at) + 1)
        for (size_t i = 0; i < MODEL_NAMES; i++) {
            size_t name = strlen(model_names[i]);
            count += strncmp(at, model_names[i], name) == 0 && strcmp(at + name, "=prior") == 0;
        }
    return count;
}

START_TEST(lost_state_is_harmless)
{
    const struct shell_kind *kind = &shell_kinds[_i];
    size_t length, after_length, tried = 0;

    if (!can_run(kind))
        return;
    char *text = environment_after_loss(kind, NULL, &length);
    for (const char *at = text; at < text + length; at += strlen(at) + 1) {
        if (strncmp(at, "__CONDA_GPU_", 12) != 0)
            continue;
        char *lost = formatted("%.*s", (int)strcspn(at, "="), at);
        char *after = environment_after_loss(kind, lost, &after_length);
        ck_assert_msg(count_priors(after, after_length) >= MODEL_NAMES - 1,
                      "%s: without %s, more than its variable is lost", kind->name, lost);
        free(after);
        free(lost);
        tried++;
    }
    ck_assert_uint_ge(tried, MODEL_NAMES - 1);
    free(text);
}
END_TEST

/* ---- jobs ---- */

/* In the next generation, those that give way to a scheduler do so no more, and the others do. */
static void set_up_jobs(void)
{
    static const char *const names[] = {"A", "B", "N", "O"};
    static const char *const devices[] = {"1,3", "0", "-1", "2"};
    static struct model_plan next[MODEL_ENVIRONMENTS];

    sandbox_open(&box);
    for (int i = 0; i < MODEL_ENVIRONMENTS; i++) {
        environment_open(&environments[i], &box, names[i], i);
        model_plan_begin(&plans[i], devices[i], i == OVERRIDE);
        plans[i].wishes[2] = (struct wish){CHANGE_PREPEND, names[i], NULL};
        plans[i].wishes[3] = (struct wish){i == A ? CHANGE_UNSET : CHANGE_SET, names[i], NULL};
        environment_apply(&environments[i], &box, &plans[i], names[i]);
        model_plan_begin(&next[i], "0,1", i < OVERRIDE - 1);
        environment_apply(&environments[i], &box, &next[i], names[i]);
    }
}

/* %1$d is a job, %2$d another one. */
static const char *const job_sequences[] = {
    "job %1$d, activate A, deactivate, activate B, stack A, deactivate",
    "job %1$d, activate A, stack O, deactivate, stack N, deactivate",
    "job %1$d, activate O, stack A, stack N, deactivate, activate B",
    "job %1$d, activate N, stack A, activate O, deactivate",
    "activate A, job %1$d, deactivate",
    "activate A, job %1$d, activate A, stack B, deactivate, deactivate, leave, stack B",
    "activate A, stack B, job %1$d, deactivate, activate O",
    "activate O, job %1$d, activate N, deactivate, activate A",
    "activate A, job %1$d, activate B, job %2$d, deactivate, activate N, leave, activate A",
    "job %1$d, activate O, stack A, apply O, deactivate",
    "job %1$d, activate A, stack B, apply A, deactivate, apply B, activate B",
    "job %1$d, activate N, stack A, apply N, deactivate",
};

/* Priors of the script's own: in a row none is set, or all are, or it differs. */
static struct priors row_priors(size_t row)
{
    enum { NONE, ALL, ROWS = 4 };
    struct priors priors = {.set_by_script = true};

    for (size_t i = 0; i < MODEL_NAMES && row % ROWS != NONE; i++) {
        size_t text = (row + i) % (COUNT(texts) + (row % ROWS != ALL));
        priors.variables[i] = text < COUNT(texts) ? texts[text][0] : NULL;
        priors.values[i] = text < COUNT(texts) ? texts[text][1] : NULL;
    }
    return priors;
}

START_TEST(job_boundaries)
{
    const struct shell_kind *kind = &shell_kinds[_i];
    struct priors priors = row_priors(0);
    struct run run;

    if (!can_run(kind))
        return;
    run_open(&run, kind, &(struct manner){.inside = _i % 2}, &priors);
    for (size_t job = 0; job < model_job_count; job++) {
        for (size_t i = job % 2; i < COUNT(job_sequences); i += 2 * stride(kind)) {
            priors = row_priors(job / 2 + i / 2);
            char *sequence =
                formatted(job_sequences[i], (int)job, (int)((job + 4) % model_job_count));
            run_add(&run, &priors, sequence);
            free(sequence);
        }
    }
    run_close(&run);
}
END_TEST

/* ---- child shells ---- */

START_TEST(child_shells)
{
    const struct shell_kind *kind = &shell_kinds[_i];
    struct priors priors = row_priors((size_t)_i);
    struct run run;

    if (!can_run(kind))
        return;
    run_open(&run, kind, &(struct manner){.inside = _i % 2}, &priors);
    for (size_t i = (size_t)_i % stride(kind); i < shell_kind_count; i += stride(kind)) {
        const char *child = shell_kinds[i].name;
        char *one = formatted("activate A, child %s, deactivate, leave, deactivate", child);
        char *two =
            formatted("activate A, stack B, child %s, deactivate, activate A, leave", child);
        if (shell_kind_present(&shell_kinds[i])) {
            run_add(&run, &priors, one);
            run_add(&run, &priors, two);
        }
        free(one);
        free(two);
    }
    run_close(&run);
}
END_TEST

/* ---- generations ---- */

static const struct {
    const char *devices;
    bool override;
    struct wish wishes[MODEL_NAMES - FIRST_FREE_NAME];
} generation_plans[] = {
    {"0", false, {{CHANGE_NOTHING, NULL, NULL}}},
    {"1,3",
     false,
     {{CHANGE_PREPEND, "/one", NULL}, {CHANGE_SET, "1", NULL}, {CHANGE_SET, "x", NULL}}},
    {"0,1,2,3",
     false,
     {{CHANGE_NOTHING, NULL, NULL}, {CHANGE_UNSET, NULL, NULL}, {CHANGE_UNSET, NULL, NULL}}},
    {"2",
     false,
     {{CHANGE_APPEND, "/three", NULL}, {CHANGE_NOTHING, NULL, NULL}, {CHANGE_PREPEND, "x3", NULL}}},
    {"-1",
     false,
     {{CHANGE_SET, "/four", NULL},
      {CHANGE_SET, "", NULL},
      {CHANGE_APPEND, "x4", ", "},
      {CHANGE_SET, "y", NULL}}},
    {"2",
     true,
     {{CHANGE_UNSET, NULL, NULL},
      {CHANGE_NOTHING, NULL, NULL},
      {CHANGE_SET, "x5", NULL},
      {CHANGE_NOTHING, NULL, NULL},
      {CHANGE_SET, "c", NULL}}},
    {"1",
     false,
     {{CHANGE_PREPEND, "/six", ";"},
      {CHANGE_NOTHING, NULL, NULL},
      {CHANGE_NOTHING, NULL, NULL},
      {CHANGE_UNSET, NULL, NULL},
      {CHANGE_NOTHING, NULL, NULL},
      {CHANGE_PREPEND, "--f", " "}}},
    {"3,2",
     true,
     {{CHANGE_APPEND, "/7", NULL},
      {CHANGE_SET, "7", NULL},
      {CHANGE_APPEND, "7", NULL},
      {CHANGE_PREPEND, "7", NULL},
      {CHANGE_UNSET, NULL, NULL},
      {CHANGE_SET, "7", NULL},
      {CHANGE_PREPEND, "7", NULL}}},
};

enum { PLANS = COUNT(generation_plans), HISTORIES = PLANS * PLANS };

static struct model_plan all_plans[PLANS];
static struct environment histories[HISTORIES];

/* Each plan follows upon each as the second generation, and upon each as the third. */
static void set_up_generations(void)
{
    set_up_table();
    for (size_t i = 0; i < PLANS; i++) {
        model_plan_begin(&all_plans[i], generation_plans[i].devices, generation_plans[i].override);
        memcpy(&all_plans[i].wishes[FIRST_FREE_NAME], generation_plans[i].wishes,
               sizeof generation_plans[i].wishes);
    }
    for (size_t i = 0; i < HISTORIES; i++) {
        size_t first = i / PLANS, third = i % PLANS, second = (first + third + 1) % PLANS;
        char *folder = formatted("hooks/%zu", i);
        environment_forget(&environments[A], &box);
        environment_apply(&environments[A], &box, &all_plans[first], folder);
        environment_apply(&environments[A], &box, &all_plans[second], folder);
        environment_apply(&environments[A], &box, &all_plans[third], folder);
        histories[i] = environments[A];
        free(folder);
    }
}

START_TEST(generations_meet)
{
    static const char *const sequences[] = {
        "activate A, apply A, deactivate",          "activate A, apply A, activate A",
        "activate A, apply A, apply A, deactivate", "activate A, apply A, apply A, activate A",
        "activate A, stack B, apply A, deactivate", "job 2, activate A, apply A, activate A",
    };
    const struct shell_kind *kind = &shell_kinds[_i];
    struct priors priors = row_priors(0);
    struct run run;

    if (!can_run(kind))
        return;
    run_open(&run, kind, &(struct manner){.inside = _i % 2}, &priors);
    for (size_t i = 0; i < HISTORIES; i += stride(kind)) {
        environments[A] = histories[i];
        for (size_t j = 0; j < (i % 2 ? COUNT(sequences) : 4); j++) {
            priors = row_priors(i / 2 + j);
            run_add(&run, &priors, sequences[j]);
        }
    }
    run_close(&run);
}
END_TEST

/* ---- clones ---- */

static void set_up_clones(void)
{
    set_up_table();
    environment_open(&environments[CLONE], &box, "C", environments[A].key);
    environment_clone(&environments[CLONE], &box, &environments[A], 0, "hooks/C");
    environment_apply(&environments[CLONE], &box, &plans[B], "hooks/C");
}

START_TEST(clones_work)
{
    static const char *const sequences[] = {
        "activate C",
        "activate A, activate C, deactivate",
        "activate A, stack C, deactivate",
        "activate C, stack A, deactivate, activate C",
        "activate A, stack C, stack A, deactivate, deactivate",
        "activate A, stack B, stack C, deactivate, deactivate",
        "activate A, stack C, apply C, deactivate",
        "apply C, activate A, stack C, deactivate, activate C",
        NULL,
    };
    const struct shell_kind *kind = &shell_kinds[_i];

    for (size_t i = 0; i < 3 && can_run(kind); i++) {
        struct priors priors = row_priors(i);
        run_sequences(kind, &(struct manner){.inside = i % 2}, &priors, sequences);
    }
}
END_TEST

START_TEST(copies_hold_no_path)
{
    char *command = formatted("cd '%s' && grep -rlF '%s' etc/conda/*activate.d; test $? = 1",
                              environments[CLONE].prefix, box.root);
    const char *const env[] = {"PATH=/usr/bin:/bin", NULL};
    struct outcome outcome =
        sandbox_run(&box, (const char *const[]){"sh", "-c", command, NULL}, env, NULL);

    ck_assert_msg(outcome.status == 0, "these hold the path of their prefix: %s", outcome.out);
    outcome_free(&outcome);
    free(command);
}
END_TEST

/* ---- inertness ---- */

static char every_byte[128];

static const char *const hostile_values[] = {
    "'; touch canary; '",
    "\"; touch canary; \"",
    "$(touch canary)",
    "`touch canary`",
    "(touch canary)",
    "\\'; touch canary; \\'",
    "\ntouch canary\n",
    "'\ntouch canary\n'",
    "\\\ntouch canary\n\\",
    "!touch canary",
    "\\!touch !! '!' !\n",
    "$X[touch canary]${X:-$(touch canary)}",
    "a;touch canary|touch canary&touch canary>canary<x",
    "''\\''\\\\'",
    "%s%n\\x27; touch canary",
    "= ~ * ? [a] {a,b} ^ #",
    "@name@ @end variables@",
    "${CONDA_PREFIX}'; touch canary; '",
    "-n",
    "\xe2\x80\xae caf\xc3\xa9",
    "\nendif\nelse\nend\nesac\ntouch canary\n",
    "';;\nesac\nendif\nend\ntouch canary\n'",
    every_byte,
};

static const char hostile_machine[] =
    "driver 12.4\n"
    "gpu GPU-8932f937-d72c-4106-c12f-20bd9faed9f6 0000:0f:00.0 80GiB 8.0 "
    "\"A\\ntouch canary\\n#\\r\\e[31m'\\\"`touch canary`$(touch canary)\\\\\"\n";

/* A newline is left out of the prefix for shells that cannot source such a file themselves. */
static void set_up_hostile(void)
{
    enum { FREE = MODEL_NAMES - FIRST_FREE_NAME };
    static const char name[] = "it's $1 `touch canary`;touch canary;\"!!\\ *\ntouch canary\n";
    static const char file[] = "$(touch canary)\ntouch canary\n'`.yml";

    sandbox_open(&box);
    sandbox_write(&box, "machine", hostile_machine);
    for (size_t i = 0; i < sizeof every_byte - 1; i++)
        every_byte[i] = (char)(i + 1);
    environment_open(&environments[A], &box, name, A);
    environments[A].name = "A";
    snprintf(environments[A].variable, sizeof environments[A].variable, "T_A");
    for (size_t i = 0; i < MODEL_GENERATIONS; i++) {
        model_plan_begin(&plans[i], "0", false);
        for (size_t j = 0; j < FREE; j++) {
            const char *value = hostile_values[(i * FREE + j) % COUNT(hostile_values)];
            enum change change = i + 1 < MODEL_GENERATIONS ? CHANGE_SET : CHANGE_APPEND;
            plans[i].wishes[FIRST_FREE_NAME + j] = (struct wish){change, value, hostile_values[j]};
        }
        environment_apply(&environments[A], &box, &plans[i], "hooks/A");
    }
    char *text = model_plan_yaml(&plans[MODEL_GENERATIONS - 1]);
    sandbox_write(&box, file, text);
    struct outcome outcome = conda_gpu(&box, NULL, "remove", "-p", environments[A].prefix, NULL);
    ck_assert_msg(outcome.status == 0, "conda-gpu remove: %s", outcome.err);
    outcome_free(&outcome);
    outcome = conda_gpu(&box, NULL, "apply", "-p", environments[A].prefix, "-f", file, NULL);
    ck_assert_msg(outcome.status == 0, "conda-gpu apply: %s", outcome.err);
    outcome_free(&outcome);
    free(text);
    struct generation *last = &environments[A].generations[MODEL_GENERATIONS - 1];
    last->base = "T_A";
    snprintf(last->folder, sizeof last->folder, "etc/conda");
}

START_TEST(values_are_inert)
{
    static const char *const sequences[] = {
        "activate A, apply A, activate A, apply A, activate A, apply A, activate A, deactivate",
        NULL,
    };
    const struct shell_kind *kind = &shell_kinds[_i];

    for (size_t i = 0; i < COUNT(hard_values) && can_run(kind); i += 3) {
        struct priors priors = same_for_all(hard_values[i]);
        if (!kind->text_only || is_text(hard_values[i]))
            run_sequences(kind, &(struct manner){.inside = i % 2}, &priors, sequences);
    }
}
END_TEST

/* ---- large values ---- */

enum { LARGE = 100 * 1000 };
static char large_value[LARGE + 1], half_value[LARGE / 2 + 1];

static void set_up_large(void)
{
    for (size_t i = 0; i < LARGE; i++)
        large_value[i] = (char)('!' + i % 90);
    memcpy(half_value, large_value, LARGE / 2);
    sandbox_open(&box);
    environment_open(&environments[A], &box, "A", 1);
    model_plan_begin(&plans[A], "0", false);
    plans[A].wishes[3] = (struct wish){CHANGE_SET, large_value, NULL};
    plans[A].wishes[4] = (struct wish){CHANGE_PREPEND, half_value, NULL};
    plans[A].wishes[5] = (struct wish){CHANGE_UNSET, NULL, NULL};
    environment_apply(&environments[A], &box, &plans[A], "hooks/A");
}

START_TEST(large_values)
{
    static const char *const sequences[] = {"activate A, activate A", NULL};
    const struct shell_kind *kind = &shell_kinds[_i];
    struct priors priors = {.values = {[4] = half_value, [5] = large_value}};

    if (can_run(kind))
        run_sequences(kind, &(struct manner){.inside = false}, &priors, sequences);
}
END_TEST

/* ---- many variables ---- */

/* With CUDA's two there are 255 and 302: fish's `set -q` counts no further than 255. */
static const size_t many[] = {253, 300};

static void set_up_many(void)
{
    static const char *const names[] = {"A", "B"};

    sandbox_open(&box);
    for (size_t i = 0; i < COUNT(many); i++) {
        scope(strbuf_release) struct strbuf text = STRBUF_INIT;
        environment_open(&environments[i], &box, names[i], (int)i + 1);
        strbuf_adds(&text, "gpu:\n  devices: 0\n  variables:\n");
        for (size_t j = 0; j < many[i]; j++)
            strbuf_addf(&text, "    MANY_%zu: new\n", j);
        sandbox_write(&box, "many.yml", strbuf_text(&text));
        struct outcome outcome =
            conda_gpu(&box, NULL, "apply", "-p", environments[i].prefix, "-f", "many.yml", NULL);
        ck_assert_msg(outcome.status == 0, "conda-gpu apply: %s", outcome.err);
        outcome_free(&outcome);
    }
}

static size_t occurrences(const char *text, const char *what)
{
    size_t count = 0;

    while ((text = strstr(text, what))) {
        count++;
        text += strlen(what);
    }
    return count;
}

/* Activates and deactivates once, with MANY_7 set before or not. */
static void many_once(const struct shell_kind *kind, const struct environment *environment,
                      size_t count, bool set)
{
    static const char *const directions[] = {"activate", "deactivate"};
    const char *argv[8] = {NULL};
    scope(strbuf_release) struct strbuf script = STRBUF_INIT;
    char *prefix = formatted("%s=%s", environment->variable, environment->prefix);
    char *home = formatted("HOME=%s/home", box.root);
    const char *const env[] = {"PATH=/usr/local/bin:/usr/bin:/bin", home, prefix,
                               set ? "MANY_7=old" : NULL, NULL};
    size_t words = 0;

    strbuf_adds(&script, kind->options);
    strbuf_addf(&script, kind->dialect->set, "CONDA_SHLVL", "1");
    for (size_t i = 0; i < COUNT(directions); i++) {
        char *hook = formatted("etc/conda/%s.d/env_vars.%s", directions[i], kind->extension);
        strbuf_addf(&script, kind->dialect->source, environment->variable, hook);
        strbuf_addf(&script, "env > %s.env\n", directions[i]);
        free(hook);
    }
    sandbox_write(&box, "many", strbuf_text(&script));
    for (; kind->argv[words]; words++)
        argv[words] = kind->argv[words];
    argv[words] = "many";
    struct outcome outcome = sandbox_run(&box, argv, env, NULL);
    ck_assert_msg(outcome.status == 0 && !*outcome.err, "%s: %s", kind->name, outcome.err);
    char *inside = sandbox_read(&box, "activate.env", NULL);
    char *after = sandbox_read(&box, "deactivate.env", NULL);
    ck_assert_uint_eq(occurrences(inside, "\nMANY_") + (strncmp(inside, "MANY_", 5) == 0), count);
    for (size_t i = 0; i < count; i++) {
        char *line = formatted("MANY_%zu=new\n", i), *at = strstr(inside, line);
        ck_assert(at && (at == inside || at[-1] == '\n'));
        free(line);
    }
    ck_assert_uint_eq(occurrences(after, "MANY_"), set);
    ck_assert_uint_eq(occurrences(after, "MANY_7=old\n"), set);
    ck_assert_uint_eq(occurrences(after, "CUDA"), 0);
    outcome_free(&outcome);
    free(inside);
    free(after);
    free(prefix);
    free(home);
}

START_TEST(many_variables)
{
    const struct shell_kind *kind = &shell_kinds[_i];

    for (size_t i = 0; i < COUNT(many) && can_run(kind); i++)
        for (int set = 0; set < 2; set++)
            many_once(kind, &environments[i], many[i], set);
}
END_TEST

/* ---- cost ---- */

/* A script that activates and deactivates with the hooks of a folder of the sandbox. */
static void write_pair(const struct shell_kind *kind, const char *file, const char *folder)
{
    static const char *const directions[] = {"activate", "deactivate"};
    const struct dialect *dialect = kind->dialect;
    char *whole = sandbox_path(&box, file);
    FILE *out = fopen(whole, "w");

    ck_assert(out != NULL);
    fputs(kind->options, out);
    fprintf(out, dialect->set, "CONDA_SHLVL", "1");
    for (size_t i = 0; i < 4; i++) {
        char *hook = formatted("%s/%s.d/env_vars.%s", folder, directions[i % 2], kind->extension);
        if (i == 2)
            fprintf(out, dialect->set, "SLURM_JOB_ID", "1");
        fprintf(out, dialect->source, "T_ROOT", hook);
        free(hook);
    }
    ck_assert_int_eq(fclose(out), 0);
    free(whole);
}

struct calls {
    size_t processes, files;
};

/* tcsh opens /dev/null after every command, and its messages at every `unset`. */
static bool is_own_file(const struct shell_kind *kind, const char *line)
{
    return strcmp(kind->name, "tcsh") == 0 &&
           (strstr(line, "\"/dev/null\"") || strstr(line, "/tcsh.cat\""));
}

/* Counts what strace noted, a thread (fish's, where a builtin writes into a pipe) not; false if it
 * could not trace. */
static bool trace(const struct shell_kind *kind, const char *folder, struct calls *calls)
{
    static const char *const starts[] = {" clone(", " clone3(", " fork(", " vfork(", " execve("};
    const char *argv[16] = {"strace", "-f", "-e", "trace=process,openat", "-o", "trace"};
    char **variables = trial_variables(&(struct priors){.set_by_script = true});
    char *root = formatted("T_ROOT=%s", box.root), *line = NULL, *rest;
    char *home = formatted("HOME=%s/home", box.root);
    size_t count = 6;

    write_pair(kind, "pair", folder);
    for (size_t i = 0; kind->argv[i]; i++)
        argv[count++] = kind->argv[i];
    argv[count] = "pair";
    const char *const env[] = {
        "PATH=/usr/local/bin:/usr/bin:/bin", root, home, variables[0], "CONDA_PREFIX=/", NULL};
    struct outcome outcome = sandbox_run(&box, argv, env, NULL);
    char *text = sandbox_read(&box, "trace", NULL);
    *calls = (struct calls){0};
    for (line = text ? strtok_r(text, "\n", &rest) : NULL; line;
         line = strtok_r(NULL, "\n", &rest)) {
        for (size_t i = 0; i < COUNT(starts); i++)
            calls->processes += strstr(line, starts[i]) && !strstr(line, "CLONE_THREAD");
        calls->files += strstr(line, " openat(") && !is_own_file(kind, line);
    }
    bool traced = outcome.status == 0 && calls->processes;
    if (!traced)
        test_skip(false, "strace cannot trace %s here: %.200s", kind->name, outcome.err);
    outcome_free(&outcome);
    for (char **variable = variables; *variable; variable++)
        free(*variable);
    free(variables);
    free(root);
    free(home);
    free(text);
    return traced;
}

START_TEST(no_process_no_file)
{
    const struct shell_kind *kind = &shell_kinds[_i];
    static const struct shell_kind strace = {.argv = {"strace"}};
    struct calls ours, none;

    if (!can_run(kind) || !can_run(&strace))
        return;
    for (size_t i = 0; i < 2; i++) {
        char *file =
            formatted("empty/%s.d/env_vars.%s", i ? "deactivate" : "activate", kind->extension);
        sandbox_write(&box, file, "");
        free(file);
    }
    if (!trace(kind, "empty", &none) || !trace(kind, "hooks/A/0", &ours))
        return;
    ck_assert_msg(ours.processes == none.processes, "%s: the hooks start %zu processes", kind->name,
                  ours.processes - none.processes);
    ck_assert_msg(ours.files == none.files, "%s: the hooks open %zu files", kind->name,
                  ours.files - none.files);
}
END_TEST

/* ---- the suite ---- */

static Suite *hooks_suite(void)
{
    const struct {
        const char *name;
        void (*set_up)(void);
        const TTest *test;
    } cases[] = {
        {"table", set_up_table, round_trips_and_values},
        {"callers", set_up_table, strict_callers},
        {"packed", set_up_table, packed_environments},
        {"lost", set_up_table, lost_state_is_harmless},
        {"jobs", set_up_jobs, job_boundaries},
        {"children", set_up_table, child_shells},
        {"generations", set_up_generations, generations_meet},
        {"clones", set_up_clones, clones_work},
        {"inert", set_up_hostile, values_are_inert},
        {"large", set_up_large, large_values},
        {"many", set_up_many, many_variables},
        {"cost", set_up_table, no_process_no_file},
    };
    Suite *suite = suite_create("hooks");

    for (size_t i = 0; i < COUNT(cases); i++) {
        TCase *tcase = tcase_create(cases[i].name);
        tcase_add_unchecked_fixture(tcase, cases[i].set_up, tear_down);
        for (int kind = 0; kind < (int)shell_kind_count; kind++)
            if (shell_kind_wanted(&shell_kinds[kind]))
                tcase_add_loop_test(tcase, cases[i].test, kind, kind + 1);
        if (cases[i].set_up == set_up_clones)
            tcase_add_test(tcase, copies_hold_no_path);
        suite_add_tcase(suite, tcase);
    }
    return suite;
}

int main(void)
{
    return test_main(hooks_suite());
}
