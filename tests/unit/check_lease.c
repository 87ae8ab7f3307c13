/*
 * Leases and turns (lease.h, turn.h), with real processes. What `exec --free` makes of them is in
 * tests/cli.
 */
#include "support/support.h"

#include "base/file.h"
#include "base/scope.h"
#include "gpu/lease.h"
#include "gpu/turn.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

/* Names of this test process alone, since abstract names are the whole machine's. */
static char card[3][64];
static const char *const cards[] = {card[0], card[1], card[2]};

static void name_cards(void)
{
    for (int i = 0; i < 3; i++)
        snprintf(card[i], sizeof card[i], "GPU-test-%ld-%d", (long)getpid(), i);
}

static bool is_free(const char *uuid)
{
    struct lease_holder holder;
    int held = lease_ask(uuid, &holder);

    ck_assert_int_ge(held, 0);
    return !held;
}

/* Whether the descriptor hangs up within this time. */
static bool hangs_up(int fd, int milliseconds)
{
    struct pollfd watched = {.fd = fd, .events = POLLIN};

    return poll(&watched, 1, milliseconds) == 1 && (watched.revents & POLLHUP);
}

enum { A_LONG_TIME = 20000 };

START_TEST(one_holder_at_a_time)
{
    ck_assert(is_free(card[0]));
    scope(close_fd) int one = lease_take(card[0]);
    ck_assert_int_ge(one, 0);
    ck_assert_int_eq(lease_take(card[0]), -1);
    ck_assert_int_eq(errno, EADDRINUSE);
    scope(close_fd) int other = lease_take(card[1]);
    ck_assert_int_ge(other, 0);
    close_fd(&one);
    ck_assert(is_free(card[0]));
    ck_assert(!is_free(card[1]));
}
END_TEST

START_TEST(the_kernel_says_who_holds_it)
{
    scope(close_fd) int lease = lease_take(card[0]);
    struct lease_holder holder;

    ck_assert_int_ge(lease, 0);
    ck_assert_int_eq(lease_ask(card[0], &holder), 1);
    ck_assert_int_eq(holder.user, getuid());
    ck_assert_int_eq(holder.process, getpid());
    ck_assert(holder.proc.there);
    ck_assert_ptr_nonnull(strstr(holder.proc.command, "check_lease"));
    ck_assert_int_le(holder.proc.since, time(NULL) + 1);
    ck_assert_int_gt(holder.proc.since, time(NULL) - 3600);
}
END_TEST

/* A process that takes the lease and becomes a shell. */
static pid_t start_command(const char *script, const char *uuid)
{
    pid_t child = fork();

    ck_assert_int_ge(child, 0);
    if (child)
        return child;
    int lease = lease_take(uuid);
    if (lease < 0 || lease_hand_on(&lease) < 0)
        _exit(99);
    execl("/bin/sh", "sh", "-c", script, (char *)NULL);
    _exit(98);
}

static int watch_when_taken(const char *uuid)
{
    for (int i = 0; i < A_LONG_TIME; i++) {
        int fd = lease_watch(uuid);
        if (fd >= 0)
            return fd;
        ck_assert_int_eq(errno, ECONNREFUSED);
        usleep(1000);
    }
    ck_abort_msg("nobody took %s", uuid);
}

START_TEST(a_command_holds_it_until_it_ends)
{
    pid_t child = start_command("exec sleep 300", card[0]);
    scope(close_fd) int watch = watch_when_taken(card[0]);

    ck_assert(!hangs_up(watch, 50));
    kill(child, SIGKILL);
    ck_assert(hangs_up(watch, A_LONG_TIME));
    waitpid(child, NULL, 0);
    ck_assert(is_free(card[0]));
}
END_TEST

START_TEST(its_children_hold_it_after_its_end)
{
    int ends[2];
    char text[32] = "";
    struct lease_holder holder;

    ck_assert_int_eq(pipe(ends), 0);
    pid_t child = fork();
    if (!child) {
        int lease = lease_take(card[0]);
        if (lease < 0 || lease_hand_on(&lease) < 0)
            _exit(99);
        dup2(ends[1], 1);
        close(ends[1]);
        close(ends[0]);
        execl("/bin/sh", "sh", "-c", "sleep 300 >/dev/null & echo $!", (char *)NULL);
        _exit(98);
    }
    close(ends[1]);
    waitpid(child, NULL, 0);
    ck_assert_int_gt(read(ends[0], text, sizeof text - 1), 0);
    close(ends[0]);
    pid_t grandchild = (pid_t)strtol(text, NULL, 10);
    scope(close_fd) int watch = lease_watch(card[0]);
    ck_assert_int_ge(watch, 0);
    ck_assert_int_eq(lease_ask(card[0], &holder), 1);
    ck_assert_int_eq(holder.process, child);
    ck_assert(!holder.proc.there);
    ck_assert(!hangs_up(watch, 50));
    kill(grandchild, SIGKILL);
    ck_assert(hangs_up(watch, A_LONG_TIME));
    ck_assert(is_free(card[0]));
}
END_TEST

