/*
 * Random sequences of steps, run in real shells against the model (conda_model.h): 3 environments
 * whose plans overlap, and a clone, up to 4 deep; new generations of hooks, child shells of other
 * kinds, jobs, and changes by other parties in between; after every step the whole environment is
 * compared.
 *
 *   SEED=      other sequences than those of 1; a run that fails prints it. `make check-long` draws
 *              new ones each time
 *   SEQUENCES= how many for each kind of shell (300; variants of a shell do a third)
 *   SHELLS=    "bash fish": only these
 *
 * A sequence that fails is shrunk to the shortest that still does, and printed as a script.
 */
#include "hooks/shells.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum { A, B, C, CLONE };
enum { STEPS = 12, BATCH = 10, GENERATIONS = 3, HISTORIES = 24 };

static struct sandbox box;
static uint64_t seed;
static struct environment present[MODEL_ENVIRONMENTS]; /* their names and prefixes */

/* ---- chance ---- */

struct chance {
    uint64_t state;
};

/* splitmix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014. */
static uint64_t draw(struct chance *chance)
{
    uint64_t bits = chance->state += 0x9e3779b97f4a7c15;

    bits = (bits ^ bits >> 30) * 0xbf58476d1ce4e5b9;
    bits = (bits ^ bits >> 27) * 0x94d049bb133111eb;
    return bits ^ bits >> 31;
}

static size_t below(struct chance *chance, size_t limit)
{
    return (size_t)(draw(chance) % limit);
}

/* ---- plans, and their histories ---- */

/* The first one is no text to prepend or to append. */
static const char *const texts[] = {
    "",
    "1",
    "plain",
    "${CONDA_PREFIX}/lib",
    "it's `x` \"$(x)\" \\ !\n",
    "-n",
    "=ls",
    "two words",
    "a:b::c:",
    "${CONDA_PREFIX}",
    "\\'$",
    "~root/*",
    ":",
    "caf\xc3\xa9\n\n",
};
static const char *const separators[] = {NULL, NULL, NULL, " ", ";", "'\\"};
static const char *const devices[] = {"0", "1", "1,3", "0,1,2,3", "-1", "all"};

/* What an environment's hooks were, one generation after the other. */
struct earlier {
    struct model_plan plans[GENERATIONS];
    struct environment environment;
};

static struct earlier pool[MODEL_ENVIRONMENTS][HISTORIES];

static void draw_plan(struct chance *chance, struct model_plan *plan)
{
    model_plan_begin(plan, devices[below(chance, COUNT(devices))], below(chance, 4) == 0);
    plan->keep_if_set = below(chance, 3) == 0;
    for (size_t i = FIRST_FREE_NAME; i < MODEL_NAMES; i++) {
        struct wish wish = {.change = (enum change)below(chance, CHANGE_APPEND + 2)};
        if (wish.change > CHANGE_APPEND)
            continue;
        bool joins = wish.change == CHANGE_PREPEND || wish.change == CHANGE_APPEND;
        if (wish.change == CHANGE_SET || joins)
            wish.text = texts[joins + below(chance, COUNT(texts) - joins)];
        if (joins)
            wish.separator = separators[below(chance, COUNT(separators))];
        plan->wishes[i] = wish;
    }
}

/* Applies the plans in their order. A clone begins with the hooks of its original. */
static void apply_history(struct earlier *history, size_t environment,
                          const struct earlier *original, const char *folder)
{
    struct environment *made = &history->environment;
    size_t first = 0;

    *made = present[environment];
    environment_forget(made, &box);
    if (original) {
        history->plans[0] = original->plans[0];
        environment_clone(made, &box, &original->environment, 0, folder);
        made->generations[0].plan = &history->plans[0];
        first = 1;
    }
    for (size_t i = first; i < GENERATIONS; i++)
        environment_apply(made, &box, &history->plans[i], folder);
}

static void set_up(void)
{
    static const char *const names[] = {"A", "B", "C", "D"};
    struct chance chance = {seed};

    sandbox_open(&box);
    for (size_t i = 0; i < MODEL_ENVIRONMENTS; i++)
        environment_open(&present[i], &box, names[i], i == CLONE ? A : (int)i);
    for (size_t i = 0; i < MODEL_ENVIRONMENTS; i++)
        for (size_t j = 0; j < HISTORIES; j++) {
            char *folder = formatted("hooks/%s.%zu", names[i], j);
            for (size_t k = 0; k < GENERATIONS; k++)
                draw_plan(&chance, &pool[i][j].plans[k]);
            apply_history(&pool[i][j], i, i == CLONE ? &pool[A][j] : NULL, folder);
            free(folder);
        }
}

