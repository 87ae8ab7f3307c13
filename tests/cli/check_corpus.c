/*
 * Real environment files from public repositories (../shared/corpus): each that SOURCES.tsv calls a
 * mapping gives, with a gpu: section appended, the hooks that the section alone gives; each other
 * one is refused with its line and column, and nothing is written.
 */
#include "support/sandboxed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_FILES = 1000 };

static struct entry {
    char *name, *kind; /* of SOURCES.tsv: its first and last column */
} entries[MOST_FILES];
static int entry_count;
static char *corpus;

static char *read_corpus(const char *name, size_t *length)
{
    const struct sandbox folder = {"/"};
    char *path = NULL;

    ck_assert_int_ge(asprintf(&path, "%s/%s", corpus, name), 0);
    char *text = sandbox_read(&folder, path, length);
    ck_assert_msg(text != NULL, "%s is missing", path);
    free(path);
    return text;
}

#define SECTION "\ngpu:\n  devices: [1, 3]\n"

/* The file with the section behind it, in the encoding that its byte order mark tells. */
static void write_with_section(const char *text, size_t length)
{
    bool little = length > 1 && memcmp(text, "\xff\xfe", 2) == 0;
    bool big = length > 1 && memcmp(text, "\xfe\xff", 2) == 0;
    char *whole = malloc(length + 2 * sizeof SECTION);
    size_t end = length;

    memcpy(whole, text, length);
    for (const char *c = SECTION; *c; c++) {
        if (big)
            whole[end++] = '\0';
        whole[end++] = *c;
        if (little)
            whole[end++] = '\0';
    }
    sandbox_write_bytes(&box, "environment.yml", whole, end);
    free(whole);
}

/* Applies the file, and then finds nothing to change by the section alone: every hook is the same
   byte for byte. */
static void check_hooks_of(const char *name, const char *text, size_t length)
{
    write_with_section(text, length);
    struct outcome got = conda_gpu(&box, NULL, "apply", "-p", "envs/pt", NULL);
    ck_assert_msg(got.status == 0 && !*got.err, "%s: %d: %s", name, got.status, got.err);
    ck_assert_ptr_nonnull(strstr(got.out, ": CUDA_VISIBLE_DEVICES=1,3\n"));
    outcome_free(&got);
    ck_assert(sandbox_has(&box, "envs/pt/etc/conda/activate.d/env_vars.sh"));
    sandbox_write(&box, "environment.yml", SECTION);
    got = conda_gpu(&box, NULL, "apply", "--check", "-p", "envs/pt", NULL);
    ck_assert_msg(got.status == 0, "%s: %s", name, got.out);
    ck_assert_msg(strncmp(got.out, "unchanged  ", strlen("unchanged  ")) == 0, "%s: %s", name,
                  got.out);
    outcome_free(&got);
}

/* "environment.yml:LINE:COLUMN: " */
static bool names_place(const char *message)
{
    static const char file[] = "environment.yml:";
    const char *at = message + strlen(file);

    if (strncmp(message, file, strlen(file)) != 0)
        return false;
    for (int i = 0; i < 2; i++) {
        size_t digits = strspn(at, "0123456789");
        if (!digits || at[digits] != ':')
            return false;
        at += digits + 1;
    }
    return *at == ' ';
}

static void check_refused(const struct entry *entry, const char *text, size_t length)
{
    sandbox_write_bytes(&box, "environment.yml", text, length);
    struct outcome got = conda_gpu(&box, NULL, "apply", "-p", "envs/pt", NULL);
    ck_assert_msg(got.status == 2, "%s: %d: %s", entry->name, got.status, got.err);
    ck_assert_str_eq(got.out, "");
    if (strcmp(entry->kind, "empty") == 0)
        ck_assert_ptr_nonnull(strstr(got.err, "the file is empty"));
    else
        ck_assert_msg(names_place(got.err), "%s: %s", entry->name, got.err);
    ck_assert(!sandbox_has(&box, "envs/pt/etc"));
    outcome_free(&got);
}

START_TEST(a_file)
{
    const struct entry *entry = &entries[_i];
    size_t length = 0;
    char *text = read_corpus(entry->name, &length);

    if (strcmp(entry->kind, "mapping") == 0)
        check_hooks_of(entry->name, text, length);
    else
        check_refused(entry, text, length);
    free(text);
}
END_TEST

START_TEST(no_corpus)
{
    test_skip(false, "the corpus of real files: ../shared/corpus is not here");
}
END_TEST

/* The rows of SOURCES.tsv, without its head. */
static void read_sources(void)
{
    char *path = NULL, *line = NULL;
    size_t room = 0;

    if (asprintf(&path, "%s/../SOURCES.tsv", corpus) < 0)
        abort();
    FILE *file = fopen(path, "r");
    free(path);
    for (int i = 0; file && getline(&line, &room, file) > 0 && entry_count < MOST_FILES; i++) {
        line[strcspn(line, "\r\n")] = '\0';
        const char *last = strrchr(line, '\t');
        if (i > 0 && last)
            entries[entry_count++] =
                (struct entry){strndup(line, strcspn(line, "\t")), strdup(last + 1)};
    }
    free(line);
    if (file)
        fclose(file);
}

static Suite *suite(void)
{
    Suite *suite = suite_create("corpus");
    TCase *tests = tcase_create("");

    corpus = corpus_path();
    if (corpus)
        read_sources();
    sandboxed_with_environment(tests);
    if (entry_count)
        tcase_add_loop_test(tests, a_file, 0, entry_count);
    else
        tcase_add_test(tests, no_corpus);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return test_main(suite());
}
