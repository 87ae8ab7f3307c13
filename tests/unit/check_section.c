/*
 * The modules that read environment.yml: document and config. Each wrong file with its message is
 * in check_cli_file.c; here it is what a right one becomes, and where everything stands.
 */
#include "support/support.h"

#include "base/scope.h"
#include "section/document.h"
#include "section/section.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* document */

static const struct {
    const char *text;
    bool good;
} documents[] = {
    {"a: 1\n", true},
    {"{}", true},
    {"---\na: 1\n...\n", true},
    {"\xef\xbb\xbf"
     "a: 1\n",
     true},
    {"a: 1\r\nb: 2\r\n", true},
    {"# c\n\n\na: &x [*x]\n", true},
    {"", false},
    {"\n# c\n", false},
    {"[]", false},
    {"a", false},
    {"a: 1\n---\nb: 2\n", false},
    {"a: 1\n---\n", false},
    {"a: [\n", false},
    {"\xff", false},
    {"a: *b\n", false},
};

START_TEST(document_loads)
{
    struct document doc = {.source = {.file = "before"}};
    scope(error_release) struct error err = ERROR_INIT;

    int result = document_load(&doc, "f", documents[_i].text, strlen(documents[_i].text), &err);
    ck_assert_int_eq(result, documents[_i].good ? 0 : -1);
    ck_assert_str_eq(doc.source.file, documents[_i].good ? "f" : "before");
    ck_assert_uint_eq(err.count, documents[_i].good ? 0 : 1);
    ck_assert_int_eq(
        strncmp(error_text(&err), documents[_i].good ? "" : "f:", documents[_i].good ? 1 : 2), 0);
    document_release(&doc);
    document_release(&doc);
}
END_TEST

static const struct {
    const char *text, *shown;
    bool null;
} scalars[] = {
    {"x", "'x'", false},          {"~", "nothing", true},    {"null", "nothing", true},
    {"Null", "nothing", true},    {"NULL", "nothing", true}, {"", "nothing", true},
    {"nULL", "'nULL'", false},    {"'~'", "'~'", false},     {"\"null\"", "'null'", false},
    {"''", "''", false},          {"[a]", "a list", false},  {"{a: b}", "a mapping", false},
    {"|\n  x\n", "'x\n'", false},
};

/* The value of the last pair. */
static const struct node *last_value(const struct document *doc)
{
    scope(pairs_release) struct pairs pairs = {0};
    scope(error_release) struct error err = ERROR_INIT;

    ck_assert_int_eq(document_pairs(doc, document_root(doc), &pairs, &err), 0);
    return pairs.items[pairs.count - 1].value;
}

START_TEST(nodes)
{
    scope(document_release) struct document doc = {0};
    scope(error_release) struct error err = ERROR_INIT;
    scope(free_text) char *text = format_text("key: %s\n", scalars[_i].text);

    ck_assert_int_eq(document_load(&doc, "f", text, strlen(text), &err), 0);
    const struct node *node = last_value(&doc);
    scope(free_text) char *shown = document_shown(&doc, node);
    ck_assert_str_eq(shown, scalars[_i].shown);
    ck_assert_int_eq(document_is_null(&doc, node), scalars[_i].null);
}
END_TEST

START_TEST(places)
{
    static const char text[] = "\xc3\xa9: 1\n\xc3\xa4\xc3\xb6:   x\n";
    scope(document_release) struct document doc = {0};
    scope(error_release) struct error err = ERROR_INIT;

    ck_assert_int_eq(document_load(&doc, "f", text, strlen(text), &err), 0);
    struct place place = document_place(&doc, last_value(&doc));
    ck_assert_str_eq(place.file, "f");
    ck_assert_uint_eq(place.line, 2);
    ck_assert_uint_eq(place.column, 7);
}
END_TEST

