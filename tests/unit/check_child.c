/*
 * The module child: work that answers, work that goes wrong, and that nothing of it is left.
 */
#include "support/support.h"

#include "base/child.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/scope.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LIMIT = 1 << 20, MOST = 3 };

/* What the work says through memory that it shares with the test: the processes that it started. */
static struct {
    pid_t processes[MOST];
} * shared;

static void set_up(void)
{
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(shared, MAP_FAILED);
}

static void tear_down(void)
{
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1); /* no child of the test's is left */
    munmap(shared, sizeof *shared);
}

static struct child_ending run(child_work *work, const void *data, struct strbuf *answer)
{
    struct child child = CHILD_INIT;

    ck_assert_int_eq(child_start(&child, work, data, 30), 0);
    struct child_ending ending = child_answer(&child, LIMIT, answer);
    ck_assert_int_eq(child.guard, -1);
    ck_assert_int_eq(child.socket, -1);
    return ending;
}

/* Answers */

static void count_to(const void *data, struct strbuf *answer)
{
    const size_t *size = data;

    for (size_t i = 0; i < *size; i++)
        strbuf_addc(answer, (char)(i % 251));
}

static const size_t sizes[] = {0, 1, 100, 65536, LIMIT};

START_TEST(answers)
{
    scope(strbuf_release) struct strbuf answer = STRBUF_INIT, wanted = STRBUF_INIT;

    count_to(&sizes[_i], &wanted);
    ck_assert_int_eq(run(count_to, &sizes[_i], &answer).how, CHILD_ANSWERED);
    ck_assert_uint_eq(answer.length, sizes[_i]);
    ck_assert_int_eq(memcmp(strbuf_text(&answer), strbuf_text(&wanted), sizes[_i]), 0);
}
END_TEST

START_TEST(too_long_an_answer)
{
    scope(strbuf_release) struct strbuf answer = STRBUF_INIT;
    const size_t size = LIMIT + 1;

    ck_assert_int_eq(run(count_to, &size, &answer).how, CHILD_EXITED);
}
END_TEST

/* What a library writes to descriptors that are not its own. */
static void write_to_socket(const void *data, struct strbuf *answer)
{
    (void)answer;
    if (write(3, data, sizeof(int64_t)) > 0)
        _exit(0);
}

static const int64_t lengths[] = {INT64_MIN, INT64_MIN + 5, -5000, (INT64_C(1) << 32) + 1,
                                  INT64_MAX};

START_TEST(a_length_that_is_none)
{
    scope(strbuf_release) struct strbuf answer = STRBUF_INIT;

    ck_assert_int_eq(run(write_to_socket, &lengths[_i], &answer).how, CHILD_EXITED);
    ck_assert_uint_eq(answer.length, 0);
}
END_TEST

static void change_environment(const void *data, struct strbuf *answer)
{
    (void)data;
    setenv("CHECK_CHILD", "2", 1);
    strbuf_adds(answer, getenv("CHECK_CHILD"));
}

START_TEST(environment_of_its_own)
{
    scope(strbuf_release) struct strbuf answer = STRBUF_INIT;

    setenv("CHECK_CHILD", "1", 1);
    run(change_environment, NULL, &answer);
    ck_assert_str_eq(strbuf_text(&answer), "2");
    ck_assert_str_eq(getenv("CHECK_CHILD"), "1");
}
END_TEST

START_TEST(several_at_once)
{
    struct child children[MOST] = {CHILD_INIT, CHILD_INIT, CHILD_INIT};

    for (size_t i = 0; i < MOST; i++)
        ck_assert_int_eq(child_start(&children[i], count_to, &sizes[i], 30), 0);
    for (size_t i = MOST; i-- > 0;) {
        scope(strbuf_release) struct strbuf answer = STRBUF_INIT;
        ck_assert_int_eq(child_answer(&children[i], LIMIT, &answer).how, CHILD_ANSWERED);
        ck_assert_uint_eq(answer.length, sizes[i]);
    }
}
END_TEST

/* What the work finds */

