/*
 * Whole environments before and after: apply, in all its manners, and then remove leave them as
 * they were, byte for byte and mode for mode; what apply adds has the mode and group that its
 * neighbours have; receipts that tell nothing, or of another place. Times of folders are not
 * compared: a name that comes and goes changes them, and to set them back would hide that.
 */
#include "support/one_prefix.h"

#include "base/scope.h"
#include "base/strbuf.h"
#include "support/trees.h"

#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ACTIVATE   "etc/conda/activate.d/"
#define DEACTIVATE "etc/conda/deactivate.d/"
#define RECEIPT    "etc/conda/conda-gpu.yml"

static const char *const plans[] = {"gpu: {devices: none, variables: {A: b}}\n",
                                    "gpu: {devices: [1, 3], variables: {C: d}}\n"};

static struct outcome run(const char *command, const char *option)
{
    return conda_gpu(&box, NULL, command, "-p", "envs/pt", option, NULL);
}

/* What it prints on stdout; malloc'ed. */
static char *must(const char *command, const char *option, const char *note)
{
    struct outcome got = run(command, option);

    ck_assert_msg(got.status == 0, "%s: %s", command, got.err);
    ck_assert_msg(strcmp(got.err, note) == 0, "%s: %s", command, got.err);
    free(got.err);
    return got.out;
}

static void apply(const char *plan, const char *option)
{
    sandbox_write(&box, "environment.yml", plan);
    free(must("apply", option, ""));
}

static void check_tree(const struct tree *wanted, const char *when)
{
    struct tree got = tree_read(prefix);
    scope(free_text) char *difference = tree_difference(&got, wanted);

    ck_assert_msg(!difference, "%s: %s", when, difference);
    tree_free(&got);
}

static void edit(const char *path)
{
    scope(free_text) char *text = sandbox_read(&box, inside(path), NULL);
    scope(free_text) char *edited = format_text("%sexport MINE=1\n", text);

    sandbox_write(&box, inside(path), edited);
}

/* Environments as apply may find them. */

enum { MOST_FILES = 8 };

static const struct start {
    const char *name;
    const char *files[MOST_FILES]; /* each holds its own name; one that ends in / is a folder */
    const char *moded;             /* the file or folder that has this mode; "": the root */
    mode_t mode;
    const char *option; /* what apply needs there */
} starts[] = {
    {"nothing", {NULL}, NULL, 0, NULL},
    {"an empty etc", {"etc/"}, "etc", 0700, NULL},
    {"empty folders", {ACTIVATE, DEACTIVATE}, ACTIVATE, 0711, NULL},
    {"others in etc", {"etc/ssl/cert.pem", "etc/conda/x.yml"}, "etc/ssl", 0750, NULL},
    {"others' hooks",
     {ACTIVATE "a.sh", ACTIVATE "z.sh", DEACTIVATE "a.fish"},
     ACTIVATE "a.sh",
     0755,
     NULL},
    {"names like ours",
     {ACTIVATE ".conda-gpu-mine", DEACTIVATE "env_vars.sh.orig", ACTIVATE "env_vars.zsh"},
     NULL,
     0,
     NULL},
    {"a group's", {"etc/x"}, "", 0775, NULL},
    {"a group's, with its group", {"etc/x"}, "", 02775, NULL},
    {"a private one", {NULL}, "", 0700, NULL},
    {"a group's, sticky", {ACTIVATE}, ACTIVATE, 01775, NULL},
    {"adopt sh", {ACTIVATE "env_vars.sh"}, ACTIVATE "env_vars.sh", 0600, "--adopt"},
    {"adopt all",
     {ACTIVATE "env_vars.sh", ACTIVATE "env_vars.fish", ACTIVATE "env_vars.csh",
      DEACTIVATE "env_vars.sh", DEACTIVATE "env_vars.fish", DEACTIVATE "env_vars.csh"},
     DEACTIVATE "env_vars.csh",
     0444,
     "--adopt"},
    {"replace",
     {ACTIVATE "env_vars.sh", ACTIVATE "env_vars.fish", ACTIVATE "env_vars.csh",
      DEACTIVATE "env_vars.sh"},
     ACTIVATE "env_vars.fish",
     0755,
     "--replace"},
    {"replace beside an earlier one",
     {ACTIVATE "env_vars.sh", ACTIVATE "env_vars.sh.orig", ACTIVATE "env_vars.sh.orig.1"},
     ACTIVATE "env_vars.sh.orig",
     0640,
     "--replace"},
    {"replace a receipt", {RECEIPT, RECEIPT ".orig"}, RECEIPT, 0600, "--replace"},
    {"force finds nothing", {ACTIVATE "other.sh"}, NULL, 0, "--force"},
};

