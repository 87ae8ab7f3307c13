/*
 * Who gets what, and where: which rules share a branch, in which order, and by which patterns.
 * What shells make of it is in hooks/check_users.sh.
 */
#include "support/support.h"

#include "base/scope.h"
#include "hook/decision.h"
#include "hook/picks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Plans that differ in one variable; 9 is like 0, but for its job. */
static struct plan plans[10];

static void set_up(void)
{
    for (size_t i = 0; i < 10; i++) {
        char text[2] = {(char)('0' + i % 9), '\0'};
        plans[i] = (struct plan){.in_job = i == 9 ? IN_JOB_OVERRIDE : IN_JOB_KEEP};
        ck_assert_int_eq(vars_add(&plans[i].variables, "CUDA_VISIBLE_DEVICES", VAR_SET, text, NULL),
                         0);
    }
}

static void tear_down(void)
{
    for (size_t i = 0; i < 10; i++)
        plan_release(&plans[i]);
}

/* A rule in words: "HOST LINE PLAN USER...", rules apart by ";". */
enum { MOST_RULES = 16, MOST_USERS = 4 };

struct rules {
    char *text;
    struct served served[MOST_RULES];
    struct share shares[MOST_RULES];
    char *users[MOST_RULES][MOST_USERS];
    size_t count;
};

static void read_rules(struct rules *rules, const char *text)
{
    char *rest, *words, *line = rules->text = strdup(text);

    rules->count = 0;
    while ((words = strtok_r(line, ";", &rest))) {
        struct served *served = &rules->served[rules->count];
        struct share *share = &rules->shares[rules->count];
        char **users = rules->users[rules->count++], *next, *user;
        const char *host = strtok_r(words, " ", &next);
        unsigned number = (unsigned)strtoul(strtok_r(NULL, " ", &next), NULL, 10);
        size_t plan = strtoul(strtok_r(NULL, " ", &next), NULL, 10);
        *share = (struct share){.line = number, .users = {.items = users}};
        *served = (struct served){host, share, &plans[plan]};
        while ((user = strtok_r(NULL, " ", &next)))
            users[share->users.count++] = user;
        line = NULL;
    }
}

/* "PATTERN PATTERN: PLAN (LINES)" for each branch. */
static char *describe(const struct decision *decision)
{
    scope(strbuf_release) struct strbuf out = STRBUF_INIT;

    for (size_t b = 0; b < decision->branches.count; b++) {
        const struct branch *branch = &decision->branches.items[b];
        for (size_t i = 0; i < branch->who.count; i++)
            strbuf_addf(&out, "%s%s", i ? " " : "", branch->who.items[i]);
        strbuf_addf(&out, ": %zu (", (size_t)(branch->plan - plans));
        for (size_t i = 0; i < branch->lines.count; i++)
            strbuf_addf(&out, "%s%s", i ? "," : "", branch->lines.items[i]);
        strbuf_addf(&out, "%s)\n", branch->own_keys ? "*" : "");
    }
    return strbuf_take(&out);
}

static const struct {
    const char *rules;
    bool by_host;
    const char *branches;
} decisions[] = {
    {"a 0 1", false, "*: 1 (*)\n"},
    {"a 3 0 alice;a 4 1 bob;a 0 2", false, "alice: 0 (3)\nbob: 1 (4)\n*: 2 (*)\n"},
    /* The same result, and nobody in between who is meant by both. */
    {"a 3 0 alice;a 4 1 bob;a 5 0 carol;a 0 1", false, "alice carol: 0 (3,5)\nbob *: 1 (4*)\n"},
    {"a 3 0 alice;a 4 1 c*;a 5 0 carol;a 0 2", false,
     "alice: 0 (3)\nc*: 1 (4)\ncarol: 0 (5)\n*: 2 (*)\n"},
    {"a 3 0 alice;a 4 1 bob;a 5 0 c*;a 0 2", false,
     "alice: 0 (3)\nbob: 1 (4)\nc*: 0 (5)\n*: 2 (*)\n"},
    {"a 3 0 alice;a 4 9 bob;a 0 0", false, "alice: 0 (3)\nbob: 9 (4)\n*: 0 (*)\n"},
    /* The rule at line 4 ends the list: it names no user. */
    {"a 3 0 alice;a 4 1", false, "alice: 0 (3)\n*: 1 (4)\n"},
    /* Machines: rules by line, each machine's in its order, the section's own keys last. */
    {"a 0 0", true, "*: 0 (*)\n"},
    {"a 0 0;b 0 1", true, "a: 0 (*)\nb: 1 (*)\n"},
    {"a 0 0;b 0 0", true, "*: 0 (*)\n"},
    {"a 3 0 alice;a 0 1;b 3 0 alice;b 0 2", true, "alice@*: 0 (3)\n*@a: 1 (*)\n*@b: 2 (*)\n"},
    {"a 3 0 alice;a 0 1;b 2 3 alice;b 0 1", true, "alice@b: 3 (2)\nalice@a: 0 (3)\n*: 1 (*)\n"},
    {"a 3 0 alice bob;a 0 1;b 0 1;c 3 0 alice;c 4 1", true,
     "alice@a bob@a alice@c: 0 (3)\n*: 1 (4*)\n"},
    /* An alias of YAML stands at its anchor's line: 7 before 2, all the same. */
    {"a 7 0 al*;a 2 1 alice;a 0 2", false, "al*: 0 (7)\nalice: 1 (2)\n*: 2 (*)\n"},
};

