/*
 * Whose file is whose: what apply and remove do with files of others, edited ones and what is no
 * plain file; --adopt, --replace, --force; and that remove leaves what was there before. In the
 * tables, @ stands for the environment's folder.
 */
#include "support/one_prefix.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void set_up(void)
{
    one_prefix_open();
    sandbox_write(&box, "environment.yml", "name: pt\ngpu:\n  devices: [1, 3]\n");
}

/* Files of others, and ones that somebody edited, stay as they are. */

#define FOREIGN(orig)                                                                              \
    ": conda-gpu did not write this file and leaves it alone; --adopt lets it go on working "      \
    "beside ours, --replace keeps it as " orig ".orig. It begins:\n"
#define FOREIGN_RECEIPT                                                                            \
    "@/etc/conda/conda-gpu.yml: conda-gpu did not write this file and leaves it alone; --replace " \
    "keeps it as conda-gpu.yml.orig, and the receipt gets its place. It begins:\n"
#define EDITED(orig)                                                                               \
    ": somebody edited this file after conda-gpu wrote it; put the change into the environment "   \
    "file, or give --force, which keeps this version as " orig ".orig\n"
#define STAYS(with)                                                                                \
    ": somebody edited this file after conda-gpu wrote it, so it stays" with "; remove it by "     \
    "hand if it is not wanted, and run again\n"
#define WITH_COUNTERPART ", and its counterpart in deactivate.d with it"

#define OFFER "  What etc/conda/activate.d/env_vars.sh does, as a section for --replace:\n"

static const struct foreign {
    const char *path, *text, *message;
} foreigns[] = {
    {"etc/conda/activate.d/env_vars.sh", "export A=1\nexport B=2\nexport C=3\nexport D=4\n",
     "@/etc/conda/activate.d/env_vars.sh" FOREIGN(
         "env_vars.sh") "  | export A=1\n  | export B=2\n"
                        "  | export C=3\n" OFFER
                        "  gpu:\n    variables:\n      A: 1\n      B: 2\n      C: 3\n      D: 4\n"},
    {"etc/conda/deactivate.d/env_vars.fish", "set -e A",
     "@/etc/conda/deactivate.d/env_vars.fish" FOREIGN("env_vars.fish") "  | set -e A\n"},
    {"etc/conda/activate.d/env_vars.csh", "\033[31m\r\n\xff\n",
     "@/etc/conda/activate.d/env_vars.csh" FOREIGN(
         "env_vars.csh") "  | \\x1b[31m\\x0d\n  | \\xff\n  What of it is not in a section:\n"
                         "  line 1: \\x1b[31m: it is no plain setting of a variable\n"
                         "  line 2: \\xff: it is no plain setting of a variable\n"},
    {"etc/conda/activate.d/env_vars.sh", "# Written by conda-gpu 9\n:\n",
     "@/etc/conda/activate.d/env_vars.sh" FOREIGN(
         "env_vars.sh") "  | # Written by conda-gpu 9\n  | :\n"
                        "  What of it is not in a section:\n  line 2: :: it is no plain setting of "
                        "a variable\n"},
    {"etc/conda/conda-gpu.yml", "a: 1\n", FOREIGN_RECEIPT "  | a: 1\n"},
};

START_TEST(a_foreign)
{
    const struct foreign *foreign = &foreigns[_i];

    sandbox_write(&box, inside(foreign->path), foreign->text);
    check_left_alone("apply", NULL, 4, foreign->message);
    check_left_alone("apply", "--check", 4, foreign->message);
    check_left_alone("apply", "--dry-run", 4, foreign->message);
    check_left_alone("apply", "-q", 4, foreign->message);
}
END_TEST

/* A file that does nothing is set aside without asking, and is there again after remove. */
START_TEST(does_nothing)
{
    static const char *const texts[] = {"", "\n\n", "#!/bin/sh\n# my variables\n"};
    size_t length;

    sandbox_write(&box, inside(hooks[3]), texts[_i]);
    must_apply();
    struct outcome got = on_prefix("remove", NULL, NULL);
    ck_assert_int_eq(got.status, 0);
    outcome_free(&got);
    char *back = sandbox_read(&box, inside(hooks[3]), &length);
    ck_assert_str_eq(back, texts[_i]);
    free(back);
}
END_TEST

