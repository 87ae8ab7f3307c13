/*
 * Every sequence of steps, up to a length, over two environments with two generations of hooks each
 * and one change by another party, from no prior values, empty ones and plain ones: in dash,
 * against the model (conda_model.h).
 *
 *   STEPS= how long (3: a second; 6: some minutes)
 *
 * The sequences are a tree. The script that goes through it forks a subshell for each branch, so
 * that what they begin with runs once. It compares by itself, and prints only what is wrong.
 */
#include "hooks/shells.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum { A, B, ENVIRONMENTS };
enum { PATHS = FIRST_FREE_NAME, THREADS, LOOKED_AT };

static struct sandbox box;
static struct environment environments[ENVIRONMENTS];
static struct model_plan plans[ENVIRONMENTS][2];

static void set_up(void)
{
    sandbox_open(&box);
    environment_open(&environments[A], &box, "A", A);
    environment_open(&environments[B], &box, "B", B);
    model_plan_begin(&plans[A][0], "1,3", false);
    plans[A][0].wishes[PATHS] = (struct wish){CHANGE_PREPEND, "/a", NULL};
    plans[A][0].wishes[THREADS] = (struct wish){CHANGE_SET, "8", NULL};
    model_plan_begin(&plans[A][1], "2", false);
    plans[A][1].keep_if_set = true;
    plans[A][1].wishes[PATHS] = (struct wish){CHANGE_APPEND, "/a", NULL};
    plans[A][1].wishes[THREADS] = (struct wish){CHANGE_UNSET, NULL, NULL};
    model_plan_begin(&plans[B][0], "0", false);
    plans[B][0].keep_if_set = true;
    plans[B][0].wishes[PATHS] = (struct wish){CHANGE_PREPEND, "/b", NULL};
    plans[B][0].wishes[THREADS] = (struct wish){CHANGE_SET, "4", NULL};
    model_plan_begin(&plans[B][1], "all", false);
    plans[B][1].wishes[PATHS] = (struct wish){CHANGE_SET, "/only", NULL};
    for (size_t i = 0; i < ENVIRONMENTS; i++)
        for (size_t j = 0; j < 2; j++)
            environment_apply(&environments[i], &box, &plans[i][j], environments[i].name);
}

static void tear_down(void)
{
    sandbox_close(&box);
}

/* ---- the script ---- */

static const char *const prior_rows[] = {NULL, "", "7"};

struct tree {
    FILE *script;
    uint64_t sequences, nodes; /* whole ones, and steps looked at */
    size_t steps;
};

static void put_quoted(FILE *out, const char *text)
{
    putc('\'', out);
    for (; *text; text++)
        fprintf(out, *text == '\'' ? "'\\''" : "%c", *text);
    putc('\'', out);
}

/* The names of all variables that hold the hooks' state at some time, as the script finds them. */
static const char beginning[] =
    "set -eu\n"
    "find() { for name in $(env | sed -n 's/^\\(__CONDA_GPU_[A-Za-z0-9_]*\\)=.*/\\1/p'); do\n"
    "  case \"$left\" in *\"{$name+\"*) ;; *) left=\"$left\\${$name+$name }\" ;; esac; done; }\n"
    "activate() { export CONDA_PREFIX=\"$1\" CONDA_SHLVL=\"$2\"\n"
    "  . \"$T_ROOT/$1/$3/activate.d/env_vars.sh\"; }\n"
    "deactivate() { export CONDA_PREFIX=\"$1\" CONDA_SHLVL=\"$2\"\n"
    "  . \"$T_ROOT/$1/$3/deactivate.d/env_vars.sh\"; }\n"
    "left=\n"
    "for g in 0 1; do for prior in '' 7; do (\n"
    "  for n in CUDA_DEVICE_ORDER CUDA_VISIBLE_DEVICES LD_LIBRARY_PATH OMP_NUM_THREADS; do\n"
    "    export \"$n=$prior\"; done\n"
    "  activate A 1 $g; activate B 2 $g; find; echo \"$left\") >>names; done; done\n"
    "while read -r one; do left=\"$left$one\"; done <names\n"
    "eval \"none_left() { case \\\"$left\\\" in ?*) echo \\\"\\$1: left: $left\\\" ;; esac; }\"\n";

/* is MASK EXPECTED PATH: compares the variables that are known. */
static void put_comparisons(FILE *out)
{
    for (unsigned mask = 0; mask < 1u << LOOKED_AT; mask++) {
        fprintf(out, "is%u() { case \"", mask);
        for (size_t i = 0; i < LOOKED_AT; i++)
            if (mask & 1u << i)
                fprintf(out, "${%s+=}${%s-}|", model_names[i], model_names[i]);
        fprintf(out, "\" in \"$1\") ;; *) echo \"$2: wanted $1, and it is ");
        for (size_t i = 0; i < LOOKED_AT; i++)
            if (mask & 1u << i)
                fprintf(out, "${%s+=}${%s-}|", model_names[i], model_names[i]);
        fprintf(out, "\" ;; esac; }\n");
    }
}

static void put_look(struct tree *tree, const struct model *model, const char *path)
{
    unsigned mask = 0;
    size_t level;
    char *expected = formatted("%s", "");

    for (size_t i = 0; i < LOOKED_AT; i++) {
        const char *value = model_value(model, i);
        if (!model_knows(model, i))
            continue;
        mask |= 1u << i;
        char *longer = formatted("%s%s%s|", expected, value ? "=" : "", value ? value : "");
        free(expected);
        expected = longer;
    }
    fprintf(tree->script, "is%u ", mask);
    put_quoted(tree->script, expected);
    fprintf(tree->script, " '%s'\n", path);
    if (model_active(model, &level) < 0 && !model_has_state(model))
        fprintf(tree->script, "none_left '%s'\n", path);
    free(expected);
}