static void tear_down(void)
{
    sandbox_close(&box);
}

/* ---- sequences ---- */

static const char *const prior_texts[] = {
    "",         "7",           "plain", "it's \"q\" `x` $HOME $(x)", "two\nlines\n\n", "!! !x",
    "a\\b\\n",  "-n",          "=ls",   "~root/x:* [a-z]?",          " tab\t ",        ":a::b:",
    "\x01\x7f", "\xff\xfe\x80"};
enum { UNSET = COUNT(prior_texts), NO_TEXT = UNSET - 1 };

struct sequence {
    struct environment environments[MODEL_ENVIRONMENTS];
    size_t history;
    size_t priors[MODEL_NAMES]; /* of prior_texts, or UNSET */
    struct step steps[STEPS];
    size_t count;
};

static bool has_text_only(const struct sequence *sequence, const struct shell_kind *kind)
{
    bool text_only = kind && kind->text_only;

    for (size_t i = 0; i < sequence->count; i++)
        if (kind && sequence->steps[i].action == CHILD)
            text_only = text_only || shell_kinds[sequence->steps[i].number].text_only;
    return text_only;
}

static int draw_present_kind(struct chance *chance)
{
    size_t kind;

    do
        kind = below(chance, shell_kind_count);
    while (!shell_kind_present(&shell_kinds[kind]));
    return (int)kind;
}

static struct step draw_step(struct chance *chance, const struct shell_kind *kind)
{
    static const enum action weighed[] = {
        ACTIVATE,    ACTIVATE,   ACTIVATE,   ACTIVATE,  ACTIVATE,   ACTIVATE,   STACK,
        STACK,       STACK,      STACK,      STACK,     STACK,      DEACTIVATE, DEACTIVATE,
        DEACTIVATE,  DEACTIVATE, DEACTIVATE, APPLY,     APPLY,      APPLY,      APPLY,
        CHILD,       JOB,        LEAVE,      RESTART,   OUT_OF_JOB, SET_OTHER,  EMPTY_OTHER,
        UNSET_OTHER, PUSH_OTHER, PUSH_OTHER, ADD_OTHER, POP_OTHER};
    struct step step = {weighed[below(chance, COUNT(weighed))], 0};

    if (step.action == CHILD)
        step.number = kind ? draw_present_kind(chance) : 0;
    else if (step.action == JOB)
        step.number = (int)below(chance, model_job_count);
    else if (action_is_other(step.action))
        step.number = (int)below(chance, MODEL_NAMES);
    else
        step.number = (int)below(chance, MODEL_ENVIRONMENTS);
    return step;
}

static void draw_any_sequence(struct chance *chance, struct sequence *sequence,
                              const struct shell_kind *kind)
{
    sequence->count = 2 + below(chance, STEPS - 1);
    sequence->history = below(chance, HISTORIES);
    for (size_t i = 0; i < MODEL_ENVIRONMENTS; i++)
        sequence->environments[i] = pool[i][sequence->history].environment;
    for (size_t i = 0; i < sequence->count; i++)
        sequence->steps[i] = draw_step(chance, kind);
    size_t none_or_all = below(chance, 5); /* 0, 1, or neither: the hooks have a way for each */
    for (size_t i = 0; i < MODEL_NAMES; i++) {
        bool unset = none_or_all == 0 || (none_or_all > 1 && !below(chance, 3));
        sequence->priors[i] = unset ? UNSET : below(chance, UNSET);
        if (sequence->priors[i] == NO_TEXT && has_text_only(sequence, kind))
            sequence->priors[i] = 0;
    }
}

/* The model at the sequence's start. */
static void start_model(struct model *model, const struct sequence *sequence)
{
    const char *values[MODEL_NAMES];

    for (size_t i = 0; i < MODEL_NAMES; i++)
        values[i] = sequence->priors[i] == UNSET ? NULL : prior_texts[sequence->priors[i]];
    model_start(model, sequence->environments, MODEL_ENVIRONMENTS, values);
}