/* A hook of another version that somebody edited. */
START_TEST(an_edit_of_another_version)
{
    sandbox_write(&box, inside(hooks[3]),
                  "# Written by conda-gpu 9\n# conda-gpu digest 0123456789abcdef\nexport A=1\n");
    struct outcome got = on_prefix("apply", NULL, NULL);
    char *message = with_prefix("@/etc/conda/activate.d/env_vars.sh" EDITED("env_vars.sh"));
    ck_assert_int_eq(strncmp(got.err, message, strlen(message)), 0);
    ck_assert_ptr_nonnull(strstr(got.err, "\n  -export A=1\n"));
    ck_assert_ptr_nonnull(strstr(got.err, "\n  +__gpu_set CUDA_VISIBLE_DEVICES :'1,3' "));
    ck_assert_int_eq(got.status, 4);
    free(message);
    outcome_free(&got);
}
END_TEST

START_TEST(remove_beside_foreign)
{
    sandbox_write(&box, inside(hooks[0]), "export A=1\n");
    check_left_alone("remove", NULL, 0, "");
    struct outcome got = on_prefix("remove", NULL, NULL);
    check_text(got.out, "environment  pt  @\nnot ours   etc/conda/deactivate.d/env_vars.sh\n"
                        "nothing to remove\n");
    outcome_free(&got);
}
END_TEST

/* Adds a line to a file of the environment. */
static void edit(const char *path)
{
    char *text = sandbox_read(&box, inside(path), NULL), *more = NULL;

    ck_assert_int_ge(asprintf(&more, "%sexport MINE=1\n", text), 0);
    sandbox_write(&box, inside(path), more);
    free(text);
    free(more);
}

/* Where the last `lines` lines of a text begin. */
static const char *last_lines(const char *text, size_t lines)
{
    const char *at = text + strlen(text);

    while (lines-- > 0)
        for (at--; at > text && at[-1] != '\n';)
            at--;
    return at;
}

static size_t count_lines(const char *text)
{
    size_t lines = 0;

    for (; *text; text++)
        lines += *text == '\n';
    return lines;
}

/* remove fails with this message, and of the hooks those stay whose bits are set. */
static void check_remove(const char *message, unsigned stay)
{
    struct outcome got = on_prefix("remove", NULL, NULL);

    check_text(got.err, message);
    ck_assert_int_eq(got.status, 4);
    for (size_t i = 0; i < HOOKS; i++)
        ck_assert_int_eq(sandbox_has(&box, inside(hooks[i])), stay >> i & 1);
    outcome_free(&got);
}

/* The message shows the line that edit() added, as diff(1) does with three lines around it. */
START_TEST(an_edit)
{
    enum { AROUND = 3 };
    char message[4096];

    must_apply();
    char *text = sandbox_read(&box, inside(hooks[_i]), NULL);
    size_t from = count_lines(text) - AROUND + 1;
    const char *last = last_lines(text, AROUND);
    int one = (int)strcspn(last, "\n"), two = (int)strcspn(last + one + 1, "\n");
    int three = (int)strcspn(last + one + two + 2, "\n");
    snprintf(message, sizeof message,
             "@/%s" EDITED("%s") "  --- a/%s\n  +++ b/%s\n  @@ -%zu,4 +%zu,3 @@\n"
                                 "   %.*s\n   %.*s\n   %.*s\n  -export MINE=1\n",
             hooks[_i], strrchr(hooks[_i], '/') + 1, hooks[_i], hooks[_i], from, from, one, last,
             two, last + one + 1, three, last + one + two + 2);
    free(text);
    edit(hooks[_i]);
    check_left_alone("apply", NULL, 4, message);
    check_left_alone("apply", "--check", 4, message);
    bool activates = _i >= HOOKS / 2;
    snprintf(message, sizeof message, activates ? "@/%s" STAYS(WITH_COUNTERPART) : "@/%s" STAYS(""),
             hooks[_i]);
    check_remove(message, 1u << _i | (activates ? 1u << (_i - HOOKS / 2) : 0));
    check_remove(message, 1u << _i | (activates ? 1u << (_i - HOOKS / 2) : 0));
    char *edited = sandbox_path(&box, inside(hooks[_i]));
    ck_assert_int_eq(unlink(edited), 0); /* as the message says */
    struct outcome got = on_prefix("remove", NULL, NULL);
    ck_assert_int_eq(got.status, 0);
    ck_assert(!sandbox_has(&box, inside("etc")));
    free(edited);
    outcome_free(&got);
}
END_TEST

