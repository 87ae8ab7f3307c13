/*
 * Which environment is meant: -p, -n, the active one, the file's name, and every place in which a
 * name is looked for. In the tables, @ stands for the sandbox's folder.
 */
#include "support/sandboxed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST = 6 };

static void set_up(void)
{
    sandbox_write(&box, "environment.yml", "name: pt\ngpu: {devices: 1}\n");
}

/* Makes a conda environment of this folder. */
static void make_environment(const char *folder)
{
    char path[512];

    snprintf(path, sizeof path, "%s/conda-meta/history", folder);
    sandbox_write(&box, path, "");
}

static bool is_written(const char *folder)
{
    char path[512];

    snprintf(path, sizeof path, "%s/etc/conda/activate.d/env_vars.sh", folder);
    return sandbox_has(&box, path);
}

/* Runs with this environment and these arguments, in which @ is replaced. */
static struct outcome run(const char *const *variables, const char *const *arguments)
{
    char *env[MOST + 1] = {NULL}, *given[MOST + 1] = {NULL};

    for (size_t i = 0; i < MOST && variables[i]; i++)
        env[i] = rooted(variables[i], box.root);
    for (size_t i = 0; i < MOST && arguments[i]; i++)
        given[i] = rooted(arguments[i], box.root);
    struct outcome got = conda_gpu(&box, (const char *const *)env, given[0], given[1], given[2],
                                   given[3], given[4], given[5], NULL);
    for (size_t i = 0; i < MOST; i++) {
        free(env[i]);
        free(given[i]);
    }
    return got;
}

static void check_text(const char *got, const char *wanted)
{
    check_rooted(got, wanted, box.root);
}

/* The first line of the output. */
static void check_first_line(const char *got, const char *wanted)
{
    char *line = strndup(got, strcspn(got, "\n"));

    check_text(line, wanted);
    free(line);
}

/* Places of names. */

static const struct location {
    const char *folder; /* where the environment is */
    const char *variables[MOST];
    const char *file, *text; /* a file that is needed */
} places[] = {
    {"a/pt", {"CONDA_ENVS_PATH=@/a"}, NULL, NULL},
    {"a/pt", {"CONDA_ENVS_PATH=@/none:@/a:@/other"}, NULL, NULL},
    {"a/pt", {"CONDA_ENVS_PATH=::@/a/"}, NULL, NULL},
    {"home/a/pt", {"CONDA_ENVS_PATH=~/a"}, NULL, NULL},
    {"b/pt", {"CONDA_ENVS_DIRS=@/b"}, NULL, NULL},
    {"conda/envs/pt", {"CONDA_EXE=@/conda/bin/conda"}, NULL, NULL},
    {"mamba/envs/pt", {"MAMBA_ROOT_PREFIX=@/mamba"}, NULL, NULL},
    {"forge/envs/pt", {"MAMBA_EXE=@/forge/bin/mamba"}, NULL, NULL},
    {"home/mine/pt", {NULL}, "home/.condarc", "envs_dirs:\n  - ~/mine\n"},
    {"data/x/pt", {"DATA=@/data"}, "home/.condarc", "envs_dirs: [/none, $DATA/x]\n"},
    {"data/pt", {"DATA=@/dat"}, "home/.condarc", "envs_dirs: ['${DATA}a']\n"},
    {"$NOT_SET/pt",
     {NULL},
     "home/.condarc",
     "channels: [conda-forge]\nenvs_dirs:\n  - $NOT_SET\nauto_activate_base: false\n"},
    {"home/.conda/envs/pt", {NULL}, NULL, NULL},
};

static void make_place(const struct location *place)
{
    make_environment(place->folder);
    if (place->file) {
        char *text = rooted(place->text, box.root);
        sandbox_write(&box, place->file, text);
        free(text);
    }
}

static const char *const by_name[] = {"apply", "-n", "pt", NULL};
static const char *const by_file[] = {"apply", NULL};
static const char *const nothing[] = {NULL};

