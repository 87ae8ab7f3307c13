/*
 * conda-gpu exec --free: cards that nobody uses, for one command and all that it starts.
 */
#include "support/one_prefix.h"

#include "base/scope.h"
#include "base/strbuf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATH "PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"

enum { CARDS = 8 };

/* Eight cards with UUIDs of this test process alone, since leases are the whole machine's. */
static void use_machine(const char *more)
{
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;

    for (unsigned i = 0; i < CARDS; i++)
        strbuf_addf(&text, "gpu GPU-%08x-0000-4000-8000-%012x 0000:%02x:00.0 80GiB 9.0 \"H100\"\n",
                    i, (unsigned)getpid(), 0x10 + i);
    strbuf_adds(&text, more);
    sandbox_write(&box, "machine", strbuf_text(&text));
}

static void set_up(void)
{
    one_prefix_open();
    use_machine("");
}

static void apply_section(const char *section)
{
    scope(free_text) char *text = format_text("name: pt\ngpu: {%s}\n", section);

    sandbox_write(&box, "environment.yml", text);
    struct outcome got = conda_gpu(&box, NULL, "apply", "-p", "envs/pt", NULL);
    ck_assert_msg(got.status == 0, "%s", got.err);
    outcome_free(&got);
}

/* Runs lines of bash, in which `free` is conda-gpu exec --free and `visible` prints what is
   visible. What they print must be that. */
static void must_print(const char *const *more, const char *script, const char *wanted)
{
    static const char before[] =
        "free() { \"$CONDA_GPU\" exec --free \"$@\"; }\n"
        "start() { exec \"$CONDA_GPU\" exec --free \"$@\"; }\n" /* with &: $! is the command */
        "visible() { echo \"$CUDA_DEVICE_ORDER $CUDA_VISIBLE_DEVICES\"; }\n"
        "export -f visible\n"
        "until_there() { until [ -e \"$1\" ]; do sleep 0.01; done; }\n"
        "until_ended() { while kill -0 \"$1\" 2>/dev/null; do sleep 0.01; done; }\n"
        /* so many wait */
        "waiting() { grep -c \"@conda-gpu/turn/[0-9]*/[0-9]*/GPU-00000000.*$UNIQUE\" "
        "/proc/net/unix; }\n";
    scope(free_text) char *text = format_text("%s%s", before, script);
    scope(free_text) char *program = format_text("CONDA_GPU=%s", getenv("CONDA_GPU"));
    scope(free_text) char *fake = fake_driver();
    scope(free_text) char *driver = format_text("CONDA_GPU_DRIVER=%s", fake);
    scope(free_text) char *machine = format_text("FAKE_CUDA_MACHINE=%s/machine", box.root);
    scope(free_text) char *home = format_text("HOME=%s/home", box.root);
    scope(free_text) char *unique = format_text("UNIQUE=%012x", (unsigned)getpid());
    const char *env[16] = {PATH, program, driver, machine, home, unique};
    const char *const argv[] = {"bash", "script", NULL};

    for (size_t i = 6; more && *more; i++)
        env[i] = *more++;
    sandbox_write(&box, "script", text);
    struct outcome got = sandbox_run(&box, argv, env, NULL);
    ck_assert_msg(strcmp(got.out, wanted) == 0 && got.status == 0, "%d\nout:\n%s\nerr:\n%s",
                  got.status, got.out, got.err);
    outcome_free(&got);
}

/* ---- Which ----------------------------------------------------------------------------------- */

START_TEST(of_the_plan)
{
    apply_section("devices: [3, 1, 5]");
    must_print(NULL,
               "free 1 -p envs/pt -- bash -c '\n"
               "  visible\n"
               "  free() { env -u CONDA_GPU_LEASE -u CUDA_VISIBLE_DEVICES \"$CONDA_GPU\" exec "
               "--free \"$@\"; }\n"
               "  free 2 -p envs/pt -- bash -c visible\n"
               "  free 3 -p envs/pt -- bash -c visible 2>/dev/null || echo $?'\n",
               "PCI_BUS_ID 3\nPCI_BUS_ID 1,5\n6\n");
}
END_TEST

START_TEST(as_the_ids_say)
{
    scope(free_text) char *wanted =
        format_text("PCI_BUS_ID GPU-00000002-0000-4000-8000-%012x\n", (unsigned)getpid());

    apply_section("devices: [2, 1], ids: uuid");
    must_print(NULL, "free 1 -p envs/pt -- bash -c visible", wanted);
}
END_TEST

