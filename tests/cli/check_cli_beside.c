/*
 * gpu.yml beside environment.yml: which of them is read, for what, and what stands in both.
 */
#include "support/sandboxed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void set_up(void)
{
    char *path = tests_path("machines/four");
    char text[512];
    snprintf(text, sizeof text, "include %s\n", path);
    sandbox_write(&box, "machine", text);
    free(path);
}

static const struct {
    const char *environment, *gpu; /* NULL: no such file */
    const char *named;             /* -f; NULL: without */
    int status;
    const char *shown; /* in what is printed; or all of the error */
} cases[] = {
    {"name: pt\n", "devices: 3\n", NULL, 0,
     "\nfiles        gpu.yml, and environment.yml beside it\n"},
    {"name: pt\n", "devices: 3\n", NULL, 0, "CUDA_VISIBLE_DEVICES=3\n"},
    {"name: pt\n", "gpu:\n  devices: 3\n", NULL, 0, "CUDA_VISIBLE_DEVICES=3\n"},
    {"name: pt\n", "name: other\ndevices: 3\n", NULL, 0, "CUDA_VISIBLE_DEVICES=3\n"},
    {"name: pt\n", "variables: {A: 1}\n", NULL, 0, "since gpu.yml has no 'devices'"},
    {NULL, "devices: 3\n", NULL, 0, "CUDA_VISIBLE_DEVICES=3\n"},
    {"name: pt\n", "devices: 3\n", "environment.yml", 0, "CUDA_VISIBLE_DEVICES=3\n"},
    {"name: pt\n", "devices: 3\n", "gpu.yml", 0,
     "\nfiles        gpu.yml, and environment.yml beside it\n"},
    {"name: pt\n", "devices: 3\n", "@/gpu.yml", 0,
     "\nfiles        @/gpu.yml, and @/environment.yml beside it\n"},
    {"gpu: {devices: 1}\n", "devices: 3\n", NULL, 2,
     "environment.yml:1:1: gpu: a section stands here, and one in gpu.yml beside this file; "
     "remove one of the two\n"},
    {"gpu: {devices: 1}\n", "devise: 3\n", NULL, 2,
     "environment.yml:1:1: gpu: a section stands here, and one in gpu.yml beside this file; "
     "remove one of the two\n"
     "gpu.yml:1:1: gpu: unknown key 'devise'; did you mean 'devices'?\n"},
    {"name: pt\n", "dependencies: [a]\ndevices: 0\n", NULL, 2,
     "gpu.yml:1:1: gpu: unknown key 'dependencies'; known keys: devices, ids, if_no_gpu, in_job, "
     "if_set, variables, assign\n"},
    {"name: pt\n", "name: [a]\ndevices: 0\n", NULL, 2,
     "gpu.yml:1:7: gpu.name: found a list; accepted: the name of an environment\n"},
    {"name: pt\n", "gpus:\n  devices: 0\n", NULL, 2,
     "gpu.yml:1:1: no 'gpu:' section; did you mean 'gpu' by the key 'gpus'?\n"
     "  gpu:\n    devices: 0\n"},
    {"name: pt\n", "devices: x\n", NULL, 2, NULL},
    {"name: [\n", "devices: 0\n", NULL, 2, NULL},
    {"{% set x = 1 %}\nname: {{ x }}\n", "devices: 0\n", NULL, 0, "CUDA_VISIBLE_DEVICES=0\n"},
    {NULL, NULL, NULL, 2,
     "no environment.yml, environment.yaml or gpu.yml in this folder; go to the one that has it, "
     "or name the file with -f\n"},
};

START_TEST(beside)
{
    char *named = cases[_i].named ? rooted(cases[_i].named, box.root) : NULL;
    char *shown = cases[_i].shown ? rooted(cases[_i].shown, box.root) : NULL;

    if (cases[_i].environment)
        sandbox_write(&box, "environment.yml", cases[_i].environment);
    if (cases[_i].gpu)
        sandbox_write(&box, "gpu.yml", cases[_i].gpu);
    struct outcome got = named ? conda_gpu(&box, NULL, "apply", "-p", "envs/pt", "-f", named, NULL)
                               : conda_gpu(&box, NULL, "apply", "-p", "envs/pt", NULL);
    ck_assert_msg(got.status == cases[_i].status, "%s", got.err);
    if (shown && got.status)
        ck_assert_str_eq(got.err, shown);
    else if (shown)
        ck_assert_msg(strstr(got.out, shown) != NULL, "%s", got.out);
    outcome_free(&got);
    free(named);
    free(shown);
}
END_TEST

/* A file of another name that -f names is read alone, and so is standard input. */
START_TEST(alone)
{
    sandbox_write(&box, "gpu.yml", "devices: x\n");
    sandbox_write(&box, "environment.yml", "gpu: {devices: x}\n");
    sandbox_write(&box, "dev.yml", "gpu: {devices: 2}\n");
    struct outcome got = conda_gpu(&box, NULL, "apply", "-p", "envs/pt", "-f", "dev.yml", NULL);
    ck_assert_str_eq(got.err, "");
    ck_assert_ptr_nonnull(strstr(got.out, "CUDA_VISIBLE_DEVICES=2\n"));
    ck_assert_ptr_null(strstr(got.out, "files  "));
    outcome_free(&got);
}
END_TEST

START_TEST(template_is_noted)
{
    sandbox_write(&box, "environment.yml", "name: {{ x }}-gpu\n");
    sandbox_write(&box, "gpu.yml", "devices: 0\n");
    struct outcome got = conda_gpu(&box, NULL, "apply", "-p", "envs/pt", NULL);
    ck_assert_str_eq(got.err, "note: environment.yml: a template, so neither its name nor its "
                              "variables are read\n");
    outcome_free(&got);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("command line: gpu.yml");
    TCase *tests = tcase_create("");

    sandboxed_with_environment(tests);
    tcase_add_checked_fixture(tests, set_up, NULL);
    tcase_add_loop_test(tests, beside, 0, sizeof cases / sizeof *cases);
    tcase_add_test(tests, alone);
    tcase_add_test(tests, template_is_noted);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return test_main(suite());
}
