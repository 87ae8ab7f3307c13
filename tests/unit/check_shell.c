/*
 * The module shell: what its quoting functions write is read back by real shells, byte for byte.
 */
#include "support/sandboxed.h"

#include "base/scope.h"
#include "hook/shell.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The shells that read each extension. */
static const struct reader {
    const char *extension;
    const char *argv[6]; /* the script's path follows */
} readers[] = {
    {"sh", {"bash", "--norc"}},
    {"sh", {"bash", "--posix"}},
    {"sh", {"dash"}},
    {"sh", {"zsh", "-f"}},
    {"sh", {"ksh"}},
    {"sh", {"mksh"}},
    {"sh", {"busybox", "sh"}},
    {"sh", {"yash"}},
    {"fish", {"fish", "--no-config"}},
    {"csh", {"tcsh", "-f"}},
};

/* All words of a script go through one environment variable each to env -0, as hooks do it. */
static void add_export(struct strbuf *script, const struct shell *shell, int number,
                       const char *value, size_t length)
{
    bool csh = strcmp(shell->extension, "csh") == 0, fish = strcmp(shell->extension, "fish") == 0;

    strbuf_addf(script, csh ? "setenv V%d " : fish ? "set -gx V%d " : "export V%d=", number);
    shell->quote(script, value, length);
    strbuf_addc(script, '\n');
}

static const struct shell *shell_of(const char *extension)
{
    for (size_t i = 0; i < shell_count; i++)
        if (strcmp(shells[i].extension, extension) == 0)
            return &shells[i];
    return NULL;
}

/* The environment that the script leaves, as `env -0` prints it. */
static struct outcome read_back(const struct reader *reader, struct strbuf *script)
{
    const char *argv[8] = {NULL};
    char *path = sandbox_path(&box, "script");
    scope(free_text) char *home = format_text("HOME=%s/home", box.root);
    const char *const env[] = {"PATH=/usr/local/bin:/usr/bin:/bin", home, "LC_ALL=C.UTF-8", NULL};
    size_t count = 0;

    strbuf_adds(script, "env -0\n");
    sandbox_write_bytes(&box, "script", strbuf_text(script), script->length);
    for (; reader->argv[count]; count++)
        argv[count] = reader->argv[count];
    argv[count] = path;
    struct outcome got = sandbox_run(&box, argv, env, NULL);
    free(path);
    return got;
}

/* V<number> of env -0's output; NULL if it is not there. */
static const char *value_of(const struct outcome *got, int number)
{
    char name[16];
    int length = snprintf(name, sizeof name, "V%d=", number);

    for (const char *at = got->out; at < got->out + got->out_length; at += strlen(at) + 1)
        if (strncmp(at, name, (size_t)length) == 0)
            return at + length;
    return NULL;
}

/* False, having said why, where this shell is not installed. */
static bool has_shell(const struct reader *reader)
{
    bool has = program_present(reader->argv[0]);

    if (!has)
        test_skip(true, "quoting: no %s", reader->argv[0]);
    return has;
}

/* yash reads text, not bytes: what is no character in the locale it drops. */
static bool takes_bytes(const struct reader *reader)
{
    return strcmp(reader->argv[0], "yash") != 0;
}

struct values {
    char *items[2048];
    int count;
};

static void add_value(struct values *values, const char *text)
{
    ck_assert_int_lt(values->count, 2048);
    values->items[values->count++] = strdup(text);
}

static void check_read_back(const struct reader *reader, const struct values *values)
{
    const struct shell *shell = shell_of(reader->extension);
    scope(strbuf_release) struct strbuf script = STRBUF_INIT;

    ck_assert_ptr_nonnull(shell);
    for (int i = 0; i < values->count; i++)
        add_export(&script, shell, i, values->items[i], strlen(values->items[i]));
    struct outcome got = read_back(reader, &script);
    ck_assert_str_eq(got.err, "");
    for (int i = 0; i < values->count; i++) {
        const char *value = value_of(&got, i);
        ck_assert_msg(value && strcmp(value, values->items[i]) == 0, "%s: '%s' came back as '%s'",
                      reader->argv[0], values->items[i], value ? value : "nothing");
        free(values->items[i]);
    }
    outcome_free(&got);
}

