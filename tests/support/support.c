#include "support/support.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST_ARGUMENTS = 64, MOST_VARIABLES = 256 };

static char *formatted(const char *format, ...)
{
    char *text = NULL;
    va_list args;

    va_start(args, format);
    int length = vasprintf(&text, format, args);
    va_end(args);
    if (length < 0)
        abort();
    return text;
}

int unnamed_file(void)
{
    const char *folder = getenv("TMPDIR");
    char *name = formatted("%s/conda-gpu-io-XXXXXX", folder ? folder : "/tmp");
    int fd = mkostemp(name, O_CLOEXEC | O_APPEND);

    if (fd < 0 || unlink(name) < 0) {
        fprintf(stderr, "%s: %s\n", name, strerror(errno));
        abort();
    }
    free(name);
    return fd;
}

/* Tests say here, one a line, why they skip: each test is a process of its own. */
static int skips;

static int report_skips(bool *could_be_had)
{
    FILE *file = fdopen(skips, "r");
    char *line = NULL;
    size_t room = 0;
    int count = 0;

    rewind(file);
    for (; getline(&line, &room, file) > 0; count++) {
        *could_be_had = *could_be_had || line[0] == '!';
        printf("skipped: %s", line + 1);
    }
    free(line);
    fclose(file);
    return count;
}

int test_main(Suite *suite)
{
    bool could_be_had = false;
    const char *results = getenv("TEST_RESULTS");

    signal(SIGPIPE, SIG_IGN);
    skips = unnamed_file();
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int run = srunner_ntests_run(runner), failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    int skipped = report_skips(&could_be_had);
    FILE *file = results ? fopen(results, "a") : NULL;
    if (file) {
        fprintf(file, "%d %d %d %d\n", run - failed - skipped, failed, skipped, could_be_had);
        fclose(file);
    }
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

void test_skip(bool can_have, const char *format, ...)
{
    char *reason = NULL;
    va_list args;

    va_start(args, format);
    if (vasprintf(&reason, format, args) < 0)
        abort();
    va_end(args);
    for (char *at = reason; *at; at++) /* a reason may be what a program printed: it is one line */
        *at = *at == '\n' ? ' ' : *at;
    char *line = formatted("%c%s\n", can_have ? '!' : ' ', reason);
    if (write(skips, line, strlen(line)) < 0)
        abort();
    free(line);
    free(reason);
}

bool shell_wanted(const char *name)
{
    const char *list = getenv("SHELLS");
    size_t length = strlen(name);

    if (!list || !*list)
        return true;
    bool names_others = *list == '!';
    for (; *list; list += strcspn(list, " ,"), list += strspn(list, " ,"))
        if (strncmp(list, name, length) == 0 && strchr(" ,", list[length]))
            return !names_others;
    return names_others;
}

bool program_present(const char *name)
{
    bool present = false;

    for (const char *folder = getenv("PATH"); folder && *folder && !present;) {
        size_t length = strcspn(folder, ":");
        char *path = formatted("%.*s/%s", (int)length, folder, name);
        present = access(path, X_OK) == 0;
        free(path);
        folder += length + (folder[length] == ':');
    }
    return present;
}

void sandbox_open(struct sandbox *box)
{
    const char *folder = getenv("TMPDIR");
    int length = snprintf(box->root, sizeof box->root, "%s/test-XXXXXX", folder ? folder : "/tmp");

    if (length >= (int)sizeof box->root)
        ck_abort_msg("TMPDIR=%s is too long: its name may have 40 characters", folder);
    if (!mkdtemp(box->root))
        ck_abort_msg("%s: %s", box->root, strerror(errno));
    sandbox_write(box, "home/.keep", "");
}

/* By names in open folders, since some tests make paths that are longer than a system call takes.
 */
static int remove_at(int folder, const char *name)
{
    if (unlinkat(folder, name, 0) == 0 || errno == ENOENT)
        return 0;
    int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *inside = fd < 0 ? NULL : fdopendir(fd);
    if (!inside)
        return -1;
    for (struct dirent *entry; (entry = readdir(inside));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            remove_at(fd, entry->d_name);
    closedir(inside);
    return unlinkat(folder, name, AT_REMOVEDIR);
}

void sandbox_close(struct sandbox *box)
{
    remove_at(AT_FDCWD, box->root);
}

char *sandbox_path(const struct sandbox *box, const char *path)
{
    return formatted("%s/%s", box->root, path);
}

void sandbox_remove(const struct sandbox *box, const char *path)
{
    char *whole = sandbox_path(box, path);

    if (remove_at(AT_FDCWD, whole) != 0)
        ck_abort_msg("%s: %s", whole, strerror(errno));
    free(whole);
}

static void make_folders(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(path, 0755) < 0 && errno != EEXIST)
            ck_abort_msg("mkdir %s: %s", path, strerror(errno));
        *slash = '/';
    }
}