/* Whether the model is sure that nothing of it is left for the next one in the same shell. */
static bool ends_clean(const struct sequence *sequence)
{
    static const struct step ends[] = {{LEAVE, 0}, {DEACTIVATE, 0}};
    struct model model;
    struct events events;

    start_model(&model, sequence);
    for (size_t i = 0; i < sequence->count; i++)
        model_step(&model, &sequence->steps[i], &events);
    for (size_t i = 0; i < COUNT(ends); i++)
        while (model_step(&model, &ends[i], &events))
            ;
    return model_knows(&model, VISIBLE_DEVICES) && !model_has_state(&model);
}

static void draw_sequence(struct chance *chance, struct sequence *sequence,
                          const struct shell_kind *kind)
{
    do
        draw_any_sequence(chance, sequence, kind);
    while (!ends_clean(sequence));
}

/* ---- running ---- */

static struct priors priors_of(const struct sequence *sequence, char names[MODEL_NAMES][16])
{
    struct priors priors = {.set_by_script = true};

    for (size_t i = 0; i < MODEL_NAMES; i++) {
        size_t text = sequence->priors[i];
        snprintf(names[i], sizeof names[i], "T_P%zu", text);
        priors.values[i] = text == UNSET ? NULL : prior_texts[text];
        priors.variables[i] = text == UNSET ? NULL : names[i];
    }
    return priors;
}

static void write_sequence(struct trial *trial, const struct sequence *sequence)
{
    char names[MODEL_NAMES][16];
    struct priors priors = priors_of(sequence, names);

    trial_begin(trial, sequence->environments, MODEL_ENVIRONMENTS, &priors);
    for (size_t i = 0; i < sequence->count; i++)
        trial_step(trial, &sequence->steps[i]);
    trial_end(trial);
}

static char **trial_variables(void)
{
    char **list = calloc(MODEL_ENVIRONMENTS + COUNT(prior_texts) + 1, sizeof *list);
    size_t count = 0;

    if (!list)
        abort();
    for (size_t i = 0; i < MODEL_ENVIRONMENTS; i++)
        list[count++] = formatted("%s=%s", present[i].variable, present[i].prefix);
    for (size_t i = 0; i < COUNT(prior_texts); i++)
        list[count++] = formatted("T_P%zu=%s", i, prior_texts[i]);
    return list;
}

static void free_list(char **list)
{
    for (char **item = list; *item; item++)
        free(*item);
    free(list);
}

/* NULL if all of them do as they should; else what does not, and in which. */
static char *run(const struct shell_kind *kind, const struct manner *manner,
                 const struct sequence *sequences, size_t count, size_t *failed)
{
    char **variables = trial_variables();
    struct trial trial;

    trial_open(&trial, &box, kind, (const char *const *)variables, manner);
    for (size_t i = 0; i < count; i++)
        write_sequence(&trial, &sequences[i]);
    char *fault = trial_run(&trial);
    *failed = trial.sequence < count ? trial.sequence : count - 1;
    trial_close(&trial);
    free_list(variables);
    return fault;
}

/* ---- shrinking ---- */

/* A sequence that fails, alone, and in which way. */
struct failure {
    const struct shell_kind *kind;
    struct manner manner;
    struct sequence sequence;
    char *fault;
};

/* Puts the candidate in the failure's place if it fails as well. */
static bool take_if_fails(struct failure *failure, const struct sequence *candidate,
                          const struct manner *manner)
{
    size_t ignored;
    char *fault = run(failure->kind, manner, candidate, 1, &ignored);

    if (!fault)
        return false;
    free(failure->fault);
    failure->fault = fault;
    failure->sequence = *candidate;
    failure->manner = *manner;
    return true;
}

static bool shrink_steps(struct failure *failure)
{
    for (size_t i = 0; i < failure->sequence.count; i++) {
        struct sequence candidate = failure->sequence;
        candidate.count--;
        memmove(&candidate.steps[i], &candidate.steps[i + 1],
                (candidate.count - i) * sizeof candidate.steps[0]);
        if (take_if_fails(failure, &candidate, &failure->manner))
            return true;
    }
    return false;
}

static void shrink_priors(struct failure *failure)
{
    for (size_t i = 0; i < MODEL_NAMES; i++) {
        struct sequence candidate = failure->sequence;
        candidate.priors[i] = UNSET;
        if (failure->sequence.priors[i] != UNSET)
            take_if_fails(failure, &candidate, &failure->manner);
    }
}