START_TEST(other_programs_do_not_get_it_unasked)
{
    scope(close_fd) int lease = lease_take(card[0]);

    ck_assert_int_ge(lease, 0);
    ck_assert(fcntl(lease, F_GETFD) & FD_CLOEXEC);
    ck_assert_int_eq(lease_hand_on(&lease), 0);
    ck_assert(!(fcntl(lease, F_GETFD) & FD_CLOEXEC));
    ck_assert_int_ge(lease, 10);
    ck_assert(!is_free(card[0]));
}
END_TEST

/* turn */

START_TEST(turns_are_in_the_order_of_arrival)
{
    scope(turn_release) struct turn first = {0}, second = {0}, third = {0};
    struct turn_before before = {0};

    ck_assert_int_eq(turn_join(&first, cards, 1, 1), 0);
    ck_assert_int_eq(turn_join(&second, cards, 1, 1), 0);
    ck_assert_int_eq(turn_join(&third, cards, 2, 2), 0);
    ck_assert_int_eq(turn_find_before(&first, 0, &before), 0);
    ck_assert_int_eq(turn_find_before(&second, 0, &before), 1);
    ck_assert_int_eq(before.number, first.number);
    ck_assert_int_eq(before.user, getuid());
    ck_assert_int_eq(before.process, getpid());
    ck_assert_int_eq(before.wanted, 1);
    scope(close_fd) int watch = before.watch;
    ck_assert_int_eq(turn_find_before(&second, 0, &before), 1);
    ck_assert_int_eq(before.watch, watch);
    before = (struct turn_before){0};
    ck_assert_int_eq(turn_find_before(&third, 0, &before), 1);
    ck_assert_int_eq(before.number, second.number);
    close(before.watch);
    before = (struct turn_before){0};
    ck_assert(!hangs_up(watch, 20));
    turn_release(&first);
    ck_assert(hangs_up(watch, A_LONG_TIME));
    ck_assert_int_eq(turn_find_before(&second, 0, &before), 0);
}
END_TEST

START_TEST(who_wants_other_cards_is_not_in_the_way)
{
    scope(turn_release) struct turn first = {0}, second = {0}, third = {0};
    struct turn_before before = {0};

    ck_assert_int_eq(turn_join(&first, cards, 1, 1), 0);
    ck_assert_int_eq(turn_join(&second, cards + 1, 1, 1), 0);
    ck_assert_int_eq(turn_join(&third, cards, 3, 1), 0);
    ck_assert_int_eq(turn_find_before(&second, 0, &before), 0);
    ck_assert_int_eq(turn_find_before(&third, 0, &before), 1);
    ck_assert_int_eq(before.number, second.number);
    ck_assert_int_eq(turn_find_before(&third, second.number, &before), 0);
}
END_TEST

START_TEST(a_killed_waiter_leaves_no_place)
{
    scope(turn_release) struct turn turn = {0};
    struct turn_before before = {0};
    int ends[2];
    char byte;

    ck_assert_int_eq(pipe(ends), 0);
    pid_t child = fork();
    if (!child) {
        struct turn own = {0};
        byte = turn_join(&own, cards, 1, 1) == 0 ? 'y' : 'n';
        ck_assert_int_eq(write(ends[1], &byte, 1), 1);
        pause();
        _exit(0);
    }
    ck_assert_int_eq(read(ends[0], &byte, 1), 1);
    ck_assert_int_eq(byte, 'y');
    ck_assert_int_eq(turn_join(&turn, cards, 1, 1), 0);
    ck_assert_int_eq(turn_find_before(&turn, 0, &before), 1);
    ck_assert_int_eq(before.process, child);
    kill(child, SIGKILL);
    ck_assert(hangs_up(before.watch, A_LONG_TIME));
    waitpid(child, NULL, 0);
    ck_assert_int_eq(turn_find_before(&turn, 0, &before), 0);
    close(ends[0]);
    close(ends[1]);
}
END_TEST

static Suite *lease_suite(void)
{
    Suite *suite = suite_create("lease");
    TCase *lease = tcase_create("lease");
    TCase *turn = tcase_create("turn");

    tcase_add_checked_fixture(lease, name_cards, NULL);
    tcase_add_test(lease, one_holder_at_a_time);
    tcase_add_test(lease, the_kernel_says_who_holds_it);
    tcase_add_test(lease, a_command_holds_it_until_it_ends);
    tcase_add_test(lease, its_children_hold_it_after_its_end);
    tcase_add_test(lease, other_programs_do_not_get_it_unasked);
    suite_add_tcase(suite, lease);
    tcase_add_checked_fixture(turn, name_cards, NULL);
    tcase_add_test(turn, turns_are_in_the_order_of_arrival);
    tcase_add_test(turn, who_wants_other_cards_is_not_in_the_way);
    tcase_add_test(turn, a_killed_waiter_leaves_no_place);
    suite_add_tcase(suite, turn);
    return suite;
}

int main(void)
{
    return test_main(lease_suite());
}