START_TEST(every_byte)
{
    const struct reader *reader = &readers[_i];
    struct values values = {.count = 0};

    if (!has_shell(reader))
        return;
    for (int byte = 1; byte < (takes_bytes(reader) ? 256 : 128); byte++) {
        const char alone[] = {(char)byte, '\0'}, twice[] = {(char)byte, (char)byte, '\0'};
        const char between[] = {'a', (char)byte, 'z', '\0'};
        add_value(&values, alone);
        add_value(&values, twice);
        add_value(&values, between);
    }
    check_read_back(reader, &values);
}
END_TEST

/* Characters that mean something to some shell. */
static const char special[] = "'\"\\$`!~#&*?[]{}()<>|;=%^@-+:, \t\n\ra";

START_TEST(every_pair)
{
    const struct reader *reader = &readers[_i];
    struct values values = {.count = 0};

    if (!has_shell(reader))
        return;
    for (const char *a = special; *a; a++) {
        for (const char *b = special; *b; b++) {
            const char pair[] = {*a, *b, '\0'};
            add_value(&values, pair);
        }
    }
    check_read_back(reader, &values);
}
END_TEST

START_TEST(all_together)
{
    const struct reader *reader = &readers[_i];
    struct values values = {.count = 0};
    char all[256] = {0}, *long_text = NULL;
    int last = takes_bytes(reader) ? 255 : 127;

    if (!has_shell(reader))
        return;
    for (int i = 0; i < last; i++)
        all[i] = (char)(last - i);
    add_value(&values, all);
    add_value(&values, special);
    add_value(&values, "");
    add_value(&values, "x'; touch broken; '");
    add_value(&values, "$(touch broken)`touch broken`");
    add_value(&values, "${CONDA_PREFIX}");
    add_value(&values, "\xc3\xa9\xe2\x82\xac");
    add_value(&values, "''''");
    add_value(&values, "\\\\\\");
    add_value(&values, "a\n\n\nb\n");
    add_value(&values, "!!:s/a/b/");
    ck_assert_int_ge(asprintf(&long_text, "%030000d'", 0), 0);
    add_value(&values, long_text);
    free(long_text);
    check_read_back(reader, &values);
    ck_assert(!sandbox_has(&box, "broken"));
}
END_TEST

/* shell_quote_value: ${CONDA_PREFIX} is the prefix, whatever it holds, and nothing else is. */

static const char *const prefixes[] = {"/opt/conda/envs/pt", "/a b/it's/$HOME/`x`", "/a*/?[x]\\n",
                                       "/new\nline", "/a\"b!c"};

static const struct {
    const char *value, *before, *after; /* the prefix stands between */
} references[] = {
    {"${CONDA_PREFIX}", "", ""},
    {"${CONDA_PREFIX}/lib", "", "/lib"},
    {"-L${CONDA_PREFIX}/lib 'x'", "-L", "/lib 'x'"},
    {"$CONDA_PREFIX ${CONDA_PREFIX}$HOME", "$CONDA_PREFIX ", "$HOME"},
    {"\\${CONDA_PREFIX}", "\\", ""},
};