/* Takes one variable after the other out of the plans; the hooks are written anew each time. */
static void shrink_plans(struct failure *failure)
{
    static struct earlier rounds[MODEL_NAMES][MODEL_ENVIRONMENTS];
    const struct earlier *last[MODEL_ENVIRONMENTS];

    for (size_t i = 0; i < MODEL_ENVIRONMENTS; i++)
        last[i] = &pool[i][failure->sequence.history];
    for (size_t name = FIRST_FREE_NAME; name < MODEL_NAMES; name++) {
        struct sequence candidate = failure->sequence;
        struct earlier *round = rounds[name];
        for (size_t i = 0; i < MODEL_ENVIRONMENTS; i++) {
            char *folder = formatted("hooks/less.%zu.%zu", name, i);
            round[i] = *last[i];
            for (size_t j = 0; j < GENERATIONS; j++)
                round[i].plans[j].wishes[name] = (struct wish){CHANGE_NOTHING, NULL, NULL};
            apply_history(&round[i], i, i == CLONE ? &round[A] : NULL, folder);
            candidate.environments[i] = round[i].environment;
            free(folder);
        }
        if (take_if_fails(failure, &candidate, &failure->manner))
            for (size_t i = 0; i < MODEL_ENVIRONMENTS; i++)
                last[i] = &round[i];
    }
}

static void shrink(struct failure *failure)
{
    struct manner simple = {NULL, false, false, false};

    while (shrink_steps(failure))
        ;
    take_if_fails(failure, &failure->sequence, &simple);
    shrink_priors(failure);
    shrink_plans(failure);
    while (shrink_steps(failure))
        ;
}

/* ---- the script that shows it again ---- */

static void put_quoted(const char *text)
{
    putchar('\'');
    for (; *text; text++) {
        if (*text == '\'')
            fputs("'\\''", stdout);
        else
            putchar(*text);
    }
    putchar('\'');
}

static void put_scripts(void)
{
    char *text = NULL;
    size_t count = 0;

    do {
        char *name = formatted("script.%zu", count++);
        free(text);
        text = sandbox_read(&box, name, NULL);
        if (text)
            printf("cat >%s <<'END'\n%sEND\n", name, text);
        free(name);
    } while (text);
}

/* Whether one of the scripts has this text. */
static bool is_mentioned(const char *text)
{
    char *script = NULL;
    size_t count = 0;
    bool found = false;

    do {
        char *name = formatted("script.%zu", count++);
        free(script);
        script = sandbox_read(&box, name, NULL);
        found = script && strstr(script, text);
        free(name);
    } while (script && !found);
    free(script);
    return found;
}

/* How many generations the scripts need. */
static size_t needed(const struct environment *environment)
{
    size_t count = environment->count;

    for (; count > 0; count--) {
        char *folder = formatted("/%s/", environment->generations[count - 1].folder);
        bool found = is_mentioned(folder);
        free(folder);
        if (found)
            break;
    }
    return count;
}

static void put_apply(const struct environment *environment, size_t generation)
{
    const char *folder = environment->generations[generation].folder;

    if (environment->key != environment->name[0] - 'A' && generation == 0) {
        printf("clone %s A %s\n", environment->name, folder);
        return;
    }
    char *text = model_plan_yaml(environment->generations[generation].plan);
    printf("apply %s %s <<'END'\n%sEND\n", environment->name, folder, text);
    free(text);
}

/* Generation by generation, for the clone is one of A's first. */
static void put_applies(const struct environment *environments)
{
    for (size_t i = 0; i < GENERATIONS; i++)
        for (size_t j = 0; j < MODEL_ENVIRONMENTS; j++) {
            bool cloned = j == A && i == 0 && needed(&environments[CLONE]);
            if (i < needed(&environments[j]) || cloned)
                put_apply(&environments[j], i);
        }
}

static void put_exports(const char *const *variables)
{
    for (size_t i = 0; variables[i]; i++) {
        size_t length = strcspn(variables[i], "=");
        char *name = formatted("$%.*s", (int)length, variables[i]);
        bool needed_here = is_mentioned(name);
        free(name);
        if (!needed_here)
            continue;
        printf("export %.*s=", (int)length, variables[i]);
        if (i < MODEL_ENVIRONMENTS)
            printf("\"$T_ROOT/envs/%s\"", present[i].name);
        else
            put_quoted(variables[i] + length + 1);
        putchar('\n');
    }
}