enum { STARTS = sizeof starts / sizeof *starts };

static void make_start(const struct start *start)
{
    for (size_t i = 0; i < MOST_FILES && start->files[i]; i++) {
        const char *name = start->files[i];
        scope(free_text) char *path = sandbox_path(&box, inside(name));
        scope(free_text) char *keep = format_text("%s%s", name, ".keep");
        bool folder = name[strlen(name) - 1] == '/';
        sandbox_write(&box, inside(folder ? keep : name), name);
        scope(free_text) char *kept = sandbox_path(&box, inside(keep));
        if (folder)
            ck_assert_int_eq(unlink(kept), 0);
    }
    scope(free_text) char *moded = start->moded ? sandbox_path(&box, inside(start->moded)) : NULL;
    if (moded)
        ck_assert_int_eq(chmod(moded, start->mode), 0);
}

/* apply, apply again, apply another plan and back: and then remove. */
START_TEST(remove_leaves_it_as_it_was)
{
    const struct start *start = &starts[_i];

    make_start(start);
    struct tree before = tree_read(prefix);
    apply(plans[0], start->option);
    struct tree applied = tree_read(prefix);
    apply(plans[0], NULL);
    check_tree(&applied, "applied again");
    tree_free(&applied);
    apply(plans[1], NULL);
    if (_i % 2)
        apply(plans[0], start->option);
    free(must("remove", NULL, ""));
    check_tree(&before, start->name);
    free(must("remove", NULL, ""));
    check_tree(&before, "removed twice");
    tree_free(&before);
}
END_TEST

/* What somebody edited stays: with --force beside the hooks, and after them. */
START_TEST(remove_leaves_an_edit)
{
    const struct start *start = &starts[_i];

    make_start(start);
    apply(plans[0], start->option);
    edit(DEACTIVATE "env_vars.fish");
    scope(free_text) char *edited = sandbox_read(&box, inside(DEACTIVATE "env_vars.fish"), NULL);
    apply(plans[1], "--force");
    free(must("remove", NULL, ""));
    const char *orig = inside(DEACTIVATE "env_vars.fish.orig");
    scope(free_text) char *kept = sandbox_read(&box, orig, NULL);
    ck_assert_str_eq(kept, edited);
    scope(free_text) char *path = sandbox_path(&box, orig);
    ck_assert_int_eq(unlink(path), 0);
    /* The folders that apply made stayed with it. */
    for (size_t i = 0; i < 3; i++) {
        *strrchr(path, '/') = '\0';
        rmdir(path);
    }
    struct tree after = tree_read(prefix);
    ck_assert(!tree_has_temporary(&after));
    for (size_t i = 0; i < after.count; i++) {
        scope(free_text) char *text = sandbox_read(&box, inside(after.entries[i].path), NULL);
        bool ours = text && strstr(text, "ritten by conda-gpu");
        ck_assert_msg(!ours, "%s is left", after.entries[i].path);
    }
    tree_free(&after);
}
END_TEST

/* Modes, whatever the umask. */

static const mode_t masks[] = {0, 022, 027, 077};

static const struct manner {
    mode_t prefix, file, folder;
} manners[] = {{0755, 0644, 0755},
               {0775, 0664, 0775},
               {02775, 0664, 02775},
               {02755, 0644, 02755},
               {0700, 0644, 0755}};

