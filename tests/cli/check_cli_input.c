/*
 * Files that are none, or never end, where a file is looked for; and files that may not grow.
 */
#include "support/one_prefix.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static void set_up(void)
{
    one_prefix_open();
    sandbox_write(&box, "environment.yml", "gpu: {devices: 1}\n");
}

/* A FIFO that nobody writes into hangs whoever opens it: nothing does, but what -f names. */
static const struct {
    const char *fifo;
    const char *arguments;
    int status;
    const char *error; /* how it begins */
} fifos[] = {
    {"environment.yml", "-p envs/pt", 2,
     "environment.yml: cannot read the file: it is a pipe, a socket or a device, and a file is "
     "needed; name another with -f\n"},
    {"pipe", "-p envs/pt --timeout 1 -f pipe", 2,
     "pipe: cannot read the file: its end did not come in time; name another with -f\n"},
    {"home/.condarc", "-n pt", 0, ""},
    {"home/.conda/environments.txt", "-n other", 4, "no environment 'other'"},
    {"templates/deactivate.sh", "-p envs/pt --template-dir templates", 2,
     "templates/deactivate.sh: cannot read the template: it is a pipe, a socket or a device, and "
     "a file is needed; --template-dir names a folder with a file of each name that templates/ "
     "has\n"},
};

START_TEST(a_fifo)
{
    char script[256], path[128];

    sandbox_write(&box, "home/.conda/envs/pt/conda-meta/history", "");
    sandbox_write(&box, "templates/x", "");
    sandbox_remove(&box, fifos[_i].fifo);
    snprintf(path, sizeof path, "%s/%s", box.root, fifos[_i].fifo);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    snprintf(script, sizeof script, "HOME=$PWD/home timeout 20 \"$CONDA_GPU\" apply -q %s",
             fifos[_i].arguments);
    struct outcome got = run_script(script);
    ck_assert_int_eq(strncmp(got.err, fifos[_i].error, strlen(fifos[_i].error)), 0);
    ck_assert_int_eq(got.status, fifos[_i].status);
    outcome_free(&got);
}
END_TEST

/* What -f names may come in pieces, through a pipe. */
static const char *const pipes[] = {
    "\"$CONDA_GPU\" apply -q -p envs/pt -f - <environment.yml",
    "(cat environment.yml; sleep 0.1; echo '# end') | \"$CONDA_GPU\" apply -q -p envs/pt -f -",
    "bash -c '\"$CONDA_GPU\" apply -q -p envs/pt -f <(sleep 0.1; cat environment.yml)'",
    "mkfifo pipe; (sleep 0.1; cat environment.yml) >pipe & \"$CONDA_GPU\" apply -q -p envs/pt -f "
    "pipe",
};

START_TEST(a_pipe_that_is_named)
{
    struct outcome got = run_script(pipes[_i]);

    ck_assert_str_eq(got.err, "");
    ck_assert_int_eq(got.status, 0);
    ck_assert(sandbox_has(&box, "envs/pt/etc/conda/activate.d/env_vars.sh"));
    outcome_free(&got);
}
END_TEST

START_TEST(an_error_in_standard_input)
{
    struct outcome got =
        run_script("echo 'gpu: {devices: x}' | \"$CONDA_GPU\" apply -q -p envs/pt -f -");

    ck_assert_ptr_nonnull(strstr(got.err, "standard input:1:16: gpu.devices: found 'x'"));
    ck_assert_int_eq(got.status, 2);
    outcome_free(&got);
}
END_TEST

/* A limit on the size of files (ulimit -f) is an error like a full disk, and no signal. */
START_TEST(a_file_that_may_not_grow)
{
    struct outcome got =
        run_script("(ulimit -f 0; \"$CONDA_GPU\" apply -q -p envs/pt 2>&1; echo $?) | cat");

    ck_assert_ptr_nonnull(strstr(got.out, "conda-gpu.yml: cannot write: this shell (ulimit -f) "
                                          "or the file system allows no file of its size\n4\n"));
    outcome_free(&got);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("cli_input");
    TCase *tests = tcase_create("");

    tcase_add_checked_fixture(tests, set_up, one_prefix_close);
    tcase_add_loop_test(tests, a_fifo, 0, sizeof fifos / sizeof *fifos);
    tcase_add_loop_test(tests, a_pipe_that_is_named, 0, sizeof pipes / sizeof *pipes);
    tcase_add_test(tests, an_error_in_standard_input);
    tcase_add_test(tests, a_file_that_may_not_grow);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return test_main(suite());
}