static void put_script(const struct failure *failure)
{
    static const char start[] =
        "T_ROOT=$(mktemp -d); export T_ROOT; cd \"$T_ROOT\" || exit; mkdir home hooks\n"
        "keep() { mkdir -p \"$2\"; cp -R \"envs/$1/etc/conda/.\" \"$2\"; }\n"
        "apply() {\n"
        "  mkdir -p \"envs/$1/conda-meta\"; : >\"envs/$1/conda-meta/history\"; cat >gpu.yml\n"
        "  \"${CONDA_GPU:-conda-gpu}\" apply -q -p \"envs/$1\" -f gpu.yml && keep \"$1\" \"$2\"\n"
        "}\n"
        "clone() { mkdir -p \"envs/$1/conda-meta\"; cp -R \"envs/$2/.\" \"envs/$1\"; keep \"$1\" "
        "\"$3\"; }\n";
    char **variables = trial_variables();

    printf("#!/bin/sh\n# SEED=%" PRIu64 "\n# %s\n%s", seed, failure->fault, start);
    put_applies(failure->sequence.environments);
    put_scripts();
    put_exports((const char *const *)variables);
    printf("CONDA_PREFIX= CONDA_SHLVL=0 HOME=$T_ROOT/home LC_ALL=C.UTF-8");
    for (const char *const *word = failure->kind->argv; *word; word++)
        printf(" %s", *word);
    printf(" script.0 </dev/null\ntr '\\0' '\\n' <dump | grep -a -e '^T_MARK' -e GPU -e CUDA");
    for (size_t i = FIRST_FREE_NAME; i < MODEL_NAMES; i++)
        printf(" -e '^%s='", model_names[i]);
    putchar('\n');
    fflush(stdout);
    free_list(variables);
}

/* ---- the tests ---- */

static void clear_scripts(void)
{
    bool there = true;

    for (size_t i = 0; there; i++) {
        char *name = formatted("script.%zu", i), *path = sandbox_path(&box, name);
        there = remove(path) == 0;
        free(path);
        free(name);
    }
}

static void explain(struct failure *failure)
{
    size_t ignored;
    char *fault = run(failure->kind, &failure->manner, &failure->sequence, 1, &ignored);

    if (!fault)
        ck_abort_msg("%s\n(only after the sequences before it in the same shell)", failure->fault);
    free(failure->fault);
    failure->fault = fault;
    shrink(failure);
    clear_scripts();
    free(failure->fault);
    failure->fault = run(failure->kind, &failure->manner, &failure->sequence, 1, &ignored);
    put_script(failure);
    ck_abort_msg("%s; the script above shows it, and SEED=%" PRIu64 " SHELLS=%s finds it again",
                 failure->fault, seed, failure->kind->name);
}

static struct manner draw_manner(struct chance *chance, const struct shell_kind *kind)
{
    struct manner manner = {.inside = below(chance, 2)};
    size_t callers = 0;

    while (kind->dialect->callers[callers])
        callers++;
    if (below(chance, 4) == 0)
        manner.caller = kind->dialect->callers[below(chance, callers)];
    return manner;
}

static size_t sequences_for(const struct shell_kind *kind)
{
    const char *given = getenv("SEQUENCES");
    size_t count = given ? (size_t)strtoul(given, NULL, 10) : 300;

    return kind->variant ? count / 3 : count;
}

START_TEST(random_sequences)
{
    const struct shell_kind *kind = &shell_kinds[_i];
    size_t count = sequences_for(kind), failed;
    struct chance chance = {seed + 0x100000000 * (unsigned)(_i + 1)};

    if (!shell_kind_present(kind)) {
        test_skip(true, "%s is not installed", kind->argv[0]);
        return;
    }
    for (size_t i = 0; i < count; i += BATCH) {
        struct sequence batch[BATCH];
        struct manner manner = draw_manner(&chance, kind);
        for (size_t j = 0; j < BATCH; j++)
            draw_sequence(&chance, &batch[j], kind);
        char *fault = run(kind, &manner, batch, BATCH, &failed);
        if (fault)
            explain(&(struct failure){kind, manner, batch[failed], fault});
    }
}
END_TEST

/* The model itself, against the requirements, by hand. */

