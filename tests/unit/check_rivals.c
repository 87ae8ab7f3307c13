/*
 * The modules rivals and conda_vars: who else sets a plan's variables in an environment. In the
 * tables, @ is the prefix.
 */
#include "support/support.h"

#include "base/scope.h"
#include "conda/rivals.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct sandbox box;
static char *prefix;
static struct var_list variables;

static void set_up(void)
{
    sandbox_open(&box);
    prefix = sandbox_environment(&box, "pt");
    vars_add(&variables, "CUDA_VISIBLE_DEVICES", VAR_SET, "1", NULL);
    vars_add(&variables, "SET", VAR_SET, "8", NULL);
    vars_add(&variables, "GONE", VAR_UNSET, NULL, NULL);
    vars_add(&variables, "LIST", VAR_PREPEND, "${CONDA_PREFIX}/lib", ":");
}

static void tear_down(void)
{
    vars_release(&variables);
    free(prefix);
    sandbox_close(&box);
}

static void write_file(const char *path, const char *text)
{
    scope(free_text) char *inside = format_text("envs/pt/%s", path);
    scope(free_text) char *full = rooted(text, prefix);

    sandbox_write(&box, inside, full);
}

static struct prefix open_it(void)
{
    struct prefix opened = PREFIX_INIT;
    scope(error_release) struct error err = ERROR_INIT;

    ck_assert_int_eq(prefix_open(&opened, prefix, &err), 0);
    return opened;
}

/* The first words of each sentence, up to the advice. */
static char *found(const struct hook_set *files)
{
    scope(rivals_release) struct rivals rivals = {0};
    struct strbuf out = STRBUF_INIT;

    scope(prefix_close) struct prefix opened = open_it();
    ck_assert_int_eq(rivals_find(&rivals, &opened, &variables, files), 0);
    for (size_t i = 0; i < rivals.count; i++) {
        scope(strbuf_release) struct strbuf line = STRBUF_INIT;
        rival_describe(&rivals.items[i], &opened, &line);
        const char *text = strbuf_text(&line);
        strbuf_addf(&out, "%.*s\n", (int)strcspn(text, ";("), text);
    }
    strbuf_adds(&out, "");
    return out.text ? strbuf_take(&out) : strdup("");
}

#define A "etc/conda/activate.d/"
#define D "etc/conda/deactivate.d/"

static const struct {
    const char *file, *text;
    const char *says; /* about all */
} cases[] = {
    {A "z.sh", "export SET=9\n", A "z.sh:1 sets SET after our hook, so the shell has SET=9\n"},
    {A "a.sh", "export SET=9\n", ""},
    {A "env_vars-adopted.sh", "export SET=9\n", ""},
    {A "env_vars.sh", "export SET=9\n", ""},
    {A "env_vars.sh.orig", "export SET=9\n", ""},
    {A "env_vars2.sh", "export SET=9\n",
     A "env_vars2.sh:1 sets SET after our hook, so the shell has SET=9\n"},
    {A "~cuda-nvcc_activate.sh", "\n[[ -z $X ]] || export SET=\"$SET -ccbin=$CXX\"\n",
     A "~cuda-nvcc_activate.sh:2 adds to, in some cases, SET after our hook, so then the shell has "
       "another value\n"},
    {A ".z.sh", "export SET=9\n", ""},
    {A "z.sh", "export SET=8\n", ""},
    {A "z.sh", "SET=9\nSET=8\nexport SET=7\n",
     A "z.sh:3 sets SET after our hook, so the shell has SET=7\n"},
    {A "z.sh", "unset SET GONE\n", A "z.sh:1 unsets SET after our hook, so the shell has no SET\n"},
    {A "z.sh", "export GONE=\"$CONDA_PREFIX/a b\"\n",
     A "z.sh:1 sets GONE after our hook, so the shell has GONE=@/a b\n"},
    {A "z.sh", "export LIST=/x:$LIST\n", ""},
    {A "z.sh", "export LIST=/x${LIST:+:$LIST}\n", ""},
    {A "z.sh", "export LIST=/x\n", A "z.sh:1 sets LIST after our hook, so the shell has LIST=/x\n"},
    {A "z.sh", "export OTHER=1\n", ""},
    {A "z.sh", "echo export SET=9\n# export SET=9\n", ""},
    {A "z.sh", "export CUDA_VISIBLE_DEVICES=0\n",
     A
     "z.sh:1 sets CUDA_VISIBLE_DEVICES after our hook, so the shell has CUDA_VISIBLE_DEVICES=0\n"},
    {A "z.fish", "set -gx SET 9\n", A "z.fish:1 sets SET after our hook, so the shell has SET=9\n"},
    {A "z.csh", "setenv SET 9\n", A "z.csh:1 sets SET after our hook, so the shell has SET=9\n"},
    {A "z.py", "export SET=9\n", ""},
    {D "a.sh", "unset SET\n",
     D "a.sh:1 unsets SET at deactivation, so it is not as it was before the activation\n"},
    {D "z.sh", "export SET=$OLD\n",
     D "z.sh:1 sets SET at deactivation, so it is not as it was before the activation\n"},
    {D "env_vars.sh", "unset SET\n", ""},
    {"conda-meta/state", "{\"env_vars\": {\"SET\": \"9\", \"OTHER\": \"1\"}}",
     "conda itself sets SET=9 in this environment, and after our hook has put back what was there, "
     "conda unsets or empties it\n"},
    {"conda-meta/state", "{\"env_vars\": {\"LIST\": \"***unset***\"}}",
     "'conda env config vars unset' has left \"LIST\": \"***unset***\" in \"env_vars\" in "
     "@/conda-meta/state, so that conda unsets or empties LIST after our hook has put back what "
     "was "
     "there\n"},
    {"conda-meta/state", "{\"env_vars\": {\"SET\": 9}}", ""},
    {"conda-meta/state", "{\"env_vars\": [\"SET\"]}", ""},
    {"conda-meta/state", "[]", ""},
    {"conda-meta/state", "{\"env_vars", ""},
    {"etc/conda/env_vars.d/p.json", "{\"SET\": \"9\"}", "a package has conda set SET=9 \n"},
    {"etc/conda/env_vars.d/p.txt", "{\"SET\": \"9\"}", ""},
};