START_TEST(long_text_is_cut)
{
    scope(document_release) struct document doc = {0};
    scope(error_release) struct error err = ERROR_INIT;
    scope(free_text) char *text = format_text("key: %0100d\n", 7);

    ck_assert_int_eq(document_load(&doc, "f", text, strlen(text), &err), 0);
    scope(free_text) char *shown = document_shown(&doc, last_value(&doc));
    ck_assert_uint_lt(strlen(shown), 70);
    ck_assert_str_eq(shown + strlen(shown) - 4, "'...");
}
END_TEST

/* config */

static int read_config(struct section *config, const char *text, struct error *err)
{
    return section_read(config, "dir/environment.yml", text, strlen(text), err);
}

static void read_right(struct section *config, const char *text)
{
    scope(error_release) struct error err = ERROR_INIT;

    ck_assert_msg(read_config(config, text, &err) == 0, "%s", error_text(&err));
    ck_assert_str_eq(error_text(&err), "");
}

START_TEST(smallest)
{
    scope(section_release) struct section config = {0};

    read_right(&config, "gpu:\n  devices: 1\n");
    ck_assert_str_eq(config.file, "dir/environment.yml");
    ck_assert_ptr_null(config.name);
    ck_assert_uint_eq(config.item_count, 1);
    ck_assert_int_eq(config.items[0].kind, ITEM_RANGE);
    ck_assert_str_eq(config.items[0].text, "1");
    ck_assert_str_eq(config.items[0].place.file, config.file);
    ck_assert_uint_eq(config.items[0].place.line, 2);
    ck_assert_uint_eq(config.items[0].place.column, 12);
    ck_assert_uint_eq(config.devices_place.line, 2);
    ck_assert_int_eq(config.ids, IDS_INDEX);
    ck_assert_int_eq(config.if_no_gpu, IF_NO_GPU_ERROR);
    ck_assert_int_eq(config.in_job, IN_JOB_KEEP);
    ck_assert_int_eq(config.if_set, IF_SET_OVERRIDE);
    ck_assert_uint_eq(config.variables.count, 0);
}
END_TEST

START_TEST(everything)
{
    scope(section_release) struct section config = {0};

    read_right(&config,
               "name: pt\n"
               "gpu:\n"
               "  devices:\n"
               "    - 0-3\n"
               "    - GPU-8932\n"
               "    - 00000001:0f:00.0\n"
               "    - {name: \"*A100*\", min_memory: 40GiB, min_compute: \"8.6\", count: 2}\n"
               "  ids: uuid\n"
               "  if_no_gpu: cpu\n"
               "  in_job: override\n"
               "  if_set: keep\n");
    ck_assert_str_eq(config.name, "pt");
    ck_assert_int_eq(config.ids, IDS_UUID);
    ck_assert_int_eq(config.if_no_gpu, IF_NO_GPU_CPU);
    ck_assert_int_eq(config.in_job, IN_JOB_OVERRIDE);
    ck_assert_int_eq(config.if_set, IF_SET_KEEP);
    ck_assert_uint_eq(config.item_count, 4);
    ck_assert_int_eq(config.items[0].kind, ITEM_RANGE);
    ck_assert_uint_eq(config.items[0].last, 3);
    ck_assert_int_eq(config.items[1].kind, ITEM_UUID);
    ck_assert_int_eq(config.items[2].kind, ITEM_PCI);
    ck_assert_uint_eq(config.items[2].pci.domain, 1);
    const struct item *filter = &config.items[3];
    ck_assert_int_eq(filter->kind, ITEM_FILTER);
    ck_assert_str_eq(filter->name, "*A100*");
    ck_assert_uint_eq(filter->min_memory, UINT64_C(40) << 30);
    ck_assert_int_eq(filter->min_major, 8);
    ck_assert_int_eq(filter->min_minor, 6);
    ck_assert_uint_eq(filter->count, 2);
    ck_assert_uint_eq(filter->place.line, 7);
    ck_assert_uint_eq(filter->place.column, 7);
}
END_TEST

