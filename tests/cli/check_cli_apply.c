/*
 * What apply and remove say and do to an environment: the output, --dry-run, --check,
 * modes, templates, and that nothing is touched which need not be. In the tables, @ stands for the
 * environment's folder.
 */
#include "support/one_prefix.h"

#include "base/scope.h"
#include "conda/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

static const char *const folders[] = {"etc", "etc/conda", "etc/conda/activate.d",
                                      "etc/conda/deactivate.d"};
enum { FOLDERS = sizeof folders / sizeof *folders };

static void set_up(void)
{
    one_prefix_open();
    sandbox_write(&box, "environment.yml", "name: pt\ngpu:\n  devices: [1, 3]\n");
}

static mode_t mode_of(const char *path)
{
    struct stat st;
    char *whole = sandbox_path(&box, inside(path));

    ck_assert_msg(lstat(whole, &st) == 0, "%s: %s", path, strerror(errno));
    free(whole);
    return st.st_mode & 07777;
}

/* Every file in the prefix with its inode and times to the nanosecond. Those of the prefix itself
   change when the lock comes and goes. */
static char *stamps(void)
{
    struct outcome listed =
        run_script("find envs/pt -mindepth 1 -printf '%p %i %T@ %C@\\n' | sort");

    ck_assert_uint_gt(listed.out_length, 10);
    free(listed.err);
    return listed.out;
}

/* Output */

#define PLAN                                                                                       \
    "environment  pt  @\n"                                                                         \
    "cuda:0  GPU 1  NVIDIA A100-SXM4-80GB  80 GiB  0f:00.0  "                                      \
    "GPU-8932f937\n"                                                                               \
    "cuda:1  GPU 3  NVIDIA A100-SXM4-80GB  80 GiB  47:00.0  "                                      \
    "GPU-5e8f4a10\n"                                                                               \
    "confirmed by the driver (CUDA 12.4): CUDA_VISIBLE_DEVICES=1,3\n"
#define WHOLE_PLAN                                                                                 \
    "environment  pt  @\n"                                                                         \
    "cuda:0  GPU 1  NVIDIA A100-SXM4-80GB  80 GiB  0000:0f:00.0  "                                 \
    "GPU-8932f937-d72c-4106-c12f-20bd9faed9f6\n"                                                   \
    "cuda:1  GPU 3  NVIDIA A100-SXM4-80GB  80 GiB  0000:47:00.0  "                                 \
    "GPU-5e8f4a10-33f1-9c1d-8d4a-0a3b7c1f2e55\n"                                                   \
    "confirmed by the driver (CUDA 12.4): CUDA_VISIBLE_DEVICES=1,3\n"
#define FILES(word)                                                                                \
    word "  etc/conda/deactivate.d/env_vars.sh\n" word                                             \
         "  etc/conda/deactivate.d/env_vars.fish\n" word                                           \
         "  etc/conda/deactivate.d/env_vars.csh\n" word                                            \
         "  etc/conda/activate.d/env_vars.sh\n" word "  etc/conda/activate.d/env_vars.fish\n" word \
         "  etc/conda/activate.d/env_vars.csh\n" word "  etc/conda/conda-gpu.yml\n"
#define REMOVED                                                                                    \
    "environment  pt  @\n"                                                                         \
    "removed    etc/conda/deactivate.d/env_vars.sh\n"                                              \
    "removed    etc/conda/deactivate.d/env_vars.fish\n"                                            \
    "removed    etc/conda/deactivate.d/env_vars.csh\n"                                             \
    "removed    etc/conda/activate.d/env_vars.sh\n"                                                \
    "removed    etc/conda/activate.d/env_vars.fish\n"                                              \
    "removed    etc/conda/activate.d/env_vars.csh\n"                                               \
    "removed    etc/conda/conda-gpu.yml\n"
#define VARIABLES                                                                                  \
    "\nvariable              in this shell  in the environment\n"                                  \
    "CUDA_DEVICE_ORDER     (not set)      PCI_BUS_ID\n"                                            \
    "CUDA_VISIBLE_DEVICES  (not set)      1,3\n\n"
