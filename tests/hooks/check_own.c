/*
 * The hooks undo only their own: what a module, a scheduler, the user or a start-up file changes
 * while an environment is active stays, and what activation left in the environment of a job or of
 * a child shell is undone there. In each shell, against the model (conda_model.h). check_modules.sh
 * and check_slurm.sh do the same with real Environment Modules and a real Slurm.
 */
#include "hooks/shells.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum { A, B, KEEPS, OVERRIDES };
enum { PATHS = FIRST_FREE_NAME, THREADS, ODD, SPACED, UNSETS };

static struct sandbox box;
static struct environment environments[MODEL_ENVIRONMENTS];
static struct model_plan plans[MODEL_ENVIRONMENTS], next_plans[MODEL_ENVIRONMENTS];

static void set_up(void)
{
    static const char *const names[] = {"A", "B", "K", "O"};
    static const char *const devices[] = {"1,3", "0", "2", "3,2"};

    sandbox_open(&box);
    for (int i = 0; i < MODEL_ENVIRONMENTS; i++) {
        environment_open(&environments[i], &box, names[i], i);
        model_plan_begin(&plans[i], devices[i], i == OVERRIDES);
        plans[i].keep_if_set = i == KEEPS;
    }
    plans[A].wishes[PATHS] = (struct wish){CHANGE_PREPEND, "${CONDA_PREFIX}/lib", NULL};
    plans[A].wishes[THREADS] = (struct wish){CHANGE_SET, "8", NULL};
    plans[A].wishes[ODD] = (struct wish){CHANGE_APPEND, "it's [a-z]* \"?\" \\", NULL};
    plans[A].wishes[SPACED] = (struct wish){CHANGE_APPEND, "--ours", " "};
    plans[A].wishes[UNSETS] = (struct wish){CHANGE_UNSET, NULL, NULL};
    plans[B].wishes[PATHS] = (struct wish){CHANGE_APPEND, "/b", NULL};
    plans[B].wishes[THREADS] = (struct wish){CHANGE_SET, "4", NULL};
    plans[B].wishes[SPACED] = (struct wish){CHANGE_PREPEND, "--b c", " "};
    plans[B].wishes[UNSETS] = (struct wish){CHANGE_SET, "b", NULL};
    for (int i = 0; i < MODEL_ENVIRONMENTS; i++) {
        environment_apply(&environments[i], &box, &plans[i], names[i]);
        next_plans[i] = plans[i];
        next_plans[i].wishes[THREADS] = (struct wish){CHANGE_UNSET, NULL, NULL};
        environment_apply(&environments[i], &box, &next_plans[i], names[i]);
    }
}

static void tear_down(void)
{
    memset(environments, 0, sizeof environments);
    sandbox_close(&box);
}

#define EACH_LIST(before, verb, after)                                                             \
    before verb " LD_LIBRARY_PATH, " verb " X, " verb " X_Y, " after

static const char *const sequences[] = {
    /* activate; module load; conda install; deactivate */
    EACH_LIST("activate A, ", "push", "activate A"),
    EACH_LIST("activate A, ", "add", "activate A"),
    EACH_LIST("activate A, ", "push", "apply A, activate A, apply A, deactivate"),
    EACH_LIST("activate A, ", "push", "stack B, deactivate"),
    EACH_LIST("activate A, stack B, ", "push", "deactivate"),
    EACH_LIST("activate A, stack B, ", "add", "stack A"),
    EACH_LIST("activate A, ", "push", "activate B, deactivate"),
    /* module load; activate; module unload; deactivate */
    EACH_LIST("push LD_LIBRARY_PATH, push X, push X_Y, activate A, ", "pop", "activate A"),
    EACH_LIST("add LD_LIBRARY_PATH, add X, add X_Y, activate A, ", "pop", "deactivate"),
    EACH_LIST("push LD_LIBRARY_PATH, push X, push X_Y, activate A, ", "pop", "stack B, deactivate"),
    /* our own element goes, or the whole list */
    EACH_LIST("activate A, ", "pop", "deactivate"),
    EACH_LIST("activate A, ", "pop", "stack B, deactivate"),
    EACH_LIST("activate A, ", "unset", "activate A"),
    EACH_LIST("activate A, ", "empty", "stack B, deactivate"),
    EACH_LIST("activate A, ", "set", "deactivate"),
    EACH_LIST("activate A, ", "set", "stack B, deactivate"),
    /* a start-up file activates, and exports afterwards */
    "activate A, set CUDA_VISIBLE_DEVICES, set OMP_NUM_THREADS, deactivate",
    "activate A, set CUDA_VISIBLE_DEVICES, set OMP_NUM_THREADS, set _cache, activate A",
    "activate A, unset CUDA_VISIBLE_DEVICES, empty OMP_NUM_THREADS, activate B",
    "activate A, stack B, set CUDA_VISIBLE_DEVICES, set OMP_NUM_THREADS, deactivate",
    "activate A, stack B, unset CUDA_VISIBLE_DEVICES, unset OMP_NUM_THREADS, deactivate",
    "activate A, set CUDA_VISIBLE_DEVICES, set OMP_NUM_THREADS, set CUDA_DEVICE_ORDER, stack B",
    /* if_set: keep */
    "activate K",
    "set CUDA_VISIBLE_DEVICES, activate K, activate K",
    "set CUDA_VISIBLE_DEVICES, set CUDA_DEVICE_ORDER, activate K, deactivate",
    "empty CUDA_VISIBLE_DEVICES, activate K, apply K, deactivate",
    "unset CUDA_VISIBLE_DEVICES, activate K, apply K, activate K",
    "activate A, stack K, deactivate",
    "activate A, stack K, activate K, deactivate",
    "activate A, set CUDA_VISIBLE_DEVICES, stack K, activate K, deactivate",
    "activate A, set CUDA_VISIBLE_DEVICES, activate K, deactivate",
    "unset CUDA_VISIBLE_DEVICES, activate K, set CUDA_VISIBLE_DEVICES, activate K, deactivate",
    "unset CUDA_VISIBLE_DEVICES, activate K, stack A, deactivate",
    /* a job inherits a login shell's activation */
    "activate A, job 0, activate B",
    "activate A, job 0, restart, activate A, activate A",
    "activate A, job 0, restart, activate B, deactivate",
    "activate A, job 0, restart, activate O, deactivate, activate A",
    "activate A, job 0, out, activate B",
    "activate A, job 0, out, restart, activate A",
    "activate A, job 0, restart, out, activate A, deactivate",
    "activate K, job 0, restart, activate K",
    "activate O, job 0, activate A, stack O",
    "activate O, job 6, deactivate",
    "activate B, job 6, activate A, deactivate",
    "activate B, job 6, activate B, deactivate",
    "activate B, job 6, restart, activate B, deactivate",
    /* salloc and sbatch in a step hand on the step's id */
    "job 9, activate A, job 11, activate B, deactivate",
    "job 9, activate O, job 11, activate A, deactivate",
    "job 9, activate O, job 11, activate O, activate O, deactivate",
    "job 9, activate O, job 11, restart, activate O, deactivate",
    /* base and A in a parent; the child's level starts again */
    "activate B, activate A, child %1$s, restart, activate A, deactivate, leave, deactivate",
    "activate B, activate A, child %1$s, restart, activate B, deactivate, leave",
    "activate A, child %1$s, restart, push LD_LIBRARY_PATH, activate A, deactivate",
    "activate A, child %1$s, restart, set OMP_NUM_THREADS, activate A, deactivate",
};

