#include "support/one_prefix.h"

#include "support/trees.h"

#include <stdio.h>
#include <stdlib.h>

char *prefix;

const char *const hooks[HOOKS] = {
    "etc/conda/deactivate.d/env_vars.sh",  "etc/conda/deactivate.d/env_vars.fish",
    "etc/conda/deactivate.d/env_vars.csh", "etc/conda/activate.d/env_vars.sh",
    "etc/conda/activate.d/env_vars.fish",  "etc/conda/activate.d/env_vars.csh"};

void one_prefix_open(void)
{
    sandbox_open(&box);
    prefix = sandbox_environment(&box, "pt");
}

void one_prefix_close(void)
{
    free(prefix);
    sandbox_close(&box);
}

const char *inside(const char *path)
{
    static char whole[256];

    snprintf(whole, sizeof whole, "envs/pt/%s", path);
    return whole;
}

char *with_prefix(const char *text)
{
    return rooted(text, prefix);
}

void check_text(const char *got, const char *wanted)
{
    check_rooted(got, wanted, prefix);
}

struct outcome on_prefix(const char *command, const char *option, const char *value)
{
    return conda_gpu(&box, NULL, command, "-p", "envs/pt", option, value, NULL);
}

struct outcome run_script(const char *script)
{
    const char *const argv[] = {"sh", "-c", script, NULL};
    char program[4096], driver[4096], *fake = fake_driver();
    const char *const env[] = {"PATH=/usr/local/bin:/usr/bin:/bin", program, driver, NULL};

    snprintf(program, sizeof program, "CONDA_GPU=%s", getenv("CONDA_GPU"));
    snprintf(driver, sizeof driver, "CONDA_GPU_DRIVER=%s", fake);
    free(fake);
    return sandbox_run(&box, argv, env, NULL);
}

void must_apply(void)
{
    struct outcome got = on_prefix("apply", NULL, NULL);

    ck_assert_str_eq(got.err, "");
    ck_assert_int_eq(got.status, 0);
    outcome_free(&got);
}

char *listing(void)
{
    char *root = sandbox_path(&box, "envs");
    struct tree tree = tree_read(root);
    char *text = tree_text(&tree);

    ck_assert_uint_gt(tree.count, 2);
    tree_free(&tree);
    free(root);
    return text;
}

void check_left_alone(const char *command, const char *option, int status, const char *message)
{
    char *before = listing();
    struct outcome got = on_prefix(command, option, NULL);

    check_text(got.err, message);
    ck_assert_int_eq(got.status, status);
    outcome_free(&got);
    char *after = listing();
    ck_assert_str_eq(after, before);
    free(before);
    free(after);
}