#define WOULD     PLAN VARIABLES FILES("would write")
#define UNCHANGED "unchanged  pt  @\n"
#define TO_USE_IT "to use it, run:\n  conda activate @\n"
#define SETTINGS  "set        CUDA_DEVICE_ORDER=PCI_BUS_ID\nset        CUDA_VISIBLE_DEVICES=1,3\n"

static const struct said {
    bool applied; /* before */
    const char *command, *option;
    int status;
    const char *out;
} sayings[] = {
    {false, "apply", NULL, 0, PLAN FILES("written  ") TO_USE_IT},
    {true, "apply", NULL, 0, UNCHANGED},
    {false, "apply", "-q", 0, ""},
    {true, "apply", "--quiet", 0, ""},
    {true, "apply", "--verbose", 0, WHOLE_PLAN SETTINGS UNCHANGED},
    {false, "apply", "-v", 0, WHOLE_PLAN SETTINGS FILES("written  ") TO_USE_IT},
    {false, "apply", "--check", 1, WOULD},
    {false, "apply", "-d", 0, WOULD},
    {true, "apply", "--check", 0, UNCHANGED},
    {true, "apply", "--dry-run", 0, UNCHANGED},
    {true, "apply", "--diff", 0, UNCHANGED},
    {true, "remove", NULL, 0, REMOVED},
    {true, "remove", "-q", 0, ""},
    {false, "remove", NULL, 0, "environment  pt  @\nnothing to remove\n"},
    {false, "remove", "-q", 0, ""},
};

START_TEST(a_saying)
{
    const struct said *said = &sayings[_i];

    if (said->applied)
        must_apply();
    struct outcome got = on_prefix(said->command, said->option, NULL);
    ck_assert_str_eq(got.err, "");
    check_text(got.out, said->out);
    ck_assert_int_eq(got.status, said->status);
    outcome_free(&got);
}
END_TEST

/* What is in this shell, and what would be: a row of the table. */
static const struct row {
    const char *section, *variables[3], *line;
} rows[] = {
    {"", {"CUDA_VISIBLE_DEVICES=0"}, "CUDA_VISIBLE_DEVICES  0              1,3"},
    {"", {"CUDA_VISIBLE_DEVICES="}, "CUDA_VISIBLE_DEVICES  (empty)        1,3"},
    {"  if_set: keep\n", {"CUDA_VISIBLE_DEVICES=0"}, "CUDA_VISIBLE_DEVICES  0              0"},
    {"  if_set: keep\n", {NULL}, "CUDA_VISIBLE_DEVICES  (not set)      1,3"},
    {"  if_set: keep\n",
     {"CUDA_VISIBLE_DEVICES=0", "__CONDA_GPU_VISIBLE=:0"},
     "CUDA_VISIBLE_DEVICES  0              1,3"},
    {"", {"CUDA_VISIBLE_DEVICES=0", "SLURM_JOB_ID=1"}, "CUDA_VISIBLE_DEVICES  0              0"},
    {"  in_job: override\n",
     {"CUDA_VISIBLE_DEVICES=0", "SLURM_JOB_ID=1"},
     "CUDA_VISIBLE_DEVICES  0              1,3"},
    {"  variables: {A: null}\n", {"A=1"}, "A                     1              (not set)"},
    {"  variables: {A: ''}\n", {"A=\t"}, "A                     \\t             (empty)"},
    {"  variables: {A: {prepend: x}}\n", {"A=1"}, "A                     1              x:..."},
    {"  variables: {A: {prepend: x}}\n", {NULL}, "A                     (not set)      x"},
    {"  variables: {A: {append: x}}\n", {"A="}, "A                     (empty)        x"},
    {"  variables: {A: {append: x, separator: ' '}}\n",
     {"A=1"},
     "A                     1              ... x"},
    {"  variables:\n    A: /scratch/some/where/very/long/indeed/and/longer/cuda-cache\n",
     {"A=/home/some/where/very/long/indeed/and/longer/cuda-cache"},
     "A                     /home/some/where/very/lon...  /scratch/some/where/very/..."},
};

START_TEST(a_row)
{
    char text[256], line[128];

    snprintf(text, sizeof text, "gpu:\n  devices: [1, 3]\n%s", rows[_i].section);
    snprintf(line, sizeof line, "\n%s\n", rows[_i].line);
    sandbox_write(&box, "environment.yml", text);
    struct outcome got = conda_gpu(&box, rows[_i].variables, "apply", "-dp", "envs/pt", NULL);
    ck_assert_int_eq(got.status, 0);
    ck_assert_msg(strstr(got.out, line) != NULL, "%s", got.out);
    outcome_free(&got);
}
END_TEST