static const struct {
    const char *text; /* of the variable A */
    enum var_kind kind;
    const char *value, *separator;
} variables[] = {
    {"8", VAR_SET, "8", NULL},
    {"08", VAR_SET, "08", NULL},
    {"true", VAR_SET, "true", NULL},
    {"1e3", VAR_SET, "1e3", NULL},
    {"' x '", VAR_SET, " x ", NULL},
    {"\"a\\nb\"", VAR_SET, "a\nb", NULL},
    {"''", VAR_SET, "", NULL},
    {"'null'", VAR_SET, "null", NULL},
    {"${CONDA_PREFIX}/x", VAR_SET, "${CONDA_PREFIX}/x", NULL},
    {"\xc3\xa9", VAR_SET, "\xc3\xa9", NULL},
    {"null", VAR_UNSET, NULL, NULL},
    {"~", VAR_UNSET, NULL, NULL},
    {"", VAR_UNSET, NULL, NULL},
    {"{prepend: x}", VAR_PREPEND, "x", ":"},
    {"{append: x}", VAR_APPEND, "x", ":"},
    {"{append: x, separator: ''}", VAR_APPEND, "x", ""},
    {"{separator: \" \", prepend: \"${CONDA_PREFIX}/lib\"}", VAR_PREPEND, "${CONDA_PREFIX}/lib",
     " "},
};

START_TEST(variable_values)
{
    scope(section_release) struct section config = {0};
    scope(free_text) char *text =
        format_text("gpu:\n  devices: 1\n  variables:\n    A: %s\n", variables[_i].text);

    read_right(&config, text);
    ck_assert_uint_eq(config.variables.count, 1);
    const struct var *var = &config.variables.items[0];
    ck_assert_str_eq(var->name, "A");
    ck_assert_int_eq(var->kind, variables[_i].kind);
    ck_assert_pstr_eq(var->value, variables[_i].value);
    ck_assert_pstr_eq(var->separator, variables[_i].separator);
}
END_TEST

START_TEST(variables_keep_their_order)
{
    scope(section_release) struct section config = {0};

    read_right(&config, "gpu: {devices: 1, variables: {Z: 1, A: 2, M: 3}}\n");
    ck_assert_str_eq(config.variables.items[0].name, "Z");
    ck_assert_str_eq(config.variables.items[1].name, "A");
    ck_assert_str_eq(config.variables.items[2].name, "M");
}
END_TEST

/* What stands outside gpu: is none of our business, but for the name. */
static const struct {
    const char *text, *name;
} outsides[] = {
    {"gpu: {devices: 1}\n", NULL},
    {"name: pt\ngpu: {devices: 1}\n", "pt"},
    {"name: 3.10\ngpu: {devices: 1}\n", "3.10"},
    {"name: [a]\ngpu: {devices: 1}\n", NULL},
    {"name:\ngpu: {devices: 1}\n", NULL},
    {"name: ~\ngpu: {devices: 1}\n", NULL},
    {"name: null\ngpu: {devices: 1}\n", NULL},
    {"name: ''\ngpu: {devices: 1}\n", NULL},
    {"gpus_per_node: 3\nvariables: {PATH: x}\ngpu: {devices: 1}\n", NULL},
    {"dependencies: [a, {pip: [b]}]\ngpu: {devices: 1}\n[x]: 1\n{y: z}: 1\n", NULL},
};

START_TEST(outside_the_section)
{
    scope(section_release) struct section config = {0};

    read_right(&config, outsides[_i].text);
    ck_assert_uint_eq(config.item_count, 1);
    ck_assert_pstr_eq(config.name, outsides[_i].name);
}
END_TEST

/* The name and conda's own variables, which stand in environment.yml, from both files. */
START_TEST(two_files)
{
    static const char environment_text[] =
        "name: pt\nvariables: {A: 1, B: x, C: , D: [x], '0': 1}\n";
    static const char gpu_text[] = "devices: 1\n";
    const struct section_text environment = {"d/environment.yml", environment_text,
                                             sizeof environment_text - 1};
    const struct section_text gpu = {"d/gpu.yml", gpu_text, sizeof gpu_text - 1};
    scope(section_release) struct section config = {0};
    scope(error_release) struct error err = ERROR_INIT;

    ck_assert_int_eq(section_read_both(&config, &environment, &gpu, &err), 0);
    ck_assert_str_eq(config.name, "pt");
    ck_assert_str_eq(config.file, "d/gpu.yml");
    ck_assert_str_eq(config.environment_file, "d/environment.yml");
    ck_assert_str_eq(config.items[0].place.file, "d/gpu.yml");
    ck_assert_uint_eq(config.conda_variables.count, 3);
    ck_assert_str_eq(config.conda_variables.items[0].name, "A");
    ck_assert_str_eq(config.conda_variables.items[1].value, "x");
    ck_assert_uint_eq(config.variables.count, 0);
}
END_TEST