START_TEST(modes_are_the_neighbours)
{
    const struct manner *manner = &manners[_i / 4];
    const gid_t group = 12345; /* as root, a group that is not this process's own */
    bool root = geteuid() == 0;

    ck_assert_int_eq(chown(prefix, (uid_t)-1, root ? group : getegid()), 0);
    ck_assert_int_eq(chmod(prefix, manner->prefix), 0);
    umask(masks[_i % 4]);
    apply(plans[0], NULL);
    umask(022);
    struct tree tree = tree_read(prefix);
    for (size_t i = 0; i < tree.count; i++) {
        const struct tree_entry *entry = &tree.entries[i];
        if (strncmp(entry->path, "etc", 3) != 0)
            continue;
        ck_assert_msg((entry->mode & 07777) ==
                          (S_ISDIR(entry->mode) ? manner->folder : manner->file),
                      "%s has mode %o", entry->path, (unsigned)entry->mode);
        if (manner->prefix & (S_IWGRP | S_ISGID))
            ck_assert_uint_eq(entry->group, root ? group : getegid());
    }
    tree_free(&tree);
}
END_TEST

/* Somebody who is not in the prefix's group gives the right to write to no other one. */
START_TEST(no_foreign_group_may_write)
{
    const char *const argv[] = {
        "setpriv",           "--reuid", "54321", "--regid", "54321",   "--clear-groups",
        getenv("CONDA_GPU"), "apply",   "-q",    "-p",      "envs/pt", NULL};
    const char *const env[] = {"PATH=/usr/bin:/bin", "CONDA_GPU_DRIVER=/nowhere", NULL};

    if (geteuid() != 0) {
        test_skip(false, "another user's group: only root can be another user");
        return;
    }
    sandbox_write(&box, "environment.yml", plans[0]);
    ck_assert_int_eq(chmod(box.root, 0755), 0);
    ck_assert_int_eq(chown(prefix, 54321, 12345), 0);
    ck_assert_int_eq(chmod(prefix, 0775), 0);
    struct outcome got = sandbox_run(&box, argv, env, NULL);
    if (got.status > 5) {
        test_skip(false, "another user's group: no other user can run %s", argv[6]);
        return;
    }
    ck_assert_msg(got.status == 0, "%s", got.err);
    outcome_free(&got);
    struct tree tree = tree_read(prefix);
    ck_assert_uint_eq(tree_find(&tree, ACTIVATE "env_vars.sh")->group, 54321);
    ck_assert_uint_eq(tree_find(&tree, ACTIVATE "env_vars.sh")->mode & 07777, 0644);
    ck_assert_uint_eq(tree_find(&tree, "etc/conda")->mode & 07777, 0755);
    tree_free(&tree);
}
END_TEST

/* What root makes in somebody's prefix is that one's. */
START_TEST(root_makes_nothing_its_own)
{
    static const char *const paths[] = {"etc", "etc/conda", RECEIPT, ACTIVATE "env_vars.sh"};

    if (geteuid() != 0) {
        test_skip(false, "root in somebody's environment: this is not root");
        return;
    }
    ck_assert_int_eq(chown(prefix, 54321, 12345), 0);
    apply(plans[0], NULL);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        scope(free_text) char *path = sandbox_path(&box, inside(paths[i]));
        struct stat st;
        ck_assert_int_eq(stat(path, &st), 0);
        ck_assert_uint_eq(st.st_uid, 54321);
        ck_assert_uint_eq(st.st_gid, 12345);
    }
}
END_TEST

/* Without a receipt the hooks tell what they do, and it is said. */
START_TEST(hooks_tell_what_a_receipt_does_not)
{
    scope(free_text) char *path = sandbox_path(&box, inside(RECEIPT));
    scope(free_text) char *note = format_text(
        "note: %s/" RECEIPT " is missing; what the hooks themselves tell is used instead\n",
        prefix);

    apply(plans[0], NULL);
    struct tree applied = tree_read(prefix);
    ck_assert_int_eq(unlink(path), 0);
    scope(free_text) char *said = must("apply", NULL, note);
    ck_assert_ptr_nonnull(strstr(said, "unchanged  " ACTIVATE "env_vars.sh\n"));
    ck_assert_ptr_nonnull(strstr(said, "written    " RECEIPT "\n"));
    struct tree again = tree_read(prefix);
    for (size_t i = 0; i < applied.count; i++) {
        const struct tree_entry *entry = &applied.entries[i];
        const struct tree_entry *now = tree_find(&again, entry->path);
        ck_assert(now && now->mode == entry->mode);
        if (entry->text && strcmp(entry->path, RECEIPT) != 0)
            ck_assert_str_eq(now->text, entry->text);
    }
    ck_assert_int_eq(unlink(path), 0);
    free(must("remove", NULL, ""));
    ck_assert(!sandbox_has(&box, inside(ACTIVATE "env_vars.sh")));
    ck_assert(!sandbox_has(&box, inside(DEACTIVATE "env_vars.csh")));
    tree_free(&applied);
    tree_free(&again);
}
END_TEST

