/*
 * The modules that make and compare text: strbuf, error, table, suggest, digest.
 */
#include "support/support.h"

#include "base/digest.h"
#include "base/error.h"
#include "base/scope.h"
#include "base/strbuf.h"
#include "base/suggest.h"
#include "base/table.h"

#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* strbuf */

START_TEST(strbuf_begins_empty)
{
    struct strbuf buf = STRBUF_INIT;

    ck_assert_str_eq(strbuf_text(&buf), "");
    strbuf_release(&buf);
    ck_assert_str_eq(strbuf_text(&buf), "");
    ck_assert(!buf.failed);
}
END_TEST

START_TEST(strbuf_grows)
{
    scope(strbuf_release) struct strbuf buf = STRBUF_INIT;

    for (int i = 0; i < 10000; i++) {
        strbuf_addc(&buf, (char)i);
        ck_assert_int_eq(buf.text[buf.length], '\0');
    }
    ck_assert_uint_eq(buf.length, 10000);
    for (int i = 0; i < 10000; i++)
        ck_assert_int_eq(buf.text[i], (char)i);
}
END_TEST

START_TEST(strbuf_adds_all_kinds)
{
    scope(strbuf_release) struct strbuf buf = STRBUF_INIT;

    strbuf_adds(&buf, "GPU ");
    strbuf_addf(&buf, "%d of %s", 3, "four");
    strbuf_addc(&buf, '\0');
    strbuf_add(&buf, "a\0b", 3);
    strbuf_add(&buf, NULL, 0);
    strbuf_addf(&buf, "%s", "");
    ck_assert_uint_eq(buf.length, 17);
    ck_assert_mem_eq(buf.text, "GPU 3 of four\0a\0b", 18);
}
END_TEST

START_TEST(strbuf_formats_long_text)
{
    scope(strbuf_release) struct strbuf buf = STRBUF_INIT;

    strbuf_addf(&buf, "%5000d|", 7);
    ck_assert_uint_eq(buf.length, 5001);
    ck_assert_str_eq(buf.text + 4998, " 7|");
}
END_TEST

START_TEST(strbuf_takes)
{
    struct strbuf buf = STRBUF_INIT;

    char *empty = strbuf_take(&buf);
    ck_assert_str_eq(empty, "");
    strbuf_adds(&buf, "text");
    char *text = strbuf_take(&buf);
    ck_assert_str_eq(text, "text");
    ck_assert_ptr_null(buf.text);
    ck_assert_uint_eq(buf.length, 0);
    free(empty);
    free(text);
}
END_TEST

/* After one failure it stays empty, and says so when it is taken. */
START_TEST(strbuf_fails_for_good)
{
    scope(strbuf_release) struct strbuf buf = STRBUF_INIT;

    strbuf_adds(&buf, "before");
    ck_assert_ptr_null(strbuf_reserve(&buf, SIZE_MAX / 2));
    ck_assert(buf.failed);
    ck_assert_str_eq(strbuf_text(&buf), "");
    strbuf_adds(&buf, "after");
    strbuf_addf(&buf, "%d", 1);
    ck_assert_ptr_null(strbuf_reserve(&buf, 1));
    ck_assert_str_eq(strbuf_text(&buf), "");
    ck_assert_ptr_null(strbuf_take(&buf));
}
END_TEST

/* What was reserved and not written, as for an empty file, is no text. */
START_TEST(strbuf_reserves_in_vain)
{
    scope(strbuf_release) struct strbuf buf = STRBUF_INIT;

    mallopt(M_PERTURB, 'x'); /* which the address sanitizer does by itself */
    ck_assert_ptr_nonnull(strbuf_reserve(&buf, 1000));
    ck_assert_str_eq(strbuf_text(&buf), "");
}
END_TEST

START_TEST(strbuf_reserves)
{
    scope(strbuf_release) struct strbuf buf = STRBUF_INIT;

    memcpy(strbuf_reserve(&buf, 5), "abcde", 5);
    strbuf_grew(&buf, 3);
    ck_assert_str_eq(strbuf_text(&buf), "abc");
    memcpy(strbuf_reserve(&buf, 2), "xy", 2);
    strbuf_grew(&buf, 2);
    ck_assert_str_eq(strbuf_text(&buf), "abcxy");
}
END_TEST