START_TEST(a_place)
{
    const struct location *place = &places[_i / 2];
    char line[256];

    make_place(place);
    snprintf(line, sizeof line, "environment  pt  @/%s", place->folder);
    struct outcome got = run(place->variables, _i % 2 ? by_file : by_name);
    ck_assert_str_eq(got.err, "");
    ck_assert_int_eq(got.status, 0);
    check_first_line(got.out, line);
    ck_assert(is_written(place->folder));
    outcome_free(&got);
}
END_TEST

/* Where several have an environment of this name, conda's first is taken. Each in turn is made the
   first that is left. ROOT is conda's installation; may it be written to? */
static void check_order(const char *const *folders)
{
    static const char *const variables[] = {"CONDA_ENVS_PATH=@/a", "CONDA_EXE=@/conda/bin/conda",
                                            "MAMBA_ROOT_PREFIX=@/mamba",
                                            "MAMBA_EXE=@/forge/bin/mamba", NULL};
    char path[256];

    sandbox_write(&box, "home/.condarc", "envs_dirs: [~/mine]\n");
    sandbox_write(&box, "conda/.condarc", "envs_dirs: [~/team]\n");
    for (size_t i = 0; folders[i]; i++) {
        snprintf(path, sizeof path, "%s/pt", folders[i]);
        make_environment(path);
    }
    for (size_t i = 0; folders[i]; i++) {
        struct outcome got = run(variables, by_name);
        snprintf(path, sizeof path, "environment  pt  @/%s/pt", folders[i]);
        check_first_line(got.out, path);
        outcome_free(&got);
        snprintf(path, sizeof path, "@/%s/pt", folders[i]);
        char *from = rooted(path, box.root);
        snprintf(path, sizeof path, "@/%s/gone", folders[i]);
        char *to = rooted(path, box.root);
        ck_assert_int_eq(rename(from, to), 0);
        free(from);
        free(to);
    }
}

START_TEST(order_of_places)
{
    static const char *const folders[] = {
        "a",          "home/mine",  "home/team",        "conda/envs",
        "mamba/envs", "forge/envs", "home/.conda/envs", NULL};

    make_environment("conda");
    check_order(folders);
}
END_TEST

START_TEST(order_with_an_installation_of_others)
{
    static const char *const folders[] = {
        "a",          "home/mine",  "home/team",  "home/.conda/envs",
        "conda/envs", "mamba/envs", "forge/envs", NULL};

    sandbox_write(&box, "conda/file", "");
    check_order(folders);
}
END_TEST

/* conda takes a folder of the name whatever is in it, so nothing is written elsewhere. */
START_TEST(first_is_no_environment)
{
    static const char *const variables[] = {"CONDA_ENVS_PATH=@/a:@/b", NULL};

    sandbox_write(&box, "a/pt/file", "");
    make_environment("b/pt");
    struct outcome got = run(variables, by_name);
    check_text(got.err, "@/a/pt: not a conda environment, since it has no conda-meta folder; name "
                        "one with -p, or create it with 'conda env create'\n");
    ck_assert_int_eq(got.status, 4);
    ck_assert(!is_written("b/pt"));
    outcome_free(&got);
}
END_TEST

START_TEST(similar_name)
{
    static const char *const variables[] = {"CONDA_ENVS_PATH=@/a:@/b", NULL};
    static const char *const pt2[] = {"apply", "-n", "pt2", NULL};
    char *listed = rooted("@/far/pt2\n@/gone/pt2\r\n@/b/pt\n", box.root);

    make_environment("a/tf");
    make_environment("a/pt");
    make_environment("b/other");
    sandbox_write(&box, "b/pt2x/file", "");
    make_environment("far/pt2");
    sandbox_write(&box, "home/.conda/environments.txt", listed);
    struct outcome got = run(variables, pt2);
    check_text(got.err,
               "no environment 'pt2'; did you mean 'pt'? If not, create it with 'conda env "
               "create', or name its folder with -p. Searched:\n"
               "  @/a: pt, tf\n"
               "  @/b: other\n"
               "  @/home/.conda/envs\n"
               "  nowhere else: this shell knows no conda (CONDA_EXE is unset)\n"
               "  one of this name is elsewhere; to take it: -p @/far/pt2\n");
    ck_assert_int_eq(got.status, 4);
    outcome_free(&got);
    free(listed);
}
END_TEST

