/*
 * What apply says where somebody else has a say in the plan's variables, and whether a shell
 * agrees. In the texts, @ is the environment.
 */
#include "support/one_prefix.h"

#include "base/scope.h"
#include "base/strbuf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define A "etc/conda/activate.d/"
#define D "etc/conda/deactivate.d/"

static void set_up(void)
{
    one_prefix_open();
    sandbox_write(&box, "environment.yml", "gpu: {devices: 1, variables: {OMP_NUM_THREADS: 8}}\n");
}

/* A script beside ours, what apply's line about the GPUs ends with, and what the shell has. */
static const struct {
    const char *file, *text;
    const char *line;
    const char *visible; /* of the shell, "unset" without */
} scripts[] = {
    {A "z.sh", "export CUDA_VISIBLE_DEVICES=0\n",
     ", but " A "z.sh:1 gives the shell CUDA_VISIBLE_DEVICES=0", "0"},
    {A "z.sh", "\nunset CUDA_VISIBLE_DEVICES\n",
     ", but " A "z.sh:2 gives the shell no CUDA_VISIBLE_DEVICES", "unset"},
    {A "z.sh", "export CUDA_VISIBLE_DEVICES=$((1 + 1))\n",
     ", but " A "z.sh:1 gives the shell a CUDA_VISIBLE_DEVICES of its own", "2"},
    {A "z.sh", "[ -n \"$NOT_SET\" ] && export CUDA_VISIBLE_DEVICES=0\n",
     ", but " A "z.sh:1 may give the shell another value: CUDA_VISIBLE_DEVICES=0", "1"},
    {A "z.sh", "# export CUDA_VISIBLE_DEVICES=0\necho 'export CUDA_VISIBLE_DEVICES=0' >/dev/null\n",
     "", "1"},
    {A "a.sh", "export CUDA_VISIBLE_DEVICES=0\n", "", "1"},
    {A "z.sh", "export CUDA_DEVICE_ORDER=FASTEST_FIRST\n",
     ", but " A "z.sh:1 gives the shell CUDA_DEVICE_ORDER=FASTEST_FIRST", "1"},
};

/* The value in a shell that has sourced what conda would. */
static char *visible_in_shell(void)
{
    struct outcome got =
        run_script("CONDA_PREFIX=$PWD/envs/pt; CONDA_SHLVL=1; export CONDA_PREFIX CONDA_SHLVL\n"
                   "for script in envs/pt/etc/conda/activate.d/*.sh; do . \"$script\"; done\n"
                   "printf %s \"${CUDA_VISIBLE_DEVICES-unset}\"\n");
    char *visible = strdup(got.out);

    outcome_free(&got);
    return visible;
}

START_TEST(line_about_gpus)
{
    sandbox_write(&box, inside(scripts[_i].file), scripts[_i].text);
    struct outcome got = on_prefix("apply", NULL, NULL);
    ck_assert_int_eq(got.status, 0);
    const char *at = strstr(got.out, "CUDA_VISIBLE_DEVICES=1");
    ck_assert_ptr_nonnull(at);
    scope(free_text) char *line = strndup(at, strcspn(at, "\n"));
    ck_assert_str_eq(line + strlen("CUDA_VISIBLE_DEVICES=1"), scripts[_i].line);
    scope(free_text) char *visible = visible_in_shell();
    ck_assert_str_eq(visible, scripts[_i].visible);
    outcome_free(&got);

    struct outcome checked = on_prefix("apply", "--check", NULL);
    ck_assert_int_eq(checked.status, *scripts[_i].line != '\0');
    ck_assert_int_eq(strstr(checked.err, "note: ") != NULL, *scripts[_i].line != '\0');
    outcome_free(&checked);
}
END_TEST

