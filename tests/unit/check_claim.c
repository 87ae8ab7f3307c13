/*
 * Free cards for one command (claim.h), on simulated machines, with real leases and processes.
 */
#include "support/sandboxed.h"

#include "base/clock.h"
#include "base/scope.h"
#include "gpu/abstract.h"
#include "gpu/claim.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CARDS = 4, A_LONG_TIME = 60 };

/* The UUIDs of a machine of this test process alone, since leases are the whole machine's. */
static char uuid[CARDS][UUID_TEXT_SIZE];
static const char *const uuids[] = {uuid[0], uuid[1], uuid[2], uuid[3]};

/* Four cards; what is said of each comes from the test. */
static void use_machine(const char *const about[CARDS])
{
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;
    scope(free_text) char *path = sandbox_path(&box, "machine");

    for (int i = 0; i < CARDS; i++) {
        snprintf(uuid[i], sizeof uuid[i], "GPU-%08x-0000-4000-8000-%012x", (unsigned)i,
                 (unsigned)getpid());
        strbuf_addf(&text, "gpu %s 0000:%02x:00.0 80GiB 8.0 \"A100\"\n%s\n", uuid[i], 7 + i,
                    about && about[i] ? about[i] : "");
    }
    sandbox_write(&box, "machine", strbuf_text(&text));
    setenv("FAKE_CUDA_MACHINE", path, 1);
}

static void set_up(void)
{
    use_machine(NULL);
}

static const char *library(void)
{
    static char path[4096];

    snprintf(path, sizeof path, "%s/libnvidia-ml.so.1", getenv("FAKE_CUDA"));
    return path;
}

static struct claim_wish wish_for(size_t wanted)
{
    return (struct claim_wish){.uuids = uuids,
                               .count = CARDS,
                               .wanted = wanted,
                               .busy_memory = UINT64_C(500) << 20,
                               .nvml = {.driver = library(), .timeout = 20},
                               .patience = CLAIM_PATIENCE};
}

/* Lets go of what an earlier call has found. */
static int claim_cards(struct claim *claim, struct claim_wish wish)
{
    scope(error_release) struct error err = ERROR_INIT;

    claim_release(claim);
    int got = claim_take(claim, &wish, &err);
    ck_assert_msg(got >= 0, "%s", error_text(&err));
    return got;
}

/* "0,2" */
static const char *chosen(const struct claim *claim)
{
    static char text[2 * CARDS + 1];
    char *at = text;

    for (size_t i = 0; i < claim->count; i++)
        if (claim->cards[i].chosen) {
            *at++ = (char)('0' + i);
            *at++ = ',';
        }
    at[at > text ? -1 : 0] = '\0';
    return text;
}

static bool is_held(int card)
{
    scope(strbuf_release) struct strbuf table = STRBUF_INIT;

    ck_assert_int_eq(abstract_read_table(&table), 0);
    return lease_is_in(&table, uuids[card]);
}

START_TEST(takes_as_many_as_are_wanted)
{
    scope(claim_release) struct claim one = {0}, other = {0}, third = {0};

    ck_assert_int_eq(claim_cards(&one, wish_for(1)), 1);
    ck_assert_str_eq(chosen(&one), "0");
    ck_assert(is_held(0) && !is_held(1) && !is_held(2) && !is_held(3));
    ck_assert_int_eq(claim_cards(&other, wish_for(2)), 1);
    ck_assert_str_eq(chosen(&other), "1,2");
    ck_assert_int_eq(claim_cards(&third, wish_for(2)), 0);
    ck_assert(!is_held(3));
    ck_assert_int_eq(third.cards[0].state, CLAIM_LEASED);
    ck_assert_int_eq(third.cards[0].holder.process, getpid());
    ck_assert_int_eq(third.cards[3].state, CLAIM_FREE);
    claim_release(&one);
    ck_assert_int_eq(claim_cards(&third, wish_for(2)), 1);
    ck_assert_str_eq(chosen(&third), "0,3");
}
END_TEST