/* What is asked for cannot be had: status 4, and nothing is written anywhere. */

#define NO_CONDA "  nowhere else: this shell knows no conda (CONDA_EXE is unset)\n"
#define CREATE   "; create it with 'conda env create', or name its folder with -p. Searched:\n"

static const struct failure {
    const char *variables[MOST];
    const char *arguments[MOST];
    const char *file; /* NULL: that of set_up */
    const char *message;
} failures[] = {
    {{NULL},
     {"apply", "-n", "nope"},
     NULL,
     "no environment 'nope'" CREATE "  @/home/.conda/envs\n" NO_CONDA},
    {{"HOME="},
     {"apply", "-n", "nope"},
     NULL,
     "no environment 'nope'" CREATE "  nowhere: this shell knows no conda (CONDA_EXE is unset)\n"},
    {{"CONDA_ENVS_PATH=@/a:@/c", "CONDA_ENVS_DIRS=@/b", "CONDA_EXE=@/conda/bin/conda",
      "MAMBA_ROOT_PREFIX=@/mamba", "MAMBA_EXE=@/forge/bin/mamba"},
     {"apply"},
     "name: other\ngpu: {devices: 1}\n",
     "no environment 'other'" CREATE "  @/a\n  @/c\n  @/b\n  @/conda/envs\n"
     "  @/mamba/envs\n  @/forge/envs\n  @/home/.conda/envs\n"},
    {{NULL},
     {"apply"},
     "gpu: {devices: 1}\n",
     "no environment: none is active (base does not count), and the file has no 'name:'; activate "
     "one, or name it with -n NAME or -p PREFIX\n"},
    {{"CONDA_PREFIX="},
     {"apply"},
     "name:\ngpu: {devices: 1}\n",
     "no environment: none is active (base does not count), and the file has no 'name:'; activate "
     "one, or name it with -n NAME or -p PREFIX\n"},
    {{NULL},
     {"apply"},
     "name: null\ngpu: {devices: 1}\n",
     "no environment: none is active (base does not count), and the file has no 'name:'; activate "
     "one, or name it with -n NAME or -p PREFIX\n"},
    {{"CONDA_PREFIX=@/conda", "CONDA_EXE=@/conda/bin/conda"},
     {"apply"},
     "gpu: {devices: 1}\n",
     "no environment: none is active (base does not count), and the file has no 'name:'; activate "
     "one, or name it with -n NAME or -p PREFIX\n"},
    {{"CONDA_PREFIX=@/conda", "CONDA_DEFAULT_ENV=base"},
     {"apply"},
     "gpu: {devices: 1}\n",
     "no environment: none is active (base does not count), and the file has no 'name:'; activate "
     "one, or name it with -n NAME or -p PREFIX\n"},
    {{NULL}, {"apply", "-n", "a/b"}, NULL, "'a/b' is no name but a path; give it with -p\n"},
    {{NULL},
     {"apply"},
     "name: ../x\ngpu: {devices: 1}\n",
     "'../x' is no name but a path; give it with -p\n"},
    {{"CONDA_ENVS_PATH=@/conda"},
     {"apply", "-n", ".."},
     NULL,
     "'..' is no name but a path; give it with -p\n"},
    {{"CONDA_ENVS_PATH=@/conda"},
     {"remove", "-n", "."},
     NULL,
     "'.' is no name but a path; give it with -p\n"},
    {{"CONDA_ENVS_PATH=@/conda/envs"},
     {"apply"},
     "name: ..\ngpu: {devices: 1}\n",
     "'..' is no name but a path; give it with -p\n"},
    {{"CONDA_ENVS_PATH=@/conda"},
     {"apply"},
     "name: .\ngpu: {devices: 1}\n",
     "'.' is no name but a path; give it with -p\n"},
    {{NULL},
     {"apply", "-p", "@/nope"},
     NULL,
     "@/nope: No such file or directory; name the environment's folder with -p\n"},
    {{NULL},
     {"apply", "-p", "environment.yml"},
     NULL,
     "environment.yml: a file, and -p names the folder of an environment; an environment file is "
     "named with -f\n"},
    {{NULL},
     {"remove", "-p", "environment.yml"},
     NULL,
     "environment.yml: a file, and -p names the folder of an environment\n"},
    {{NULL},
     {"apply", "-p", "@/home"},
     NULL,
     "@/home: not a conda environment, since it has no conda-meta folder; name one with -p, or "
     "create it with 'conda env create'\n"},
    {{"CONDA_PREFIX=@/gone"},
     {"apply"},
     NULL,
     "@/gone: No such file or directory; name the environment's folder with -p\n"},
    {{"CONDA_PREFIX=@/home"},
     {"apply"},
     NULL,
     "@/home: not a conda environment, since it has no conda-meta folder; name one with -p, or "
     "create it with 'conda env create'\n"},
    {{NULL},
     {"apply", "-n", "base"},
     NULL,
     "base is the environment of conda itself, and this shell knows no conda (CONDA_EXE is unset); "
     "name its folder with -p\n"},
    {{"CONDA_EXE=@/none/bin/conda"},
     {"apply", "-n", "base"},
     NULL,
     "no environment 'base'" CREATE "  @/none\n"},
    {{NULL},
     {"remove", "-n", "nope"},
     NULL,
     "no environment 'nope'; name its folder with -p. Searched:\n  @/home/.conda/envs\n" NO_CONDA},
    {{NULL},
     {"remove"},
     NULL,
     "no environment: none is active (base does not count); activate one, or name it with -n NAME "
     "or -p PREFIX\n"},
};

