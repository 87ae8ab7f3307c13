/*
 * The module enact: what activation and deactivation do to an environment, and what they keep in
 * it. That the hooks do the same in a shell is compared in cli/check_cli_exec.c.
 */
#include "support/support.h"

#include "base/scope.h"
#include "hook/enact.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY   "0123abcd"
#define STATE "__CONDA_GPU_" KEY "_"

static struct plan plan;
static struct names managed;
static const struct enacted hooks = {.key = KEY, .plan = &plan, .managed = &managed};

static void set_up(void)
{
    static const struct {
        const char *name;
        enum var_kind kind;
        const char *value, *separator;
    } variables[] = {
        {"CUDA_DEVICE_ORDER", VAR_SET, "PCI_BUS_ID", NULL},
        {"CUDA_VISIBLE_DEVICES", VAR_SET, "1", NULL},
        {"SET", VAR_SET, "${HOME}/x", NULL},
        {"GONE", VAR_UNSET, NULL, NULL},
        {"FIRST", VAR_PREPEND, "e", ":"},
        {"LAST", VAR_APPEND, "e", ", "},
    };

    plan = (struct plan){.gpus = PLAN_GPUS_CHOSEN, .in_job = IN_JOB_KEEP};
    managed = (struct names){0};
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        ck_assert_int_eq(vars_add(&plan.variables, variables[i].name, variables[i].kind,
                                  variables[i].value, variables[i].separator),
                         0);
        ck_assert_int_eq(names_add(&managed, variables[i].name), 0);
    }
    ck_assert_int_eq(names_add(&managed, "FORMER"), 0);
}

static void tear_down(void)
{
    plan_release(&plan);
    names_release(&managed);
}

/* One step: "+" activates, "-" deactivates, at the level that follows or at none; NAME=VALUE and
   NAME are what somebody else sets and unsets. */
static void take_step(struct env *env, const char *step)
{
    scope(free_text) char *name = strndup(step, strcspn(step, "="));

    if (*step == '+' || *step == '-') {
        if (step[1])
            env_set(env, "CONDA_SHLVL", step + 1);
        else
            env_unset(env, "CONDA_SHLVL");
        (*step == '+' ? enact_activation : enact_deactivation)(env, &hooks);
    } else if (strchr(step, '=')) {
        env_set(env, name, strchr(step, '=') + 1);
    } else {
        env_unset(env, name);
    }
}

/* What is expected: NAME=VALUE, or NAME for one that is not set; "none" for no state at all. */
static void check_expected(const struct env *env, const char *expected)
{
    scope(free_text) char *name = strndup(expected, strcspn(expected, "="));
    const char *value = strchr(expected, '=');

    if (strcmp(expected, "none") != 0)
        ck_assert_pstr_eq(env_value(env, name), value ? value + 1 : NULL);
    for (size_t i = 0; strcmp(expected, "none") == 0 && env->items[i]; i++)
        ck_assert_msg(strncmp(env->items[i], "__CONDA_GPU_", 12) != 0, "left: %s", env->items[i]);
}