static const struct {
    const char *text;
    size_t length;
    const char *shown;
} printables[] = {
#define PRINTABLE(text, shown)                                                                     \
    {                                                                                              \
        text, sizeof text - 1, shown                                                               \
    }
    PRINTABLE("", ""),
    PRINTABLE("A b~\\'\"$", "A b~\\'\"$"),
    PRINTABLE("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"),
    PRINTABLE("\n\t\r\x1b\x7f\0x", "\\n\\t\\x0d\\x1b\\x7f\\x00x"),
    PRINTABLE("\xc2\x85|\xc2\xa0", "\\xc2\\x85|\xc2\xa0"), /* NEL, no-break space */
    PRINTABLE("\xc2\xad", "\\xc2\\xad"),                   /* soft hyphen */
    PRINTABLE("\xe2\x80\x8b\xe2\x80\xae", "\\xe2\\x80\\x8b\\xe2\\x80\\xae"),
    PRINTABLE("\xe2\x80\xa8\xe2\x80\xa9", "\\xe2\\x80\\xa8\\xe2\\x80\\xa9"),
    PRINTABLE("\xe2\x81\xa6\xef\xbb\xbf", "\\xe2\\x81\\xa6\\xef\\xbb\\xbf"),
    PRINTABLE("\xf3\xa0\x81\x81", "\\xf3\\xa0\\x81\\x81"), /* a tag */
    PRINTABLE("\x80\xbf\xff\xfe", "\\x80\\xbf\\xff\\xfe"),
    PRINTABLE("\xc0\xaf", "\\xc0\\xaf"), /* overlong / */
    PRINTABLE("\xe0\x80\xaf|\xf0\x80\x80\xaf", "\\xe0\\x80\\xaf|\\xf0\\x80\\x80\\xaf"),
    PRINTABLE("\xed\xa0\x80", "\\xed\\xa0\\x80"),          /* surrogate */
    PRINTABLE("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"), /* above U+10FFFF */
    PRINTABLE("\xf4\x8f\xbf\xbd", "\xf4\x8f\xbf\xbd"),
    PRINTABLE("\xc3", "\\xc3"),
    PRINTABLE("\xe2\x82", "\\xe2\\x82"),
    PRINTABLE("\xf0\x9f\x98", "\\xf0\\x9f\\x98"),
    PRINTABLE("\xc3(\xe2\x82(", "\\xc3(\\xe2\\x82("),
};

START_TEST(strbuf_shows_printable)
{
    scope(strbuf_release) struct strbuf buf = STRBUF_INIT;

    strbuf_add_printable(&buf, printables[_i].text, printables[_i].length);
    ck_assert_str_eq(strbuf_text(&buf), printables[_i].shown);
}
END_TEST

/* Whatever comes in, nothing comes out that could act on a terminal. */
START_TEST(strbuf_lets_no_control_through)
{
    for (unsigned a = 0; a < 256; a++) {
        for (unsigned b = 0; b < 256; b++) {
            scope(strbuf_release) struct strbuf buf = STRBUF_INIT;
            const char pair[] = {(char)a, (char)b};
            strbuf_add_printable(&buf, pair, sizeof pair);
            for (size_t i = 0; i < buf.length; i++) {
                unsigned char c = (unsigned char)buf.text[i];
                ck_assert(c >= 0x20 && c != 0x7f);
                if (c == 0xc2) /* the C1 controls, U+0080 to U+009F, and the soft hyphen */
                    ck_assert((unsigned char)buf.text[i + 1] >= 0xa0 &&
                              (unsigned char)buf.text[i + 1] != 0xad);
            }
        }
    }
}
END_TEST

/* error */