static void look_around(const void *data, struct strbuf *answer)
{
    struct stat null, is;
    struct rlimit core;
    sigset_t blocked;

    (void)data;
    stat("/dev/null", &null);
    for (int fd = 0; fd < 2000; fd++)
        if (fstat(fd, &is) == 0)
            strbuf_addf(answer, "%d %s\n", fd,
                        is.st_rdev == null.st_rdev ? "null"
                        : S_ISSOCK(is.st_mode)     ? "socket"
                                                   : "else");
    sigprocmask(SIG_SETMASK, NULL, &blocked);
    for (int i = 1; i < 32; i++)
        if (sigismember(&blocked, i))
            strbuf_addf(answer, "signal %d\n", i);
    getrlimit(RLIMIT_CORE, &core);
    strbuf_addf(answer, "core %d\n", (int)core.rlim_cur);
    strbuf_addf(answer, "%s\n", getpgid(0) == getpid() ? "a group of its own" : "the same group");
}

START_TEST(surroundings)
{
    scope(strbuf_release) struct strbuf answer = STRBUF_INIT;

    for (int fd = 50; fd < 1000; fd += 50)
        ck_assert_int_eq(dup2(0, fd), fd);
    ck_assert_int_eq(run(look_around, NULL, &answer).how, CHILD_ANSWERED);
    ck_assert_str_eq(strbuf_text(&answer), "0 null\n1 null\n2 null\n3 socket\ncore 0\n"
                                           "a group of its own\n");
}
END_TEST

/* Work that goes wrong */

static void crash(const void *data, struct strbuf *answer)
{
    const int *number = data;

    strbuf_adds(answer, "not to be seen");
    signal(*number, SIG_DFL); /* a sanitizer may have taken it */
    raise(*number);
}

START_TEST(a_crash)
{
    static const int signals[] = {SIGSEGV, SIGABRT, SIGKILL, SIGBUS, SIGTERM};
    scope(strbuf_release) struct strbuf answer = STRBUF_INIT;

    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        struct child_ending ending = run(crash, &signals[i], &answer);
        ck_assert_int_eq(ending.how, CHILD_KILLED);
        ck_assert_int_eq(ending.code, signals[i]);
        ck_assert_uint_eq(answer.length, 0);
    }
}
END_TEST

static void leave(const void *data, struct strbuf *answer)
{
    (void)answer;
    _exit(*(const int *)data);
}

START_TEST(an_exit)
{
    scope(strbuf_release) struct strbuf answer = STRBUF_INIT;
    const int status = 7 * _i;

    struct child_ending ending = run(leave, &status, &answer);
    ck_assert_int_eq(ending.how, CHILD_EXITED);
    ck_assert_int_eq(ending.code, status);
}
END_TEST

static void hang(const void *data, struct strbuf *answer)
{
    (void)data;
    (void)answer;
    signal(SIGTERM, SIG_IGN);
    for (;;)
        pause();
}

START_TEST(a_hang)
{
    struct child child = CHILD_INIT;
    scope(strbuf_release) struct strbuf answer = STRBUF_INIT;
    long long start = clock_now();

    ck_assert_int_eq(child_start(&child, hang, NULL, 1), 0);
    ck_assert_int_eq(child_answer(&child, LIMIT, &answer).how, CHILD_LATE);
    ck_assert_int_ge(clock_now() - start, 1000);
}
END_TEST

/* Nothing is left: a child of the work's, one that left its group, and one whose parent has ended.
 */

static void start_one(int number)
{
    pid_t between = number == 2 ? fork() : 0;

    if (between > 0) {
        waitpid(between, NULL, 0);
        return;
    }
    if (number == 2)
        setsid();
    pid_t process = fork();
    if (process > 0)
        shared->processes[number] = process;
    if (process > 0 && number == 2)
        _exit(0);
    if (process > 0)
        return;
    if (number == 1)
        setpgid(0, 0);
    signal(SIGTERM, SIG_IGN);
    for (;;)
        pause();
}

static void start_processes(const void *data, struct strbuf *answer)
{
    child_work *const *then = data;

    for (int i = 0; i < MOST; i++)
        start_one(i);
    if (*then)
        (*then)(NULL, answer);
}

static bool is_alive(pid_t process)
{
    scope(strbuf_release) struct strbuf stat = STRBUF_INIT;
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/stat", (int)process);
    const char *state = file_read(path, 4096, &stat) < 0 ? NULL : strrchr(stat.text, ')');
    return state && state[2] != 'Z' && state[2] != 'X';
}