START_TEST(takes_no_card_that_is_in_use)
{
    scope(claim_release) struct claim claim = {0}, none = {0};
    struct claim_wish wish = wish_for(2);

    use_machine((const char *const[]){"used 1GiB\nprocess 1024 1GiB", NULL, "used 700MiB", NULL});
    ck_assert_int_eq(claim_cards(&claim, wish), 1);
    ck_assert_str_eq(chosen(&claim), "1,3");
    claim_release(&claim);
    wish.wanted = 3;
    ck_assert_int_eq(claim_cards(&none, wish), 0);
    ck_assert_int_eq(none.cards[0].state, CLAIM_BUSY);
    ck_assert_uint_eq(none.cards[0].use.process, 1024);
    ck_assert_int_eq(none.cards[2].state, CLAIM_FILLED);
    ck_assert_uint_eq(none.cards[2].use.memory_used, UINT64_C(700) << 20);
    wish.busy_memory = UINT64_C(1) << 30;
    ck_assert_int_eq(claim_cards(&claim, wish), 1);
    ck_assert_str_eq(chosen(&claim), "1,2,3");
}
END_TEST

START_TEST(prefers)
{
    struct claim_wish wish = wish_for(2);
    const char *const last[] = {uuids[3], "GPU-gone", uuids[1]};
    static const struct {
        enum claim_prefer prefer;
        const char *chosen;
    } rows[] = {{CLAIM_ANY, "0,1"}, {CLAIM_LAST, "1,3"}, {CLAIM_COOL, "2,3"}, {CLAIM_EMPTY, "0,2"}};

    use_machine((const char *const[]){"heat 60", "used 300MiB\nheat 50", "used 100MiB\nheat 30",
                                      "used 400MiB\nheat 40"});
    wish.last = last;
    wish.last_count = 3;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        scope(claim_release) struct claim claim = {0};
        wish.prefer = rows[i].prefer;
        ck_assert_int_eq(claim_cards(&claim, wish), 1);
        ck_assert_str_eq(chosen(&claim), rows[i].chosen);
    }
}
END_TEST

START_TEST(without_nvml_leases_decide)
{
    scope(claim_release) struct claim claim = {0}, none = {0};
    struct claim_wish wish = wish_for(3);

    wish.nvml.driver = "/nowhere/libnvidia-ml.so.1";
    ck_assert_int_eq(claim_cards(&claim, wish), 1);
    ck_assert(claim.blind);
    ck_assert_uint_gt(claim.why_blind.count, 0);
    ck_assert_str_eq(chosen(&claim), "0,1,2");
    ck_assert_int_eq(claim_cards(&none, wish), 0);
}
END_TEST

START_TEST(a_card_that_nvml_does_not_list_is_not_free)
{
    scope(claim_release) struct claim claim = {0};
    struct claim_wish wish = wish_for(1);
    const char *const other[] = {"GPU-00000000-0000-4000-8000-ffffffffffff"};

    wish.uuids = other;
    wish.count = 1;
    ck_assert_int_eq(claim_cards(&claim, wish), 0);
    ck_assert_int_eq(claim.cards[0].state, CLAIM_MISSING);
}
END_TEST

/* A process that claims cards, says so, and holds them until it is killed. */
static pid_t start_holder(size_t wanted, int ready)
{
    pid_t child = fork();

    ck_assert_int_ge(child, 0);
    if (child)
        return child;
    struct claim claim = {0};
    struct claim_wish wish = wish_for(wanted);
    wish.deadline = LLONG_MAX;
    if (claim_cards(&claim, wish) != 1 || write(ready, "y", 1) != 1)
        _exit(1);
    pause();
    _exit(0);
}

struct told {
    int count;
    pid_t holder;
};

static void tell(const struct claim *claim, void *data)
{
    struct told *told = data;

    told->count++;
    told->holder = claim->cards[0].holder.process;
    kill(told->holder, SIGKILL);
}