/* What could not be said for want of memory makes all else incomplete. */
START_TEST(error_out_of_memory)
{
    scope(error_release) struct error err = ERROR_INIT;
    scope(error_release) struct error outer = ERROR_INIT;

    error_add(&err, STATUS_INPUT, "first");
    ck_assert_int_eq(error_memory(&err), -1);
    error_add(&err, STATUS_INPUT, "third");
    ck_assert_int_eq(err.status, STATUS_SYSTEM);
    ck_assert_str_eq(error_text(&err), "first\nthird\nout of memory\n");
    error_add(&outer, STATUS_DRIVER, "asked again:");
    error_join(&outer, &err);
    ck_assert_int_eq(outer.status, STATUS_SYSTEM);
    ck_assert_str_eq(error_text(&outer), "asked again:\nfirst\nthird\nout of memory\n");
}
END_TEST

START_TEST(error_keeps_first_status)
{
    scope(error_release) struct error err = ERROR_INIT;

    ck_assert_str_eq(error_text(&err), "");
    ck_assert_int_eq(error_add(&err, STATUS_DRIVER, "no GPU %d", 9), -1);
    ck_assert_int_eq(error_add(&err, STATUS_INPUT, "second"), -1);
    ck_assert_int_eq(err.status, STATUS_DRIVER);
    ck_assert_uint_eq(err.count, 2);
    ck_assert_str_eq(error_text(&err), "no GPU 9\nsecond\n");
}
END_TEST

START_TEST(error_names_places)
{
    scope(error_release) struct error err = ERROR_INIT;

    error_at(&err, (struct place){"environment.yml", 8, 14}, "found '%s'", "x");
    error_at(&err, (struct place){.file = "environment.yml"}, "the file is empty");
    ck_assert_int_eq(err.status, STATUS_INPUT);
    ck_assert_str_eq(error_text(&err),
                     "environment.yml:8:14: found 'x'\nenvironment.yml: the file is empty\n");
}
END_TEST

START_TEST(error_lines_stay_lines)
{
    scope(error_release) struct error err = ERROR_INIT;

    error_add(&err, STATUS_INPUT, "found '%s'", "a\nb\033[2J\xff");
    ck_assert_str_eq(error_text(&err), "found 'a\\nb\\x1b[2J\\xff'\n");
    ck_assert_uint_eq(err.count, 1);
}
END_TEST

/* What goes on with a message is indented, and no message of its own. */
START_TEST(error_has_details)
{
    scope(error_release) struct error err = ERROR_INIT;

    error_add(&err, STATUS_DRIVER, "no such GPU");
    ck_assert_int_eq(error_detail(&err, "%s", "a\nb"), -1);
    ck_assert_int_eq(error_detail_lines(&err, "one\n\nlast"), -1);
    error_add(&err, STATUS_DRIVER, "next");
    ck_assert_str_eq(error_text(&err), "no such GPU\n  a\\nb\n  one\n\n  last\nnext\n");
    ck_assert_str_eq(error_first(&err), "no such GPU");
    ck_assert_uint_eq(err.count, 2);
}
END_TEST

START_TEST(error_says_whose_it_is)
{
    scope(error_release) struct error err = ERROR_INIT;
    scope(strbuf_release) struct strbuf out = STRBUF_INIT;

    error_at(&err, (struct place){"f.yml", 1, 2}, "a");
    error_detail(&err, "more");
    error_memory(&err);
    error_print(&err, "p: ", &out);
    ck_assert_str_eq(strbuf_text(&out), "p: f.yml:1:2: a\n  more\np: out of memory\n");
}
END_TEST

START_TEST(error_joins)
{
    scope(error_release) struct error err = ERROR_INIT, other = ERROR_INIT;

    error_add(&other, STATUS_PREFIX, "a");
    error_add(&other, STATUS_PREFIX, "b");
    ck_assert_int_eq(error_join(&err, &other), -1);
    ck_assert_int_eq(err.status, STATUS_PREFIX);
    ck_assert_uint_eq(err.count, 2);
    ck_assert_str_eq(error_text(&err), "a\nb\n");
    ck_assert_int_eq(other.status, STATUS_DONE);
    ck_assert_str_eq(error_text(&other), "");
}
END_TEST