/* The edit is what is wrong, not that there is no diff(1) to show it. */
START_TEST(an_edit_without_diff)
{
    const char *const env[] = {"PATH=/nowhere", NULL};

    must_apply();
    edit(hooks[3]);
    struct outcome got = conda_gpu(&box, env, "apply", "-p", "envs/pt", NULL);
    char message[512];
    snprintf(message, sizeof message, "@/%s" EDITED("env_vars.sh"), hooks[3]);
    check_text(got.err, message);
    ck_assert_int_eq(got.status, 4);
    outcome_free(&got);
}
END_TEST

/* Where both are edited, each is reported for itself. */
START_TEST(an_edited_pair)
{
    must_apply();
    edit(hooks[1]);
    edit(hooks[4]);
    char message[1024];
    snprintf(message, sizeof message, "@/%s" STAYS("") "@/%s" STAYS(""), hooks[4], hooks[1]);
    check_remove(message, 1u << 1 | 1u << 4);
}
END_TEST

/* Folders that everybody may write to are named, each once, and the work goes on. */
START_TEST(open_to_all)
{
#define OPEN(path)                                                                                 \
    "note: everybody may write to @" path ", and so put commands there that run in your shell at " \
    "'conda activate'; take that away with: chmod o-w @" path "\n"
    must_apply();
    struct outcome got = run_script("chmod o+w envs/pt envs/pt/etc/conda/*.d");
    outcome_free(&got);
    got = on_prefix("apply", NULL, NULL);
    check_text(got.err, OPEN("") OPEN("/etc/conda/deactivate.d") OPEN("/etc/conda/activate.d"));
    ck_assert_int_eq(got.status, 0);
    outcome_free(&got);
    got = on_prefix("apply", "-q", NULL);
    ck_assert_str_eq(got.err, "");
    outcome_free(&got);
}
END_TEST

/* What --adopt, --replace and --force keep, under which name, and that remove puts it back. */

static const struct keep {
    const char *path, *option;
    const char *kept; /* the name */
} keeps[] = {
    {"etc/conda/activate.d/env_vars.sh", "--adopt", "env_vars-adopted.sh"},
    {"etc/conda/deactivate.d/env_vars.fish", "--adopt", "env_vars-adopted.fish"},
    {"etc/conda/activate.d/env_vars.csh", "--replace", "env_vars.csh.orig"},
    {"etc/conda/deactivate.d/env_vars.sh", "--replace", "env_vars.sh.orig"},
    {"etc/conda/conda-gpu.yml", "--replace", "conda-gpu.yml.orig"},
    {"etc/conda/conda-gpu.yml", "--adopt", "conda-gpu.yml.orig"},
};

/* The path of a file beside another one; malloc'ed. */
static char *beside(const char *path, const char *name)
{
    char *result = NULL;
    int folder = (int)(strrchr(path, '/') - path);

    ck_assert_int_ge(asprintf(&result, "envs/pt/%.*s/%s", folder, path, name), 0);
    return result;
}

START_TEST(a_keep)
{
    const struct keep *keep = &keeps[_i];
    char line[128], *kept = beside(keep->path, keep->kept);

    sandbox_write(&box, inside(keep->path), "export MINE=1\n");
    char *before = listing();
    struct outcome got = on_prefix("apply", keep->option, "--check");
    ck_assert_int_eq(got.status, 1);
    outcome_free(&got);
    char *looked = listing();
    ck_assert_str_eq(looked, before);
    got = on_prefix("apply", keep->option, NULL);
    ck_assert_str_eq(got.err, "");
    ck_assert_int_eq(got.status, 0);
    snprintf(line, sizeof line, "\nkept       %s as %s\n", keep->path, keep->kept);
    ck_assert_ptr_nonnull(strstr(got.out, line));
    outcome_free(&got);
    char *text = sandbox_read(&box, kept, NULL);
    ck_assert_str_eq(text, "export MINE=1\n");
    must_apply();
    got = on_prefix("remove", NULL, NULL);
    ck_assert_str_eq(got.err, "");
    snprintf(line, sizeof line, "\nput back   %s\n", keep->path);
    ck_assert_ptr_nonnull(strstr(got.out, line));
    outcome_free(&got);
    char *after = listing();
    ck_assert_str_eq(after, before);
    free(kept);
    free(before);
    free(looked);
    free(text);
    free(after);
}
END_TEST

