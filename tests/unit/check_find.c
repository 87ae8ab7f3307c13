/*
 * The modules that find the environment: prefix and condarc. Every place of every name, through
 * the command line, is in check_cli_prefix.c.
 */
#include "support/sandboxed.h"

#include "base/scope.h"
#include "conda/condarc.h"
#include "conda/find.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void set_up(void)
{
    sandbox_write(&box, "base/conda-meta/history", "");
    sandbox_write(&box, "plain/file", "");
    scope(free_text) char *link = sandbox_path(&box, "link");
    ck_assert_int_eq(symlink("envs/pt", link), 0);
}

/* Finds with the sandbox's paths put behind NAME=. */
static int find(struct environment *prefix, const char *path, const char *name,
                const char *file_name, const char *active, struct error *err)
{
    scope(free_text) char *home = format_text("HOME=%s/home", box.root);
    scope(free_text) char *envs = format_text("CONDA_ENVS_PATH=%s/envs", box.root);
    scope(free_text) char *exe = format_text("CONDA_EXE=%s/base/bin/conda", box.root);
    scope(free_text) char *current =
        active ? format_text("CONDA_PREFIX=%s%s", *active ? box.root : "", active)
               : format_text("NOTHING=");
    scope(free_text) char *given = path ? sandbox_path(&box, path) : NULL;
    char *const env[] = {home, envs, exe, current, NULL};
    const struct find_wish wish = {.path = given, .name = name, .file_name = file_name, .env = env};

    return find_environment(prefix, &wish, err);
}

static const struct {
    const char *path, *name, *file_name, *active;
    const char *found; /* below the root; NULL: an error */
    const char *called;
    bool is_active;
} cases[] = {
    {"envs/pt", NULL, NULL, NULL, "envs/pt", "pt", false},
    {"envs/pt/", NULL, NULL, NULL, "envs/pt", "pt", false},
    {"envs/../envs/pt/.", NULL, NULL, NULL, "envs/pt", "pt", false},
    {"link", NULL, NULL, NULL, "envs/pt", "pt", false},
    {"link", NULL, NULL, "/envs/pt", "envs/pt", "pt", true},
    {"envs/pt", NULL, NULL, "/link", "envs/pt", "pt", true},
    {"base", NULL, NULL, NULL, "base", "base", false},
    {"base", NULL, NULL, "/envs/pt", "base", "base", false},
    {NULL, "pt", NULL, NULL, "envs/pt", "pt", false},
    {NULL, "pt", "other", "/base", "envs/pt", "pt", false},
    {NULL, "base", NULL, NULL, "base", "base", false},
    {NULL, "root", NULL, "/base", "base", "base", true},
    {NULL, NULL, NULL, "/envs/pt", "envs/pt", "pt", true},
    {NULL, NULL, "other", "/envs/pt", "envs/pt", "pt", true},
    {NULL, NULL, "pt", "/base", "envs/pt", "pt", false},
    {NULL, NULL, "pt", "", "envs/pt", "pt", false},
    {NULL, NULL, "pt", NULL, "envs/pt", "pt", false},
    {"plain", NULL, NULL, "/envs/pt", NULL, NULL, false},
    {"plain/file", NULL, NULL, NULL, NULL, NULL, false},
    {"nowhere", NULL, NULL, NULL, NULL, NULL, false},
    {NULL, "nope", NULL, "/envs/pt", NULL, NULL, false},
    {NULL, "envs/pt", NULL, NULL, NULL, NULL, false},
    {NULL, ".", NULL, NULL, NULL, NULL, false},
    {NULL, NULL, NULL, NULL, NULL, NULL, false},
    {NULL, NULL, NULL, "/base", NULL, NULL, false},
    {NULL, NULL, NULL, "", NULL, NULL, false},
    {NULL, NULL, "nope", "/base", NULL, NULL, false},
    {NULL, NULL, "pt", "/gone", NULL, NULL, false},
};

START_TEST(prefix_is_found)
{
    struct environment prefix = {0};
    scope(error_release) struct error err = ERROR_INIT;

    int result =
        find(&prefix, cases[_i].path, cases[_i].name, cases[_i].file_name, cases[_i].active, &err);
    if (!cases[_i].found) {
        ck_assert_int_eq(result, -1);
        ck_assert_int_eq(err.status, STATUS_PREFIX);
        ck_assert_uint_ge(err.count, 1);
        ck_assert_ptr_null(prefix.path);
        return;
    }
    scope(free_text) char *wanted = sandbox_path(&box, cases[_i].found);
    scope(free_text) char *real = realpath(wanted, NULL);
    ck_assert_msg(result == 0, "%s", error_text(&err));
    ck_assert_str_eq(prefix.path, real);
    ck_assert_str_eq(prefix.name, cases[_i].called);
    ck_assert_int_eq(prefix.active, cases[_i].is_active);
    environment_release(&prefix);
    environment_release(&prefix);
}
END_TEST