static const struct {
    struct step steps[6];
    size_t count;
    size_t name;
    const char *prior, *value;
} sayings[] = {
    {{{ACTIVATE, A}}, 1, VISIBLE_DEVICES, NULL, "1,3"},
    {{{ACTIVATE, A}, {DEACTIVATE, 0}}, 2, VISIBLE_DEVICES, NULL, NULL},
    {{{ACTIVATE, A}, {DEACTIVATE, 0}}, 2, VISIBLE_DEVICES, "", ""},
    {{{ACTIVATE, A}, {DEACTIVATE, 0}}, 2, 2, "7", "7"},
    {{{ACTIVATE, A}, {STACK, B}}, 2, VISIBLE_DEVICES, "7", "-1"},
    {{{ACTIVATE, A}, {STACK, B}, {DEACTIVATE, 0}}, 3, VISIBLE_DEVICES, "7", "1,3"},
    {{{ACTIVATE, A}, {ACTIVATE, A}}, 2, 2, "/usr/lib", "/a:/usr/lib"},
    {{{ACTIVATE, A}}, 1, 2, "", "/a"},
    {{{ACTIVATE, A}}, 1, 2, NULL, "/a"},
    {{{ACTIVATE, A}, {STACK, B}}, 2, 2, "/usr/lib", "/a:/usr/lib /b"},
    {{{ACTIVATE, A}, {ACTIVATE, B}}, 2, 2, "/usr/lib", "/usr/lib /b"},
    {{{ACTIVATE, A}, {STACK, B}, {STACK, A}}, 3, 2, "/usr/lib", "/a:/usr/lib /b"},
    {{{ACTIVATE, A}}, 1, 3, "8", NULL},
    {{{ACTIVATE, A}, {STACK, B}}, 2, 3, "8", NULL},
    {{{ACTIVATE, A}, {APPLY, A}, {DEACTIVATE, 0}}, 3, 3, "8", "8"},
    {{{ACTIVATE, A}, {APPLY, A}, {ACTIVATE, A}}, 3, 3, "8", "8"},
    {{{ACTIVATE, A}, {APPLY, A}, {ACTIVATE, A}}, 3, 4, "x", "/tmp/A"},
    {{{JOB, 0}, {ACTIVATE, A}}, 2, VISIBLE_DEVICES, "7", "5"},
    {{{JOB, 0}, {ACTIVATE, A}}, 2, DEVICE_ORDER, NULL, "PCI_BUS_ID"},
    {{{JOB, 0}, {ACTIVATE, B}}, 2, VISIBLE_DEVICES, "7", "-1"},
    {{{JOB, 0}, {ACTIVATE, B}, {DEACTIVATE, 0}}, 3, VISIBLE_DEVICES, "7", "5"},
    {{{JOB, 1}, {ACTIVATE, A}}, 2, VISIBLE_DEVICES, NULL, "1,3"},
    {{{JOB, 1}, {ACTIVATE, A}}, 2, VISIBLE_DEVICES, "7", "7"},
    {{{ACTIVATE, A}, {JOB, 0}, {DEACTIVATE, 0}}, 3, VISIBLE_DEVICES, "7", "5"},
    {{{ACTIVATE, A}, {JOB, 0}, {DEACTIVATE, 0}}, 3, 2, "/usr/lib", "/usr/lib"},
    {{{ACTIVATE, A}, {JOB, 0}, {DEACTIVATE, 0}, {LEAVE, 0}}, 4, VISIBLE_DEVICES, "7", "1,3"},
    {{{JOB, 0}, {APPLY, A}, {ACTIVATE, A}}, 3, VISIBLE_DEVICES, NULL, "2"},
    /* another party's change stays */
    {{{ACTIVATE, A}, {SET_OTHER, VISIBLE_DEVICES}, {DEACTIVATE, 0}},
     3,
     VISIBLE_DEVICES,
     "7",
     "7,8"},
    {{{ACTIVATE, A}, {UNSET_OTHER, VISIBLE_DEVICES}, {DEACTIVATE, 0}},
     3,
     VISIBLE_DEVICES,
     "7",
     NULL},
    {{{ACTIVATE, A}, {SET_OTHER, 3}, {DEACTIVATE, 0}}, 3, 3, "8", "other's `touch canary` *"},
    {{{ACTIVATE, A}, {PUSH_OTHER, 2}, {DEACTIVATE, 0}}, 3, 2, "/usr/lib", "/other:/usr/lib"},
    {{{ACTIVATE, A}, {ADD_OTHER, 2}, {DEACTIVATE, 0}}, 3, 2, NULL, "/other"},
    {{{ACTIVATE, A}, {PUSH_OTHER, 2}, {ACTIVATE, A}}, 3, 2, "/lib", "/a:/other:/lib"},
    {{{PUSH_OTHER, 2}, {ACTIVATE, A}, {POP_OTHER, 2}, {DEACTIVATE, 0}}, 4, 2, "/lib", "/lib"},
    {{{ACTIVATE, A}, {PUSH_OTHER, 2}, {STACK, B}, {DEACTIVATE, 0}, {DEACTIVATE, 0}},
     5,
     2,
     "/lib",
     "/other:/lib"},
    {{{ACTIVATE, A}, {STACK, B}, {SET_OTHER, 2}, {DEACTIVATE, 0}, {DEACTIVATE, 0}},
     5,
     2,
     "/lib",
     "other's `touch canary` *"},
    {{{ACTIVATE, A}}, 1, 2, "/x:/a:/y", "/x:/a:/y"},
    {{{ACTIVATE, A}, {PUSH_OTHER, 2}, {DEACTIVATE, 0}}, 3, 2, "/x:/a:/y", "/other:/x:/a:/y"},
    /* a job that inherits, and a level that starts again */
    {{{ACTIVATE, A}, {JOB, 0}, {RESTART, 0}, {ACTIVATE, A}, {DEACTIVATE, 0}}, 5, 2, "/lib", "/lib"},
    {{{ACTIVATE, A}, {JOB, 0}, {RESTART, 0}, {ACTIVATE, A}, {DEACTIVATE, 0}},
     5,
     VISIBLE_DEVICES,
     "7",
     "5"},
    {{{ACTIVATE, A}, {CHILD, 0}, {RESTART, 0}, {ACTIVATE, A}}, 4, 2, "/lib", "/a:/lib"},
    {{{ACTIVATE, A}, {CHILD, 0}, {RESTART, 0}, {ACTIVATE, A}, {DEACTIVATE, 0}},
     5,
     VISIBLE_DEVICES,
     "7",
     "7"},
    {{{ACTIVATE, A}, {JOB, 0}, {OUT_OF_JOB, 0}, {DEACTIVATE, 0}}, 4, VISIBLE_DEVICES, "7", "5"},
    {{{JOB, 13}, {ACTIVATE, A}}, 2, VISIBLE_DEVICES, NULL, "4"},
    {{{JOB, 14}, {ACTIVATE, A}}, 2, VISIBLE_DEVICES, NULL, "1,3"},
};