START_TEST(quiet_check)
{
    struct outcome got = on_prefix("apply", "--check", "-q");

    ck_assert_str_eq(got.out, "");
    ck_assert_str_eq(got.err, "");
    ck_assert_int_eq(got.status, 1);
    outcome_free(&got);
}
END_TEST

/* Only what changes is named: another variable changes each hook, a comment in the file none. */
START_TEST(names_what_changes)
{
    must_apply();
    sandbox_write(&box, "environment.yml", "# new\nname: pt\ngpu: {devices: [1, 3]}\n");
    struct outcome got = on_prefix("apply", "--check", NULL);
    check_text(got.out, UNCHANGED);
    outcome_free(&got);

    char *path = with_prefix("@/etc/conda/activate.d/env_vars.csh");
    ck_assert_int_eq(unlink(path), 0);
    free(path);
    got = on_prefix("apply", "--check", NULL);
    check_text(got.out, PLAN VARIABLES "would write  etc/conda/activate.d/env_vars.csh\n");
    ck_assert_int_eq(got.status, 1);
    outcome_free(&got);
    got = on_prefix("apply", NULL, NULL);
    ck_assert_ptr_nonnull(strstr(got.out, "\nwritten    etc/conda/activate.d/env_vars.csh\n"));
    ck_assert_ptr_nonnull(strstr(got.out, "\nunchanged  etc/conda/activate.d/env_vars.sh\n"));
    outcome_free(&got);
}
END_TEST

/* Looking writes nothing, not even a folder. */
START_TEST(looking)
{
    char *before = listing();

    for (int i = 0; i < 2; i++) {
        struct outcome got = on_prefix("apply", i ? "--check" : "--dry-run", NULL);
        ck_assert_int_eq(got.status, i);
        outcome_free(&got);
        char *after = listing();
        ck_assert_str_eq(after, before);
        free(after);
    }
    free(before);
}
END_TEST

/* The diff, applied with patch(1) to a copy, makes what apply makes. */
START_TEST(diff_is_exact)
{
    static const char compare[] =
        "cp -R envs/pt copy && \"$CONDA_GPU\" apply --diff -p envs/pt >diff && "
        "patch -d copy -p1 <diff >/dev/null && \"$CONDA_GPU\" apply -q -p envs/pt && "
        "diff -r copy envs/pt && rm -r copy && grep -c '^+++ b/' diff";

    struct outcome got = run_script("command -v patch");
    if (got.status != 0) {
        test_skip(true, "dry run: no patch(1) to apply its diff with");
        return;
    }
    outcome_free(&got);
    got = run_script(compare);
    ck_assert_str_eq(got.err, "");
    ck_assert_str_eq(got.out, "7\n");
    outcome_free(&got);
    sandbox_write(&box, "environment.yml",
                  "name: pt\ngpu: {devices: 2, variables: {A: \"a\\nb\"}}\n");
    got = run_script(compare);
    ck_assert_str_eq(got.err, "");
    ck_assert_str_eq(got.out, "7\n");
    outcome_free(&got);
}
END_TEST

START_TEST(diff_of_absent)
{
    struct outcome got = on_prefix("apply", "--diff", "-q");

    ck_assert_int_eq(got.status, 0);
    ck_assert_ptr_nonnull(strstr(got.out, "+++ b/etc/conda/deactivate.d/env_vars.sh\n@@ -0,0 +1,"));
    ck_assert_ptr_nonnull(strstr(got.out, "\n+++ b/etc/conda/conda-gpu.yml\n"));
    ck_assert_ptr_null(strstr(got.out, "unchanged"));
    outcome_free(&got);
}
END_TEST

/* Nothing to do touches nothing. */
START_TEST(no_touch)
{
    must_apply();
    char *before = stamps();
    must_apply();
    struct outcome got = on_prefix("apply", "--check", NULL);
    ck_assert_int_eq(got.status, 0);
    outcome_free(&got);
    char *after = stamps();
    ck_assert_str_eq(after, before);
    free(before);
    free(after);
}
END_TEST