START_TEST(a_failure)
{
    const struct failure *failure = &failures[_i];

    make_environment("conda");
    if (failure->file)
        sandbox_write(&box, "environment.yml", failure->file);
    struct outcome got = run(failure->variables, failure->arguments);
    check_text(got.err, failure->message);
    ck_assert_str_eq(got.out, "");
    ck_assert_int_eq(got.status, 4);
    ck_assert(!is_written("conda"));
    outcome_free(&got);
}
END_TEST

/* Which one is taken. Those that exist: act, pt, conda (an installation, so base) and its envs/pt;
   link is a symbolic link to act. */

static const struct taking {
    const char *variables[MOST];
    const char *arguments[MOST];
    const char *file;
    const char *line; /* the output's first */
    const char *note;
} takings[] = {
    {{"CONDA_PREFIX=@/e/act"},
     {"apply"},
     "name: act\ngpu: {devices: 1}\n",
     "environment  act  @/e/act",
     ""},
    {{"CONDA_PREFIX=@/e/act"}, {"apply"}, "gpu: {devices: 1}\n", "environment  act  @/e/act", ""},
    {{"CONDA_PREFIX=@/e/act"},
     {"apply"},
     "name: pt\ngpu: {devices: 1}\n",
     "environment  act  @/e/act",
     "note: using the active environment 'act', though environment.yml names 'pt'; -n chooses "
     "another\n"},
    {{"CONDA_PREFIX=@/e/act"}, {"apply", "-q"}, "name: pt\ngpu: {devices: 1}\n", "", ""},
    {{"CONDA_PREFIX=@/e/act", "CONDA_ENVS_PATH=@/e"},
     {"apply", "-n", "pt"},
     "name: act\ngpu: {devices: 1}\n",
     "environment  pt  @/e/pt",
     ""},
    {{"CONDA_PREFIX=@/e/act"},
     {"apply", "-p", "e/pt"},
     "name: act\ngpu: {devices: 1}\n",
     "environment  pt  @/e/pt",
     ""},
    {{"CONDA_PREFIX=", "CONDA_ENVS_PATH=@/e"},
     {"apply"},
     "name: pt\ngpu: {devices: 1}\n",
     "environment  pt  @/e/pt",
     ""},
    {{"CONDA_PREFIX=@/conda", "CONDA_DEFAULT_ENV=base", "CONDA_EXE=@/conda/bin/conda"},
     {"apply"},
     "name: pt\ngpu: {devices: 1}\n",
     "environment  pt  @/conda/envs/pt",
     ""},
    {{"CONDA_EXE=@/conda/bin/conda"},
     {"apply", "-n", "base"},
     "name: pt\ngpu: {devices: 1}\n",
     "environment  base  @/conda",
     ""},
    {{"MAMBA_ROOT_PREFIX=@/conda"},
     {"apply", "-n", "root"},
     "name: pt\ngpu: {devices: 1}\n",
     "environment  base  @/conda",
     ""},
    {{"MAMBA_ROOT_PREFIX=@/conda"},
     {"apply"},
     "name: root\ngpu: {devices: 1}\n",
     "environment  base  @/conda",
     ""},
    {{"CONDA_PREFIX=@/conda", "CONDA_EXE=@/conda/bin/conda"},
     {"apply"},
     "name: root\ngpu: {devices: 1}\n",
     "environment  base  @/conda",
     ""},
    {{"CONDA_EXE=@/conda/bin/conda"},
     {"apply", "-p", "@/conda"},
     "name: pt\ngpu: {devices: 1}\n",
     "environment  base  @/conda",
     ""},
    {{NULL},
     {"apply", "-p", "~/../e/pt/"},
     "name: pt\ngpu: {devices: 1}\n",
     "environment  pt  @/e/pt",
     ""},
    {{NULL},
     {"apply", "--prefix", "e/link"},
     "name: pt\ngpu: {devices: 1}\n",
     "environment  act  @/e/act",
     ""},
    {{"CONDA_ENVS_PATH=@/e"},
     {"apply"},
     "name: link\ngpu: {devices: 1}\n",
     "environment  act  @/e/act",
     ""},
    {{"CONDA_ENVS_PATH=@/e"},
     {"apply", "-n", "link"},
     "name: pt\ngpu: {devices: 1}\n",
     "environment  act  @/e/act",
     ""},
    {{"CONDA_ENVS_PATH=@/e"},
     {"apply"},
     "name: pt\nprefix: @/e/act\ngpu: {devices: 1}\n",
     "environment  pt  @/e/pt",
     ""},
    {{"CONDA_PREFIX=@/e/act"},
     {"remove"},
     "name: pt\ngpu: {devices: 1}\n",
     "environment  act  @/e/act",
     "note: this shell has the environment active and keeps its GPU settings; a new shell does not "
     "have them\n"},
    {{"CONDA_PREFIX=@/conda", "CONDA_EXE=@/conda/bin/conda"},
     {"remove", "-n", "base"},
     "name: pt\n",
     "environment  base  @/conda",
     "note: this shell has the environment active and keeps its GPU settings; a new shell does not "
     "have them\n"},
};