START_TEST(model_says)
{
    struct model_plan first, second, other;
    const struct environment environments[] = {
        {.name = "A",
         .prefix = "/tmp/A",
         .key = 1,
         .count = 2,
         .generations = {{.plan = &first}, {.plan = &second}}},
        {.name = "B", .prefix = "/tmp/B", .key = 2, .count = 1, .generations = {{.plan = &other}}}};
    const char *priors[MODEL_NAMES] = {NULL};
    struct model model;
    struct events events;

    model_plan_begin(&first, "1,3", false);
    first.wishes[2] = (struct wish){CHANGE_PREPEND, "/a", NULL};
    first.wishes[3] = (struct wish){CHANGE_UNSET, NULL, NULL};
    model_plan_begin(&second, "2", true);
    second.wishes[4] = (struct wish){CHANGE_SET, "${CONDA_PREFIX}", NULL};
    model_plan_begin(&other, "-1", false);
    other.wishes[2] = (struct wish){CHANGE_APPEND, "/b", " "};
    priors[sayings[_i].name] = sayings[_i].prior;
    model_start(&model, environments, 2, priors);
    for (size_t i = 0; i < sayings[_i].count; i++)
        ck_assert(model_step(&model, &sayings[_i].steps[i], &events));
    const char *value = model_value(&model, sayings[_i].name);
    ck_assert(model_knows(&model, sayings[_i].name));
    ck_assert_pstr_eq(value, sayings[_i].value);
}
END_TEST

/* ---- the model, against the requirements ---- */

/* What a walk knows of each process beside the model. */
struct watch {
    bool touched[MODEL_NAMES]; /* another party changed it, at some time */
    bool restarted;
};

static void watch_step(struct watch *watches, const struct model *model, const struct step *step)
{
    struct watch *watch = &watches[model->process_count - 1];

    if (step->action == CHILD || step->action == JOB)
        *watch = watch[-1];
    if (step->action == JOB)
        watch->touched[VISIBLE_DEVICES] = true;
    if (step->action == RESTART)
        watch->restarted = true;
    if (action_is_other(step->action))
        watch->touched[step->number] = true;
}

