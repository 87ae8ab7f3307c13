/*
 * Others at the same prefix at the same time, and prefixes that cannot be written: many applies at
 * once, a hostile loop that swaps a folder for a link, locks that cannot be had, and errors of the
 * file system itself.
 */
#include "support/one_prefix.h"

#include "base/scope.h"
#include "base/strbuf.h"
#include "support/trees.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void set_up(void)
{
    one_prefix_open();
    sandbox_write(&box, "environment.yml", "gpu: {devices: none, variables: {A: b}}\n");
}

static struct outcome run(const char *command, const char *option, const char *value)
{
    return conda_gpu(&box, NULL, command, "-p", prefix, option, value, NULL);
}

static void must(const char *command, const char *option, const char *value)
{
    struct outcome got = run(command, option, value);

    ck_assert_msg(got.status == 0, "%s", got.err);
    outcome_free(&got);
}

/* Runs a script in the sandbox, where "$@" is conda-gpu, as another user if there can be one. */
static struct outcome run_with(const char *script, bool as_other)
{
    const char *argv[16] = {"sh", "-c", script, "sh"};
    static const char *const other[] = {"setpriv", "--reuid=54321", "--regid=54321",
                                        "--clear-groups", NULL};
    const char *const env[] = {"PATH=/usr/local/bin:/usr/bin:/bin", "CONDA_GPU_DRIVER=/nowhere",
                               NULL};
    size_t count = 4;

    for (size_t i = 0; as_other && geteuid() == 0 && other[i]; i++)
        argv[count++] = other[i];
    argv[count] = getenv("CONDA_GPU");
    return sandbox_run(&box, argv, env, NULL);
}

static bool can_be_other(void)
{
    struct outcome got = run_with("\"$@\" --version", true);
    bool can = got.status == 0;

    outcome_free(&got);
    if (!can)
        test_skip(false, "another user: none can run %s", getenv("CONDA_GPU"));
    return can;
}

/* One result of eight. */

enum { FILES = 8 };

START_TEST(sixty_four_at_once)
{
    struct tree wanted[FILES];
    bool found = false;

    for (int i = 0; i < FILES; i++) {
        scope(free_text) char *name = format_text("%d.yml", i);
        scope(free_text) char *text =
            format_text("gpu: {devices: none, variables: {A: \"%d\"}}\n", i);
        sandbox_write(&box, name, text);
        must("apply", "-f", name);
        wanted[i] = tree_read(prefix);
        must("remove", NULL, NULL);
    }
    struct outcome got =
        run_with("i=0; while [ $i -lt 64 ]; do\n"
                 "  \"$@\" apply -q --timeout 100 -p envs/pt -f $((i % 8)).yml ||\n"
                 "    echo \"failed: $?\" &\n"
                 "  i=$((i + 1)); done; wait\n",
                 false);
    ck_assert_msg(!*got.err && !*got.out, "%.400s%.400s", got.err, got.out);
    outcome_free(&got);
    struct tree tree = tree_read(prefix);
    for (int i = 0; i < FILES; i++) {
        scope(free_text) char *difference = tree_difference(&tree, &wanted[i]);
        found = found || !difference;
        tree_free(&wanted[i]);
    }
    ck_assert_msg(found, "none of the eight results");
    tree_free(&tree);
}
END_TEST

/* A folder that is now itself and now a link to one outside, which holds the same files. */

static _Noreturn void swap_for_ever(const char *path, const char *away, const char *target)
{
    for (;;) {
        rename(path, away);
        if (symlink(target, path) == 0)
            unlink(path);
        rename(away, path);
    }
}

START_TEST(hostile_loop)
{
    static const char *const places[] = {"etc/conda/activate.d", "etc/conda", "etc"};
    scope(free_text) char *path = format_text("%s/%s", prefix, places[_i]);
    scope(free_text) char *away = format_text("%s/away", prefix);
    scope(free_text) char *canary = sandbox_path(&box, "canary");

    must("apply", NULL, NULL);
    ck_assert_int_eq(mkdir(canary, 0755), 0);
    struct tree copy = tree_read(path);
    tree_write(&copy, canary);
    fflush(stdout);
    pid_t hostile = fork();
    if (hostile == 0)
        swap_for_ever(path, away, canary);
    for (int i = 0; i < 30; i++) {
        scope(free_text) char *text =
            format_text("gpu: {devices: none, variables: {A: \"%d\"}}\n", i);
        sandbox_write(&box, "environment.yml", text);
        struct outcome got = run(i % 3 == 2 ? "remove" : "apply", NULL, NULL);
        ck_assert_msg(got.status == 0 || got.status == 4, "%d: %s", got.status, got.err);
        outcome_free(&got);
    }
    kill(hostile, SIGKILL);
    waitpid(hostile, NULL, 0);
    struct tree after = tree_read(canary);
    scope(free_text) char *difference = tree_difference(&after, &copy);
    ck_assert_msg(!difference, "outside: %s", difference);
    tree_free(&copy);
    tree_free(&after);
}
END_TEST

/* Prefixes that cannot be locked or written. */

/* The message; apply also shows the three lines that this user may ask the prefix's owner for. */
static void check_refused(struct outcome got, const char *message, bool offers)
{
    scope(free_text) char *text = format_text("%s/%s\n", prefix, message);
    bool begins = strncmp(got.err, text, strlen(text)) == 0;

    ck_assert_msg(begins, "%s", got.err);
    ck_assert_msg(offers == (strstr(got.err, "\n    assign:\n      - user: ") != NULL), "%s",
                  got.err);
    if (!offers)
        ck_assert_str_eq(got.err, text);
    ck_assert_int_eq(got.status, 4);
    outcome_free(&got);
}