/* One word a step, and one a variable that is looked at; % is a space. */
static const struct {
    const char *steps, *expected;
} passages[] = {
    /* as it was, and what is kept meanwhile */
    {"HOME=/h +1",
     "SET=/h/x " STATE "SET_SET=:/h/x " STATE "OLD_SET " STATE
     "LEVEL=1 CUDA_VISIBLE_DEVICES=1 " STATE
     "SET_CUDA_VISIBLE_DEVICES=:1 __CONDA_GPU_VISIBLE=:1 CUDA_DEVICE_ORDER=PCI_BUS_ID"},
    {"SET=a=b: +1", STATE "OLD_SET=:a=b:"},
    {"GONE=g +1", "GONE " STATE "SET_GONE= " STATE "OLD_GONE=:g"},
    {"+1 -1", "SET GONE FIRST LAST CUDA_VISIBLE_DEVICES CUDA_DEVICE_ORDER none"},
    {"SET= GONE= FIRST= LAST= CUDA_VISIBLE_DEVICES= CUDA_DEVICE_ORDER= +1 -1",
     "SET= GONE= FIRST= LAST= CUDA_VISIBLE_DEVICES= CUDA_DEVICE_ORDER= none"},
    {"SET=s GONE=g FIRST=a:b LAST=a,%b CUDA_VISIBLE_DEVICES=7 +1 -1",
     "SET=s GONE=g FIRST=a:b LAST=a,%b CUDA_VISIBLE_DEVICES=7 none"},
    {"SET=s +1 +1 -1", "SET=s none"},
    {"-1", "SET none"},
    /* what others change stays */
    {"SET=s +1 SET=t -1", "SET=t none"},
    {"GONE=g +1 GONE=h -1", "GONE=h none"},
    {"SET=s +1 SET=t +1", "SET=/x " STATE "OLD_SET=:t"},
    {"SET=s +1 SET=t +1 -1", "SET=t none"},
    /* levels */
    {"SET=s +1 +3", "SET=/x " STATE "LEVEL=1"},
    {"SET=s +1 +3 -3", "SET=/x " STATE "LEVEL=1"},
    {"SET=s +1 SET=t +3 -1", "SET=s none"},
    {"SET=s +2 -1", "SET=s none"},
    {"SET=s +2 +1", STATE "LEVEL=1"},
    {"SET=s +10 -9", "SET=s none"},
    {"SET=s +9 -10", "SET=/x " STATE "LEVEL=9"},
    {"SET=s + -", "SET=s none"},
    {"SET=s +", STATE "LEVEL=-"},
    {"SET=s + -1", "SET=s none"},
    {"SET=s +1 -x", "SET=s none"},
    {"SET=s +00000000000000000000000000000000001 -2", "SET=/x"},
    /* lists */
    {"FIRST=a LAST=a +1", "FIRST=e:a LAST=a,%e"},
    {"FIRST=a:e LAST=e,%a +1", "FIRST=a:e LAST=e,%a"},
    {"FIRST=a:e LAST=e,%a +1 FIRST=m:a:e -1", "FIRST=m:a:e none"},
    {"FIRST=a LAST=a +1 FIRST=m:e:a LAST=a,%e,%m -1", "FIRST=m:a LAST=a,%m none"},
    {"FIRST=a +1 FIRST=e:e:a -1", "FIRST=e:a none"},
    {"LAST=a +1 LAST=a,%e,%e -1", "LAST=a,%e none"},
    {"FIRST=a +1 FIRST=e -1", "FIRST none"},
    {"FIRST= +1 FIRST=m:e FIRST=e -1", "FIRST= none"},
    {"FIRST=a +1 FIRST=m:e:a +1 -1", "FIRST=m:a none"},
    {"FIRST=a +1 FIRST=m +1", "FIRST=e:m " STATE "OLD_FIRST=:m"},
    /* a scheduler's word stands, outside of jobs nobody's does */
    {"CUDA_VISIBLE_DEVICES=7 +1", "CUDA_VISIBLE_DEVICES=1"},
    {"PBS_JOBID=4 CUDA_VISIBLE_DEVICES=7 +1",
     "CUDA_VISIBLE_DEVICES=7 CUDA_DEVICE_ORDER=PCI_BUS_ID __CONDA_GPU_VISIBLE " STATE
     "SET_CUDA_VISIBLE_DEVICES"},
    {"PBS_JOBID=4 CUDA_VISIBLE_DEVICES=7 CUDA_DEVICE_ORDER=f +1", "CUDA_DEVICE_ORDER=f"},
    {"PBS_JOBID=4 CUDA_VISIBLE_DEVICES=1 +1 -1", "CUDA_VISIBLE_DEVICES=1 CUDA_DEVICE_ORDER none"},
    {"PBS_JOBID=4 +1", "CUDA_VISIBLE_DEVICES=1 __CONDA_GPU_VISIBLE=4:1"},
    {"SLURM_JOB_ID=4 SLURM_TASK_PID=9 +1", "__CONDA_GPU_VISIBLE=4..9:1"},
    {"JOB_ID=4 +1", "__CONDA_GPU_VISIBLE=:1"},
    {"JOB_ID=4 SGE_TASK_ID=9 +1", "__CONDA_GPU_VISIBLE=.4.9:1"},
    {"PBS_JOBID=4 +1 -1", "CUDA_VISIBLE_DEVICES none"},
    {"PBS_JOBID=4 +1 PBS_JOBID -1", "CUDA_VISIBLE_DEVICES none"},
    {"CUDA_VISIBLE_DEVICES=7 +1 PBS_JOBID=4 -1", "CUDA_VISIBLE_DEVICES=1 none"},
    {"CUDA_VISIBLE_DEVICES=7 +1 PBS_JOBID=4 +1 -1", "CUDA_VISIBLE_DEVICES=1 none"},
    {"PBS_JOBID=4 +1 PBS_JOBID=5 -1", "CUDA_VISIBLE_DEVICES=1 none"},
    /* what other hooks of ours made is ours, and theirs again afterwards */
    {"PBS_JOBID=4 CUDA_VISIBLE_DEVICES=0 __CONDA_GPU_VISIBLE=4:0 +1",
     "CUDA_VISIBLE_DEVICES=1 " STATE "OLD_CUDA_VISIBLE_DEVICES=hook:0"},
    {"PBS_JOBID=4 CUDA_VISIBLE_DEVICES=0 __CONDA_GPU_VISIBLE=4:0 +1 -1",
     "CUDA_VISIBLE_DEVICES=0 __CONDA_GPU_VISIBLE=4:0"},
    {"PBS_JOBID=4 __CONDA_GPU_VISIBLE=4 +1 -1", "CUDA_VISIBLE_DEVICES __CONDA_GPU_VISIBLE=4"},
    /* an earlier generation's, missing pieces, and what never was ours */
    {STATE "LEVEL=1 " STATE "SET_FORMER=:f FORMER=f -1", "FORMER none"},
    {STATE "LEVEL=1 " STATE "OLD_FORMER=:g " STATE "SET_FORMER=:f FORMER=f -1", "FORMER=g none"},
    {STATE "SET_FORMER=:f FORMER=f -1", "FORMER=f"},
    {STATE "LEVEL= " STATE "SET_FORMER=:f FORMER=f -1", "FORMER=f"},
    {STATE "LEVEL=1 " STATE "OLD_FORMER=:g FORMER=f -1", "FORMER=f none"},
    {STATE "LEVEL=1 " STATE "OLD_SET=o " STATE "SET_SET=:s SET=s -1", "SET none"},
    {STATE "LEVEL=1 " STATE "SET_FIRST=e FIRST=a -1", "FIRST=a none"},
};