/* They were there, and within ten seconds they are not. */
static void check_ended(void)
{
    long long deadline = clock_in(10);

    for (int i = 0; i < MOST; i++) {
        ck_assert_int_gt(shared->processes[i], 0);
        while (is_alive(shared->processes[i]) && clock_now() < deadline)
            usleep(1000);
        ck_assert_msg(!is_alive(shared->processes[i]), "process %d of the work is left", i);
    }
}

static void segv(const void *data, struct strbuf *answer)
{
    (void)data;
    crash(&(int){SIGSEGV}, answer);
}

START_TEST(leaves_no_process)
{
    static child_work *const then[] = {NULL, segv};
    scope(strbuf_release) struct strbuf answer = STRBUF_INIT;

    struct child_ending ending = run(start_processes, &then[_i], &answer);
    ck_assert_int_eq(ending.how, then[_i] ? CHILD_KILLED : CHILD_ANSWERED);
    check_ended();
}
END_TEST

static void wait_for_processes(void)
{
    for (long long deadline = clock_in(10); clock_now() < deadline; usleep(1000))
        if (shared->processes[MOST - 1])
            return;
    ck_abort_msg("the work has started nothing");
}

START_TEST(leaves_no_process_when_given_up)
{
    child_work *const then = hang;
    struct child child = CHILD_INIT;

    ck_assert_int_eq(child_start(&child, start_processes, &then, 60), 0);
    wait_for_processes();
    child_end(&child);
    check_ended();
    child_end(&child); /* nothing to do */
}
END_TEST

/* Nor when the program itself is ended. */
START_TEST(leaves_no_process_of_an_ended_program)
{
    static const int signals[] = {SIGTERM, SIGHUP, SIGINT, SIGKILL};
    child_work *const then = hang;

    pid_t program = fork();
    if (program == 0) {
        struct child other = CHILD_INIT, child = CHILD_INIT;
        scope(strbuf_release) struct strbuf answer = STRBUF_INIT;
        signal(signals[_i], SIG_DFL); /* libcheck has taken it */
        child_start(&child, start_processes, &then, 60);
        child_start(&other, hang, NULL, 60); /* must not keep the first one's socket open */
        child_answer(&child, LIMIT, &answer);
        _exit(0);
    }
    wait_for_processes();
    kill(program, signals[_i]);
    ck_assert_int_eq(waitpid(program, NULL, 0), program);
    check_ended();
}
END_TEST

/* Nor is a descriptor, here or there: the other end of the pipe is with nobody. */
START_TEST(leaves_no_descriptor)
{
    struct child child = CHILD_INIT;
    int ends[2], before = dup(0);
    char byte;

    ck_assert_int_eq(pipe(ends), 0); /* without FD_CLOEXEC */
    ck_assert_int_eq(child_start(&child, hang, NULL, 60), 0);
    close(ends[1]);
    ck_assert_int_eq(read(ends[0], &byte, 1), 0);
    child_end(&child);
    close(ends[0]);
    for (int i = 0; i < 20; i++) {
        scope(strbuf_release) struct strbuf answer = STRBUF_INIT;
        run(count_to, &sizes[2], &answer);
    }
    ck_assert_int_eq(dup(0), before + 1);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("child");
    TCase *tests = tcase_create("");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, answers, 0, sizeof sizes / sizeof *sizes);
    tcase_add_test(tests, too_long_an_answer);
    tcase_add_loop_test(tests, a_length_that_is_none, 0, sizeof lengths / sizeof *lengths);
    tcase_add_test(tests, environment_of_its_own);
    tcase_add_test(tests, several_at_once);
    tcase_add_test(tests, surroundings);
    tcase_add_test(tests, a_crash);
    tcase_add_loop_test(tests, an_exit, 0, 2);
    tcase_add_test(tests, a_hang);
    tcase_add_loop_test(tests, leaves_no_process, 0, 2);
    tcase_add_test(tests, leaves_no_process_when_given_up);
    tcase_add_loop_test(tests, leaves_no_process_of_an_ended_program, 0, 4);
    tcase_add_test(tests, leaves_no_descriptor);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return test_main(suite());
}