START_TEST(a_taking)
{
    const struct taking *taking = &takings[_i];
    char *link = sandbox_path(&box, "e/link"), *file = rooted(taking->file, box.root);

    make_environment("e/act");
    make_environment("e/pt");
    make_environment("conda");
    make_environment("conda/envs/pt");
    ck_assert_int_eq(symlink("act", link), 0);
    sandbox_write(&box, "environment.yml", file);
    struct outcome got = run(taking->variables, taking->arguments);
    check_text(got.err, taking->note);
    ck_assert_int_eq(got.status, 0);
    check_first_line(got.out, taking->line);
    ck_assert_int_eq(is_written("e/act") + is_written("e/pt") + is_written("conda") +
                         is_written("conda/envs/pt"),
                     strcmp(taking->arguments[0], "apply") == 0);
    free(link);
    free(file);
    outcome_free(&got);
}
END_TEST

/* An unreadable or odd ~/.condarc says nothing and stops nobody. */
static const char *const odd_condarcs[] = {
    "",       "- a list\n", "envs_dirs: text\n",    "envs_dirs:\n",      "envs_dirs: [[a]]\n",
    "x: [\n", "\xff\n",     "envs_dirs: &a [*a]\n", "a: 1\n---\nb: 2\n",
};

START_TEST(odd_condarc)
{
    make_environment("home/.conda/envs/pt");
    sandbox_write(&box, "home/.condarc", odd_condarcs[_i]);
    struct outcome got = run(nothing, by_name);
    ck_assert_str_eq(got.err, "");
    ck_assert_int_eq(got.status, 0);
    outcome_free(&got);
}
END_TEST