START_TEST(enacts)
{
    char *const none[] = {NULL};
    scope(env_release) struct env env = {0};
    scope(free_text) char *steps = strdup(passages[_i].steps);
    scope(free_text) char *expected = strdup(passages[_i].expected);
    char *rest;

    env_copy(&env, none);
    for (char *step = strtok_r(steps, " ", &rest); step; step = strtok_r(NULL, " ", &rest)) {
        for (char *at = step; (at = strchr(at, '%'));)
            *at = ' ';
        take_step(&env, step);
    }
    ck_assert(!env.failed);
    for (char *word = strtok_r(expected, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        for (char *at = word; (at = strchr(at, '%'));)
            *at = ' ';
        check_expected(&env, word);
    }
}
END_TEST

/* in_job and if_set, for a value that is 7 before. */
static const struct {
    enum in_job in_job;
    enum if_set if_set;
    const char *in, *outside;
} decisions[] = {
    {IN_JOB_KEEP, IF_SET_OVERRIDE, "7", "1"},
    {IN_JOB_OVERRIDE, IF_SET_OVERRIDE, "1", "1"},
    {IN_JOB_KEEP, IF_SET_KEEP, "7", "7"},
    {IN_JOB_OVERRIDE, IF_SET_KEEP, "1", "7"},
};

static void check_decision(const char *job, const char *expected)
{
    char visible[] = "CUDA_VISIBLE_DEVICES=7", *const before[] = {visible, NULL};
    scope(env_release) struct env env = {0};

    env_copy(&env, before);
    if (job)
        env_set(&env, "LSB_JOBID", job);
    ck_assert_int_eq(enact_leaves(env.items, &plan), strcmp(expected, "7") == 0);
    take_step(&env, "+1");
    ck_assert_str_eq(env_value(&env, "CUDA_VISIBLE_DEVICES"), expected);
    ck_assert(!enact_leaves(env.items, &plan) || strcmp(expected, "7") == 0);
    take_step(&env, "-1");
    check_expected(&env, "CUDA_VISIBLE_DEVICES=7");
    check_expected(&env, "none");
}

START_TEST(decides)
{
    plan.in_job = decisions[_i].in_job;
    plan.if_set = decisions[_i].if_set;
    check_decision("4", decisions[_i].in);
    check_decision("", decisions[_i].outside);
    check_decision(NULL, decisions[_i].outside);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("enact");
    TCase *tests = tcase_create("");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, enacts, 0, sizeof passages / sizeof *passages);
    tcase_add_loop_test(tests, decides, 0, sizeof decisions / sizeof *decisions);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return test_main(suite());
}