/* An environment with nothing in it, as in a container or cron. */
START_TEST(prefix_without_environment)
{
    struct environment prefix = {0};
    scope(error_release) struct error err = ERROR_INIT;
    char *const env[] = {NULL};
    const struct find_wish by_name = {.name = "pt", .env = env}, by_nothing = {.env = env};

    ck_assert_int_eq(find_environment(&prefix, &by_name, &err), -1);
    ck_assert_int_eq(find_environment(&prefix, &by_nothing, &err), -1);
    ck_assert_int_eq(err.status, STATUS_PREFIX);
}
END_TEST

/* What conda's configuration takes for its installation is it. */
START_TEST(installation_is_moved)
{
    static const char *const names[] = {"pt", "base"};
    static const char *const folders[] = {"moved/envs/pt", "moved"};
    scope(environment_release) struct environment prefix = {0};
    scope(error_release) struct error err = ERROR_INIT;
    scope(free_text) char *exe = format_text("CONDA_EXE=%s/base/bin/conda", box.root);
    scope(free_text) char *root = format_text("CONDA_ROOT_PREFIX=%s/moved", box.root);
    scope(free_text) char *wanted = sandbox_path(&box, folders[_i]);
    char *const env[] = {exe, root, NULL};
    const struct find_wish wish = {.name = names[_i], .env = env};

    sandbox_write(&box, "base/envs/pt/conda-meta/history", "");
    sandbox_write(&box, "moved/envs/pt/conda-meta/history", "");
    sandbox_write(&box, "moved/conda-meta/history", "");
    ck_assert_int_eq(find_environment(&prefix, &wish, &err), 0);
    scope(free_text) char *real = realpath(wanted, NULL);
    ck_assert_str_eq(prefix.path, real);
    ck_assert_str_eq(prefix.name, names[_i]);
}
END_TEST

/* condarc: below, @ is the sandbox, whose `home` is the user's and `root` the installation. */

static void check_folders(const char *const *variables, const char *wanted)
{
    scope(condarc_release) struct condarc condarc = {0};
    scope(strbuf_release) struct strbuf found = STRBUF_INIT;
    scope(free_text) char *home = format_text("HOME=%s/home", box.root);
    scope(free_text) char *root = sandbox_path(&box, "root");
    char *env[8] = {home};

    for (size_t i = 0; variables && variables[i]; i++)
        env[i + 1] = rooted(variables[i], box.root);
    ck_assert_int_eq(condarc_read(&condarc, root, env), 0);
    for (size_t i = 0; i < condarc.envs_dirs.count; i++)
        strbuf_addf(&found, "%s|", condarc.envs_dirs.items[i]);
    if (condarc.root_prefix)
        strbuf_addf(&found, "root %s", condarc.root_prefix);
    check_rooted(strbuf_text(&found), wanted, box.root);
    for (size_t i = 1; env[i]; i++)
        free(env[i]);
}