/* What `conda create --clone` makes of it: a copy, with the prefix's path replaced in each text. */
START_TEST(clone_is_its_own)
{
    scope(free_text) char *clone = sandbox_environment(&box, "clone");

    sandbox_write(&box, inside(ACTIVATE "env_vars.sh"), ": mine\n");
    struct tree before = tree_read(prefix);
    apply(plans[0], "--adopt");
    struct tree original = tree_read(prefix);
    tree_write(&original, clone);
    sandbox_write(&box, "environment.yml", plans[0]);
    struct outcome got = conda_gpu(&box, NULL, "apply", "-p", clone, NULL);
    ck_assert_str_eq(got.err, "");
    ck_assert_ptr_nonnull(strstr(got.out, "written    " ACTIVATE "env_vars.sh\n"));
    outcome_free(&got);
    sandbox_write(&box, "environment.yml", plans[1]);
    got = conda_gpu(&box, NULL, "apply", "-p", clone, NULL);
    ck_assert_ptr_nonnull(strstr(got.out, "written    " ACTIVATE "env_vars.sh\n"));
    outcome_free(&got);
    check_tree(&original, "apply in the clone");
    got = conda_gpu(&box, NULL, "remove", "-p", clone, NULL);
    ck_assert_str_eq(got.err, "");
    outcome_free(&got);
    struct tree removed = tree_read(clone);
    scope(free_text) char *difference = tree_difference(&removed, &before);
    ck_assert_msg(!difference, "in the clone: %s", difference);
    check_tree(&original, "remove in the clone");
    tree_free(&before);
    tree_free(&original);
    tree_free(&removed);
}
END_TEST

static void check_file(const char *path, const char *wanted)
{
    scope(free_text) char *text = sandbox_read(&box, inside(path), NULL);

    ck_assert_pstr_eq(text, wanted);
}

/* remove has nothing more to do, and says so. */
static void check_removed(void)
{
    scope(free_text) char *said = must("remove", NULL, "");

    ck_assert_ptr_nonnull(strstr(said, "nothing to remove"));
    ck_assert(!sandbox_has(&box, inside(RECEIPT)));
}

#define LEFT(name)                                                                                 \
    "left       " ACTIVATE "env_vars.sh as " name ", since another file has its place\n"

/* Where somebody has put another file meanwhile, remove loses neither, and ends. */
START_TEST(remove_puts_back_over_nothing)
{
    sandbox_write(&box, inside(ACTIVATE "env_vars.sh"), ": mine\n");
    apply(plans[0], "--replace");
    sandbox_write(&box, inside(ACTIVATE "env_vars.sh"), ": mine too\n");
    scope(free_text) char *said = must("remove", NULL, "");
    ck_assert_ptr_nonnull(strstr(said, LEFT("env_vars.sh.orig")));
    check_removed();
    check_file(ACTIVATE "env_vars.sh", ": mine too\n");
    check_file(ACTIVATE "env_vars.sh.orig", ": mine\n");
}
END_TEST

static const struct succession {
    const char *options[2];
    const char *name, *left;
} successions[] = {
    {{"--adopt", "--replace"}, "env_vars-adopted.sh", LEFT("env_vars-adopted.sh")},
    {{"--replace", "--replace"}, "env_vars.sh.orig", LEFT("env_vars.sh.orig")},
};