START_TEST(of_the_machine)
{
    static const char *const sections[] = {"devices: all", "variables: {X: 1}"};

    must_print(NULL, "free 2 -- bash -c visible", "PCI_BUS_ID 0,1\n");
    must_print(NULL, "free 2 -p envs/pt -- bash -c visible", "PCI_BUS_ID 0,1\n");
    for (size_t i = 0; i < 2; i++) {
        apply_section(sections[i]);
        must_print(NULL, "free 8 -p envs/pt -- bash -c visible", "PCI_BUS_ID 0,1,2,3,4,5,6,7\n");
    }
}
END_TEST

START_TEST(preferred)
{
    must_print(NULL,
               "free 1 -- bash -c 'env -u CONDA_GPU_LEASE -u CUDA_VISIBLE_DEVICES \"$CONDA_GPU\" "
               "exec --free 1 -- true'\n"
               "free 1 --prefer last -- bash -c visible\n"
               "free 1 --prefer last -- bash -c visible\n",
               "PCI_BUS_ID 1\nPCI_BUS_ID 1\n");
}
END_TEST

START_TEST(last_is_a_nicety)
{
    must_print(NULL,
               "mkdir -p home/.local/state; mkfifo home/.local/state/conda-gpu\n"
               "free 1 --prefer last -- bash -c visible\n"
               "rm home/.local/state/conda-gpu; mkdir home/.local/state/conda-gpu\n"
               "mkfifo home/.local/state/conda-gpu/last\n"
               "free 1 --prefer last -- bash -c visible\n"
               "XDG_STATE_HOME=/proc/self free 1 --prefer last -- bash -c visible\n",
               "PCI_BUS_ID 0\nPCI_BUS_ID 0\nPCI_BUS_ID 0\n");
}
END_TEST

/* What is leased is as what a scheduler gives. */
START_TEST(stands_in_a_shell)
{
    const char *const job[] = {"SLURM_JOB_ID=4", "CUDA_VISIBLE_DEVICES=2", NULL};

    apply_section("devices: [1, 3]");
    must_print(NULL,
               "free 1 -p envs/pt -- bash -c '\n"
               "  visible\n"
               "  export CONDA_PREFIX=$PWD/envs/pt CONDA_SHLVL=1\n"
               "  . envs/pt/etc/conda/activate.d/env_vars.sh; visible\n"
               "  . envs/pt/etc/conda/deactivate.d/env_vars.sh; visible\n"
               "  \"$CONDA_GPU\" exec -p envs/pt -- bash -c visible\n"
               "  free() { \"$CONDA_GPU\" exec --free \"$@\"; }\n"
               "  free 1 -p envs/pt -- true 2>/dev/null || echo $?'\n",
               "PCI_BUS_ID 1\nPCI_BUS_ID 1\nPCI_BUS_ID 1\nPCI_BUS_ID 1\n2\n");
    must_print(job, "free 1 -p envs/pt -- true 2>&1 || echo $?\n",
               "conda-gpu: --free: CUDA_VISIBLE_DEVICES is '2' here and stands (in_job: keep), so "
               "there is nothing to choose from; leave --free out\n2\n");
}
END_TEST

START_TEST(hooks_that_would_not_let_it_stand_are_told)
{
    apply_section("devices: [1, 3], in_job: override");
    must_print(NULL, "free 1 -p envs/pt -- bash -c visible 2>said; grep -c 'in_job: keep' said\n",
               "PCI_BUS_ID 1\n1\n");
}
END_TEST

START_TEST(without_nvml)
{
    must_print(NULL,
               "mkdir alone; cp \"$CONDA_GPU_DRIVER\" alone/\n"
               "export CONDA_GPU_DRIVER=$PWD/alone/libcuda.so.1\n"
               "free 1 -- bash -c visible 2>err; grep -c 'only leases tell' err\n",
               "PCI_BUS_ID 0\n1\n");
}
END_TEST

/* ---- Who has them ---------------------------------------------------------------------------- */

START_TEST(says_who_has_them)
{
    use_machine("process 1 1GiB\nused 1GiB\n");
    must_print(NULL,
               "start 7 -- bash -c 'echo $$ >holder; exec sleep 300' &\n"
               "until_there holder; free 2 -- true 2>said; echo $?\n"
               "grep -c \"GPU [0-6]  leased by $(id -un) since .*, process $!: \" said\n"
               "grep -c \"GPU 7  in use by $(stat -c %U /proc/1) since .*, process 1: \" said\n"
               "kill $!\n",
               "6\n7\n1\n");
}
END_TEST

/* ---- For as long as the command, and all that it starts, lives --------------------------------
 */