/* What the variables are before, by row: unset, empty, lists, and lists with A's element twice. */
static struct priors row(size_t number)
{
    static char doubled[600];
    struct priors priors = {.set_by_script = true};

    if (number == 0)
        return priors;
    for (size_t i = 0; i < MODEL_NAMES; i++) {
        priors.variables[i] = number == 1 ? "T_EMPTY" : i == VISIBLE_DEVICES ? "T_FIVE" : "T_LIST";
        priors.values[i] = number == 1 ? "" : i == VISIBLE_DEVICES ? "5" : "/usr/lib:/lib --x";
    }
    if (number == 3) {
        const char *prefix = environments[A].prefix;
        snprintf(doubled, sizeof doubled, "%s/lib:/x:%s/lib", prefix, prefix);
        priors.variables[PATHS] = "T_DOUBLED";
        priors.values[PATHS] = doubled;
    }
    return priors;
}
enum { ROWS = 4 };

static bool can_run(const struct shell_kind *kind)
{
    if (!shell_kind_present(kind))
        test_skip(true, "%s is not installed", kind->argv[0]);
    return shell_kind_present(kind);
}

static char *trial_of(const struct shell_kind *kind, const char *child)
{
    const char *variables[MODEL_ENVIRONMENTS + 5] = {"T_EMPTY=", "T_FIVE=5",
                                                     "T_LIST=/usr/lib:/lib --x"};
    char *made[MODEL_ENVIRONMENTS + 1];
    struct trial trial;

    for (size_t i = 0; i < MODEL_ENVIRONMENTS; i++)
        made[i] = formatted("%s=%s", environments[i].variable, environments[i].prefix);
    made[MODEL_ENVIRONMENTS] = formatted("T_DOUBLED=%s", row(3).values[PATHS]);
    for (size_t i = 0; i <= MODEL_ENVIRONMENTS; i++)
        variables[3 + i] = made[i];
    trial_open(&trial, &box, kind, variables, &(struct manner){.inside = false});
    for (size_t i = 0; i < COUNT(sequences); i++)
        for (size_t j = kind->variant ? i % ROWS : 0; j < ROWS; j += kind->variant ? ROWS : 1) {
            struct priors priors = row(j);
            char *steps = formatted(sequences[i], child);
            trial_begin(&trial, environments, MODEL_ENVIRONMENTS, &priors);
            trial_steps(&trial, steps);
            trial_end(&trial);
            free(steps);
        }
    char *fault = trial_run(&trial);
    trial_close(&trial);
    for (size_t i = 0; i <= MODEL_ENVIRONMENTS; i++)
        free(made[i]);
    return fault;
}

START_TEST(others_changes_stay)
{
    const struct shell_kind *kind = &shell_kinds[_i];

    if (!can_run(kind))
        return;
    char *fault = trial_of(kind, kind->name);
    ck_assert_msg(!fault, "%s", fault);
    ck_assert_msg(!sandbox_has(&box, "canary"), "a value was run");
}
END_TEST

static Suite *own_suite(void)
{
    Suite *suite = suite_create("own");
    TCase *tcase = tcase_create("others");

    tcase_add_unchecked_fixture(tcase, set_up, tear_down);
    for (int kind = 0; kind < (int)shell_kind_count; kind++)
        if (shell_kind_wanted(&shell_kinds[kind]))
            tcase_add_loop_test(tcase, others_changes_stay, kind, kind + 1);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return test_main(own_suite());
}