static void put_value(FILE *out, const struct model *model, size_t name)
{
    const char *value = model_value(model, name);

    if (value) {
        fprintf(out, "export %s=", model_names[name]);
        put_quoted(out, value);
        putc('\n', out);
    } else {
        fprintf(out, "unset -v %s\n", model_names[name]);
    }
}

/* ---- the tree ---- */

/* A branch: one step of conda's, or a change of several variables by another party. */
struct branch {
    const char *word;
    struct step steps[3];
};

static const struct branch branches[] = {
    {"activate A", {{ACTIVATE, A}}},
    {"activate B", {{ACTIVATE, B}}},
    {"stack A", {{STACK, A}}},
    {"stack B", {{STACK, B}}},
    {"deactivate", {{DEACTIVATE, 0}}},
    {"apply A", {{APPLY, A}}},
    {"apply B", {{APPLY, B}}},
    {"set", {{SET_OTHER, VISIBLE_DEVICES}, {SET_OTHER, THREADS}, {PUSH_OTHER, PATHS}}},
    {"unset", {{UNSET_OTHER, VISIBLE_DEVICES}, {UNSET_OTHER, THREADS}, {POP_OTHER, PATHS}}},
};

/* False if it makes no sense here, or is what another branch does. */
static bool take(struct tree *tree, struct model *model, const struct branch *branch)
{
    struct events events;
    size_t level;
    bool changed = false;

    if (branch->steps[0].action == STACK && model_active(model, &level) < 0)
        return false;
    for (size_t i = 0; i < COUNT(branch->steps); i++) {
        const struct step *step = &branch->steps[i];
        bool other = action_is_other(step->action);
        if ((i && !other) || !model_step(model, step, &events))
            continue;
        changed = true;
        for (size_t j = 0; j < events.count; j++) {
            const struct event *event = &events.items[j];
            fprintf(tree->script, "%s %s %zu %zu\n", event->activates ? "activate" : "deactivate",
                    environments[event->environment].name, event->level, event->generation);
        }
        if (other)
            put_value(tree->script, model, (size_t)step->number);
    }
    return changed;
}

static void grow(struct tree *tree, const struct model *model, const char *path, bool changed,
                 size_t depth)
{
    bool any = false;

    for (size_t i = 0; i < COUNT(branches) && depth < tree->steps; i++) {
        bool by_other = action_is_other(branches[i].steps[0].action);
        struct model then = *model;
        long start = ftell(tree->script);
        if (by_other && changed)
            continue;
        fputs("(\n", tree->script);
        if (!take(tree, &then, &branches[i])) {
            fseek(tree->script, start, SEEK_SET);
            continue;
        }
        char *longer = formatted("%s%s%s", path, *path ? ", " : "", branches[i].word);
        put_look(tree, &then, longer);
        tree->nodes++;
        any = true;
        grow(tree, &then, longer, changed || by_other, depth + 1);
        fputs(")\n", tree->script);
        free(longer);
    }
    tree->sequences += !any;
}

/* Runs the tree from one row of priors; what is wrong is at the beginning of `outcome.out`. */
static struct outcome run_tree(struct tree *tree, size_t row)
{
    const char *values[MODEL_NAMES] = {NULL};
    char *path = sandbox_path(&box, "script"), *root = formatted("T_ROOT=%s", box.root);
    const char *const env[] = {"PATH=/usr/bin:/bin", root, NULL};
    struct model model;

    for (size_t i = 0; i < LOOKED_AT; i++)
        values[i] = prior_rows[row];
    model_start(&model, environments, ENVIRONMENTS, values);
    tree->script = fopen(path, "w");
    ck_assert(tree->script != NULL);
    fputs(beginning, tree->script);
    put_comparisons(tree->script);
    for (size_t i = 0; i < LOOKED_AT; i++)
        put_value(tree->script, &model, i);
    grow(tree, &model, "", false, 0);
    fflush(tree->script);
    ck_assert_int_eq(ftruncate(fileno(tree->script), ftell(tree->script)), 0);
    ck_assert_int_eq(fclose(tree->script), 0);
    struct outcome outcome =
        sandbox_run(&box, (const char *const[]){"dash", "script", NULL}, env, NULL);
    free(path);
    free(root);
    return outcome;
}

START_TEST(every_sequence)
{
    static const struct shell_kind dash = {.name = "dash", .argv = {"dash"}};
    const char *given = getenv("STEPS");
    struct tree tree = {.steps = given ? (size_t)strtoul(given, NULL, 10) : 3};

    if (!shell_kind_wanted(&dash))
        return;
    if (!shell_kind_present(&dash)) {
        test_skip(true, "dash is not installed");
        return;
    }
    struct outcome outcome = run_tree(&tree, (size_t)_i);
    printf("from %s: %" PRIu64 " sequences of %zu steps, %" PRIu64 " steps looked at\n",
           prior_rows[_i] ? *prior_rows[_i] ? prior_rows[_i] : "empty" : "unset", tree.sequences,
           tree.steps, tree.nodes);
    ck_assert_msg(outcome.status == 0 && !outcome.err_length, "%.300s", outcome.err);
    ck_assert_msg(!outcome.out_length, "%.1000s", outcome.out);
    outcome_free(&outcome);
}
END_TEST

static Suite *every_suite(void)
{
    Suite *suite = suite_create("every");
    TCase *tcase = tcase_create("dash");

    tcase_add_unchecked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, every_sequence, 0, (int)COUNT(prior_rows));
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return test_main(every_suite());
}