START_TEST(waits_until_a_lease_ends)
{
    scope(claim_release) struct claim claim = {0};
    struct told told = {0};
    struct claim_wish wish = wish_for(4);
    int ends[2];
    char byte;

    ck_assert_int_eq(pipe(ends), 0);
    pid_t child = start_holder(2, ends[1]);
    ck_assert_int_eq(read(ends[0], &byte, 1), 1);
    wish.deadline = clock_in(A_LONG_TIME);
    wish.waits = tell;
    wish.data = &told;
    ck_assert_int_eq(claim_cards(&claim, wish), 1);
    ck_assert_str_eq(chosen(&claim), "0,1,2,3");
    ck_assert_int_eq(told.count, 1);
    ck_assert_int_eq(told.holder, child);
    waitpid(child, NULL, 0);
    close(ends[0]);
    close(ends[1]);
}
END_TEST

START_TEST(gives_up_at_the_deadline)
{
    scope(claim_release) struct claim one = {0}, other = {0};
    struct claim_wish wish = wish_for(4);

    ck_assert_int_eq(claim_cards(&one, wish), 1);
    wish.deadline = clock_now() + 20;
    ck_assert_int_eq(claim_cards(&other, wish), 0);
    ck_assert_int_eq(other.cards[3].state, CLAIM_LEASED);
}
END_TEST

/* Somebody who waits for all cards is served before us, although one card is free. */
START_TEST(nobody_overtakes)
{
    scope(claim_release) struct claim one = {0}, other = {0};
    struct claim_wish wish = wish_for(1);
    scope(turn_release) struct turn earlier = {0};

    ck_assert_int_eq(claim_cards(&one, wish), 1);
    ck_assert_int_eq(turn_join(&earlier, uuids, CARDS, CARDS), 0);
    ck_assert_int_eq(claim_cards(&other, wish), 0);
    ck_assert_int_eq(other.before.process, getpid());
    ck_assert_uint_eq(other.before.wanted, CARDS);
    wish.deadline = clock_now() + 20;
    ck_assert_int_eq(claim_cards(&other, wish), 0);
    turn_release(&earlier);
    ck_assert_int_eq(claim_cards(&other, wish), 1);
}
END_TEST

/* Somebody who does not take what is free is waited for, but not for ever. */
START_TEST(who_does_not_take_it_loses_its_turn)
{
    scope(claim_release) struct claim claim = {0};
    scope(turn_release) struct turn stuck = {0};
    struct claim_wish wish = wish_for(1);

    wish.patience = 50;
    ck_assert_int_eq(turn_join(&stuck, uuids, CARDS, 2), 0);
    ck_assert_int_eq(claim_cards(&claim, wish), 1);
    ck_assert_str_eq(chosen(&claim), "0");
}
END_TEST

/* Somebody whom Ctrl-Z has stopped is not waited for. */
START_TEST(who_is_stopped_loses_its_turn)
{
    scope(claim_release) struct claim claim = {0};
    struct claim_wish wish = wish_for(1);
    int ends[2];
    char byte;

    ck_assert_int_eq(pipe(ends), 0);
    pid_t child = fork();
    if (!child) {
        struct turn turn = {0};
        if (turn_join(&turn, uuids, CARDS, 2) == 0 && write(ends[1], "y", 1) == 1)
            pause();
        _exit(0);
    }
    ck_assert_int_eq(read(ends[0], &byte, 1), 1);
    kill(child, SIGSTOP);
    waitpid(child, NULL, WUNTRACED);
    wish.patience = LLONG_MAX;
    wish.deadline = clock_in(A_LONG_TIME);
    ck_assert_int_eq(claim_cards(&claim, wish), 1);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    close(ends[0]);
    close(ends[1]);
}
END_TEST