START_TEST(as_long_as_a_child_lives)
{
    must_print(NULL,
               "start 8 -- bash -c 'sleep 300 & echo $! >child; mv child started; wait' &\n"
               "command=$!; until_there started; child=$(cat started)\n"
               "kill -9 $command; until_ended $command\n"
               "free 1 -- true 2>/dev/null; echo $?\n"
               "kill -9 $child; free 8 --wait=60 -- echo free\n"
               /* a daemon: its parents have ended, its session is its own */
               "free 8 -- bash -c '(setsid sleep 300 >/dev/null 2>&1 & echo $! >daemon)'\n"
               "free 1 -- true 2>/dev/null; echo $?\n"
               "kill -9 $(cat daemon); free 8 --wait=60 -- echo free\n",
               "6\nfree\n6\nfree\n");
}
END_TEST

/* What nothing can be done about, as lease.h says: the lease ends, and nobody else is harmed. */
START_TEST(a_daemon_that_closes_everything_lets_go)
{
    must_print(NULL,
               "start 8 -- bash -c 'for fd in /proc/$$/fd/*; do fd=${fd##*/}\n"
               "  [ $fd -lt 3 ] || eval \"exec $fd>&-\"; done 2>/dev/null; echo >closed\n"
               "  exec sleep 300' &\n"
               "until_there closed; free 8 --wait=60 -- echo free; kill $!\n",
               "free\n");
}
END_TEST

/* By two forks, so that nobody is its parent, and in a session of its own. */
START_TEST(as_long_as_a_daemon_lives)
{
    must_print(NULL,
               "free 8 -- sh -c 'setsid sh -c \"sleep 300 >/dev/null 2>&1 & echo \\$! >daemon\"'\n"
               "grep -o '^PPid:.*' /proc/$(cat daemon)/status | grep -vc $$\n"
               "free 1 -- true 2>/dev/null; echo $?\n"
               "kill $(cat daemon); free 8 --wait=60 -- echo free\n",
               "1\n6\nfree\n");
}
END_TEST

/* ---- Between a machine and what is set apart on it ---------------------------------------------
 */

/* How a container is apart: each of its namespaces, by unshare(1), and another root. */
static const struct {
    const char *apart, *said;
} containers[] = {
    {"chroot /", "6 process"},
    {"unshare -m", "6 process"},
    {"unshare -u", "6 process"},
    {"unshare -i", "6 process"},
    {"unshare -C", "6 process"},
    {"unshare -U", "6 process"},
    {"unshare -p -f --mount-proc", "6 user"},
    {"unshare -n", "0"},
};

/* Whether that may be done here; else the test is skipped. */
static bool may(const char *apart)
{
    scope(free_text) char *allowed = format_text("%s true 2>/dev/null", apart);
    const char *const argv[] = {"sh", "-c", allowed, NULL};
    struct outcome got = sandbox_run(&box, argv, (const char *const[]){PATH, NULL}, NULL);
    bool can = got.status == 0;

    outcome_free(&got);
    if (!can)
        test_skip(false, "%s is not allowed here", apart);
    return can;
}

/* Leases are no files; what is remembered for --prefer last is a nicety. */
START_TEST(no_disk_is_needed)
{
    if (may("unshare -m"))
        must_print(NULL,
                   "unshare -m bash -c '\n"
                   "  free() { \"$CONDA_GPU\" exec --free 1 --prefer last -- echo \"$1\"; }\n"
                   "  mount -t tmpfs -o size=4k,nr_inodes=1 none home; free full\n"
                   "  mount -o remount,ro home; free read-only'\n",
                   "full\nread-only\n");
}
END_TEST

START_TEST(across_containers)
{
    const char *apart = containers[_i].apart;
    scope(free_text) char *wanted = format_text("%s\n", containers[_i].said);
    scope(free_text) char *script = format_text(
        "start 8 -- sh -c 'echo >there; exec sleep 300' & holder=$!; until_there there\n"
        "%s \"$CONDA_GPU\" exec --free 1 -- true 2>said; echo $? $(\n"
        "  grep -q \"leased by .* process $holder\" said && echo process\n"
        "  grep -q \"leased by $(id -un)$\" said && echo user)\n"
        "kill $holder; wait $holder 2>/dev/null; "
        /* and the other way */
        "export HERE=$PWD; %s \"$CONDA_GPU\" exec --free 8 -- sh -c '\n"
        "  echo >$HERE/again; while [ -e $HERE/again ]; do sleep 0.01; done' & until_there again\n"
        "free 1 -- true 2>/dev/null; [ $? = %.1s ] || echo other; rm again; wait\n",
        apart, apart, containers[_i].said);
    if (may(apart))
        must_print(NULL, script, wanted);
}
END_TEST