/* The same section from another file: the hooks name the file, the receipt the path. */
START_TEST(same_section_elsewhere)
{
    must_apply();
    sandbox_write(&box, "copy/environment.yml", "gpu: {devices: [1, 3]}\n");
    char *before = stamps();
    struct outcome got = on_prefix("apply", "-f", "copy/environment.yml");
    ck_assert_int_eq(got.status, 0);
    outcome_free(&got);
    char *after = stamps();
    ck_assert_str_eq(after, before);
    free(before);
    free(after);
}
END_TEST

/* Modes: what the prefix says, whatever the umask. */

static const struct modes {
    mode_t prefix, file, folder;
} modes[] = {{0755, 0644, 0755}, {0700, 0644, 0755}, {0775, 0664, 0775}, {02775, 0664, 0775}};

START_TEST(modes_of_files)
{
    const struct modes *wanted = &modes[_i / 2];

    ck_assert_int_eq(chmod(prefix, wanted->prefix), 0);
    struct outcome got = run_script(_i % 2 ? "umask 077; \"$CONDA_GPU\" apply -p envs/pt"
                                           : "umask 000; \"$CONDA_GPU\" apply -p envs/pt");
    ck_assert_int_eq(got.status, 0);
    for (size_t i = 0; i < HOOKS; i++)
        ck_assert_int_eq(mode_of(hooks[i]), wanted->file);
    ck_assert_int_eq(mode_of("etc/conda/conda-gpu.yml"), wanted->file);
    for (size_t i = 0; i < FOLDERS; i++)
        ck_assert_int_eq(mode_of(folders[i]) & 0777, wanted->folder);
    ck_assert_int_eq(mode_of(""), wanted->prefix);
    outcome_free(&got);
}
END_TEST

/* As somebody who may not write there: "$AS" runs a command so. */

static struct outcome run_as_other(const char *command)
{
    static const char other[] = "setpriv --reuid=65534 --regid=65534 --clear-groups";
    char script[512];

    ck_assert_int_eq(chmod(box.root, 0755), 0);
    snprintf(script, sizeof script,
             "AS='%s'; $AS test -x \"$CONDA_GPU\" -a -r environment.yml && %s",
             getuid() == 0 ? other : "", command);
    return run_script(script);
}

START_TEST(read_only_prefix)
{
    struct outcome got = run_as_other("true");

    if (got.status != 0) {
        test_skip(false, "read-only environment: no other user can run %s", getenv("CONDA_GPU"));
        return;
    }
    outcome_free(&got);
    ck_assert_int_eq(chmod(prefix, 0555), 0);
    char *before = listing();
    got = run_as_other("$AS \"$CONDA_GPU\" apply -p envs/pt");
    ck_assert_ptr_nonnull(strstr(got.err, "/etc/conda/conda-gpu.yml: cannot write: Permission"));
    ck_assert_ptr_nonnull(strstr(got.err, "    assign:\n      - user: "));
    ck_assert_ptr_nonnull(strstr(got.err, "\n        devices: [1,3]\n"));
    ck_assert_int_eq(got.status, 4);
    outcome_free(&got);
    got = run_as_other("$AS \"$CONDA_GPU\" apply --check -p envs/pt");
    check_text(got.out, WOULD);
    ck_assert_int_eq(got.status, 1);
    outcome_free(&got);
    char *after = listing();
    ck_assert_str_eq(after, before);
    ck_assert_int_eq(chmod(prefix, 0755), 0);
    free(before);
    free(after);
}
END_TEST

START_TEST(unreadable_hook)
{
    struct outcome got = run_as_other("true");

    if (got.status != 0) {
        test_skip(false, "unreadable hook: no other user can run %s", getenv("CONDA_GPU"));
        return;
    }
    outcome_free(&got);
    must_apply();
    char *path = with_prefix("@/etc/conda/activate.d/env_vars.sh");
    ck_assert_int_eq(chmod(path, 0), 0);
    got = run_as_other("$AS \"$CONDA_GPU\" apply --check -p envs/pt");
    check_text(got.err, "@/etc/conda/activate.d/env_vars.sh: cannot read: Permission denied\n");
    ck_assert_int_eq(got.status, 4);
    free(path);
    outcome_free(&got);
}
END_TEST