/* One by one, with all of the patience for each, they would last until the deadline. */
START_TEST(many_places_cost_little_more_than_one)
{
    enum { PLACES = 64, PATIENCE = 200 };
    scope(claim_release) struct claim claim = {0};
    struct turn stuck[PLACES] = {0};
    struct claim_wish wish = wish_for(1);

    for (int i = 0; i < PLACES; i++)
        ck_assert_int_eq(turn_join(&stuck[i], uuids, CARDS, 2), 0);
    wish.patience = PATIENCE;
    wish.deadline = clock_now() + PLACES * PATIENCE;
    ck_assert_int_eq(claim_cards(&claim, wish), 1);
    for (int i = 0; i < PLACES; i++)
        turn_release(&stuck[i]);
}
END_TEST

/* How many sockets have the name of a card's lease: the lease's, and one for each who watches it or
   has ever asked. */
static int count_askers(int card)
{
    scope(strbuf_release) struct strbuf table = STRBUF_INIT;
    char name[108];
    int count = -1;

    snprintf(name, sizeof name, "@" LEASE_NAME "%s\n", uuids[card]);
    ck_assert_int_eq(abstract_read_table(&table), 0);
    for (const char *at = strbuf_text(&table); at; count++)
        at = (at = strstr(at, name)) ? at + 1 : NULL;
    return count - 1;
}

static void until_asked(int card)
{
    while (count_askers(card) < 1)
        usleep(1000);
}

/* A lease has some thousand places for those who ask, and who waits for days may take but one. */
START_TEST(who_waits_asks_once)
{
    scope(close_fd) int stays = lease_take(uuids[0]);
    scope(close_fd) int ends = lease_take(uuids[1]);
    int ready[2];
    char byte;

    use_machine((const char *const[]){NULL, NULL, "process 1 1GiB", "process 1 1GiB"});
    ck_assert_int_eq(pipe(ready), 0);
    ck_assert(stays >= 0 && ends >= 0);
    pid_t child = fork();
    if (!child) {
        close_fd(&stays);
        close_fd(&ends);
        struct claim claim = {0};
        struct claim_wish wish = wish_for(2);
        wish.deadline = LLONG_MAX;
        _exit(claim_cards(&claim, wish) == 1 && write(ready[1], "y", 1) == 1 ? 0 : 1);
    }
    for (int i = 0; i < 2; i++) {
        until_asked(1);
        close_fd(&ends);
        while ((ends = lease_take(uuids[1])) < 0)
            usleep(1000);
    }
    ck_assert_int_eq(count_askers(0), 1);
    close_fd(&ends);
    close_fd(&stays);
    ck_assert_int_eq(read(ready[0], &byte, 1), 1);
    waitpid(child, NULL, 0);
    close(ready[0]);
    close(ready[1]);
}
END_TEST

/* Names that somebody with hostile intent may give. */
START_TEST(names_alone_stop_nobody)
{
    scope(claim_release) struct claim claim = {0};
    struct claim_wish wish = wish_for(1);
    char name[108];
    int held[4];

    snprintf(name, sizeof name, "conda-gpu/turn/1/1/%s", uuids[0]); /* a card without a place */
    held[0] = abstract_listen("%s", name);
    held[1] = abstract_listen("conda-gpu/turn/18446744073709551615");
    snprintf(name, sizeof name, "x\n0: 2 0 10000 0001 01 1 @conda-gpu/turn/2/1/%.36s", uuids[0]);
    held[2] = abstract_listen("%s", name);
    held[3] = abstract_listen("x\n0: 2 0 10000 0001 01 1 @conda-gpu/turn/2");
    ck_assert_int_eq(claim_cards(&claim, wish), 1);
    ck_assert_str_eq(chosen(&claim), "0");
    for (int i = 0; i < 4; i++)
        if (held[i] >= 0)
            close(held[i]);
}
END_TEST

/* Another user's process, which does what `act` says, tells us by a byte, and stays. */
static pid_t start_stranger(void (*act)(void))
{
    enum { STRANGER = 65534 };
    int ends[2];
    char byte;

    ck_assert_int_eq(pipe(ends), 0);
    pid_t child = fork();
    if (!child) {
        if (setgid(STRANGER) < 0 || setuid(STRANGER) < 0)
            _exit(1);
        act();
        if (write(ends[1], "y", 1) == 1)
            pause();
        _exit(0);
    }
    close(ends[1]);
    ck_assert_int_eq(read(ends[0], &byte, 1), 1);
    close(ends[0]);
    return child;
}