/* An option for the one kind of file does not touch the other. */
START_TEST(options_keep_to_their_kind)
{
    char *before;
    struct outcome got;

    sandbox_write(&box, inside(hooks[3]), "export MINE=1\n");
    before = listing();
    got = on_prefix("apply", "--force", NULL);
    ck_assert_int_eq(got.status, 4);
    char *after = listing();
    ck_assert_str_eq(after, before);
    free(before);
    free(after);
    outcome_free(&got);
    got = on_prefix("apply", "--adopt", NULL);
    ck_assert_int_eq(got.status, 0);
    outcome_free(&got);
    edit(hooks[3]);
    before = listing();
    got = on_prefix("apply", "--adopt", NULL);
    ck_assert_int_eq(got.status, 4);
    after = listing();
    ck_assert_str_eq(after, before);
    free(before);
    free(after);
    outcome_free(&got);
}
END_TEST

START_TEST(force_keeps_the_edit)
{
    must_apply();
    edit(hooks[3]);
    char *edited = sandbox_read(&box, inside(hooks[3]), NULL);
    struct outcome got = on_prefix("apply", "--force", NULL);
    ck_assert_str_eq(got.err, "");
    ck_assert_int_eq(got.status, 0);
    char *kept = sandbox_read(&box, inside("etc/conda/activate.d/env_vars.sh.orig"), NULL);
    ck_assert_str_eq(kept, edited);
    free(edited);
    free(kept);
    outcome_free(&got);
}
END_TEST

/* A name that is taken is not written over, and nothing is left half done. */
START_TEST(adopted_name_is_taken)
{
    sandbox_write(&box, inside("etc/conda/activate.d/env_vars.sh"), "export MINE=1\n");
    sandbox_write(&box, inside("etc/conda/activate.d/env_vars-adopted.sh"), "export OTHER=1\n");
    char *before = listing();
    struct outcome got = on_prefix("apply", "--adopt", NULL);
    char *other = sandbox_read(&box, inside("etc/conda/activate.d/env_vars-adopted.sh"), NULL);
    ck_assert_str_eq(other, "export OTHER=1\n");
    char *after = listing();
    if (got.status != 0)
        ck_assert_str_eq(after, before);
    else
        ck_assert_ptr_nonnull(strstr(got.out, "\nkept       "));
    free(before);
    free(after);
    free(other);
    outcome_free(&got);
}
END_TEST

/* remove that must leave an edited hook does not forget whose file stands aside. */
START_TEST(remove_remembers_what_is_kept)
{
    sandbox_write(&box, inside(hooks[3]), "export MINE=1\n");
    struct outcome got = on_prefix("apply", "--replace", NULL);
    ck_assert_int_eq(got.status, 0);
    outcome_free(&got);
    edit(hooks[3]);
    got = on_prefix("remove", NULL, NULL);
    ck_assert_int_eq(got.status, 4);
    outcome_free(&got);
    char *edited = with_prefix("@/etc/conda/activate.d/env_vars.sh");
    ck_assert_int_eq(unlink(edited), 0); /* as the message says */
    got = on_prefix("remove", NULL, NULL);
    ck_assert_int_eq(got.status, 0);
    char *mine = sandbox_read(&box, inside(hooks[3]), NULL);
    ck_assert_msg(mine && strcmp(mine, "export MINE=1\n") == 0, "not put back: %s", got.out);
    free(edited);
    free(mine);
    outcome_free(&got);
}
END_TEST

/* What is no plain file is neither followed, nor read, nor replaced. */

enum oddity { LINK, DANGLING, FOLDER, FIFO, HUGE_FILE, LINKED_FOLDER };

#define NO_LINK                                                                                    \
    "it is a symbolic link, and conda-gpu follows none here; replace it by a real file or "        \
    "folder\n"