/* Where it is not about GPUs the line ends as ever, and the note says it all. */
static const struct {
    const char *file, *text;
    const char *note;
    int checked; /* --check's status, once applied */
} others[] = {
    {A "z.sh", "export OMP_NUM_THREADS=4\n",
     A "z.sh:1 sets OMP_NUM_THREADS after our hook, so the shell has OMP_NUM_THREADS=4; move it "
       "into the "
       "section's `variables`, or give the script a name that sorts before env_vars",
     1},
    {A "z.sh", "export CUDA_VISIBLE_DEVICES=0\n",
     A "z.sh:1 sets CUDA_VISIBLE_DEVICES after our hook, so the shell has CUDA_VISIBLE_DEVICES=0; "
       "remove "
       "that line, since the section's `devices` says it, or give the script a name that sorts "
       "before "
       "env_vars",
     1},
    {D "z.sh", "unset OMP_NUM_THREADS\n",
     D
     "z.sh:1 unsets OMP_NUM_THREADS at deactivation, so it is not as it was before the activation; "
     "remove that line, since our hook puts it back",
     0},
    {"conda-meta/state", "{\"env_vars\": {\"CUDA_VISIBLE_DEVICES\": \"3\", \"OTHER\": \"1\"}}",
     "conda itself sets CUDA_VISIBLE_DEVICES=3 in this environment, and after our hook has put "
     "back what "
     "was there, conda unsets or empties it; remove \"CUDA_VISIBLE_DEVICES\" from \"env_vars\" in "
     "@/conda-meta/state ('conda env config vars unset' does not: it writes \"***unset***\" there, "
     "which "
     "still unsets or empties it)",
     0},
    {"conda-meta/state",
     "{\"version\": 1, \"env_vars\": {\"CUDA_VISIBLE_DEVICES\": \"***unset***\"}}",
     "'conda env config vars unset' has left \"CUDA_VISIBLE_DEVICES\": \"***unset***\" in "
     "\"env_vars\" in "
     "@/conda-meta/state, so that conda unsets or empties CUDA_VISIBLE_DEVICES after our hook has "
     "put "
     "back what was there; remove that key",
     0},
    {"etc/conda/env_vars.d/p.json", "{\"OMP_NUM_THREADS\": \"3\"}",
     "a package has conda set OMP_NUM_THREADS=3 (etc/conda/env_vars.d/p.json), and after our hook "
     "has put "
     "back what was there, conda unsets or empties it; remove \"OMP_NUM_THREADS\" from that file "
     "(an "
     "update of the package brings it back), or leave it out of the section's `variables`",
     0},
};

START_TEST(notes)
{
    scope(free_text) char *note = format_text("note: %s\n", others[_i].note);

    sandbox_write(&box, inside(others[_i].file), others[_i].text);
    struct outcome got = on_prefix("apply", NULL, NULL);
    check_text(got.err, note);
    ck_assert_int_eq(got.status, 0);
    outcome_free(&got);
    got = on_prefix("apply", "--check", NULL);
    check_text(got.err, note);
    ck_assert_int_eq(got.status, others[_i].checked);
    outcome_free(&got);
}
END_TEST

/* Their `unset` hides what was there before: said when they are adopted, and ever after. */
START_TEST(adopted)
{
    static const char note[] =
        "note: " D "env_vars-adopted.sh:1 unsets OMP_NUM_THREADS at deactivation, "
        "so it is not as it was before the activation; remove that line, since our "
        "hook puts it back\n";

    sandbox_write(&box, inside(A "env_vars.sh"), "export OMP_NUM_THREADS=4\n");
    sandbox_write(&box, inside(D "env_vars.sh"), "unset OMP_NUM_THREADS\n");
    struct outcome got = on_prefix("apply", "--adopt", NULL);
    ck_assert_str_eq(got.err, note);
    ck_assert_int_eq(got.status, 0);
    outcome_free(&got);
    got = on_prefix("apply", NULL, NULL);
    ck_assert_str_eq(got.err, note);
    outcome_free(&got);
}
END_TEST

/* Before the environment has them. */
START_TEST(variables_in_the_file)
{
    sandbox_write(&box, "environment.yml",
                  "variables: {OMP_NUM_THREADS: 4, OTHER: 1}\n"
                  "gpu: {devices: 1, variables: {OMP_NUM_THREADS: 8}}\n");
    struct outcome got = on_prefix("apply", NULL, NULL);
    ck_assert_str_eq(
        got.err, "note: environment.yml: by its own 'variables:' conda sets OMP_NUM_THREADS=4, and "
                 "after our hook has put back what was there, conda unsets or empties it; leave it "
                 "out there, since the gpu: section says it\n");
    outcome_free(&got);
}
END_TEST

/* conda env export drops the section. */
START_TEST(last_source)
{
    must_apply();
    sandbox_write(&box, "exported.yml", "name: pt\n");
    struct outcome got = on_prefix("apply", "-f", "exported.yml");
    char *line =
        format_text("  The hooks in %s were made from %s/environment.yml.\n", prefix, box.root);
    ck_assert_int_eq(got.status, 2);
    ck_assert_ptr_nonnull(strstr(got.err, line));
    outcome_free(&got);
    sandbox_remove(&box, inside("etc"));
    got = on_prefix("apply", "-f", "exported.yml");
    ck_assert_ptr_null(strstr(got.err, "were made from"));
    outcome_free(&got);
    free(line);
}
END_TEST