/* One at a time. */

START_TEST(locked)
{
    scope(lock_release) struct lock lock = LOCK_INIT;
    scope(prefix_close) struct prefix opened = PREFIX_INIT;
    scope(error_release) struct error err = ERROR_INIT;
    struct utsname machine;
    char holder[256], message[1024];

    ck_assert_int_eq(uname(&machine), 0);
    ck_assert_int_eq(prefix_open(&opened, prefix, &err), 0);
    ck_assert_int_eq(lock_take(&lock, &opened, &err), LOCK_TAKEN);
    char *before = listing();
    struct outcome got = on_prefix("apply", "--timeout", "1");
    snprintf(holder, sizeof holder, "process %d on %s", getpid(), machine.nodename);
    snprintf(message, sizeof message,
             "note: waiting for %s, which writes to this environment\n"
             "@: %s still writes there after 1 seconds; wait for it, or end it if it hangs. If it "
             "has ended, or its machine is down, remove its lock: rm '@/.conda-gpu.lock'\n",
             holder, holder);
    check_text(got.err, message);
    ck_assert_int_eq(got.status, 4);
    outcome_free(&got);
    check_left_alone("apply", "--check", 1, "");
    char *after = listing();
    ck_assert_str_eq(after, before);
    lock_release(&lock);
    must_apply();
    free(before);
    free(after);
}
END_TEST

START_TEST(many_at_once)
{
    must_apply();
    char *wanted = listing();
    struct outcome got = on_prefix("remove", NULL, NULL);
    outcome_free(&got);
    got = run_script("for i in 1 2 3 4 5 6; do \"$CONDA_GPU\" apply -q -p envs/pt & done; wait");
    ck_assert_str_eq(got.err, "");
    char *after = listing();
    ck_assert_str_eq(after, wanted);
    free(wanted);
    free(after);
    outcome_free(&got);
}
END_TEST

/* What a killed run left is swept, and files that only look like it are not. */
START_TEST(leftovers)
{
    sandbox_write(&box, inside("etc/conda/activate.d/.conda-gpu-0123456789abcdef.tmp"), "x");
    sandbox_write(&box, inside("etc/conda/activate.d/conda-gpu-0.tmp"), "x");
    must_apply();
    ck_assert(!sandbox_has(&box, inside("etc/conda/activate.d/.conda-gpu-0123456789abcdef.tmp")));
    ck_assert(sandbox_has(&box, inside("etc/conda/activate.d/conda-gpu-0.tmp")));
}
END_TEST

/* Templates of the user's own. */

static const char *const template_names[] = {"deactivate.sh", "deactivate.fish", "deactivate.csh",
                                             "activate.sh",   "activate.fish",   "activate.csh"};

static void copy_templates(void)
{
    for (size_t i = 0; i < sizeof template_names / sizeof *template_names; i++) {
        char from[64], to[64];
        snprintf(from, sizeof from, "../templates/%s", template_names[i]);
        snprintf(to, sizeof to, "../templates/%s", template_names[i]);
        char *path = tests_path(from);
        const struct sandbox root = {"/"};
        char *text = sandbox_read(&root, path, NULL);
        ck_assert_msg(text != NULL, "%s: %s", path, strerror(errno));
        sandbox_write(&box, to + 3, text);
        free(path);
        free(text);
    }
}

START_TEST(own_templates)
{
    copy_templates();
    char *text = sandbox_read(&box, "templates/activate.sh", NULL), *more = NULL;
    ck_assert_int_ge(asprintf(&more, "%s# for @environment@\n", text), 0);
    sandbox_write(&box, "templates/activate.sh", more);
    struct outcome got = on_prefix("apply", "--template-dir", "templates");
    ck_assert_str_eq(got.err, "");
    ck_assert_int_eq(got.status, 0);
    char *hook = sandbox_read(&box, inside(hooks[3]), NULL);
    ck_assert_ptr_nonnull(strstr(hook, "\n# for pt\n"));
    free(text);
    free(more);
    free(hook);
    outcome_free(&got);
}
END_TEST