/* ---- Many ------------------------------------------------------------------------------------ */

START_TEST(never_two_on_a_card)
{
    must_print(NULL,
               "use() { mkdir on-$CUDA_VISIBLE_DEVICES || echo two; sleep 0.01\n"
               "  rmdir on-$CUDA_VISIBLE_DEVICES; echo >>served; }\n"
               "export -f use\n"
               "for i in {1..200}; do free 1 --wait -- bash -c use 2>/dev/null & done; wait\n"
               "wc -l <served\n",
               "200\n");
}
END_TEST

START_TEST(in_order)
{
    must_print(
        NULL,
        "start 8 -- bash -c 'echo >all; exec sleep 300' & holder=$!; until_there all\n"
        "for i in {1..20}; do start 5 --wait -- bash -c \"echo $i >>served\" 2>/dev/null &\n"
        "  pids+=($!); until [ $(waiting) = $i ]; do sleep 0.01; done; done\n"
        "free 1 -- true 2>&1 | grep -c 'first come is .*waits for 5 of these GPUs'\n"
        "kill $holder; wait \"${pids[@]}\"; sort -n served | cmp - served && wc -l <served\n",
        "1\n20\n");
}
END_TEST

/* The program while it waits or leases, the command, what it started, or all of them. */
START_TEST(killed_at_any_time)
{
    must_print(NULL,
               "work() { sleep 0.1 & sleep 0.05 & wait; }; export -f work\n"
               "for i in {1..100}; do\n"
               "  setsid \"$CONDA_GPU\" exec --free 3 --wait -- bash -c work 2>/dev/null & pid=$!\n"
               "  sleep 0.00$((RANDOM % 10))\n"
               "  case $((i % 3)) in 0) kill -9 -- -$pid;; 1) kill -9 $pid;; 2) pkill -9 -g $pid "
               "sleep;; esac\n"
               "done 2>/dev/null; wait 2>/dev/null\n"
               "free 8 --wait=60 -- echo free\n"
               "waiting || true\n",
               "free\n0\n");
}
END_TEST

/* ---- Words ----------------------------------------------------------------------------------- */

START_TEST(wrong_words)
{
    static const struct {
        const char *arguments, *said;
        int status;
    } rows[] = {
        {"--free 0", "--free: found '0'; accepted: how many GPUs, from 1 on\n", 2},
        {"--free 9", "--free 9: there are only 8 GPUs to choose from\n", 3},
        {"--free 1 --wait=x", "--wait: found 'x'; accepted: seconds, 1 to 86400\n", 2},
        {"--free 1 --busy-memory 5", "--busy-memory: found '5'; accepted: a size such as 500MiB\n",
         2},
        {"--free 1 --prefer hot",
         "--prefer: found 'hot'; accepted: last (the GPUs that you had last), cool (the coolest), "
         "empty (those with the least memory in use)\n",
         2},
        {"--wait", "--wait, --prefer and --busy-memory are for --free N; say how many GPUs\n", 2},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        scope(free_text) char *script =
            format_text("\"$CONDA_GPU\" exec %s -- true 2>&1; echo $?\n", rows[i].arguments);
        scope(free_text) char *wanted =
            format_text("conda-gpu: %s%d\n", rows[i].said, rows[i].status);
        must_print(NULL, script, wanted);
    }
}
END_TEST

static Suite *free_suite(void)
{
    Suite *suite = suite_create("cli_free");
    TCase *free = tcase_create("free");

    tcase_add_checked_fixture(free, set_up, one_prefix_close);
    tcase_add_test(free, of_the_plan);
    tcase_add_test(free, as_the_ids_say);
    tcase_add_test(free, of_the_machine);
    tcase_add_test(free, preferred);
    tcase_add_test(free, last_is_a_nicety);
    tcase_add_test(free, stands_in_a_shell);
    tcase_add_test(free, hooks_that_would_not_let_it_stand_are_told);
    tcase_add_test(free, without_nvml);
    tcase_add_test(free, says_who_has_them);
    tcase_add_test(free, as_long_as_a_child_lives);
    tcase_add_test(free, a_daemon_that_closes_everything_lets_go);
    tcase_add_test(free, as_long_as_a_daemon_lives);
    tcase_add_test(free, no_disk_is_needed);
    tcase_add_loop_test(free, across_containers, 0, sizeof containers / sizeof *containers);
    tcase_add_test(free, never_two_on_a_card);
    tcase_add_test(free, in_order);
    tcase_add_test(free, killed_at_any_time);
    tcase_add_test(free, wrong_words);
    suite_add_tcase(suite, free);
    return suite;
}

int main(void)
{
    return test_main(free_suite());
}