/* Requirement 1: where no environment is active, all that nobody else changed is as before. */
static void check_round_trip(const struct model *model, const struct watch *watch,
                             const struct sequence *sequence)
{
    size_t level;

    if (model_active(model, &level) >= 0 || watch->restarted)
        return;
    ck_assert(!model_has_state(model) || !model_knows(model, VISIBLE_DEVICES));
    for (size_t i = 0; i < MODEL_NAMES; i++) {
        size_t prior = sequence->priors[i];
        if (!watch->touched[i] && model_knows(model, i))
            ck_assert_pstr_eq(model_value(model, i), prior == UNSET ? NULL : prior_texts[prior]);
    }
}

/* Requirement 2: the plan of the environment that was just activated holds. */
static void check_innermost(const struct model *model)
{
    size_t level;
    int active = model_active(model, &level);
    const struct environment *environment = &model->environments[active];
    const struct model_plan *plan = environment->generations[model->on_disk[active]].plan;

    for (size_t i = FIRST_FREE_NAME; i < MODEL_NAMES; i++) {
        const struct wish *wish = &plan->wishes[i];
        const char *value = model_value(model, i), *text = wish_text(wish, environment->prefix);
        if (!model_knows(model, i) || wish->change == CHANGE_NOTHING)
            continue;
        if (wish_is_list(wish))
            ck_assert(list_has(value, text, wish_separator(wish)));
        else
            ck_assert_pstr_eq(value, wish->change == CHANGE_SET ? text : NULL);
    }
}

static void walk(const struct sequence *sequence)
{
    struct watch watches[MODEL_PROCESSES] = {{{false}, false}};
    struct model model;
    struct events events;

    start_model(&model, sequence);
    for (size_t i = 0; i < sequence->count + 2 * MODEL_DEPTH; i++) {
        struct step step = {DEACTIVATE, 0};
        if (i < sequence->count)
            step = sequence->steps[i];
        if (!model_step(&model, &step, &events))
            continue;
        watch_step(watches, &model, &step);
        if (events.count && events.items[events.count - 1].activates)
            check_innermost(&model);
        check_round_trip(&model, &watches[model.process_count - 1], sequence);
    }
}

static void plan_histories(struct chance *chance, struct model_plan (*plans)[GENERATIONS],
                           struct environment *environments)
{
    static const char *const prefixes[] = {"/envs/A", "/envs/B", "/envs/C", "/envs/clone"};

    for (size_t i = 0; i < MODEL_ENVIRONMENTS; i++) {
        environments[i] =
            (struct environment){.key = i == CLONE ? A : (int)i, .count = GENERATIONS};
        snprintf(environments[i].prefix, sizeof environments[i].prefix, "%s", prefixes[i]);
        for (size_t j = 0; j < GENERATIONS; j++) {
            draw_plan(chance, &plans[i][j]);
            environments[i].generations[j].plan = i == CLONE && !j ? &plans[A][0] : &plans[i][j];
        }
    }
}

START_TEST(model_keeps_to_requirements)
{
    enum { HISTORIES_HERE = 300, WALKS = 100 };
    struct chance chance = {seed};

    for (size_t i = 0; i < HISTORIES_HERE; i++) {
        struct model_plan plans[MODEL_ENVIRONMENTS][GENERATIONS];
        struct environment environments[MODEL_ENVIRONMENTS];
        plan_histories(&chance, plans, environments);
        for (size_t j = 0; j < WALKS; j++) {
            struct sequence sequence;
            draw_any_sequence(&chance, &sequence, NULL);
            memcpy(sequence.environments, environments, sizeof environments);
            walk(&sequence);
        }
    }
}
END_TEST

static Suite *sequences_suite(void)
{
    Suite *suite = suite_create("sequences");
    TCase *model = tcase_create("model"), *shells = tcase_create("shells");

    tcase_add_loop_test(model, model_says, 0, (int)COUNT(sayings));
    tcase_add_test(model, model_keeps_to_requirements);
    tcase_add_unchecked_fixture(shells, set_up, tear_down);
    for (int i = 0; i < (int)shell_kind_count; i++)
        if (shell_kind_wanted(&shell_kinds[i]))
            tcase_add_loop_test(shells, random_sequences, i, i + 1);
    suite_add_tcase(suite, model);
    suite_add_tcase(suite, shells);
    return suite;
}

int main(void)
{
    const char *given = getenv("SEED");

    seed = given ? strtoull(given, NULL, 10) : 1;
    printf("SEED=%" PRIu64 "\n", seed);
    return test_main(sequences_suite());
}