static void end(pid_t child)
{
    kill(child, SIGKILL);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
}

/* Leases one card, and names what could be in the way of the others. */
static void squat(void)
{
    static struct turn turn;
    char name[108];

    lease_take(uuids[1]);
    turn_join(&turn, uuids, CARDS, CARDS);
    for (int i = 0; i < 200; i++) {
        snprintf(name, sizeof name, "conda-gpu/turn/%d/999/%s", i + 2, uuids[0]);
        abstract_listen("%s", name);
    }
    snprintf(name, sizeof name, "conda-gpu/lease/%s/", uuids[2]);
    abstract_listen("%s", name);
}

/* Takes all places that a lease has for those who ask. */
static void ask_too_often(void)
{
    while (lease_watch(uuids[0]) >= 0)
        continue;
}

START_TEST(a_stranger_has_what_it_leased_and_no_more)
{
    scope(claim_release) struct claim claim = {0};
    struct claim_wish wish = wish_for(3);

    if (getuid() != 0) {
        test_skip(false, "only root can be two users");
        return;
    }
    pid_t stranger = start_stranger(squat);
    wish.patience = 50;
    ck_assert_int_eq(claim_cards(&claim, wish), 0);
    ck_assert_int_eq(claim.cards[1].state, CLAIM_LEASED);
    ck_assert_int_eq(claim.cards[1].holder.user, 65534);
    ck_assert_int_eq(claim.cards[1].holder.process, stranger);
    ck_assert_int_eq(claim.cards[2].state, CLAIM_FREE);
    end(stranger);
    claim_release(&claim);
    ck_assert_int_eq(claim_cards(&claim, wish), 1);
}
END_TEST

START_TEST(a_lease_outlasts_all_questions)
{
    scope(claim_release) struct claim claim = {0}, other = {0};

    if (getuid() != 0) {
        test_skip(false, "only root can be two users");
        return;
    }
    ck_assert_int_eq(claim_cards(&claim, wish_for(1)), 1);
    pid_t stranger = start_stranger(ask_too_often);
    ck_assert_int_eq(claim_cards(&other, wish_for(CARDS)), 0);
    ck_assert_int_eq(other.cards[0].state, CLAIM_LEASED);
    ck_assert_int_eq(claim_cards(&other, wish_for(CARDS - 1)), 1);
    ck_assert_str_eq(chosen(&other), "1,2,3");
    end(stranger);
}
END_TEST

static Suite *claim_suite(void)
{
    Suite *suite = suite_create("claim");
    TCase *claim = tcase_create("claim");

    sandboxed(claim);
    tcase_add_checked_fixture(claim, set_up, NULL);
    tcase_add_test(claim, takes_as_many_as_are_wanted);
    tcase_add_test(claim, takes_no_card_that_is_in_use);
    tcase_add_test(claim, prefers);
    tcase_add_test(claim, without_nvml_leases_decide);
    tcase_add_test(claim, a_card_that_nvml_does_not_list_is_not_free);
    tcase_add_test(claim, waits_until_a_lease_ends);
    tcase_add_test(claim, gives_up_at_the_deadline);
    tcase_add_test(claim, nobody_overtakes);
    tcase_add_test(claim, who_does_not_take_it_loses_its_turn);
    tcase_add_test(claim, who_is_stopped_loses_its_turn);
    tcase_add_test(claim, many_places_cost_little_more_than_one);
    tcase_add_test(claim, who_waits_asks_once);
    tcase_add_test(claim, names_alone_stop_nobody);
    tcase_add_test(claim, a_stranger_has_what_it_leased_and_no_more);
    tcase_add_test(claim, a_lease_outlasts_all_questions);
    suite_add_tcase(suite, claim);
    return suite;
}

int main(void)
{
    return test_main(claim_suite());
}