/* The command that takes the values up, as the shell that has the environment active needs it. */
static const struct active {
    const char *variables[MOST];
    const char *command;
} actives[] = {
    {{"CONDA_PREFIX=@/e/pt", "CONDA_DEFAULT_ENV=pt", "CONDA_EXE=@/conda/bin/conda"},
     "  conda activate pt\n"},
    {{"CONDA_PREFIX=@/e/pt", "CONDA_DEFAULT_ENV=a b", "CONDA_EXE=/c/bin/conda"},
     "  conda activate 'a b'\n"},
    {{"CONDA_PREFIX=@/e/pt"}, "  conda activate @/e/pt\n"},
    {{"CONDA_PREFIX=@/e/pt", "CONDA_DEFAULT_ENV=pt", "MAMBA_EXE=/m/bin/micromamba"},
     "  micromamba activate pt\n"},
    {{"CONDA_PREFIX=@/e/pt", "CONDA_DEFAULT_ENV=pt", "MAMBA_EXE=/m/bin/mamba",
      "CONDA_EXE=/m/bin/conda"},
     "  conda activate pt\n"},
};

START_TEST(command_for_active)
{
    static const char said[] = "this shell has it active; to take the new values up, run:\n";

    make_environment("e/pt");
    struct outcome got = run(actives[_i].variables, by_file);
    ck_assert_int_eq(got.status, 0);
    const char *at = strstr(got.out, said);
    ck_assert_ptr_nonnull(at);
    check_text(at + strlen(said), actives[_i].command);
    outcome_free(&got);
}
END_TEST

/* And as a shell needs it that has another one active, or none. */
static const struct next {
    const char *arguments[MOST];
    const char *command;
} nexts[] = {
    {{"apply"}, "to use it, run:\n  conda activate pt\n"},
    {{"apply", "-n", "pt"}, "to use it, run:\n  conda activate pt\n"},
    {{"apply", "-p", "home/.conda/envs/a b"},
     "to use it, run:\n  conda activate '@/home/.conda/envs/a b'\n"},
};

START_TEST(command_for_passive)
{
    make_environment("home/.conda/envs/pt");
    make_environment("home/.conda/envs/a b");
    struct outcome got = run(nothing, nexts[_i].arguments);
    char *wanted = rooted(nexts[_i].command, box.root);
    size_t length = strlen(wanted);
    ck_assert_uint_gt(got.out_length, length);
    ck_assert_str_eq(got.out + got.out_length - length, wanted);
    free(wanted);
    outcome_free(&got);
}
END_TEST

START_TEST(no_command_where_taken_up)
{
    static const char *const taken[] = {"CONDA_PREFIX=@/e/pt", "CUDA_VISIBLE_DEVICES=1", NULL};
    static const char *const passive[] = {"CONDA_PREFIX=", NULL};
    static const char *const by_path[] = {"apply", "-p", "e/pt", NULL};

    make_environment("e/pt");
    struct outcome got = run(passive, by_path);
    ck_assert_ptr_null(strstr(got.out, "this shell"));
    outcome_free(&got);
    got = run(taken, by_file);
    ck_assert_ptr_nonnull(strstr(got.out, "unchanged"));
    ck_assert_ptr_null(strstr(got.out, "this shell"));
    outcome_free(&got);
}
END_TEST

#define LOOP(tests, test, table) tcase_add_loop_test(tests, test, 0, sizeof table / sizeof *table)

static Suite *suite(void)
{
    Suite *suite = suite_create("command line: environments");
    TCase *tests = tcase_create("");

    sandboxed(tests);
    tcase_add_checked_fixture(tests, set_up, NULL);
    tcase_add_loop_test(tests, a_place, 0, 2 * sizeof places / sizeof *places);
    tcase_add_test(tests, order_of_places);
    tcase_add_test(tests, order_with_an_installation_of_others);
    tcase_add_test(tests, first_is_no_environment);
    tcase_add_test(tests, similar_name);
    LOOP(tests, a_failure, failures);
    LOOP(tests, a_taking, takings);
    LOOP(tests, odd_condarc, odd_condarcs);
    LOOP(tests, command_for_active, actives);
    LOOP(tests, command_for_passive, nexts);
    tcase_add_test(tests, no_command_where_taken_up);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return test_main(suite());
}