START_TEST(decides)
{
    scope(error_release) struct error err = ERROR_INIT;
    scope(decision_release) struct decision decision = {0};
    struct rules rules;

    read_rules(&rules, decisions[_i].rules);
    ck_assert_int_eq(
        decision_make(&decision, rules.served, rules.count, decisions[_i].by_host, &err), 0);
    scope(free_text) char *text = describe(&decision);
    ck_assert_str_eq(text, decisions[_i].branches);
    ck_assert_uint_eq(decision.picks.count, 0);
    free(rules.text);
}
END_TEST

static int job_of(const struct plan *plan)
{
    return plan->in_job == IN_JOB_OVERRIDE;
}

static const struct {
    const char *rules;
    const char *groups;
} groupings[] = {
    {"a 0 0;b 0 1", "0: a b\n"},
    {"a 3 0 alice;a 0 1;b 3 0 alice;b 0 9", "0: *@a alice@b\n1: *@b\n"},
    {"a 3 0 alice;a 0 1;b 3 9 alice;b 0 9", "0: *@a\n1: *@b\n"},
};

/* A machine whose users are all of a kind is named once. */
START_TEST(groups_by_one_thing)
{
    scope(error_release) struct error err = ERROR_INIT;
    scope(decision_release) struct decision decision = {0};
    scope(groups_release) struct groups groups = {0};
    scope(strbuf_release) struct strbuf out = STRBUF_INIT;
    struct rules rules;

    read_rules(&rules, groupings[_i].rules);
    ck_assert_int_eq(decision_make(&decision, rules.served, rules.count, true, &err), 0);
    ck_assert_int_eq(decision_group(&groups, &decision, false, job_of), 0);
    for (size_t i = 0; i < groups.count; i++) {
        strbuf_addf(&out, "%d:", groups.items[i].kind);
        for (size_t k = 0; k < groups.items[i].who.count; k++)
            strbuf_addf(&out, " %s", groups.items[i].who.items[k]);
        strbuf_adds(&out, "\n");
    }
    ck_assert_str_eq(strbuf_text(&out), groupings[_i].groups);
    free(rules.text);
}
END_TEST

/* With many patterns each machine has its own list, in which the branches' order holds. */
START_TEST(picks_for_many)
{
    enum { USERS = 60, HOSTS = 2 };
    static char names[USERS][16];
    static char *users[USERS];
    static struct served served[HOSTS * (USERS + 1)];
    static struct share shares[HOSTS * (USERS + 1)];
    scope(error_release) struct error err = ERROR_INIT;
    scope(decision_release) struct decision decision = {0};
    size_t count = 0;

    for (size_t h = 0; h < HOSTS; h++) {
        for (size_t u = 0; u < USERS; u++) {
            snprintf(names[u], sizeof names[u], "user%zu", u);
            users[u] = names[u];
            shares[count] = (struct share){(unsigned)(10 * h + u + 1), {&users[u], 1, 0}, 0};
            served[count] = (struct served){h ? "b" : "a", &shares[count], &plans[(u + h) % 4]};
            count++;
        }
        served[count] = (struct served){h ? "b" : "a", &shares[count], &plans[5]};
        count++;
    }
    ck_assert_int_eq(decision_make(&decision, served, count, true, &err), 0);
    ck_assert_uint_eq(decision.branches.count, 5);
    ck_assert_uint_eq(decision.picks.count, HOSTS);
    for (size_t h = 0; h < HOSTS; h++) {
        const struct machine *machine = &decision.picks.items[h];
        ck_assert_str_eq(machine->host, h ? "b" : "a");
        ck_assert_uint_eq(machine->picks.count, 5);
        ck_assert_str_eq(machine->picks.items[4].users.items[0], "*");
        for (size_t i = 0; i < 4; i++) {
            const struct pick *pick = &machine->picks.items[i];
            const struct plan *plan = decision.branches.items[pick->number - 1].plan;
            ck_assert_uint_eq(pick->users.count, USERS / 4);
            for (size_t u = 0; u < USERS; u++)
                ck_assert_int_eq(names_have(&pick->users, names[u]), plan == &plans[(u + h) % 4]);
        }
    }
}
END_TEST

START_TEST(refuses_a_name_that_no_hook_can_hold)
{
    static const char *const hosts[] = {"a b", "", "a*", "a;id", "a@b", "\xc3\xa4"};
    scope(error_release) struct error err = ERROR_INIT;
    scope(decision_release) struct decision decision = {0};
    const struct share all = {0};
    const struct served served = {hosts[_i], &all, &plans[0]};

    ck_assert_int_eq(decision_make(&decision, &served, 1, false, &err), 0);
    decision_release(&decision);
    ck_assert_int_eq(decision_make(&decision, &served, 1, true, &err), -1);
    ck_assert_int_eq(err.status, STATUS_PREFIX);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("decision");
    TCase *tests = tcase_create("decision");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, decides, 0, sizeof decisions / sizeof *decisions);
    tcase_add_loop_test(tests, groups_by_one_thing, 0, sizeof groupings / sizeof *groupings);
    tcase_add_test(tests, picks_for_many);
    tcase_add_loop_test(tests, refuses_a_name_that_no_hook_can_hold, 0, 6);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