static const struct template
{
    const char *text; /* of deactivate.sh; NULL: there is none */
    const char *message;
}
templates[] = {
    {NULL, "templates/deactivate.sh: cannot read the template: No such file or directory; "
           "--template-dir names a folder with a file of each name that templates/ has\n"},
    {"# a\n# @nonsense@\n", "deactivate.sh:2:3: '@nonsense@' means nothing here\n"},
    {"@each managed@\n@name@\n", "deactivate.sh:1:1: '@each managed@' has no '@end managed@'\n"},
    {"# a\n@end managed@\n", "deactivate.sh:2:1: '@end managed@' means nothing here\n"},
    {"true\n",
     "deactivate.sh: the first line must hold 'Written by conda-gpu @version@', and a line of its "
     "own '# conda-gpu digest @digest@'; without them the file could not be told from others\n"},
    {"# Written by conda-gpu @version@\n",
     "deactivate.sh: the first line must hold 'Written by conda-gpu @version@', and a line of its "
     "own '# conda-gpu digest @digest@'; without them the file could not be told from others\n"},
};

START_TEST(wrong_template)
{
    copy_templates();
    char *path = sandbox_path(&box, "templates/deactivate.sh");
    ck_assert_int_eq(unlink(path), 0);
    if (templates[_i].text)
        sandbox_write(&box, "templates/deactivate.sh", templates[_i].text);
    struct outcome got = on_prefix("apply", "--template-dir", "templates");
    ck_assert_str_eq(got.err, templates[_i].message);
    ck_assert_int_eq(got.status, 2);
    ck_assert(!sandbox_has(&box, "envs/pt/etc"));
    free(path);
    outcome_free(&got);
}
END_TEST

/* Names of any bytes. */

static const char *const odd_names[] = {"a b",          "it's",        "$(id)", "new\nline",
                                        "caf\xe9",      "caf\xc3\xa9", "-n",    "@version@",
                                        "\xe2\x80\xae", "*?["};

START_TEST(odd_prefix)
{
    char option[64], history[64], hook[96];

    snprintf(option, sizeof option, "-penvs/%s", odd_names[_i]);
    snprintf(history, sizeof history, "envs/%s/conda-meta/history", odd_names[_i]);
    snprintf(hook, sizeof hook, "envs/%s/etc/conda/activate.d/env_vars.sh", odd_names[_i]);
    sandbox_write(&box, history, "");
    struct outcome got = conda_gpu(&box, NULL, "apply", option, NULL);
    ck_assert_str_eq(got.err, "");
    ck_assert_int_eq(got.status, 0);
    char *text = sandbox_read(&box, hook, NULL);
    const char *source = strstr(text, " from environment.yml.\n");
    ck_assert_msg(source && source < strchr(text, '\n'), "the first line is not one: %s", text);
    outcome_free(&got);
    got = conda_gpu(&box, NULL, "apply", "--check", option, NULL);
    ck_assert_int_eq(got.status, 0);
    outcome_free(&got);
    got = conda_gpu(&box, NULL, "remove", option, NULL);
    ck_assert_int_eq(got.status, 0);
    ck_assert(!sandbox_has(&box, hook));
    free(text);
    outcome_free(&got);
}
END_TEST

START_TEST(odd_source)
{
    char path[96];

    snprintf(path, sizeof path, "in/%s/%s.yml", odd_names[_i], odd_names[_i]);
    sandbox_write(&box, path, "gpu: {devices: 1}\n");
    struct outcome got = on_prefix("apply", "-f", path);
    ck_assert_str_eq(got.err, "");
    ck_assert_int_eq(got.status, 0);
    outcome_free(&got);
    got = conda_gpu(&box, NULL, "apply", "--check", "-p", "envs/pt", "-f", path, NULL);
    ck_assert_str_eq(got.err, "");
    ck_assert_int_eq(got.status, 0);
    outcome_free(&got);
}
END_TEST

/* The file may come through a pipe. */
START_TEST(piped_source)
{
    struct outcome got =
        run_script("cat environment.yml | \"$CONDA_GPU\" apply -f /dev/stdin -p envs/pt");

    ck_assert_str_eq(got.err, "");
    check_text(got.out, PLAN FILES("written  ") TO_USE_IT);
    ck_assert_int_eq(got.status, 0);
    outcome_free(&got);
}
END_TEST