static const struct odd {
    const char *path;
    enum oddity oddity;
    const char *message;
} odds[] = {
    {"etc/conda/activate.d/env_vars.sh", LINK,
     "@/etc/conda/activate.d/env_vars.sh: cannot read: " NO_LINK},
    {"etc/conda/conda-gpu.yml", DANGLING, "@/etc/conda/conda-gpu.yml: cannot read: " NO_LINK},
    {"etc/conda/activate.d/env_vars.fish", FOLDER,
     "@/etc/conda/activate.d/env_vars.fish: cannot read: it is a folder; move it away\n"},
    {"etc/conda/deactivate.d/env_vars.csh", FIFO,
     "@/etc/conda/deactivate.d/env_vars.csh: cannot read: it is neither a file nor a folder; move "
     "it away\n"},
    {"etc/conda/activate.d/env_vars.sh", HUGE_FILE,
     "@/etc/conda/activate.d/env_vars.sh: cannot read: it is larger than any file of conda-gpu's; "
     "move "
     "it away\n"},
    {"etc/conda", LINKED_FOLDER,
     "@/etc/conda/conda-gpu.yml: cannot read: a part of it is no folder, or a symbolic link, and "
     "conda-gpu follows none here; replace it by a real folder\n"},
    {"etc", LINKED_FOLDER,
     "@/etc/conda/conda-gpu.yml: cannot read: a part of it is no folder, or a symbolic link, and "
     "conda-gpu follows none here; replace it by a real folder\n"},
};

static void make_odd(const char *path, enum oddity oddity)
{
    const char *keep = inside("etc/conda/activate.d/.keep");
    char *target = sandbox_path(&box, "target");

    sandbox_write(&box, "target/file", "");
    if (oddity != LINKED_FOLDER) {
        sandbox_write(&box, keep, "");
        sandbox_write(&box, inside("etc/conda/deactivate.d/.keep"), "");
    } else {
        sandbox_write(&box, inside(strcmp(path, "etc") == 0 ? "x" : "etc/x"), "");
    }
    char *whole = sandbox_path(&box, inside(path));
    int made = oddity == LINK            ? symlink("../../../../../target/file", whole)
               : oddity == DANGLING      ? symlink("nowhere", whole)
               : oddity == FOLDER        ? mkdir(whole, 0755)
               : oddity == FIFO          ? mkfifo(whole, 0644)
               : oddity == LINKED_FOLDER ? symlink(target, whole)
                                         : creat(whole, 0644);
    ck_assert_int_ge(made, 0);
    if (oddity == HUGE_FILE)
        ck_assert_int_eq(ftruncate(made, (64 << 20) + 1), 0);
    free(target);
    free(whole);
}

START_TEST(an_oddity)
{
    make_odd(odds[_i].path, odds[_i].oddity);
    check_left_alone("apply", NULL, 4, odds[_i].message);
    check_left_alone("remove", NULL, 4, odds[_i].message);
    ck_assert(sandbox_has(&box, "target/file"));
}
END_TEST

/* Receipts that cannot be believed: nothing is done, nothing deleted, and there is a way out. */
#define DAMAGED(why)                                                                               \
    "@/etc/conda/conda-gpu.yml: this receipt of conda-gpu is damaged, so nothing was "             \
    "changed: " why                                                                                \
    "; put a copy of it back, or move it away and run again. Without it the hooks are still "      \
    "known, but files that were kept as .orig or -adopted stay where they are\n"
#define HEAD "# Receipt of conda-gpu\n"
#define KEPT(path, now)                                                                            \
    HEAD "format: 1\nstate: 01234567\nkept: [{path: etc/conda/" path ", now: etc/conda/" now "}]"  \
         "\n"

static const struct damage {
    const char *receipt, *message;
} damages[] = {
    {"# Receipt of conda-gpu", DAMAGED("it is empty")},
    {HEAD "\xff\n", DAMAGED("libyaml: invalid leading UTF-8 octet")},
    {HEAD "version: 0.1.0\nstate: 01234567\n", DAMAGED("Missing required mapping field: format")},
    {HEAD "format: 1\nstate: 0123456g\n", DAMAGED("'state' is not 8 hexadecimal digits")},
    {HEAD "format: 7\nnew: {a: b}\n",
     "@/etc/conda/conda-gpu.yml: a newer conda-gpu wrote this receipt (its format is 7, and this "
     "conda-gpu knows formats up to 1), so nothing was changed; use that newer conda-gpu here\n"},
    /* Would remove a file, or rename a folder. */
    {KEPT("activate.d/mine.sh", "activate.d/mine.sh"),
     DAMAGED("'kept' holds a file that conda-gpu never sets aside")},
    {KEPT("activate.d", "deactivate.d"),
     DAMAGED("'kept' holds a file that conda-gpu never sets aside")},
};