START_TEST(rivals_are_found)
{
    const struct hook_set none = {0};

    write_file(cases[_i].file, cases[_i].text);
    scope(free_text) char *says = found(&none);
    check_rooted(says, cases[_i].says, prefix);
}
END_TEST

/* A script that ours sources only as far as it is in the prefix, and no deeper than there is sense
   in. */
START_TEST(sourced_scripts)
{
    const struct hook_set none = {0};

    write_file(A "z.sh",
               "[ -e x ] && . \"${CONDA_PREFIX}/share/setup.sh\"\nsource /etc/profile\n. ./x\n"
               ". $HOME/setup.sh\n");
    write_file("share/setup.sh", "export SET=1\nsource @/share/setup.sh\n. @//share/more.sh\n");
    write_file("share/more.sh", "export GONE=2\n");
    scope(free_text) char *says = found(&none);
    check_rooted(
        says,
        "share/setup.sh:1 sets, in some cases, SET after our hook, so then the shell has SET=1\n"
        "share/more.sh:1 sets, in some cases, GONE after our hook, so then the shell has GONE=2\n",
        prefix);
}
END_TEST

/* What this run gives a name beside our hook is not there yet. */
START_TEST(adopted_scripts)
{
    struct hook_file items[] = {
        {.path = (char *)A "env_vars.sh", .keep = (char *)A "env_vars-adopted.sh"},
        {.path = (char *)D "env_vars.sh", .keep = (char *)D "env_vars-adopted.sh"},
        {.path = (char *)D "env_vars.fish", .keep = (char *)D "env_vars.fish.orig"},
        {.path = (char *)D "env_vars.csh"},
    };
    const struct hook_set files = {items, 4, 4};

    strbuf_adds(&items[0].found, "export SET=9\n");
    strbuf_adds(&items[1].found, "\nunset SET\n");
    strbuf_adds(&items[2].found, "set -e SET\n");
    strbuf_adds(&items[3].found, "unsetenv SET\n");
    scope(free_text) char *says = found(&files);
    ck_assert_str_eq(says, D "env_vars-adopted.sh:2 unsets SET at deactivation, so it is not as it "
                             "was before the activation\n");
    for (size_t i = 0; i < 4; i++)
        strbuf_release(&items[i].found);
}
END_TEST

START_TEST(last_word)
{
    const struct hook_set none = {0};
    scope(rivals_release) struct rivals rivals = {0};

    write_file(A "y.sh", "export SET=1\n");
    write_file(A "z.sh", "export SET=2\n");
    write_file(D "y.sh", "export GONE=1\n");
    scope(prefix_close) struct prefix opened = open_it();
    ck_assert_int_eq(rivals_find(&rivals, &opened, &variables, &none), 0);
    ck_assert_str_eq(rivals_beat(&rivals, "SET")->value, "2");
    ck_assert_ptr_null(rivals_beat(&rivals, "GONE"));
    ck_assert_ptr_null(rivals_beat(&rivals, "LIST"));
}
END_TEST

/* What cannot be read is said, and nothing is waited for. */
START_TEST(odd_files)
{
    const struct hook_set none = {0};

    write_file(A "a.sh/file", "");
    scope(free_text) char *fifo = format_text("%s/" A "z.sh", prefix);
    scope(free_text) char *state = format_text("%s/conda-meta/state", prefix);
    scope(free_text) char *link = format_text("%s/" A "zz.sh", prefix);
    ck_assert_int_eq(mkfifo(fifo, 0600), 0);
    ck_assert_int_eq(mkfifo(state, 0600), 0);
    ck_assert_int_eq(symlink("../../../linked", link), 0);
    scope(free_text) char *says = found(&none);
    check_rooted(says, "@/" A "z.sh cannot be read \n@/conda-meta/state cannot be read \n", prefix);
    write_file("linked", "export SET=9\n");
    ck_assert_int_eq(unlink(fifo), 0);
    ck_assert_int_eq(unlink(state), 0);
    scope(free_text) char *more = found(&none);
    ck_assert_str_eq(more, A "zz.sh:1 sets SET after our hook, so the shell has SET=9\n");
}
END_TEST

#define LOOP(tests, test, table) tcase_add_loop_test(tests, test, 0, sizeof table / sizeof *table)

static Suite *suite(void)
{
    Suite *suite = suite_create("rivals");
    TCase *tests = tcase_create("");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    LOOP(tests, rivals_are_found, cases);
    tcase_add_test(tests, sourced_scripts);
    tcase_add_test(tests, adopted_scripts);
    tcase_add_test(tests, last_word);
    tcase_add_test(tests, odd_files);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return test_main(suite());
}
