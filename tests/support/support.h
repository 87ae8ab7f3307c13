/*
 * What all tests share: a throwaway folder, programs run in it, and how a test says that it skips.
 *
 * A test program is tests/KIND/check_NAME.c with a main() that is `return test_main(suite)`.
 * Its environment comes from the Makefile: CONDA_GPU is the program under test, FAKE_CUDA the
 * folder of the simulated libcuda.so.1, TESTS the folder tests/; tests/run gives it a TMPDIR and a
 * HOME that are removed afterwards. Everything here ends the test with
 * ck_abort_msg where it cannot do its work.
 */
#pragma once

#include "support/error_text.h"

#include <check.h>
#include <stdbool.h>
#include <stddef.h>

/* Runs the suite, each test in a process of its own; prints what failed and what was skipped, and
   adds "passed failed skipped could-be-had" as a line to the file that TEST_RESULTS names. */
int test_main(Suite *suite);

/* Says why this test cannot run here. The test returns after it, and counts as skipped. `can_have`:
   the machine could be given what is missing (a package), which .ci/run takes as a failure. */
void test_skip(bool can_have, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Whether the variable SHELLS leaves a shell in: "dash fish" means these, "! dash fish" all but
   these, and without it all are wanted. */
bool shell_wanted(const char *name);

/* Whether there is a program of that name in PATH. */
bool program_present(const char *name);

struct sandbox {
    char root[64]; /* a folder below TMPDIR; the folder `home` in it is HOME for what runs there */
};

void sandbox_open(struct sandbox *box);
void sandbox_close(struct sandbox *box);

/* ROOT/PATH; malloc'ed, as all text that is returned here. */
char *sandbox_path(const struct sandbox *box, const char *path);

/* Writes a file and the folders on its way. */
void sandbox_write(const struct sandbox *box, const char *path, const char *text);
void sandbox_write_bytes(const struct sandbox *box, const char *path, const void *bytes,
                         size_t length);
/* NULL if there is no such file. */
char *sandbox_read(const struct sandbox *box, const char *path, size_t *length);
bool sandbox_has(const struct sandbox *box, const char *path);
/* A file or a folder with all that is in it; missing is fine. */
void sandbox_remove(const struct sandbox *box, const char *path);

/* Makes an empty conda environment, envs/NAME with conda-meta/history; returns its prefix. */
char *sandbox_environment(const struct sandbox *box, const char *name);

/* An open file without a name, below TMPDIR: it is gone when nobody has it open any longer. Each
   write goes to its end. */
int unnamed_file(void);

struct outcome {
    int status; /* exit status; 128 + signal for a program that was killed */
    char *out;  /* NUL-terminated */
    size_t out_length;
    char *err; /* without the "conda-gpu: " with which each message of the program begins */
    size_t err_length;
};

void outcome_free(struct outcome *outcome);

/* Runs argv[0] (by PATH) in the sandbox's root, with exactly this environment and the input (NULL:
   none), and waits. Killed after 600 seconds, or TEST_TIMEOUT of them. */
struct outcome sandbox_run(const struct sandbox *box, const char *const *argv,
                           const char *const *env, const char *input);

/* Runs conda-gpu with these arguments (a NULL ends them) in the root. Its environment is PATH,
   HOME, CONDA_GPU_DRIVER for the simulated driver, FAKE_CUDA_MACHINE=ROOT/machine if there is such
   a file, and `env` (NULL: nothing more), whose entries win. Fails where a line on stderr neither
   begins with "conda-gpu: " nor is indented. */
struct outcome conda_gpu(const struct sandbox *box, const char *const *env, ...)
    __attribute__((sentinel));

/* The text with `root` for every @ that is not one of a pair; malloc'ed. */
char *rooted(const char *text, const char *root);
/* Fails unless `got` is that. */
void check_rooted(const char *got, const char *wanted, const char *root);

/* Absolute path of the simulated driver, of a file in tests/, and of ../shared/corpus/environments,
   NULL where that is absent. */
char *fake_driver(void);
char *tests_path(const char *name);
char *corpus_path(void);