static const struct {
    const char *text, *folders; /* each followed by | */
} condarcs[] = {
    {"envs_dirs:\n  - /a\n  - ~/b\n  - $C/d\n", "/a|@/home/b|$C/d|"},
    {"envs_dirs: [/a]\n", "/a|"},
    {"envs_path: [/a]\n", "/a|"},
    {"envs_dirs: []\n", ""},
    {"channels:\n  - conda-forge\nenvs_dirs:\n  - /a\nssl_verify: false\n", "/a|"},
    {"channel_alias: {a: [b, {c: d}]}\nenvs_dirs: [/a]\n", "/a|"},
    {"envs_dirs: [/a, /a]\n", "/a|"},
    {"envs_dirs: [&x /a, *x]\n", "/a|"},
    {"channels: [conda-forge]\n", ""},
    {"", ""},
    {"# nothing\n", ""},
    {"envs_dirs: /a\n", ""},
    {"envs_dirs:\n", ""},
    {"envs_dirs: {a: b}\n", ""},
    {"envs_dirs: [\n", ""},
    {"\xff\xfe", ""},
    {"[a]\n", ""},
    {"text\n", ""},
    {"envs_dirs:\n - /a\n - /b #!top\n - /c\n", "/b|/a|/c|"},
    {"envs_dirs:\n - /a #!bottom\n - /b  # bottom\n - /c\n", "/b|/c|/a|"},
    {"envs_dirs:\n - /a #bottom\n - '/b #!top' #!!top!#\n", "/b #!top|/a|"},
    {"envs_dirs:\n - /\303\244\342\202\254 #!bottom\n - /b#!top\n",
     "/b#!top|/\303\244\342\202\254|"},
    {"envs_dirs:\n - /a\n - /b\n   #!top\n - /c\n", "/b|/a|/c|"},
    {"envs_dirs:\n - /a\n - /b #!top\n # of all\n - /c\n", "/a|/b|/c|"},
    {"envs_dirs:\n - /a\n - /b #!topmost\n - /c #! top\n", "/a|/b|/c|"},
    {"envs_dirs: [/a #!bottom\n  , /b]\n", "/b|/a|"},
    {"root_prefix: ~/r\n", "root @/home/r"},
    {"root_dir: /r\nenvs_dirs: [/a]\n", "/a|root /r"},
    {"root_prefix: ''\n", ""},
};

START_TEST(condarc_folders)
{
    sandbox_write(&box, "home/.condarc", condarcs[_i].text);
    check_folders(NULL, condarcs[_i].folders);
}
END_TEST

/* All places, the most important first. Each names one folder. */
static const char *const rcs[] = {
    "named.yml",
    "active/condarc.d/a.yml",
    "active/condarc",
    "active/.condarc",
    "home/.condarc",
    "home/.conda/condarc.d/b.yaml",
    "home/.conda/condarc.d/a.yml",
    "home/.conda/condarc",
    "home/.conda/.condarc",
    "home/.config/conda/condarc",
    "home/.config/conda/.condarc",
    "xdg/conda/condarc.d/a.yml",
    "xdg/conda/.condarc",
    "root/condarc.d/a.yml",
    "root/.condarc",
};
enum { RCS = sizeof rcs / sizeof *rcs };
static const char *const all_places[] = {"CONDARC=@/named.yml", "CONDA_PREFIX=@/active",
                                         "XDG_CONFIG_HOME=@/xdg", NULL};

/* Those from `first` on, after what `before` says. */
static void check_rcs(const char *const *variables, const char *before, size_t first)
{
    scope(strbuf_release) struct strbuf wanted = STRBUF_INIT;

    strbuf_adds(&wanted, before);
    for (size_t i = first; i < RCS; i++)
        strbuf_addf(&wanted, "/%zu|", i);
    check_folders(variables, strbuf_text(&wanted));
}

static void write_rcs(const char *mark, size_t marked)
{
    for (size_t i = 0; i < RCS; i++) {
        scope(free_text) char *text =
            format_text("a: b\nenvs_dirs:%s\n - /%zu\n", i == marked ? mark : "", i);
        sandbox_write(&box, rcs[i], text);
    }
    sandbox_write(&box, "home/condarc", "envs_dirs: [/not_read]\n");
    sandbox_write(&box, "root/condarc.d/other.txt", "envs_dirs: [/not_read]\n");
    sandbox_write(&box, "root/condarc.d/folder.yml/file", "");
}

START_TEST(condarc_order)
{
    static const char *const with_variables[] = {"CONDARC=@/named.yml", "CONDA_PREFIX=@/active",
                                                 "XDG_CONFIG_HOME=@/xdg",
                                                 "CONDA_ENVS_PATH=/v: ~/w :", NULL};

    write_rcs("", 0);
    check_rcs(all_places, "", 0);
    check_rcs(with_variables, "/v|@/home/w|", 0);
}
END_TEST

/* `#!final` silences what would come before. */
START_TEST(condarc_final)
{
    static const char *const marks[] = {" #!final", "  # final?", " #!final \r", " #!finally",
                                        " #final!"};
    static const bool counts[] = {true, false, true, false, true};
    static const char *const variables[] = {"CONDA_ENVS_DIRS=/v", NULL};

    write_rcs(marks[_i], 8);
    if (counts[_i])
        check_rcs(all_places, "", 8);
    else
        check_rcs(all_places, "", 0);
    sandbox_write(&box, "root/.condarc", "envs_dirs: #!final\n - /root\n");
    check_folders(variables, "/root|");
    sandbox_write(&box, "root/.condarc", "envs_dirs: [/root] #!final\n");
    check_folders(variables, "/root|");
}
END_TEST