START_TEST(references_to_prefix)
{
    const struct reader *reader = &readers[_i];
    const struct shell *shell = shell_of(reader->extension);
    scope(strbuf_release) struct strbuf script = STRBUF_INIT;
    bool csh = strcmp(reader->extension, "csh") == 0, fish = strcmp(reader->extension, "fish") == 0;
    enum { PREFIXES = sizeof prefixes / sizeof *prefixes };
    enum { REFERENCES = sizeof references / sizeof *references };

    if (!has_shell(reader))
        return;
    for (int p = 0; p < PREFIXES; p++) {
        strbuf_adds(&script, csh    ? "setenv __gpu_CONDA_PREFIX "
                             : fish ? "set -gx CONDA_PREFIX "
                                    : "export CONDA_PREFIX=");
        shell->quote(&script, prefixes[p], strlen(prefixes[p]));
        strbuf_addc(&script, '\n');
        for (int r = 0; r < REFERENCES; r++) {
            strbuf_addf(&script,
                        csh    ? "setenv V%d "
                        : fish ? "set -gx V%d "
                               : "export V%d=",
                        p * REFERENCES + r);
            shell_quote_value(shell, &script, references[r].value);
            strbuf_addc(&script, '\n');
        }
    }
    struct outcome got = read_back(reader, &script);
    ck_assert_str_eq(got.err, "");
    for (int i = 0; i < PREFIXES * REFERENCES; i++) {
        char wanted[256];
        snprintf(wanted, sizeof wanted, "%s%s%s", references[i % REFERENCES].before,
                 prefixes[i / REFERENCES], references[i % REFERENCES].after);
        ck_assert_pstr_eq(value_of(&got, i), wanted);
    }
    outcome_free(&got);
}
END_TEST

/* The truth tables of the header. */

static const struct {
    void (*quote)(struct strbuf *out, const char *text, size_t length);
    const char *text, *quoted;
} truths[] = {
    {quote_sh, "it's", "'it'\\''s'"}, {quote_sh, "", "''"},
    {quote_sh, "$HOME", "'$HOME'"},   {quote_sh, "a\\b!", "'a\\b!'"},
    {quote_fish, "it's", "'it\\'s'"}, {quote_fish, "\\n", "'\\\\n'"},
    {quote_fish, "", "''"},           {quote_csh, "it's", "'it'\\''s'"},
    {quote_csh, "a!", "'a\\!'"},      {quote_csh, "\\", "'\\'"},
    {quote_csh, "a\nb", "'a\\\nb'"},  {quote_csh, "", "''"},
};

START_TEST(truth_table)
{
    scope(strbuf_release) struct strbuf out = STRBUF_INIT;

    truths[_i].quote(&out, truths[_i].text, strlen(truths[_i].text));
    ck_assert_str_eq(strbuf_text(&out), truths[_i].quoted);
}
END_TEST

static const char *const shown[][2] = {
    {"pt", "pt"},
    {"/opt/conda_1/envs/p-t.2", "/opt/conda_1/envs/p-t.2"},
    {"a b", "'a b'"},
    {"it's", "'it'\\''s'"},
    {"", "''"},
    {"$x", "'$x'"},
    {"~", "'~'"},
    {"a*", "'a*'"},
    {"\xc3\xa9", "'\xc3\xa9'"},
};

START_TEST(quotes_only_if_needed)
{
    scope(strbuf_release) struct strbuf out = STRBUF_INIT;

    shell_quote_if_needed(&out, shown[_i][0]);
    ck_assert_str_eq(strbuf_text(&out), shown[_i][1]);
}
END_TEST

/* Every row of the table is read back by some shell above. */
START_TEST(every_kind_is_tested)
{
    for (size_t i = 0; i < shell_count; i++) {
        bool found = false;
        for (size_t r = 0; r < sizeof readers / sizeof *readers; r++)
            found = found || strcmp(readers[r].extension, shells[i].extension) == 0;
        ck_assert_msg(found, "no shell reads .%s here", shells[i].extension);
    }
}
END_TEST

#define LOOP(tests, test, table) tcase_add_loop_test(tests, test, 0, sizeof table / sizeof *table)

static Suite *suite(void)
{
    Suite *suite = suite_create("shell");
    TCase *tests = tcase_create("");

    sandboxed(tests);
    for (int i = 0; i < (int)(sizeof readers / sizeof *readers); i++) {
        if (!shell_wanted(readers[i].argv[0]))
            continue;
        tcase_add_loop_test(tests, every_byte, i, i + 1);
        tcase_add_loop_test(tests, every_pair, i, i + 1);
        tcase_add_loop_test(tests, all_together, i, i + 1);
        tcase_add_loop_test(tests, references_to_prefix, i, i + 1);
    }
    LOOP(tests, truth_table, truths);
    LOOP(tests, quotes_only_if_needed, shown);
    tcase_add_test(tests, every_kind_is_tested);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return test_main(suite());
}