void sandbox_write_bytes(const struct sandbox *box, const char *path, const void *bytes,
                         size_t length)
{
    char *whole = sandbox_path(box, path);

    make_folders(whole);
    FILE *file = fopen(whole, "w");
    if (!file || fwrite(bytes, 1, length, file) != length || fclose(file) != 0)
        ck_abort_msg("%s: %s", whole, strerror(errno));
    free(whole);
}

void sandbox_write(const struct sandbox *box, const char *path, const char *text)
{
    sandbox_write_bytes(box, path, text, strlen(text));
}

static char *read_all(int fd, size_t *length)
{
    size_t room = 4096;
    char *text = malloc(room);

    *length = 0;
    for (ssize_t got; text && (got = read(fd, text + *length, room - *length - 1)) != 0;) {
        if (got < 0 && errno != EINTR)
            break;
        *length += got > 0 ? (size_t)got : 0;
        if (*length + 1 == room)
            text = realloc(text, room *= 2);
    }
    if (!text)
        abort();
    text[*length] = '\0';
    return text;
}

char *sandbox_read(const struct sandbox *box, const char *path, size_t *length)
{
    size_t ignored;
    char *whole = sandbox_path(box, path), *text = NULL;
    int fd = open(whole, O_RDONLY | O_CLOEXEC);

    if (fd >= 0) {
        text = read_all(fd, length ? length : &ignored);
        close(fd);
    }
    free(whole);
    return text;
}

bool sandbox_has(const struct sandbox *box, const char *path)
{
    struct stat st;
    char *whole = sandbox_path(box, path);
    bool there = lstat(whole, &st) == 0;

    free(whole);
    return there;
}

char *sandbox_environment(const struct sandbox *box, const char *name)
{
    char *history = formatted("envs/%s/conda-meta/history", name);
    char *inside = formatted("envs/%s", name);

    sandbox_write(box, history, "");
    char *prefix = sandbox_path(box, inside);
    free(history);
    free(inside);
    return prefix;
}

void outcome_free(struct outcome *outcome)
{
    free(outcome->out);
    free(outcome->err);
    *outcome = (struct outcome){0};
}