/* A path that a clone or a move makes wrong. */
START_TEST(own_path)
{
    scope(free_text) char *text =
        rooted("gpu:\n  devices: 1\n  variables:\n    A: @\n    B: x:@/lib\n"
               "    C: {prepend: '@:x'}\n    D: @2\n    E: ${CONDA_PREFIX}\n",
               prefix);
    static const char note[] =
        "note: environment.yml: gpu.variables.%c: the value holds this environment's own path; "
        "write "
        "${CONDA_PREFIX} for it, so that it stays right in a clone and after a move\n";
    scope(strbuf_release) struct strbuf wanted = STRBUF_INIT;

    sandbox_write(&box, "environment.yml", text);
    for (char name = 'A'; name <= 'C'; name++)
        strbuf_addf(&wanted, note, name);
    struct outcome got = on_prefix("apply", NULL, NULL);
    ck_assert_str_eq(got.err, strbuf_text(&wanted));
    outcome_free(&got);
}
END_TEST

/* A hand-written hook, and the section that is offered for it: a shell has the same either way. */
static const char *const written_by_hand[] = {
    "export CUDA_VISIBLE_DEVICES=1,0\nexport OMP_NUM_THREADS=4\n",
    "CUDA_VISIBLE_DEVICES=2\nexport CUDA_VISIBLE_DEVICES\nunset MKL_NUM_THREADS\n",
    "export CUDA_VISIBLE_DEVICES=-1 TEXT='it'\\''s \"$5\" \\ x: {y} # z'\n",
    "export LIST=$CONDA_PREFIX/lib:$LIST\nexport LIST=/more${LIST:+:$LIST}\n",
    "export FLAGS=\"$FLAGS -O2 -g\"\nexport EMPTY=\nexport LINES_='a\nb'\n",
    "export NEW=$NEW:/a\nexport NEW=$NEW:/b\nexport NULL_=null TRUE_=true ZERO=08 TILDE='~'\n",
};

/* The environment, without what hooks keep and without what CUDA_VISIBLE_DEVICES brings with it. */
static char *environment_in_shell(void)
{
    struct outcome got = run_script(
        "CONDA_PREFIX=$PWD/envs/pt CONDA_SHLVL=1 LIST=/old:/er FLAGS=-x MKL_NUM_THREADS=2 NEW=/n\n"
        "export CONDA_PREFIX CONDA_SHLVL LIST FLAGS MKL_NUM_THREADS NEW\n"
        "for script in envs/pt/etc/conda/activate.d/*.sh; do . \"$script\"; done\n"
        "env -0 | tr '\\0\\n' '\\n|' | grep -v -e ^__CONDA_GPU_ -e ^CUDA_DEVICE_ORDER= -e ^_= | "
        "sort\n");
    char *values = strdup(got.out);

    outcome_free(&got);
    return values;
}

/* What is offered, without the two spaces before each line. */
static char *offered(const char *message)
{
    static const char head[] = "as a section for --replace:\n";
    struct strbuf section = STRBUF_INIT;
    const char *at = strstr(message, head);

    ck_assert_msg(at != NULL, "%s", message);
    for (at += strlen(head); strncmp(at, "  What", 6) != 0 && *at; at += strcspn(at, "\n") + 1)
        strbuf_addf(&section, "%.*s\n", (int)strcspn(at + 2, "\n"), at + 2);
    return strbuf_take(&section);
}

START_TEST(offer_does_the_same)
{
    sandbox_write(&box, inside(A "env_vars.sh"), written_by_hand[_i]);
    scope(free_text) char *before = environment_in_shell();
    ck_assert_ptr_nonnull(strstr(before, "\nLIST=/"));
    struct outcome got = on_prefix("apply", NULL, NULL);
    ck_assert_int_eq(got.status, 4);
    scope(free_text) char *section = offered(got.err);
    outcome_free(&got);
    sandbox_write(&box, "environment.yml", section);
    got = on_prefix("apply", "--replace", NULL);
    ck_assert_msg(got.status == 0, "%s\n%s", section, got.err);
    outcome_free(&got);
    scope(free_text) char *after = environment_in_shell();
    ck_assert_str_eq(after, before);
}
END_TEST

#define LOOP(tests, test, table) tcase_add_loop_test(tests, test, 0, sizeof table / sizeof *table)

static Suite *suite(void)
{
    Suite *suite = suite_create("command line: rivals");
    TCase *tests = tcase_create("");

    tcase_add_checked_fixture(tests, set_up, one_prefix_close);
    LOOP(tests, line_about_gpus, scripts);
    LOOP(tests, notes, others);
    LOOP(tests, offer_does_the_same, written_by_hand);
    tcase_add_test(tests, adopted);
    tcase_add_test(tests, variables_in_the_file);
    tcase_add_test(tests, last_source);
    tcase_add_test(tests, own_path);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return test_main(suite());
}