/* On failure nothing is changed, whatever was read before the mistake. */
static const char *const wrongs[] = {
    "gpu: {devices: 1, ids: x}\n",
    "gpu: {devices: [1, x], variables: {A: 1}}\n",
    "gpu: {devices: {name: a, name: b}}\n",
    "gpu: {devices: 1, variables: {A: 1, B: [x]}}\n",
    "gpu: {variables: {A: {prepend: x, append: y}}}\n",
    "name: x\ngpu: {devices: 1}\ngpu: {devices: 1}\n",
    "gpu: {devices: 1}\n---\n",
    "name: x\n",
    "",
};

START_TEST(untouched_on_failure)
{
    struct section config = {0}, before;
    scope(error_release) struct error err = ERROR_INIT;

    config.ids = IDS_UUID;
    before = config;
    ck_assert_int_eq(read_config(&config, wrongs[_i], &err), -1);
    ck_assert_mem_eq(&config, &before, sizeof config);
    ck_assert_int_eq(err.status, STATUS_INPUT);
    ck_assert_uint_ge(err.count, 1);
    ck_assert_int_eq(strncmp(error_text(&err), "dir/environment.yml:", 20), 0);
}
END_TEST

START_TEST(release_of_nothing)
{
    struct section config = {0};

    section_release(&config);
    section_release(&config);
}
END_TEST

/* Every prefix of a file is read or refused, and harms nothing. */
START_TEST(every_prefix)
{
    static const char whole[] =
        "\xef\xbb\xbfname: \"p\\u00e9\"\ngpu: &g\n  devices: [0-1, {name: '*', count: 1}]\n"
        "  variables: {A: {prepend: x}, B: ~, C: |-\n    y\n  }\n";

    for (size_t length = 0; length < sizeof whole; length++) {
        scope(section_release) struct section config = {0};
        scope(error_release) struct error err = ERROR_INIT;
        char *copy = malloc(length); /* exactly as long, for the sanitizer to watch */
        memcpy(copy, whole, length);
        int result = section_read(&config, "f", copy, length, &err);
        ck_assert_int_eq(result<0, err.count> 0);
        free(copy);
    }
}
END_TEST

/* What has a limit: up to it all is well, one more is an error with its place, and a great many
   more are the same error, which comes long before the end. */