/* Marked by several files: the least important one's is searched very first, or very last. */
START_TEST(condarc_marks)
{
    static const char *const variables[] = {"CONDA_ENVS_DIRS=/x:/v", NULL};

    sandbox_write(&box, "root/.condarc",
                  "envs_dirs:\n - /t1 #!top\n - /x #!bottom\n - /b1 #!bottom\n - /m1\n");
    sandbox_write(&box, "home/.condarc",
                  "envs_dirs:\n - /t2 #!top\n - /b2 #!bottom\n - /x #!top\n - /b1\n - /m2\n");
    check_folders(variables, "/t1|/t2|/v|/m2|/m1|/b2|/x|/b1|");
}
END_TEST

/* The variable comes before all files but a final one. */
START_TEST(condarc_root_prefix)
{
    static const char *const variables[] = {"CONDA_ROOT_PREFIX=/v", NULL};

    sandbox_write(&box, "root/.condarc", "root_prefix: /a\n");
    sandbox_write(&box, "home/.condarc", "root_prefix: /b\n");
    check_folders(NULL, "root /b");
    check_folders(variables, "root /v");
    sandbox_write(&box, "root/.condarc", "root_prefix: /a #!final\n");
    check_folders(variables, "root /a");
}
END_TEST

/* A file under two names has the less important place. */
START_TEST(condarc_twice)
{
    static const char *const variables[] = {"CONDARC=~/.condarc", "CONDA_PREFIX=@/active", NULL};

    sandbox_write(&box, "home/.condarc", "envs_dirs: [/home]\n");
    sandbox_write(&box, "active/.condarc", "envs_dirs: [/active]\n");
    check_folders(variables, "/active|/home|");
}
END_TEST

/* Conda's installation stands for an environment where none is active. */
START_TEST(condarc_other_names)
{
    static const char *const other[] = {"CONDARC=@/other", NULL};
    static const char *const folder[] = {"CONDARC=@/rc.d", NULL};

    sandbox_write(&box, "other", "envs_dirs: [/a]\n");
    sandbox_write(&box, "rc.d/1.yml", "envs_dirs: [/1]\n");
    sandbox_write(&box, "rc.d/2.yml", "envs_dirs: [/2]\n");
    check_folders(other, "");
    check_folders(folder, "/2|/1|");
    scope(free_text) char *fifo = sandbox_path(&box, "rc.d/3.yml");
    ck_assert_int_eq(mkfifo(fifo, 0600), 0);
    check_folders(folder, "/2|/1|");
}
END_TEST

START_TEST(condarc_has_limits)
{
    scope(strbuf_release) struct strbuf text = STRBUF_INIT, wanted = STRBUF_INIT;
    scope(strbuf_release) struct strbuf deep = STRBUF_INIT;

    strbuf_adds(&text, "envs_dirs:\n");
    for (int i = 0; i < 1001; i++) {
        strbuf_addf(&text, "- /%d\n", i);
        if (i < 1000)
            strbuf_addf(&wanted, "/%d|", i);
    }
    sandbox_write(&box, "home/.condarc", text.text);
    check_folders(NULL, strbuf_text(&wanted));
    strbuf_adds(&deep, "channels: ");
    for (int i = 0; i < 1000000; i++)
        strbuf_addc(&deep, '[');
    sandbox_write(&box, "home/.condarc", deep.text);
    check_folders(NULL, "");
}
END_TEST

#define LOOP(tests, test, table) tcase_add_loop_test(tests, test, 0, sizeof table / sizeof *table)

static Suite *suite(void)
{
    Suite *suite = suite_create("prefix, condarc");
    TCase *tests = tcase_create("");

    sandboxed_with_environment(tests);
    tcase_add_checked_fixture(tests, set_up, NULL);
    LOOP(tests, prefix_is_found, cases);
    tcase_add_test(tests, prefix_without_environment);
    tcase_add_loop_test(tests, installation_is_moved, 0, 2);
    LOOP(tests, condarc_folders, condarcs);
    tcase_add_test(tests, condarc_order);
    tcase_add_loop_test(tests, condarc_final, 0, 5);
    tcase_add_test(tests, condarc_marks);
    tcase_add_test(tests, condarc_root_prefix);
    tcase_add_test(tests, condarc_twice);
    tcase_add_test(tests, condarc_other_names);
    tcase_add_test(tests, condarc_has_limits);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return test_main(suite());
}