/* What is no file is named so that the next run, whose descriptor has another number, finds no
   change. */
static const struct stream {
    const char *first, *next; /* the ends of commands of bash */
    const char *name;
} streams[] = {
    {"-f <(cat environment.yml)", "-f /dev/fd/7 7< <(cat environment.yml)", "a pipe"},
    {"-f /dev/fd/5 5<environment.yml", "-f /proc/self/fd/6 6<environment.yml", "a pipe"},
    {"-f /dev/stdin <environment.yml", "-f /dev/fd/0 < <(cat environment.yml)", "standard input"},
    {"-f fifo & cat environment.yml >fifo; wait $!", "-f <(cat environment.yml)", "a pipe"},
};

START_TEST(unnamed_source)
{
    const struct stream *stream = &streams[_i];
    char script[512], line[64];

    snprintf(script, sizeof script,
             "mkfifo fifo; bash -ec '\"$CONDA_GPU\" apply -p envs/pt %s\n"
             "\"$CONDA_GPU\" apply --check -p envs/pt %s'",
             stream->first, stream->next);
    struct outcome got = run_script(script);
    ck_assert_str_eq(got.err, "");
    ck_assert_int_eq(got.status, 0);
    ck_assert_ptr_nonnull(strstr(got.out, "unchanged  pt  "));
    outcome_free(&got);
    char *hook = sandbox_read(&box, inside(hooks[3]), NULL);
    snprintf(line, sizeof line, " from %s.\n", stream->name);
    ck_assert_ptr_nonnull(strstr(hook, line));
    free(hook);
    char *receipt = sandbox_read(&box, inside("etc/conda/conda-gpu.yml"), NULL);
    snprintf(line, sizeof line, "\n  source: %s\n", stream->name);
    ck_assert_ptr_nonnull(strstr(receipt, line));
    free(receipt);
}
END_TEST

/* The receipt, for people who look into it. */
START_TEST(receipt)
{
    char line[256];

    must_apply();
    char *text = sandbox_read(&box, inside("etc/conda/conda-gpu.yml"), NULL);
    ck_assert_int_eq(strncmp(text, "# Receipt of conda-gpu", 22), 0);
    snprintf(line, sizeof line, "\n  source: %s/environment.yml\n", box.root);
    ck_assert_ptr_nonnull(strstr(text, line));
    ck_assert_ptr_nonnull(strstr(text, "GPU-8932f937-d72c-4106-c12f-20bd9faed9f6"));
    ck_assert_ptr_nonnull(strstr(text, "0000:47:00.0"));
    ck_assert_ptr_nonnull(strstr(text, "- CUDA_VISIBLE_DEVICES\n"));
    free(text);
}
END_TEST

#define LOOP(tests, test, table) tcase_add_loop_test(tests, test, 0, sizeof table / sizeof *table)

static Suite *suite(void)
{
    Suite *suite = suite_create("command line: apply");
    TCase *tests = tcase_create("");

    tcase_add_checked_fixture(tests, set_up, one_prefix_close);
    LOOP(tests, a_saying, sayings);
    LOOP(tests, a_row, rows);
    tcase_add_test(tests, quiet_check);
    tcase_add_test(tests, names_what_changes);
    tcase_add_test(tests, looking);
    tcase_add_test(tests, diff_is_exact);
    tcase_add_test(tests, diff_of_absent);
    tcase_add_test(tests, no_touch);
    tcase_add_test(tests, same_section_elsewhere);
    tcase_add_loop_test(tests, modes_of_files, 0, 2 * sizeof modes / sizeof *modes);
    tcase_add_test(tests, read_only_prefix);
    tcase_add_test(tests, unreadable_hook);
    tcase_add_test(tests, locked);
    tcase_add_test(tests, many_at_once);
    tcase_add_test(tests, leftovers);
    tcase_add_test(tests, own_templates);
    LOOP(tests, wrong_template, templates);
    LOOP(tests, odd_prefix, odd_names);
    LOOP(tests, odd_source, odd_names);
    tcase_add_test(tests, piped_source);
    tcase_add_loop_test(tests, unnamed_source, 0, sizeof streams / sizeof *streams);
    tcase_add_test(tests, receipt);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return test_main(suite());
}