/* Of files that had one place, one after the other, the last gets it back. */
START_TEST(remove_puts_back_the_last)
{
    const struct succession *succession = &successions[_i];
    scope(free_text) char *first = format_text(ACTIVATE "%s", succession->name);

    sandbox_write(&box, inside(ACTIVATE "env_vars.sh"), ": one\n");
    apply(plans[0], succession->options[0]);
    sandbox_write(&box, inside(ACTIVATE "env_vars.sh"), ": two\n");
    apply(plans[0], succession->options[1]);
    scope(free_text) char *said = must("remove", NULL, "");
    ck_assert_ptr_nonnull(strstr(said, "put back   " ACTIVATE "env_vars.sh\n"));
    ck_assert_ptr_nonnull(strstr(said, succession->left));
    check_removed();
    check_file(ACTIVATE "env_vars.sh", ": two\n");
    check_file(first, ": one\n");
}
END_TEST

/* The same for the receipt's place, which is in use until the end. */
START_TEST(remove_puts_back_the_last_receipt)
{
    sandbox_write(&box, inside(RECEIPT), "a: 1\n");
    apply(plans[0], "--replace");
    scope(free_text) char *text = sandbox_read(&box, inside(RECEIPT), NULL);
    char *folders = strstr(text, "folders:");
    ck_assert_ptr_nonnull(folders);
    scope(free_text) char *two =
        format_text("%.*s- path: " RECEIPT "\n  now: " RECEIPT ".orig.1\n%s", (int)(folders - text),
                    text, folders);
    sandbox_write(&box, inside(RECEIPT), two);
    sandbox_write(&box, inside(RECEIPT ".orig.1"), "a: 2\n");
    scope(free_text) char *said = must("remove", NULL, "");
    ck_assert_ptr_nonnull(strstr(said, "put back   " RECEIPT "\n"));
    ck_assert_ptr_nonnull(strstr(said, "left       " RECEIPT " as conda-gpu.yml.orig, "));
    check_file(RECEIPT, "a: 2\n");
    check_file(RECEIPT ".orig", "a: 1\n");
}
END_TEST

/* What a killed run left is cleaned up, also where nothing else is to be done. */
START_TEST(leftovers_are_swept)
{
    static const char *const names[] = {ACTIVATE ".conda-gpu-1.tmp", DEACTIVATE ".conda-gpu-2.tmp",
                                        "etc/conda/.conda-gpu-3.tmp"};
    struct tree before = tree_read(prefix);

    apply(plans[0], NULL);
    struct tree applied = tree_read(prefix);
    for (size_t i = 0; i < 3; i++)
        sandbox_write(&box, inside(names[i]), "half");
    if (_i) {
        free(must("remove", NULL, ""));
        check_tree(&before, "remove");
    } else {
        scope(free_text) char *said = must("apply", NULL, "");
        ck_assert_ptr_null(strstr(said, "written"));
        check_tree(&applied, "apply");
    }
    tree_free(&before);
    tree_free(&applied);
}
END_TEST

#define LOOP(tests, test, table) tcase_add_loop_test(tests, test, 0, sizeof table / sizeof *table)

static Suite *suite(void)
{
    Suite *suite = suite_create("trees");
    TCase *tests = tcase_create("");

    tcase_add_checked_fixture(tests, one_prefix_open, one_prefix_close);
    LOOP(tests, remove_leaves_it_as_it_was, starts);
    LOOP(tests, remove_leaves_an_edit, starts);
    tcase_add_loop_test(tests, modes_are_the_neighbours, 0, 4 * sizeof manners / sizeof *manners);
    tcase_add_test(tests, no_foreign_group_may_write);
    tcase_add_test(tests, root_makes_nothing_its_own);
    tcase_add_test(tests, hooks_tell_what_a_receipt_does_not);
    tcase_add_test(tests, clone_is_its_own);
    tcase_add_test(tests, remove_puts_back_over_nothing);
    LOOP(tests, remove_puts_back_the_last, successions);
    tcase_add_test(tests, remove_puts_back_the_last_receipt);
    tcase_add_loop_test(tests, leftovers_are_swept, 0, 2);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return test_main(suite());
}
