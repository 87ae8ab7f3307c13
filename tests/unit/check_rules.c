/*
 * The rules of gpu.assign: which fits whom, what the section becomes by it, and which rule an
 * earlier one covers. Wrong rules with their messages are in check_cli_file.c.
 */
#include "support/support.h"

#include "base/scope.h"
#include "section/rules.h"

#include <stdlib.h>
#include <string.h>

static void read_right(struct section *section, const char *text)
{
    scope(error_release) struct error err = ERROR_INIT;

    ck_assert_msg(section_read(section, "f", text, strlen(text), &err) == 0, "%s",
                  error_text(&err));
}

static const char team[] = "gpu:\n"
                           "  devices: [0, 1]\n"
                           "  in_job: override\n"
                           "  variables: {A: 1, B: 2}\n"
                           "  assign:\n"
                           "    - {user: alice, devices: 3, variables: {B: 9, C: 3}}\n"
                           "    - {host: 'login*', devices: none}\n"
                           "    - {host: [dgx-01, 'dgx-0[2-3]'], user: [bob, 'c?rol'], ids: uuid}\n"
                           "    - {host: dgx-04.example.org, variables: {A: ~}, if_set: keep}\n"
                           "    - {user: '*', host: big}\n";

static const struct {
    const char *user, *host;
    int rule; /* counted from 0; -1: none */
} people[] = {
    {"alice", "x", 0},
    {"alice", "login1", 0},
    {"alic", "x", -1},
    {"bob", "login1.example.org", 1},
    {"bob", "my.login1", -1},
    {"bob", "dgx-01", 2},
    {"bob", "dgx-01.example.org", 2},
    {"carol", "dgx-03", 2},
    {"carrol", "dgx-03", -1},
    {"bob", "dgx-04", -1},
    {"bob", "dgx-04.example.org", 3},
    {"dave", "big.iron", 4},
    {"dave", "", -1},
};

START_TEST(finds)
{
    scope(section_release) struct section section = {0};

    read_right(&section, team);
    ck_assert_uint_eq(section.rules.count, 5);
    const struct rule *rule = rules_find(&section, people[_i].user, people[_i].host);
    ck_assert_int_eq(rule ? (int)(rule - section.rules.items) : -1, people[_i].rule);
}
END_TEST

/* What the section is for each of them: devices, ids, in_job, if_set and the variables. */
static const struct {
    int rule;
    const char *devices;
    enum ids ids;
    enum if_set if_set;
    const char *variables;
} owns[] = {
    {-1, "0 1 ", IDS_INDEX, IF_SET_OVERRIDE, "A=1 B=2 "},
    {0, "3 ", IDS_INDEX, IF_SET_OVERRIDE, "A=1 B=9 C=3 "},
    {1, "none ", IDS_INDEX, IF_SET_OVERRIDE, "A=1 B=2 "},
    {2, "0 1 ", IDS_UUID, IF_SET_OVERRIDE, "A=1 B=2 "},
    {3, "0 1 ", IDS_INDEX, IF_SET_KEEP, "A B=2 "},
};

START_TEST(applies)
{
    scope(section_release) struct section section = {0};
    scope(rules_unapply) struct section own = {0};
    scope(error_release) struct error err = ERROR_INIT;
    scope(strbuf_release) struct strbuf devices = STRBUF_INIT;
    scope(strbuf_release) struct strbuf variables = STRBUF_INIT;

    read_right(&section, team);
    const struct rule *rule = owns[_i].rule < 0 ? NULL : &section.rules.items[owns[_i].rule];
    ck_assert_int_eq(rules_apply(&own, &section, rule, &err), 0);
    for (size_t i = 0; i < own.item_count; i++) {
        ck_assert_ptr_eq(own.items[i].place.file, own.file);
        strbuf_addf(&devices, "%s ", own.items[i].text);
    }
    for (size_t i = 0; i < own.variables.count; i++)
        strbuf_addf(&variables, "%s%s%s ", own.variables.items[i].name,
                    own.variables.items[i].value ? "=" : "",
                    own.variables.items[i].value ? own.variables.items[i].value : "");
    ck_assert_str_eq(strbuf_text(&devices), owns[_i].devices);
    ck_assert_str_eq(strbuf_text(&variables), owns[_i].variables);
    ck_assert_int_eq(own.ids, owns[_i].ids);
    ck_assert_int_eq(own.if_set, owns[_i].if_set);
    ck_assert_int_eq(own.in_job, IN_JOB_OVERRIDE);
    ck_assert_uint_eq(own.rules.count, 0);
}
END_TEST

/* Whether the second of two rules can never be taken. Where that is not sure, it may. */
static const struct {
    const char *first, *second;
    bool covered;
} pairs[] = {
    {"user: a", "user: a", true},
    {"user: a", "user: b", false},
    {"user: a", "user: a, host: x", true},
    {"user: a, host: x", "user: a", false},
    {"devices: 1", "user: a", true},
    {"user: '*'", "host: x", true},
    {"user: '*'", "user: '*'", true},
    {"user: 'a*'", "user: 'ab*'", true},
    {"user: 'ab*'", "user: 'a*'", false},
    {"user: 'a?'", "user: 'a*'", false},
    {"user: 'a?'", "user: ab", true},
    {"user: '[ab]'", "user: a", true},
    {"user: '[a]*'", "user: '[a]?'", false},
    {"user: 'a*'", "user: '[ab]c'", false},
    {"user: [a, b]", "user: [b, a]", true},
    {"user: [a, b]", "user: [b, c]", false},
    {"user: [a, b], host: 'x*'", "user: b, host: [x1, x2]", true},
};

START_TEST(covers)
{
    scope(section_release) struct section section = {0};
    scope(error_release) struct error err = ERROR_INIT;
    scope(free_text) char *text =
        format_text("gpu:\n  assign:\n    - {%s}\n    - {%s}\n", pairs[_i].first, pairs[_i].second);

    int result = section_read(&section, "f", text, strlen(text), &err);
    ck_assert_int_eq(result, pairs[_i].covered ? -1 : 0);
    if (pairs[_i].covered)
        ck_assert_str_eq(error_text(&err),
                         "f:4:7: gpu.assign: this rule is never taken, since the one at line 3, "
                         "column 7 fits all that it fits; put it before that one, or remove it\n");
}
END_TEST

#define LOOP(tests, test, table) tcase_add_loop_test(tests, test, 0, sizeof table / sizeof *table)

static Suite *suite(void)
{
    Suite *suite = suite_create("rules");
    TCase *tests = tcase_create("");

    LOOP(tests, finds, people);
    LOOP(tests, applies, owns);
    LOOP(tests, covers, pairs);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return test_main(suite());
}