START_TEST(others_prefix)
{
    if (!can_be_other())
        return;
    check_refused(run_with("chmod 755 . && \"$@\" apply -p envs/pt", true),
                  "etc/conda/conda-gpu.yml: cannot write: Permission denied", true);
}
END_TEST

START_TEST(others_hooks)
{
    if (!can_be_other())
        return;
    must("apply", NULL, NULL);
    struct tree before = tree_read(prefix);
    check_refused(run_with("chmod 755 . && \"$@\" remove -p envs/pt", true),
                  "etc/conda/activate.d/env_vars.csh: cannot remove: Permission denied", false);
    struct outcome got = run_with("\"$@\" apply -q -p envs/pt", true);
    ck_assert_str_eq(got.err, ""); /* nothing is to be written */
    ck_assert_int_eq(got.status, 0);
    outcome_free(&got);
    struct tree after = tree_read(prefix);
    scope(free_text) char *difference = tree_difference(&after, &before);
    ck_assert_msg(!difference, "%s", difference);
    tree_free(&before);
    tree_free(&after);
}
END_TEST

/* In a mount namespace of its own. */
START_TEST(read_only)
{
#define READ_ONLY                                                                                  \
    "unshare -m sh -c 'mount --bind envs/pt envs/pt && mount -o remount,ro,bind envs/pt && "       \
    "exec \"$@\"' sh "
    struct outcome got = run_with(READ_ONLY "true", false);

    if (got.status != 0) {
        test_skip(false, "read-only file system: no mount namespace here: %s", got.err);
        outcome_free(&got);
        return;
    }
    outcome_free(&got);
    check_refused(run_with(READ_ONLY "\"$@\" apply -p envs/pt", false),
                  "etc/conda/conda-gpu.yml: cannot write: Read-only file system", true);
    must("apply", NULL, NULL);
    check_refused(run_with(READ_ONLY "\"$@\" remove -p envs/pt", false),
                  "etc/conda/activate.d/env_vars.csh: cannot remove: Read-only file system", false);
    got = run_with(READ_ONLY "\"$@\" apply -q -p envs/pt", false);
    ck_assert_str_eq(got.err, "");
    ck_assert_int_eq(got.status, 0);
    outcome_free(&got);
}
END_TEST

/* Where conda-meta is a link, nothing changes there. */
START_TEST(linked_meta)
{
    scope(free_text) char *meta = format_text("%s/conda-meta", prefix);
    scope(free_text) char *moved = sandbox_path(&box, "meta");

    ck_assert_int_eq(rename(meta, moved), 0);
    ck_assert_int_eq(symlink(moved, meta), 0);
    struct tree before = tree_read(moved);
    must("apply", NULL, NULL);
    must("remove", NULL, NULL);
    struct tree after = tree_read(moved);
    scope(free_text) char *difference = tree_difference(&after, &before);
    ck_assert_msg(!difference, "%s", difference);
    tree_free(&before);
    tree_free(&after);
}
END_TEST

/* A prefix whose path is as long as paths may be, or a little longer. */

enum { LONGEST = 4095 };

static const int lengths[] = {4000, LONGEST - (int)sizeof "/conda-meta" + 1, LONGEST};

/* Makes the folder, step by step, and leaves the process in it. */
static char *make_long_folder(int length)
{
    char *path = calloc((size_t)length + 1, 1);

    ck_assert_int_eq(chdir(box.root), 0);
    memcpy(path, box.root, strlen(box.root));
    while ((int)strlen(path) < length) {
        char name[201] = "";
        int rest = length - (int)strlen(path) - 1;
        memset(name, 'p', (size_t)(rest > 200 ? (rest < 202 ? 199 : 200) : rest));
        size_t end = strlen(path);
        path[end] = '/';
        memcpy(path + end + 1, name, strlen(name));
        ck_assert_int_eq(mkdir(name, 0755), 0);
        ck_assert_int_eq(chdir(name), 0);
    }
    ck_assert_int_eq((int)strlen(path), length);
    return path;
}

START_TEST(long_path)
{
    scope(free_text) char *path = make_long_folder(lengths[_i]);

    ck_assert_int_eq(mkdir("conda-meta", 0755), 0);
    struct outcome got = conda_gpu(&box, NULL, "apply", "-p", path, NULL);
    if (lengths[_i] < LONGEST) {
        ck_assert_str_eq(got.err, "");
        ck_assert_int_eq(access("etc/conda/activate.d/env_vars.sh", R_OK), 0);
        outcome_free(&got);
        got = conda_gpu(&box, NULL, "remove", "-p", path, NULL);
        ck_assert_int_eq(got.status, 0);
        ck_assert_int_lt(access("etc", F_OK), 0);
    } else {
        ck_assert_int_eq(got.status, 4);
        ck_assert_ptr_nonnull(strstr(got.err, path));
        ck_assert_ptr_nonnull(strstr(got.err, strerror(ENAMETOOLONG)));
    }
    outcome_free(&got);
}
END_TEST

#define LOOP(tests, test, table) tcase_add_loop_test(tests, test, 0, sizeof table / sizeof *table)

static Suite *suite(void)
{
    Suite *suite = suite_create("races, locks, odd prefixes");
    TCase *tests = tcase_create("");

    tcase_add_checked_fixture(tests, set_up, one_prefix_close);
    tcase_set_timeout(tests, 300);
    tcase_add_test(tests, sixty_four_at_once);
    tcase_add_loop_test(tests, hostile_loop, 0, 3);
    tcase_add_test(tests, others_prefix);
    tcase_add_test(tests, others_hooks);
    tcase_add_test(tests, read_only);
    tcase_add_test(tests, linked_meta);
    LOOP(tests, long_path, lengths);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return test_main(suite());
}