START_TEST(a_damage)
{
    must_apply();
    sandbox_write(&box, inside("etc/conda/activate.d/mine.sh"), "true\n");
    sandbox_write(&box, inside("etc/conda/conda-gpu.yml"), damages[_i].receipt);
    check_left_alone("apply", NULL, 4, damages[_i].message);
    check_left_alone("apply", "--force", 4, damages[_i].message);
    check_left_alone("remove", NULL, 4, damages[_i].message);
    char *receipt = with_prefix("@/etc/conda/conda-gpu.yml");
    char *away = with_prefix("@/receipt.old");
    ck_assert_int_eq(rename(receipt, away), 0); /* as the message says */
    struct outcome got = on_prefix("remove", NULL, NULL);
    ck_assert_int_eq(got.status, 0);
    for (size_t i = 0; i < HOOKS; i++)
        ck_assert(!sandbox_has(&box, inside(hooks[i])));
    ck_assert(sandbox_has(&box, inside("etc/conda/activate.d/mine.sh")));
    free(receipt);
    free(away);
    outcome_free(&got);
}
END_TEST

/* What a later version with the same format added is passed over, and nothing is forgotten. */
START_TEST(a_receipt_with_more)
{
    sandbox_write(&box, inside(hooks[3]), "export MINE=1\n");
    struct outcome got = on_prefix("apply", "--replace", NULL);
    ck_assert_int_eq(got.status, 0);
    outcome_free(&got);
    char *text = sandbox_read(&box, inside("etc/conda/conda-gpu.yml"), NULL), *more = NULL;
    ck_assert_int_ge(asprintf(&more, "%slater: {than: [this]}\n", text), 0);
    sandbox_write(&box, inside("etc/conda/conda-gpu.yml"), more);
    got = on_prefix("remove", NULL, NULL);
    ck_assert_str_eq(got.err, "");
    ck_assert_int_eq(got.status, 0);
    char *mine = sandbox_read(&box, inside(hooks[3]), NULL);
    ck_assert_pstr_eq(mine, "export MINE=1\n");
    free(text);
    free(more);
    free(mine);
    outcome_free(&got);
}
END_TEST

START_TEST(no_receipt)
{
    must_apply();
    char *before = sandbox_read(&box, inside(hooks[3]), NULL);
    char *receipt = with_prefix("@/etc/conda/conda-gpu.yml");
    ck_assert_int_eq(unlink(receipt), 0);
    struct outcome got = on_prefix("apply", NULL, NULL);
    check_text(got.err,
               "note: @/etc/conda/conda-gpu.yml is missing; what the hooks themselves tell "
               "is used instead\n");
    ck_assert_int_eq(got.status, 0);
    outcome_free(&got);
    char *after = sandbox_read(&box, inside(hooks[3]), NULL);
    ck_assert_str_eq(after, before);
    ck_assert_int_eq(unlink(receipt), 0);
    got = on_prefix("remove", NULL, NULL);
    ck_assert_int_eq(got.status, 0);
    for (size_t i = 0; i < HOOKS; i++)
        ck_assert(!sandbox_has(&box, inside(hooks[i])));
    free(receipt);
    free(before);
    free(after);
    outcome_free(&got);
}
END_TEST

/* Somebody's own file in its place, when the hooks are there already: nothing is missing. */
START_TEST(a_receipt_of_others)
{
    must_apply();
    sandbox_write(&box, inside("etc/conda/conda-gpu.yml"), "a: 1\n");
    check_left_alone("apply", NULL, 4, FOREIGN_RECEIPT "  | a: 1\n");
    struct outcome got = on_prefix("apply", "--adopt", NULL);
    ck_assert_str_eq(got.err, "");
    ck_assert_int_eq(got.status, 0);
    outcome_free(&got);
    got = on_prefix("remove", NULL, NULL);
    ck_assert_int_eq(got.status, 0);
    char *back = sandbox_read(&box, inside("etc/conda/conda-gpu.yml"), NULL);
    ck_assert_pstr_eq(back, "a: 1\n");
    free(back);
    outcome_free(&got);
}
END_TEST

/* A variable that is in the plan no more is still undone. */
START_TEST(former_variable)
{
    sandbox_write(&box, "environment.yml", "gpu: {devices: 1, variables: {FIRST: 1}}\n");
    must_apply();
    sandbox_write(&box, "environment.yml", "gpu: {devices: 1, variables: {SECOND: 1}}\n");
    must_apply();
    char *receipt = sandbox_read(&box, inside("etc/conda/conda-gpu.yml"), NULL);
    char *hook = sandbox_read(&box, inside(hooks[0]), NULL);
    ck_assert_ptr_nonnull(strstr(receipt, "- FIRST\n"));
    ck_assert_ptr_nonnull(strstr(receipt, "- SECOND\n"));
    ck_assert_ptr_nonnull(strstr(hook, "FIRST"));
    free(receipt);
    free(hook);
}
END_TEST