START_TEST(error_cuts_long_lines)
{
    scope(error_release) struct error err = ERROR_INIT;

    error_add(&err, STATUS_INPUT, "%020000d", 0);
    size_t length = strlen(error_first(&err));
    ck_assert_uint_lt(length, 9000);
    ck_assert_str_eq(error_first(&err) + length - 6, " [...]");
}
END_TEST

START_TEST(error_without_memory)
{
    scope(error_release) struct error err = ERROR_INIT;

    ck_assert_int_eq(error_memory(&err), -1);
    ck_assert_int_eq(err.status, STATUS_SYSTEM);
    error_memory(&err);
    ck_assert_str_eq(error_text(&err), "out of memory\n");
    ck_assert_str_eq(error_first(&err), "out of memory");
}
END_TEST

START_TEST(error_is_reusable)
{
    struct error err = ERROR_INIT;

    error_add(&err, STATUS_INPUT, "a");
    error_release(&err);
    ck_assert_int_eq(err.status, STATUS_DONE);
    ck_assert_str_eq(error_text(&err), "");
    error_release(&err);
}
END_TEST

/* table */

START_TEST(table_aligns)
{
    static const char *const cells[] = {"",  "GPU", "name",       "*", "0", "T400",
                                        " ", "10",  "\xc3\xa9 x", "*", "-", ""};
    scope(table_release) struct table table = TABLE_INIT(3);
    scope(strbuf_release) struct strbuf out = STRBUF_INIT;

    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
        table_cell(&table, cells[i]);
    table_print(&table, &out);
    ck_assert_str_eq(strbuf_text(&out), "   GPU  name\n"
                                        "*  0    T400\n"
                                        "   10   \xc3\xa9 x\n"
                                        "*  -\n");
}
END_TEST

START_TEST(table_shows_odd_bytes)
{
    scope(table_release) struct table table = TABLE_INIT(2);
    scope(strbuf_release) struct strbuf out = STRBUF_INIT;

    table_cell(&table, "a\nb\033");
    table_cell(&table, "x");
    table_cell(&table, "12345678901");
    table_cell(&table, "y");
    table_print(&table, &out);
    ck_assert_str_eq(strbuf_text(&out), "a\\nb\\x1b     x\n12345678901  y\n");
}
END_TEST

/* A column is cut only where that makes the lines fit. */
static const struct fit {
    size_t limit;
    const char *out;
} fits[] = {
    {0, "a  NVIDIA RTX 6000 \xc3\xa9 Ada  b\n"},
    {27, "a  NVIDIA RTX 6000 \xc3\xa9 Ada  b\n"},
    {26, "a  NVIDIA RTX 6000 \xc3\xa9...  b\n"},
    {25, "a  NVIDIA RTX 6000 ...  b\n"},
    {22, "a  NVIDIA RTX 60...  b\n"},
    {21, "a  NVIDIA RTX 6000 \xc3\xa9 Ada  b\n"},
};

START_TEST(table_fits)
{
    scope(table_release) struct table table = TABLE_INIT(3);
    scope(strbuf_release) struct strbuf out = STRBUF_INIT;

    table_cell(&table, "a");
    table_cell(&table, "NVIDIA RTX 6000 \xc3\xa9 Ada");
    table_cell(&table, "b");
    table_fit(&table, fits[_i].limit ? 1u << 1 : 0, fits[_i].limit);
    table_print(&table, &out);
    ck_assert_str_eq(strbuf_text(&out), fits[_i].out);
}
END_TEST

START_TEST(table_may_be_empty)
{
    scope(table_release) struct table table = TABLE_INIT(2);
    scope(strbuf_release) struct strbuf out = STRBUF_INIT;

    table_print(&table, &out);
    ck_assert_str_eq(strbuf_text(&out), "");
}
END_TEST

/* suggest */