static _Noreturn void be_program(const char *folder, const char *const *argv,
                                 const char *const *env, int in, int out, int err)
{
    setpgid(0, 0);
    if (chdir(folder) < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
        _exit(126);
    for (int fd = 3; fd < 64; fd++)
        fcntl(fd, F_SETFD, FD_CLOEXEC);
    signal(SIGPIPE, SIG_DFL);
    execvpe(argv[0], (char *const *)argv, (char *const *)env);
    dprintf(2, "%s: %s\n", argv[0], strerror(errno));
    _exit(127);
}

/* A program can write as much as it wants into a file, and nobody has to read along. */
static int input_file(const char *text)
{
    int fd = unnamed_file();

    if (write(fd, text, strlen(text)) < 0 || lseek(fd, 0, SEEK_SET) < 0)
        ck_abort_msg("scratch file: %s", strerror(errno));
    return fd;
}

static int wait_for(pid_t child)
{
    const char *limit = getenv("TEST_TIMEOUT");
    long ticks = (limit ? strtol(limit, NULL, 10) : 600) * 500;
    struct timespec tick = {0, 2 * 1000 * 1000};
    int status = 0;

    while (waitpid(child, &status, WNOHANG) == 0) {
        nanosleep(&tick, NULL);
        if (ticks-- == 0)
            kill(-child, SIGKILL);
    }
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Takes the name of the program off the lines that begin with it. True if every line did, or is
   indented, as what goes on with a message is. */
static bool strip_name(char *text, size_t *length)
{
    static const char name[] = "conda-gpu: ";
    char *to = text;
    bool each = true;

    for (const char *line = text, *end = text + *length; line < end;) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        const char *stop = newline ? newline + 1 : end;
        bool named = strncmp(line, name, strlen(name)) == 0;
        each = each && (named || *line == ' ' || *line == '\n');
        line += named ? strlen(name) : 0;
        memmove(to, line, (size_t)(stop - line));
        to += stop - line;
        line = stop;
    }
    *to = '\0';
    *length = (size_t)(to - text);
    return each;
}

static struct outcome run_named(const struct sandbox *box, const char *const *argv,
                                const char *const *env, const char *input, bool *named)
{
    struct outcome outcome = {0};
    int in = input_file(input ? input : ""), out = unnamed_file(), err = unnamed_file();

    fflush(stdout);
    pid_t child = fork();
    if (child == 0)
        be_program(box->root, argv, env, in, out, err);
    if (child < 0)
        ck_abort_msg("fork: %s", strerror(errno));
    outcome.status = wait_for(child);
    lseek(out, 0, SEEK_SET);
    lseek(err, 0, SEEK_SET);
    outcome.out = read_all(out, &outcome.out_length);
    outcome.err = read_all(err, &outcome.err_length);
    *named = strip_name(outcome.err, &outcome.err_length);
    close(in);
    close(out);
    close(err);
    return outcome;
}

struct outcome sandbox_run(const struct sandbox *box, const char *const *argv,
                           const char *const *env, const char *input)
{
    bool named;

    return run_named(box, argv, env, input, &named);
}

/* Puts NAME=VALUE into the list, over an entry of the same name. Takes the entry. */
static void put(char **list, char *entry)
{
    size_t length = strcspn(entry, "=") + 1, i = 0;

    while (list[i] && strncmp(list[i], entry, length) != 0)
        i++;
    if (i + 1 >= MOST_VARIABLES)
        abort();
    free(list[i]);
    list[i] = entry;
}

struct outcome conda_gpu(const struct sandbox *box, const char *const *env, ...)
{
    const char *argv[MOST_ARGUMENTS] = {getenv("CONDA_GPU")};
    char *list[MOST_VARIABLES] = {NULL};
    static const char *const inherited[] = {"ASAN_OPTIONS", "UBSAN_OPTIONS", "LD_PRELOAD"};
    size_t count = 1;
    bool named;
    va_list args;

    va_start(args, env);
    while (count < MOST_ARGUMENTS - 1 && (argv[count] = va_arg(args, const char *)))
        count++;
    va_end(args);
    put(list, strdup("PATH=/usr/local/bin:/usr/bin:/bin"));
    put(list, formatted("HOME=%s/home", box->root));
    char *driver = fake_driver();
    put(list, formatted("CONDA_GPU_DRIVER=%s", driver));
    free(driver);
    if (sandbox_has(box, "machine"))
        put(list, formatted("FAKE_CUDA_MACHINE=%s/machine", box->root));
    for (size_t i = 0; i < sizeof inherited / sizeof *inherited; i++)
        if (getenv(inherited[i]))
            put(list, formatted("%s=%s", inherited[i], getenv(inherited[i])));
    for (; env && *env; env++)
        put(list, strdup(*env));
    struct outcome outcome = run_named(box, argv, (const char *const *)list, NULL, &named);
    for (size_t i = 0; list[i]; i++)
        free(list[i]);
    ck_assert_msg(named || count == 1, "a message does not begin with conda-gpu: %s", outcome.err);
    return outcome;
}

static const char *required(const char *name)
{
    const char *value = getenv(name);

    if (!value)
        ck_abort_msg("%s is not set; run the tests with make check", name);
    return value;
}

char *rooted(const char *text, const char *root)
{
    char *result = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&result, &size);

    while (*text) {
        bool pair = text[0] == '@' && text[1] == '@';
        if (*text == '@' && !pair)
            fputs(root, to);
        else
            fwrite(text, 1, pair ? 2 : 1, to);
        text += pair ? 2 : 1;
    }
    fclose(to);
    return result;
}

void check_rooted(const char *got, const char *wanted, const char *root)
{
    char *text = rooted(wanted, root);

    ck_assert_str_eq(got, text);
    free(text);
}

char *fake_driver(void)
{
    return formatted("%s/libcuda.so.1", required("FAKE_CUDA"));
}

char *tests_path(const char *name)
{
    return formatted("%s/%s", required("TESTS"), name);
}

char *corpus_path(void)
{
    char *path = formatted("%s/../../shared/corpus/environments", required("TESTS"));

    if (access(path, R_OK) == 0)
        return path;
    free(path);
    return NULL;
}