static const struct {
    const char *start, *unit, *middle, *closing, *end; /* unit and closing: as often as asked */
    int limit;
    const char *error; /* with one too many */
} limits[] = {
#define DEEP "nested deeper than 100 levels here; an environment file needs three or four\n"
    {"a: ", "[", "", "]", "\n", 99, "f:1:103: lists and mappings are " DEEP},
    {"a: ", "[\n ", "", "]", "\n", 99, "f:100:2: lists and mappings are " DEEP},
    {"a: ", "{a: ", "b", "}", "\n", 99, "f:1:400: lists and mappings are " DEEP},
    {"a: ", "[a: ", "b", "]", "\n", 99, "f:1:400: lists and mappings are " DEEP},
    {"a:\n  ", "- ", "b\n", "", "", 99, "f:2:201: lists and mappings are " DEEP},
    {"", "? ", "b\n", "", "", 100, "f:1:201: lists and mappings are " DEEP},
    {"a: [", "x,", "", "", "]\n", 249991,
     "f:3:1: more than 500000 words and signs before this; an environment file has a few "
     "hundred\n"},
    {"a: &x y\nb: [", "*x,", "", "", "]\n", 249988,
     "f:4:1: more than 500000 words and signs before this; an environment file has a few "
     "hundred\n"},
    {"a: [", "&x y,", "", "", "]\n", 100,
     "f:1:505: more than 100 anchors (&); an environment file needs few\n"},
    {"", "%%TAG !%d! x\n", "---\na: b\n", "", "", 100,
     "f:101:1: more than 100 %TAG lines, or one of more than 1000 bytes; an environment file needs "
     "none\n"},
    {"%TAG !x! ", "x", "\n---\na: b\n", "", "", 1000,
     "f:1:1: more than 100 %TAG lines, or one of more than 1000 bytes; an environment file needs "
     "none\n"},
    {"a: [", "! x,", "", "", "]\n", 100,
     "f:1:405: more than 100 tags (!); an environment file needs few\n"},
    {"gpu:\n  devices: [", "1,", "", "", "]\n", 1024,
     "f:2:12: gpu.devices: 1025 items; at most 1024 are accepted\n"},
    {"gpu:\n  devices: 1\n  variables:\n    ", "x", ": y\n", "", "", 255,
     "f:4:5: gpu.variables: the name 'xxxxxxxxxxxxxxxxxxxx...' has 256 bytes; at most 255 are "
     "accepted\n"},
};

static char *excess(size_t row, int times)
{
    struct strbuf text = STRBUF_INIT;

    strbuf_adds(&text, limits[row].start);
    for (int i = 0; i < times; i++)
        strbuf_addf(&text, limits[row].unit, i);
    strbuf_adds(&text, limits[row].middle);
    for (int i = 0; i < times; i++)
        strbuf_adds(&text, limits[row].closing);
    strbuf_adds(&text, limits[row].end);
    if (!strstr(text.text, "gpu:"))
        strbuf_adds(&text, "gpu: {devices: 1}\n");
    return strbuf_take(&text);
}

static char *errors_of(const char *text)
{
    scope(section_release) struct section config = {0};
    scope(error_release) struct error err = ERROR_INIT;

    int result = section_read(&config, "f", text, strlen(text), &err);
    ck_assert_int_eq(result<0, err.count> 0);
    return strdup(error_text(&err));
}

START_TEST(limit)
{
    scope(free_text) char *most = excess((size_t)_i, limits[_i].limit);
    scope(free_text) char *more = excess((size_t)_i, limits[_i].limit + 1);
    scope(free_text) char *right = errors_of(most), *wrong = errors_of(more);

    ck_assert_msg(!strstr(right, limits[_i].error + strcspn(limits[_i].error, " ")), "%s", right);
    ck_assert_str_eq(wrong, limits[_i].error);
}
END_TEST

START_TEST(far_beyond_the_limit)
{
    scope(free_text) char *text = excess((size_t)_i, 1500000);
    scope(free_text) char *errors = errors_of(text);

    ck_assert_uint_gt(strlen(errors), 0);
    ck_assert_uint_lt(strlen(errors), 300);
}
END_TEST

#define LOOP(tests, test, table) tcase_add_loop_test(tests, test, 0, sizeof table / sizeof *table)

static Suite *suite(void)
{
    Suite *suite = suite_create("document, config");
    TCase *tests = tcase_create("");

    LOOP(tests, document_loads, documents);
    LOOP(tests, nodes, scalars);
    tcase_add_test(tests, places);
    tcase_add_test(tests, long_text_is_cut);
    tcase_add_test(tests, smallest);
    tcase_add_test(tests, everything);
    LOOP(tests, variable_values, variables);
    tcase_add_test(tests, variables_keep_their_order);
    LOOP(tests, outside_the_section, outsides);
    tcase_add_test(tests, two_files);
    LOOP(tests, untouched_on_failure, wrongs);
    tcase_add_test(tests, release_of_nothing);
    tcase_add_test(tests, every_prefix);
    LOOP(tests, limit, limits);
    LOOP(tests, far_beyond_the_limit, limits);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return test_main(suite());
}
