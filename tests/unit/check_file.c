/*
 * The modules that touch the file system below the prefix: file and tempfile.
 */
#include "support/sandboxed.h"

#include "base/file.h"
#include "base/scope.h"
#include "base/tempfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int folder;

static void set_up(void)
{
    folder = open(box.root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_ge(folder, 0);
}

static void tear_down(void)
{
    close(folder);
}

/* Files in the sandbox's root, but for home. */
static int count_files(void)
{
    const char *const argv[] = {"sh", "-c", "ls -A | grep -vcx home; true", NULL};
    const char *const env[] = {"PATH=/usr/bin:/bin", NULL};
    struct outcome listed = sandbox_run(&box, argv, env, NULL);
    int count = (int)strtol(listed.out, NULL, 10);

    outcome_free(&listed);
    return count;
}

/* file: sizes around the size of a chunk and around the limit */

static const struct {
    size_t size, limit;
    int error;
} sizes[] = {
    {0, 100, 0},           {1, 100, 0},
    {99, 100, 0},          {100, 100, 0},
    {101, 100, EOVERFLOW}, {16383, 1 << 20, 0},
    {16384, 1 << 20, 0},   {16385, 1 << 20, 0},
    {200000, 1 << 20, 0},  {200000, 199999, EOVERFLOW},
};

/* Bytes of all kinds, other ones at every place. */
static char *make_bytes(size_t size)
{
    char *bytes = malloc(size + 1);

    for (size_t i = 0; i <= size; i++)
        bytes[i] = (char)(i * 7 + i / 251);
    return bytes;
}

START_TEST(file_reads_whole)
{
    scope(strbuf_release) struct strbuf out = STRBUF_INIT;
    scope(free_text) char *bytes = make_bytes(sizes[_i].size);
    scope(free_text) char *path = sandbox_path(&box, "file");

    sandbox_write_bytes(&box, "file", bytes, sizes[_i].size);
    strbuf_adds(&out, "before");
    int result = file_read(path, sizes[_i].limit, &out);
    ck_assert_int_eq(result, sizes[_i].error ? -1 : 0);
    if (sizes[_i].error) {
        ck_assert_int_eq(errno, sizes[_i].error);
        return;
    }
    ck_assert_uint_eq(out.length, sizes[_i].size + 6);
    ck_assert_mem_eq(out.text + 6, bytes, sizes[_i].size);
    ck_assert_int_eq(out.text[out.length], '\0');
}
END_TEST

START_TEST(file_reads_pipes)
{
    scope(strbuf_release) struct strbuf out = STRBUF_INIT;
    int ends[2];

    ck_assert_int_eq(pipe(ends), 0);
    for (int i = 0; i < 1000; i++)
        ck_assert_int_eq(write(ends[1], "0123456789", 10), 10);
    close(ends[1]);
    ck_assert_int_eq(file_read_fd(ends[0], 100000, &out), 0);
    ck_assert_uint_eq(out.length, 10000);
    close(ends[0]);
}
END_TEST

START_TEST(file_limits_pipes)
{
    scope(strbuf_release) struct strbuf out = STRBUF_INIT;
    int ends[2];

    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(write(ends[1], "0123456789", 10), 10);
    close(ends[1]);
    ck_assert_int_eq(file_read_fd(ends[0], 9, &out), -1);
    ck_assert_int_eq(errno, EOVERFLOW);
    close(ends[0]);
}
END_TEST

/* A size of 0 does not mean that there is nothing: /proc says so of all its files. */
START_TEST(file_reads_proc)
{
    scope(strbuf_release) struct strbuf out = STRBUF_INIT;

    ck_assert_int_eq(file_read("/proc/self/status", 1 << 20, &out), 0);
    ck_assert_ptr_nonnull(strstr(strbuf_text(&out), "Name:"));
}
END_TEST

START_TEST(file_errors)
{
    scope(strbuf_release) struct strbuf out = STRBUF_INIT;

    ck_assert_int_eq(file_read(box.root, 100, &out), -1);
    ck_assert_int_eq(errno, EISDIR);
    ck_assert_int_eq(file_read("/nowhere/at/all", 100, &out), -1);
    ck_assert_int_eq(errno, ENOENT);
    ck_assert_int_eq(file_read_fd(-1, 100, &out), -1);
    ck_assert_int_eq(errno, EBADF);
}
END_TEST

/* In a folder, only regular files are read, and nothing blocks. */
static const struct {
    const char *name;
    int error;
} oddities[] = {{"file", 0},     {"link", ELOOP},  {"home", EISDIR},
                {"fifo", ENXIO}, {"none", ENOENT}, {"dangling", ELOOP}};

START_TEST(file_read_at_takes_files_only)
{
    scope(strbuf_release) struct strbuf out = STRBUF_INIT;

    sandbox_write(&box, "file", "text");
    ck_assert_int_eq(symlinkat("file", folder, "link"), 0);
    ck_assert_int_eq(symlinkat("nowhere", folder, "dangling"), 0);
    ck_assert_int_eq(mkfifoat(folder, "fifo", 0644), 0);
    int result = file_read_at(folder, oddities[_i].name, O_NOFOLLOW, 100, &out);
    ck_assert_int_eq(result, oddities[_i].error ? -1 : 0);
    if (oddities[_i].error)
        ck_assert_int_eq(errno, oddities[_i].error);
    ck_assert_str_eq(strbuf_text(&out), oddities[_i].error ? "" : "text");
}
END_TEST

START_TEST(file_write_errors)
{
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

    ck_assert_int_eq(file_write_fd(full, "text", 4), -1);
    ck_assert_int_eq(errno, ENOSPC);
    ck_assert_int_eq(file_write_fd(full, "", 0), 0);
    close(full);
}
END_TEST

static const struct {
    const char *left, *right, *joined;
} joins[] = {
    {"a", "b", "a/b"}, {"a/", "b", "a/b"}, {"/", "b", "/b"}, {"a", "b/c", "a/b/c"}, {"a", "", "a/"},
};

START_TEST(paths_join)
{
    scope(free_text) char *path = path_join(joins[_i].left, joins[_i].right);

    ck_assert_str_eq(path, joins[_i].joined);
}
END_TEST

START_TEST(path_names)
{
    ck_assert_str_eq(path_name("/a/b"), "b");
    ck_assert_str_eq(path_name("b"), "b");
    ck_assert_str_eq(path_name("/a/"), "");
    ck_assert_str_eq(path_name("/"), "");
}
END_TEST

/* tempfile */

START_TEST(tempfile_replaces)
{
    struct tempfile temp = TEMPFILE_INIT;

    sandbox_write(&box, "hook.sh", "old");
    ck_assert_int_eq(tempfile_create(&temp, folder), 0);
    ck_assert_int_eq(count_files(), 2);
    ck_assert_int_eq(tempfile_write(&temp, "new\0text", 8), 0);
    scope(free_text) char *before = sandbox_read(&box, "hook.sh", NULL);
    ck_assert_str_eq(before, "old");
    ck_assert_int_eq(tempfile_commit(&temp, "hook.sh"), 0);
    tempfile_release(&temp);
    size_t length = 0;
    scope(free_text) char *after = sandbox_read(&box, "hook.sh", &length);
    ck_assert_uint_eq(length, 8);
    ck_assert_mem_eq(after, "new\0text", 8);
    ck_assert_int_eq(count_files(), 1);
}
END_TEST

/* No glob of a shell's takes the name, not even one that takes dots. */
START_TEST(tempfile_has_no_shell_name)
{
    scope(tempfile_release) struct tempfile temp = TEMPFILE_INIT;

    ck_assert_int_eq(tempfile_create(&temp, folder), 0);
    ck_assert_int_eq(strncmp(temp.name, ".conda-gpu-", 11), 0);
    ck_assert_str_eq(temp.name + strlen(temp.name) - 4, ".tmp");
    ck_assert(sandbox_has(&box, temp.name));
}
END_TEST

START_TEST(tempfile_is_private)
{
    scope(tempfile_release) struct tempfile temp = TEMPFILE_INIT;
    struct stat st;

    umask(0);
    ck_assert_int_eq(tempfile_create(&temp, folder), 0);
    umask(022);
    ck_assert_int_eq(fstatat(folder, temp.name, &st, 0), 0);
    ck_assert_int_eq(st.st_mode & 07777, 0600);
}
END_TEST

/* Given up at any step, it leaves nothing. */
START_TEST(tempfile_leaves_nothing)
{
    struct tempfile temp = TEMPFILE_INIT;

    if (_i > 0)
        ck_assert_int_eq(tempfile_create(&temp, folder), 0);
    if (_i > 1)
        ck_assert_int_eq(tempfile_write(&temp, "text", 4), 0);
    if (_i > 2)
        ck_assert_int_eq(tempfile_commit(&temp, "no/such/folder"), -1);
    errno = EXDEV;
    tempfile_release(&temp);
    ck_assert_int_eq(errno, EXDEV);
    ck_assert_int_eq(count_files(), 0);
    ck_assert_int_eq(temp.fd, -1);
    tempfile_release(&temp);
}
END_TEST

START_TEST(tempfile_without_folder)
{
    struct tempfile temp = TEMPFILE_INIT;

    ck_assert_int_eq(tempfile_create(&temp, -1), -1);
    ck_assert_int_eq(errno, EBADF);
    tempfile_release(&temp);
}
END_TEST

START_TEST(tempfile_replaces_links_not_targets)
{
    scope(tempfile_release) struct tempfile temp = TEMPFILE_INIT;

    sandbox_write(&box, "target", "kept");
    ck_assert_int_eq(symlinkat("target", folder, "hook.sh"), 0);
    ck_assert_int_eq(tempfile_create(&temp, folder), 0);
    ck_assert_int_eq(tempfile_write(&temp, "new", 3), 0);
    ck_assert_int_eq(tempfile_commit(&temp, "hook.sh"), 0);
    scope(free_text) char *target = sandbox_read(&box, "target", NULL);
    scope(free_text) char *hook = sandbox_read(&box, "hook.sh", NULL);
    ck_assert_str_eq(target, "kept");
    ck_assert_str_eq(hook, "new");
}
END_TEST

START_TEST(tempfile_sweeps_its_own)
{
    static const char *const kept[] = {"conda-gpu-1.tmp", ".conda-gpu-1.sh", ".other.tmp",
                                       "x.conda-gpu-1.tmp"};

    for (size_t i = 0; i < 4; i++)
        sandbox_write(&box, kept[i], "");
    sandbox_write(&box, ".conda-gpu-0123456789abcdef.tmp", "");
    sandbox_write(&box, ".conda-gpu-.tmp", "");
    tempfile_sweep(folder);
    ck_assert_int_eq(count_files(), 4);
    for (size_t i = 0; i < 4; i++)
        ck_assert(sandbox_has(&box, kept[i]));
    tempfile_sweep(-1);
}
END_TEST

#define LOOP(tests, test, table) tcase_add_loop_test(tests, test, 0, sizeof table / sizeof *table)

static Suite *suite(void)
{
    Suite *suite = suite_create("file, tempfile");
    TCase *tests = tcase_create("");

    sandboxed(tests);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    LOOP(tests, file_reads_whole, sizes);
    tcase_add_test(tests, file_reads_pipes);
    tcase_add_test(tests, file_limits_pipes);
    tcase_add_test(tests, file_reads_proc);
    tcase_add_test(tests, file_errors);
    LOOP(tests, file_read_at_takes_files_only, oddities);
    tcase_add_test(tests, file_write_errors);
    LOOP(tests, paths_join, joins);
    tcase_add_test(tests, path_names);
    tcase_add_test(tests, tempfile_replaces);
    tcase_add_test(tests, tempfile_has_no_shell_name);
    tcase_add_test(tests, tempfile_is_private);
    tcase_add_loop_test(tests, tempfile_leaves_nothing, 0, 4);
    tcase_add_test(tests, tempfile_without_folder);
    tcase_add_test(tests, tempfile_replaces_links_not_targets);
    tcase_add_test(tests, tempfile_sweeps_its_own);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return test_main(suite());
}