/* remove leaves what was there before apply, byte for byte and mode for mode. */

static const struct before {
    const char *file, *text; /* with a * it stands for both folders of hooks */
    mode_t mode;             /* of the file's folder; 0: as it is */
} befores[] = {
    {NULL, NULL, 0},
    {"bin/python", "x", 0700},
    {"etc/hosts", "x", 0700},
    {"etc/conda/other.yml", "a: 1\n", 0},
    {"etc/conda/activate.d/other.sh", "true\n", 0711},
    {"etc/conda/activate.d/.keep", "", 0},
    {"etc/conda/*/.keep", "", 0},
    {"etc/conda/deactivate.d/.conda-gpu-mine", "", 02775},
    {"etc/conda/activate.d/other.sh", "true\n", 0700},
};

static void make_before(const struct before *before)
{
    if (!before->file)
        return;
    if (strchr(before->file, '*')) {
        sandbox_write(&box, inside("etc/conda/activate.d/.keep"), before->text);
        sandbox_write(&box, inside("etc/conda/deactivate.d/.keep"), before->text);
        return;
    }
    sandbox_write(&box, inside(before->file), before->text);
    char *path = sandbox_path(&box, inside(before->file));
    *strrchr(path, '/') = '\0';
    if (before->mode)
        ck_assert_int_eq(chmod(path, before->mode), 0);
    free(path);
}

START_TEST(remove_is_exact)
{
    make_before(&befores[_i]);
    char *before = listing();
    must_apply();
    char *applied = listing();
    ck_assert_str_ne(applied, before);
    sandbox_write(&box, "environment.yml", "gpu: {devices: 0, variables: {A: b}}\n");
    must_apply();
    struct outcome got = on_prefix("remove", NULL, NULL);
    ck_assert_str_eq(got.err, "");
    ck_assert_int_eq(got.status, 0);
    outcome_free(&got);
    char *after = listing();
    ck_assert_str_eq(after, before);
    free(before);
    free(applied);
    free(after);
}
END_TEST

/* What others put beside the hooks since stays. */
START_TEST(remove_keeps_others)
{
    must_apply();
    sandbox_write(&box, inside("etc/conda/activate.d/later.sh"), "true\n");
    struct outcome got = on_prefix("remove", NULL, NULL);
    ck_assert_int_eq(got.status, 0);
    ck_assert(sandbox_has(&box, inside("etc/conda/activate.d/later.sh")));
    ck_assert(!sandbox_has(&box, inside("etc/conda/deactivate.d")));
    outcome_free(&got);
}
END_TEST

#define LOOP(tests, test, table) tcase_add_loop_test(tests, test, 0, sizeof table / sizeof *table)

static Suite *suite(void)
{
    Suite *suite = suite_create("command line: whose file");
    TCase *tests = tcase_create("");

    tcase_add_checked_fixture(tests, set_up, one_prefix_close);
    LOOP(tests, a_foreign, foreigns);
    tcase_add_loop_test(tests, does_nothing, 0, 3);
    tcase_add_test(tests, an_edit_of_another_version);
    tcase_add_test(tests, open_to_all);
    tcase_add_test(tests, remove_beside_foreign);
    LOOP(tests, an_edit, hooks);
    tcase_add_test(tests, an_edit_without_diff);
    tcase_add_test(tests, an_edited_pair);
    LOOP(tests, a_keep, keeps);
    tcase_add_test(tests, options_keep_to_their_kind);
    tcase_add_test(tests, force_keeps_the_edit);
    tcase_add_test(tests, adopted_name_is_taken);
    tcase_add_test(tests, remove_remembers_what_is_kept);
    LOOP(tests, an_oddity, odds);
    LOOP(tests, a_damage, damages);
    tcase_add_test(tests, a_receipt_with_more);
    tcase_add_test(tests, no_receipt);
    tcase_add_test(tests, a_receipt_of_others);
    tcase_add_test(tests, former_variable);
    LOOP(tests, remove_is_exact, befores);
    tcase_add_test(tests, remove_keeps_others);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return test_main(suite());
}