static const struct {
    const char *text, *near;
} suggestions[] = {
    {"device", "devices"},
    {"devises", "devices"},
    {"deivces", "devices"},
    {"DEVICES", "devices"},
    {"Ids", "ids"},
    {"is", "ids"},
    {"id", "ids"},
    {"if-no-gpu", "if_no_gpu"},
    {"ifnogpu", "if_no_gpu"},
    {"in_jobs", "in_job"},
    {"variable", "variables"},
    {"devices", "devices"},
    {"colour", NULL},
    {"", NULL},
    {"d", NULL},
    {"dependencies", NULL},
    {"xids", "ids"},
    {"dis", "ids"}, /* a swap is one change */
    {"dix", NULL},  /* and is one */
    {"job", NULL},
    {"devices devices devices devices devices", NULL},
};

START_TEST(suggest_the_nearest)
{
    static const char *const words[] = {"devices", "ids", "if_no_gpu", "in_job", "variables"};
    const char *near = suggest(suggestions[_i].text, words, sizeof words / sizeof *words);

    ck_assert_pstr_eq(near, suggestions[_i].near);
}
END_TEST

START_TEST(suggest_among_none)
{
    ck_assert_ptr_null(suggest("devices", NULL, 0));
}
END_TEST

/* digest: the test vectors of draft-eastlake-fnv */

static const struct {
    const char *text, *digest;
} digests[] = {
    {"", "cbf29ce484222325"},
    {"a", "af63dc4c8601ec8c"},
    {"foobar", "85944171f73967e8"},
    {"\xff", "af64724c8602eb6e"},
};

START_TEST(digest_is_fnv)
{
    char text[DIGEST_TEXT_SIZE];

    uint64_t digest = digest_add(DIGEST_OF_NOTHING, digests[_i].text, strlen(digests[_i].text));
    ck_assert_str_eq(digest_text(digest, text), digests[_i].digest);
}
END_TEST

START_TEST(digest_takes_nul_and_pads)
{
    char text[DIGEST_TEXT_SIZE];

    ck_assert(digest_add(DIGEST_OF_NOTHING, "a\0b", 3) != digest_add(DIGEST_OF_NOTHING, "a\0c", 3));
    ck_assert_str_eq(digest_text(0x1f, text), "000000000000001f");
}
END_TEST

#define LOOP(tests, test, table) tcase_add_loop_test(tests, test, 0, sizeof table / sizeof *table)

static Suite *suite(void)
{
    Suite *suite = suite_create("strbuf, error, table, suggest, digest");
    TCase *tests = tcase_create("");

    tcase_add_test(tests, strbuf_begins_empty);
    tcase_add_test(tests, strbuf_grows);
    tcase_add_test(tests, strbuf_adds_all_kinds);
    tcase_add_test(tests, strbuf_formats_long_text);
    tcase_add_test(tests, strbuf_takes);
    tcase_add_test(tests, strbuf_fails_for_good);
    tcase_add_test(tests, strbuf_reserves);
    tcase_add_test(tests, strbuf_reserves_in_vain);
    LOOP(tests, strbuf_shows_printable, printables);
    tcase_add_test(tests, strbuf_lets_no_control_through);
    tcase_add_test(tests, error_keeps_first_status);
    tcase_add_test(tests, error_out_of_memory);
    tcase_add_test(tests, error_names_places);
    tcase_add_test(tests, error_lines_stay_lines);
    tcase_add_test(tests, error_has_details);
    tcase_add_test(tests, error_says_whose_it_is);
    tcase_add_test(tests, error_joins);
    tcase_add_test(tests, error_cuts_long_lines);
    tcase_add_test(tests, error_without_memory);
    tcase_add_test(tests, error_is_reusable);
    tcase_add_test(tests, table_aligns);
    tcase_add_test(tests, table_shows_odd_bytes);
    tcase_add_loop_test(tests, table_fits, 0, sizeof fits / sizeof *fits);
    tcase_add_test(tests, table_may_be_empty);
    LOOP(tests, suggest_the_nearest, suggestions);
    tcase_add_test(tests, suggest_among_none);
    LOOP(tests, digest_is_fnv, digests);
    tcase_add_test(tests, digest_takes_nul_and_pads);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return test_main(suite());
}
