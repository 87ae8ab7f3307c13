/*
 * Faults at every call: for each call that apply and remove make on the prefix, the program is
 * killed there, and the call is made to fail in each way that it can. Afterwards every file is as
 * it was or as it was to become, nobody's file is lost, what is left sources well, the error was
 * reported, and the next run makes good.
 *
 * The calls are those that faulty.so sees, in front of the C library (fault_order.h); the last test
 * holds that against what strace sees. Between two calls nothing happens to the prefix, so that
 * killed just after one is killed just before the next.
 */
#include "support/one_prefix.h"

#include "base/scope.h"
#include "conda/receipt.h"
#include "faults/fault_order.h"
#include "support/trees.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* What is done, to what. */

#define ACTIVATE   "etc/conda/activate.d/"
#define DEACTIVATE "etc/conda/deactivate.d/"
#define RECEIPT    "etc/conda/conda-gpu.yml"
#define LOCK       ".conda-gpu.lock"
#define FOREIGN    ": somebody else wrote this\n"
#define OLD        "gpu: {devices: none, variables: {A: old, B: {prepend: x}}}\n"
#define NEW        "gpu: {devices: none, variables: {A: \"new 'x\", C: null}}\n"

enum { MOST_FILES = 4 };

/* Of two users of one team one is killed, and the other goes on. */
#define SHARED "shared"

static const struct scenario {
    const char *name;
    const char *files[MOST_FILES]; /* of somebody else, with FOREIGN in them */
    const char *applied;           /* a plan that is in force already; NULL: none */
    const char *applied_with;      /* an option for that */
    const char *edited;            /* a hook of it that somebody changed */
    const char *command, *option;
    const char *kept[MOST_FILES]; /* under which names the files may be afterwards */
    const char *later;            /* a file that somebody put there after that plan */
    const char *exported;         /* a file of somebody's in which the plan is kept as dotenv */
} scenarios[] = {
    {.name = "new", .command = "apply"},
    {.name = "beside others",
     .files = {ACTIVATE "other.sh", "etc/x"},
     .command = "apply",
     .kept = {ACTIVATE "other.sh", "etc/x"}},
    {.name = "changed", .applied = OLD, .command = "apply"},
    {.name = "replace",
     .files = {ACTIVATE "env_vars.sh", DEACTIVATE "env_vars.fish", RECEIPT},
     .command = "apply",
     .option = "--replace",
     .kept = {ACTIVATE "env_vars.sh.orig", DEACTIVATE "env_vars.fish.orig", RECEIPT ".orig"}},
    {.name = "adopt",
     .files = {ACTIVATE "env_vars.sh", DEACTIVATE "env_vars.csh"},
     .command = "apply",
     .option = "--adopt",
     .kept = {ACTIVATE "env_vars-adopted.sh", DEACTIVATE "env_vars-adopted.csh"}},
    {.name = "force",
     .applied = OLD,
     .edited = ACTIVATE "env_vars.sh",
     .command = "apply",
     .option = "--force"},
    {.name = "remove", .applied = OLD, .command = "remove"},
    {.name = "remove beside others",
     .applied = OLD,
     .command = "remove",
     .later = ACTIVATE "other.sh"},
    {.name = "remove and put back",
     .files = {ACTIVATE "env_vars.sh", RECEIPT},
     .applied = OLD,
     .applied_with = "--replace",
     .command = "remove",
     .kept = {ACTIVATE "env_vars.sh.orig", RECEIPT ".orig"}},
    {.name = "remove with an exported part",
     .applied = "gpu: {devices: none, variables: {A: old}}\n",
     .command = "remove",
     .exported = "team.env"},
    {.name = SHARED, .command = "apply"},
    {.name = "remove " SHARED, .applied = OLD, .command = "remove"},
};

enum { SCENARIOS = sizeof scenarios / sizeof *scenarios };

static bool is_shared(const struct scenario *scenario)
{
    return strstr(scenario->name, SHARED) != NULL;
}

static void must(const char *command, const char *option)
{
    bool applies = strcmp(command, "apply") == 0;
    struct outcome got = conda_gpu(&box, NULL, command, "-p", prefix, applies ? "-f" : option,
                                   applies ? "environment.yml" : NULL, option, NULL);

    ck_assert_msg(got.status == 0, "%s", got.err);
    outcome_free(&got);
}

static void must_export(const char *file)
{
    scope(free_text) char *path = sandbox_path(&box, inside(file));
    struct outcome got =
        conda_gpu(&box, NULL, "export", "-p", prefix, "--format", "dotenv", "--output", path, NULL);

    ck_assert_msg(got.status == 0, "%s", got.err);
    outcome_free(&got);
}

/* The program, started once and run often. */

struct server {
    pid_t process;
    int orders, answers;
    int out, err; /* what it prints; emptied before each run */
};

/* faulty.so comes before the runtime of a sanitizer. */
static void set_sanitizer(char *out, size_t size, const char *further)
{
    const char *options = getenv("ASAN_OPTIONS");

    snprintf(out, size, "ASAN_OPTIONS=%s:verify_asan_link_order=0%s", options ? options : "",
             further);
}

enum { USER = 54321, TEAM = 12345 };

/* A user of the team, whose own group is another; 0: this one. */
static int become(uid_t user)
{
    const gid_t team = TEAM;

    if (!user)
        return 0;
    return setgroups(1, &team) < 0 || setgid(user) < 0 ? -1 : setuid(user);
}

static _Noreturn void be_server(const struct server *server, int orders, int answers,
                                const char *const *argv, uid_t user)
{
    char preload[4096], place[256], sanitizer[256];
    char server_mark[] = "FAULTY_SERVER=1", path[] = "PATH=/usr/bin:/bin";
    char driver[] = "CONDA_GPU_DRIVER=/nowhere/libcuda.so.1";
    char *const env[] = {preload, place, sanitizer, server_mark, path, driver, NULL};

    snprintf(preload, sizeof preload, "LD_PRELOAD=%s/faulty.so", getenv("FAKE_CUDA_VARIANTS"));
    snprintf(place, sizeof place, "FAULTY_FOLDER=%s", prefix);
    set_sanitizer(sanitizer, sizeof sanitizer, "");
    if (chdir(box.root) < 0 || dup2(server->out, 1) < 0 || dup2(server->err, 2) < 0 ||
        dup2(orders, FAULT_ORDERS_FD) < 0 || dup2(answers, FAULT_ANSWERS_FD) < 0 ||
        become(user) < 0)
        _exit(126);
    for (int fd = 3; fd < FAULT_ORDERS_FD; fd++)
        close(fd);
    execve(argv[0], (char *const *)argv, env);
    _exit(127);
}

static struct server server_open(const char *command, const char *option, uid_t user)
{
    bool applies = strcmp(command, "apply") == 0;
    const char *const argv[] = {getenv("CONDA_GPU"),
                                command,
                                "-p",
                                prefix,
                                applies ? "-f" : option,
                                applies ? "environment.yml" : NULL,
                                option,
                                NULL};
    int orders[2], answers[2];
    struct server server = {.out = unnamed_file(), .err = unnamed_file()};

    ck_assert_int_eq(pipe2(orders, O_CLOEXEC), 0);
    ck_assert_int_eq(pipe2(answers, O_CLOEXEC), 0);
    fflush(stdout);
    server.process = fork();
    if (server.process == 0)
        be_server(&server, orders[0], answers[1], argv, user);
    close(orders[0]);
    close(answers[1]);
    server.orders = orders[1];
    server.answers = answers[0];
    return server;
}

static void server_close(struct server *server)
{
    close(server->orders);
    close(server->answers);
    close(server->out);
    close(server->err);
    waitpid(server->process, NULL, 0);
}

/* One run; what it printed on stderr goes to `said`. */
static struct fault_answer server_run(const struct server *server, const struct fault_order *order,
                                      char said[4096])
{
    struct fault_answer answer;

    ck_assert_int_eq(ftruncate(server->out, 0), 0);
    ck_assert_int_eq(ftruncate(server->err, 0), 0);
    ck_assert_int_eq(write(server->orders, order, sizeof *order), sizeof *order);
    ck_assert_int_eq(read(server->answers, &answer, sizeof answer), sizeof answer);
    ssize_t length = pread(server->err, said, 4095, 0);
    said[length > 0 ? length : 0] = '\0';
    return answer;
}

/* A scenario at work. */

struct work {
    const struct scenario *scenario;
    struct server server, next, apply, remove;
    struct tree base;    /* before any apply */
    struct tree start;   /* before the command */
    struct tree wanted;  /* after it, undisturbed */
    struct tree removed; /* after that and remove */
    char **seen;         /* trees that were found to be good */
    size_t seen_count;
    bool disturbed;           /* the prefix is not at the start */
    struct fault_order order; /* the present case */
    struct fault_answer answer;
    char said[4096];
};

static bool removes(const struct work *work)
{
    return strcmp(work->scenario->command, "remove") == 0;
}

/* Ends the test with what is wrong in the present case. */
static _Noreturn __attribute__((format(printf, 2, 3))) void blame(const struct work *work,
                                                                  const char *format, ...)
{
    static const char *const faults[] = {"", "killed before", "killed after", "failing", "short"};
    char what[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    ck_abort_msg("%s: call %d (%s of %s) %s %s, status %x: %s; it said: %s", work->scenario->name,
                 work->order.call, work->answer.kind, work->answer.path, faults[work->order.fault],
                 work->order.error ? strerror(work->order.error) : "",
                 (unsigned)work->answer.status, what, work->said);
    abort();
}

static void check_same(const struct work *work, const struct tree *got, const struct tree *wanted,
                       const char *when)
{
    scope(free_text) char *difference = tree_difference(got, wanted);

    if (difference)
        blame(work, "%s: %s", when, difference);
}

static struct fault_answer run_well(struct work *work, const struct server *server,
                                    const char *when)
{
    static const struct fault_order none;
    char said[4096];
    struct fault_answer answer = server_run(server, &none, said);

    if (answer.status != 0 || *said)
        blame(work, "%s: status %x: %s", when, (unsigned)answer.status, said);
    return answer;
}

static void work_open(struct work *work, const struct scenario *scenario)
{
    *work = (struct work){.scenario = scenario};
    if (is_shared(scenario))
        ck_assert(chmod(box.root, 0755) == 0 && chown(prefix, (uid_t)-1, TEAM) == 0 &&
                  chmod(prefix, 0775) == 0);
    for (size_t i = 0; i < MOST_FILES && scenario->files[i]; i++)
        sandbox_write(&box, inside(scenario->files[i]), FOREIGN);
    if (scenario->later)
        sandbox_write(&box, inside(scenario->later), FOREIGN);
    if (scenario->exported)
        sandbox_write(&box, inside(scenario->exported), "TEAM=1\n");
    work->base = tree_read(prefix);
    if (scenario->later)
        sandbox_remove(&box, inside("etc"));
    sandbox_write(&box, "environment.yml", scenario->applied ? scenario->applied : NEW);
    if (scenario->applied)
        must("apply", scenario->applied_with);
    if (scenario->exported)
        must_export(scenario->exported);
    if (scenario->later)
        sandbox_write(&box, inside(scenario->later), FOREIGN);
    if (scenario->edited) {
        scope(free_text) char *text = sandbox_read(&box, inside(scenario->edited), NULL);
        scope(free_text) char *edited = format_text("%s: edited\n", text);
        sandbox_write(&box, inside(scenario->edited), edited);
    }
    work->start = tree_read(prefix);
    if (!removes(work))
        sandbox_write(&box, "environment.yml", NEW);
    uid_t user = is_shared(scenario) ? USER : 0, other = is_shared(scenario) ? USER + 1 : 0;
    work->server = server_open(scenario->command, scenario->option, user);
    work->next = server_open(scenario->command, scenario->option, other);
    work->apply =
        server_open("apply", removes(work) ? scenario->applied_with : scenario->option, other);
    work->remove = server_open("remove", NULL, other);
    run_well(work, &work->server, "undisturbed");
    work->wanted = tree_read(prefix);
    run_well(work, &work->remove, "remove after it");
    work->removed = tree_read(prefix);
}

static void work_close(struct work *work)
{
    server_close(&work->server);
    server_close(&work->next);
    server_close(&work->apply);
    server_close(&work->remove);
    tree_free(&work->base);
    tree_free(&work->start);
    tree_free(&work->wanted);
    tree_free(&work->removed);
    for (size_t i = 0; i < work->seen_count; i++)
        free(work->seen[i]);
    free(work->seen);
}

/* What may be there. */

static bool has_text_of(const struct tree_entry *entry, const struct tree *tree, const char *path)
{
    const struct tree_entry *other = tree_find(tree, path);

    return other && entry->length == other->length && entry->mode == other->mode &&
           (!entry->text || memcmp(entry->text, other->text, entry->length) == 0);
}

static bool is_sound_receipt(const struct work *work, const struct tree_entry *entry)
{
    scope(error_release) struct error err = ERROR_INIT;
    scope(receipt_free) struct receipt *receipt =
        receipt_parse(entry->text, entry->length, RECEIPT, &err);

    return receipt && (entry->mode & 07777) == (is_shared(work->scenario) ? 0664 : 0644);
}

/* What is there while something is made: files, an empty folder, and the lock. */
static bool is_temporary(const struct tree_entry *entry)
{
    return strstr(entry->path, TREE_TEMPORARY) || strcmp(entry->path, LOCK) == 0;
}

static bool is_second_name(const struct work *work, const struct tree_entry *entry)
{
    const struct scenario *scenario = work->scenario;

    for (size_t i = 0; i < MOST_FILES && scenario->kept[i]; i++)
        if (strcmp(entry->path, scenario->kept[i]) == 0)
            return strcmp(entry->text, FOREIGN) == 0;
    return false;
}

static void check_entries(const struct work *work, const struct tree *tree)
{
    for (size_t i = 0; i < tree->count; i++) {
        const struct tree_entry *entry = &tree->entries[i];
        bool receipt = strcmp(entry->path, RECEIPT) == 0 && is_sound_receipt(work, entry);
        if (!is_temporary(entry) && !receipt && !is_second_name(work, entry) &&
            !has_text_of(entry, &work->start, entry->path) &&
            !has_text_of(entry, &work->wanted, entry->path))
            blame(work, "%s is neither old nor new", entry->path);
    }
}

static bool is_foreign(const struct work *work, const char *path)
{
    for (size_t i = 0; i < MOST_FILES && work->scenario->files[i]; i++)
        if (strcmp(work->scenario->files[i], path) == 0)
            return true;
    return false;
}

/* Every file that was there before is there, or has become the new one. */
static void check_nothing_lost(const struct work *work, const struct tree *tree)
{
    const struct scenario *scenario = work->scenario;

    for (size_t i = 0; i < MOST_FILES && scenario->files[i]; i++) {
        const struct tree_entry *old = tree_find(tree, scenario->files[i]);
        const struct tree_entry *kept = tree_find(tree, scenario->kept[i]);
        if (!(old && strcmp(old->text, FOREIGN) == 0) &&
            !(kept && strcmp(kept->text, FOREIGN) == 0))
            blame(work, "%s is lost", scenario->files[i]);
    }
    for (size_t i = 0; i < work->start.count; i++) {
        const char *path = work->start.entries[i].path;
        if (!tree_find(tree, path) && tree_find(&work->wanted, path) && !is_foreign(work, path))
            blame(work, "%s is gone", path);
    }
}

static void check_edit_is_kept(const struct work *work, const struct tree *tree)
{
    const char *path = work->scenario->edited;

    if (!path)
        return;
    scope(free_text) char *orig = format_text("%s.orig", path);
    const struct tree_entry *old = tree_find(tree, path), *kept = tree_find(tree, orig);
    if (!(old && has_text_of(old, &work->start, path)) &&
        !(kept && has_text_of(kept, &work->start, path)))
        blame(work, "the edited %s is lost", path);
}

/* In a shell: activated under what was there before and deactivated by what is there now, and both
   by what is there now. */
static const char round_trip[] =
    "set -eu\n"
    "unset CUDA_VISIBLE_DEVICES B\n"
    "export CONDA_SHLVL=1 A='it was' C=c CUDA_DEVICE_ORDER=\n"
    "on() { export CONDA_PREFIX=$1; for f in $1/etc/conda/activate.d/*.sh; do\n"
    "  if [ -e \"$f\" ]; then . \"$f\"; fi; done; }\n"
    "off() { export CONDA_PREFIX=$1; for f in $1/etc/conda/deactivate.d/*.sh; do\n"
    "  if [ -e \"$f\" ]; then . \"$f\"; fi; done; }\n"
    "export CONDA_PREFIX=$2\n"
    "f=\n"
    "before=$(export -p)\n"
    "if [ -e \"$2/etc/conda/deactivate.d/env_vars.sh\" ]; then\n"
    "  on \"$1\"; off \"$2\"\n"
    "  [ \"$(export -p)\" = \"$before\" ] || { echo old with new; export -p; }\n"
    "fi\n"
    "on \"$2\"; off \"$2\"\n"
    "[ \"$(export -p)\" = \"$before\" ] || { echo new with new; export -p; }\n";

static void check_round_trip(const struct work *work)
{
    const char *const argv[] = {"dash", "-c", round_trip, "dash", "before", prefix, NULL};
    const char *const env[] = {"PATH=/usr/bin:/bin", NULL};
    struct outcome got = sandbox_run(&box, argv, env, NULL);

    if (got.status != 0 || got.out_length || got.err_length)
        blame(work, "no round trip: %s%s", got.out, got.err);
    outcome_free(&got);
}

/* Killed before there was a receipt, or when there was none any more: nothing tells whose the
   folders are that it was in, and so they stay. */
static bool forgets_folders(const struct work *work, const struct tree *tree)
{
    static const char *const folders[] = {"etc", "etc/conda"};
    bool left = false;

    for (int i = 0; i < 2; i++)
        left = left || (tree_find(tree, folders[i]) && !tree_find(&work->base, folders[i]));
    return left && !tree_find(tree, RECEIPT);
}

static void remove_forgotten_folders(void)
{
    for (int i = 0; i < 2; i++) {
        scope(free_text) char *path = format_text("%s/%s", prefix, i ? "etc" : "etc/conda");
        rmdir(path);
    }
}

/* The same command again does what it would have done, and remove takes all of that away. */
static void check_recovery(struct work *work, bool forgets)
{
    run_well(work, &work->next, "the next run");
    if (forgets && removes(work))
        remove_forgotten_folders();
    struct tree next = tree_read(prefix);
    if (!forgets || removes(work))
        check_same(work, &next, &work->wanted, "after the next run");
    tree_free(&next);
    if (removes(work))
        run_well(work, &work->apply, "apply after that");
    run_well(work, &work->remove, "remove after that");
    if (forgets)
        remove_forgotten_folders();
    next = tree_read(prefix);
    check_same(work, &next, &work->removed, "after remove");
    tree_free(&next);
}

/* Recovery depends on nothing but the tree, so one look at each is enough. */
static bool is_new(struct work *work, const struct tree *tree)
{
    char *text = tree_text(tree);

    for (size_t i = 0; i < work->seen_count; i++) {
        if (strcmp(work->seen[i], text) == 0) {
            free(text);
            return false;
        }
    }
    work->seen = reallocarray(work->seen, work->seen_count + 1, sizeof *work->seen);
    work->seen[work->seen_count++] = text;
    return true;
}

static void check_what_is_left(struct work *work, const struct tree *tree)
{
    scope(free_text) char *difference = tree_difference(tree, &work->start);

    work->disturbed = difference != NULL;
    check_entries(work, tree);
    check_nothing_lost(work, tree);
    check_edit_is_kept(work, tree);
    if (is_new(work, tree)) {
        check_round_trip(work);
        check_recovery(work, forgets_folders(work, tree));
        work->disturbed = true;
    }
}

static void run_case(struct work *work, int call, enum fault fault, int error)
{
    if (work->disturbed)
        tree_write(&work->start, prefix);
    work->order = (struct fault_order){.call = call, .fault = fault, .error = error};
    work->answer = server_run(&work->server, &work->order, work->said);
}

/* Failing calls. */

enum { MOST_ERRORS = 8 };

static const struct failing {
    const char *kind;
    bool changes; /* a failure of it cannot be passed over */
    int errors[MOST_ERRORS];
} failings[] = {
    {"openat", false, {EACCES, EINTR}},
    {"openat+write", false, {EACCES, EROFS, EINTR}},
    {"openat+create", true, {EIO, EACCES, ENOSPC, EDQUOT, EROFS, EINTR}},
    {"mkdirat", true, {EIO, EACCES, ENOSPC, EDQUOT, EROFS}},
    {"write", true, {EIO, ENOSPC, EDQUOT, EINTR}},
    {"read", true, {EIO, EINTR}},
    {"fsync", true, {EIO, ENOSPC, EDQUOT, EINTR, EINVAL}},
    {"fchmod", true, {EIO, EROFS, EINTR}},
    {"fchown", true, {EINTR}},
    {"close", false, {EIO}},
    {"close+written", true, {EIO, ENOSPC, EDQUOT, EINTR}},
    {"renameat", true, {EIO, EACCES, ENOSPC, EDQUOT, EROFS}},
    {"renameat2", true, {EIO, EACCES, ENOSPC, EDQUOT, EROFS, EINVAL, ENOSYS}},
    {"linkat", true, {EIO, EACCES, ENOSPC, EROFS, EPERM, EOPNOTSUPP, EMLINK}},
    {"unlinkat", true, {EIO, EACCES, EROFS}},
    {"flock", true, {EIO, EINTR, ENOLCK, ENOSYS}},
    {"fcntl", false, {EMFILE}},
    {"stat", false, {EIO}},
    {"realpath", true, {EIO, EACCES}},
    {"fdopendir", false, {ENOMEM}},
    {"readdir", false, {EIO}},
    {"closedir", false, {EIO}},
};

static const struct failing *find_failing(const struct work *work)
{
    for (size_t i = 0; i < sizeof failings / sizeof *failings; i++)
        if (strcmp(failings[i].kind, work->answer.kind) == 0)
            return &failings[i];
    blame(work, "a call that this test does not know");
}

/* What the lock holds, its flock, and another one that cannot be opened, are for those who wait;
   and one that is left at the end is nobody's. */
static bool is_lock_s(const struct work *work)
{
    const char *kind = work->answer.kind, *path = work->answer.path;
    bool temporary = strstr(path, "/pt/.conda-gpu-") != NULL;

    return strcmp(kind, "write") == 0 || strcmp(kind, "flock") == 0
               ? temporary
               : strstr(path, "/" LOCK) &&
                     (strcmp(kind, "unlinkat") == 0 || strcmp(kind, "close+written") == 0 ||
                      strcmp(kind, "openat+write") == 0);
}

/* Where there are no hard links, or no syncing of folders, there is another way. */
static bool has_other_way(const struct work *work)
{
    int error = work->order.error;

    return error == EINTR || work->order.fault == FAULT_SHORT || error == ENOLCK ||
           error == ENOSYS || error == EMLINK || error == EOPNOTSUPP ||
           (error == EPERM && strcmp(work->answer.kind, "linkat") == 0) ||
           (error == EINVAL && strcmp(work->answer.kind, "renameat2") == 0) ||
           (error == EINVAL && strcmp(work->answer.kind, "fsync") == 0);
}

/* A note that a script of others, or the folder, could not be looked at, which names it and the
   reason: the work is done all the same. */
static bool notes_unread(const struct work *work)
{
    scope(free_text) char *begin = format_text("conda-gpu: note: %s", prefix);
    scope(free_text) char *reason =
        format_text(" cannot be read (%s)", strerror(work->order.error));

    return strncmp(work->said, begin, strlen(begin)) == 0 && strstr(work->said, reason);
}

/* Status 4 and a message that names the file and the reason; or all is done all the same. */
static void check_report(const struct work *work, const struct failing *failing,
                         const struct tree *tree)
{
    int error = work->order.error;
    bool must_work = has_other_way(work), may_pass = !failing->changes || is_lock_s(work);
    bool noted = notes_unread(work);

    if (tree_has_temporary(tree))
        blame(work, "a temporary file is left");
    if (WIFEXITED(work->answer.status) && WEXITSTATUS(work->answer.status) == 0) {
        if (!must_work && !may_pass && !noted)
            blame(work, "not reported");
        if (!noted && *work->said)
            blame(work, "a message without an error");
        if (!is_lock_s(work))
            check_same(work, tree, &work->wanted, "done, but");
        return;
    }
    if (must_work)
        blame(work, "not done");
    if (error == ENOMEM && WIFEXITED(work->answer.status) &&
        WEXITSTATUS(work->answer.status) == 5 && strstr(work->said, "out of memory"))
        return;
    if (!WIFEXITED(work->answer.status) || WEXITSTATUS(work->answer.status) != 4)
        blame(work, "another status than 4");
    scope(free_text) char *begin = format_text("conda-gpu: %s", prefix);
    if (strncmp(work->said, begin, strlen(begin)) != 0 || !strstr(work->said, strerror(error)))
        blame(work, "the message does not name file and reason");
}

static void fail_call(struct work *work, int call, const struct failing *failing, enum fault fault,
                      int error)
{
    run_case(work, call, fault, error);
    struct tree tree = tree_read(prefix);
    check_report(work, failing, &tree);
    check_what_is_left(work, &tree);
    tree_free(&tree);
}

static void kill_at(struct work *work, int call, enum fault fault)
{
    run_case(work, call, fault, 0);
    if (!WIFSIGNALED(work->answer.status) || WTERMSIG(work->answer.status) != SIGKILL)
        blame(work, "not killed");
    struct tree tree = tree_read(prefix);
    check_what_is_left(work, &tree);
    tree_free(&tree);
}

/* What the undisturbed run was for, and that remove undoes it. */
static void check_undisturbed(const struct work *work)
{
    if (!work->scenario->edited)
        check_same(work, &work->removed, &work->base, "apply and remove");
    if (removes(work))
        check_same(work, &work->wanted, &work->base, "remove");
    else
        ck_assert_ptr_nonnull(tree_find(&work->wanted, ACTIVATE "env_vars.sh"));
    ck_assert(!tree_has_temporary(&work->wanted));
}

/* Whether it says, where not, that this test cannot run. */
static bool can_run(const struct scenario *scenario)
{
    if (!is_shared(scenario) || geteuid() == 0)
        return true;
    test_skip(false, "two users: only root can be another");
    return false;
}

START_TEST(a_scenario)
{
    struct work work;

    if (!can_run(&scenarios[_i]))
        return;

    work_open(&work, &scenarios[_i]);
    scope(free_text) char *before = sandbox_path(&box, "before");
    ck_assert_int_eq(mkdir(before, 0755), 0);
    tree_write(&work.start, before);
    check_undisturbed(&work);
    work.disturbed = true;
    run_case(&work, 0, FAULT_NONE, 0);
    int calls = work.answer.calls;
    ck_assert_int_gt(calls, 100);
    kill_at(&work, 1, FAULT_KILL_BEFORE);
    for (int call = 1; call <= calls; call++) {
        kill_at(&work, call, FAULT_KILL_AFTER);
        const struct failing *failing = find_failing(&work);
        for (size_t i = 0; i < MOST_ERRORS && failing->errors[i]; i++)
            fail_call(&work, call, failing, FAULT_ERROR, failing->errors[i]);
        if (strcmp(failing->kind, "write") == 0 || strcmp(failing->kind, "read") == 0)
            fail_call(&work, call, failing, FAULT_SHORT, 0);
    }
    work_close(&work);
}
END_TEST

/* A link to a folder outside in the place of one of the prefix's, from some call on. Outside is a
   copy of what is inside, so that each way through the link would find its file. */

static const struct swap {
    const char *scenario;
    const char *folder;
} swaps[] = {
    {"changed", "etc/conda/activate.d"},
    {"remove", "etc/conda"},
    {"adopt", "etc/conda/activate.d"},
};

enum { SWAPS = sizeof swaps / sizeof *swaps };

static const struct scenario *find_scenario(const char *name)
{
    for (int i = 0; i < SCENARIOS; i++)
        if (strcmp(scenarios[i].name, name) == 0)
            return &scenarios[i];
    ck_abort_msg("no scenario %s", name);
    return NULL;
}

static void swap_at(struct work *work, int call, const char *folder, const char *outside)
{
    tree_write(&work->start, prefix);
    work->order = (struct fault_order){.call = call, .fault = FAULT_SWAP};
    snprintf(work->order.path, sizeof work->order.path, "%s/%s", prefix, folder);
    snprintf(work->order.target, sizeof work->order.target, "%s", outside);
    work->answer = server_run(&work->server, &work->order, work->said);
    if (!WIFEXITED(work->answer.status) ||
        (WEXITSTATUS(work->answer.status) != 0 && WEXITSTATUS(work->answer.status) != 4))
        blame(work, "neither done nor refused");
}

START_TEST(a_swap)
{
    struct work work;

    work_open(&work, find_scenario(swaps[_i].scenario));
    tree_write(&work.start, prefix);
    scope(free_text) char *folder = format_text("%s/%s", prefix, swaps[_i].folder);
    scope(free_text) char *outside = sandbox_path(&box, "outside");
    ck_assert_int_eq(mkdir(outside, 0755), 0);
    struct tree canary = tree_read(folder);
    tree_write(&canary, outside);
    int refused = 0;
    for (int call = 1; call == 1 || work.answer.calls >= call - 1; call++) {
        swap_at(&work, call, swaps[_i].folder, outside);
        struct tree now = tree_read(outside);
        check_same(&work, &now, &canary, "outside");
        tree_free(&now);
        refused += work.answer.status != 0;
    }
    ck_assert_int_gt(refused, 20);
    tree_free(&canary);
    work_close(&work);
}
END_TEST

/* The calls that faulty.so sees are those that are made: the same run under strace, whose lines
   name descriptors by their paths. */

static const struct seen {
    const char *kinds[3];
    const char *calls[4]; /* of strace */
} seens[] = {
    {{"openat", "openat+write", "openat+create"}, {"openat", "open"}},
    {{"close", "close+written", "closedir"}, {"close"}},
    {{"mkdirat"}, {"mkdirat"}},
    {{"write"}, {"write"}},
    {{"read"}, {"read"}},
    {{"fchmod"}, {"fchmod"}},
    {{"renameat", "renameat2"}, {"renameat", "renameat2"}},
    {{"unlinkat"}, {"unlinkat"}},
    {{"flock"}, {"flock"}},
    {{"fcntl"}, {"fcntl(F_DUPFD_CLOEXEC)"}},
};

/* How many lines of a text begin with a word and `after` behind it. */
static int count_lines(const char *text, const char *word, char after)
{
    size_t length = strlen(word);
    int count = 0;

    for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n')
        count += strncmp(line, word, length) == 0 && line[length] == after;
    return count;
}

/* Lines "CALL(...": those of the main process, on the prefix. A duplication is a call of its own.
   What scandir(3) does inside the C library, where faulty.so is not, changes nothing: from its open
   to its close. */
static char *calls_on_prefix(const char *trace)
{
    char *text = NULL;
    size_t size = 0, main_process = strspn(trace, "0123456789");
    FILE *out = open_memstream(&text, &size);
    bool scanning = false;

    for (const char *line = trace; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        scope(free_text) char *whole = strndup(line, strcspn(line, "\n"));
        const char *call = whole + main_process + strspn(whole + main_process, " ");
        if (strncmp(whole, trace, main_process + 1) != 0 || !strstr(whole, prefix) ||
            strncmp(call, "execve", 6) == 0)
            continue;
        bool scans = strstr(call, "O_NONBLOCK|O_CLOEXEC|O_DIRECTORY") != NULL;
        bool ends = scanning && strncmp(call, "close(", 6) == 0;
        if (scans)
            scanning = !strstr(call, " = -1 ");
        if (ends)
            scanning = false;
        if (scans || ends)
            continue;
        bool dup = strncmp(call, "fcntl(", 6) == 0 && strstr(call, "F_DUPFD_CLOEXEC");
        fprintf(out, "%s\n", dup ? "fcntl(F_DUPFD_CLOEXEC)(" : call);
    }
    fclose(out);
    return text;
}

/* The prefix itself: whatever takes its place once it is opened. Before that, a link is followed.
 */
START_TEST(a_swapped_prefix)
{
    struct work work;
    scope(free_text) char *away = format_text("%s.away", prefix);
    scope(free_text) char *outside = sandbox_environment(&box, "other");
    bool opened = false;

    work_open(&work, find_scenario("new"));
    struct tree canary = tree_read(outside);
    for (int call = 1; call == 1 || work.answer.calls >= call - 1; call++) {
        tree_write(&work.start, prefix);
        work.order = (struct fault_order){.call = call, .fault = FAULT_SWAP};
        snprintf(work.order.path, sizeof work.order.path, "%s", prefix);
        snprintf(work.order.target, sizeof work.order.target, "%s", outside);
        work.answer = server_run(&work.server, &work.order, work.said);
        opened = opened || strcmp(work.answer.kind, "openat") == 0;
        struct tree now = tree_read(outside);
        if (opened)
            check_same(&work, &now, &canary, "outside");
        tree_free(&now);
        tree_write(&canary, outside);
        if (access(away, F_OK) == 0)
            ck_assert(unlink(prefix) == 0 && rename(away, prefix) == 0);
    }
    ck_assert(opened);
    tree_free(&canary);
    work_close(&work);
}
END_TEST

START_TEST(no_call_goes_unseen)
{
    const struct scenario *scenario = &scenarios[_i];
    char preload[4096], folder[256], log[256], sanitizer[256];
    struct work work;

    work_open(&work, scenario);
    tree_write(&work.start, prefix);
    snprintf(preload, sizeof preload, "LD_PRELOAD=%s/faulty.so", getenv("FAKE_CUDA_VARIANTS"));
    snprintf(folder, sizeof folder, "FAULTY_FOLDER=%s", prefix);
    snprintf(log, sizeof log, "FAULTY_LOG=%s/log", box.root);
    set_sanitizer(sanitizer, sizeof sanitizer, ":detect_leaks=0"); /* it cannot under strace */
    bool applies = !removes(&work);
    const char *const argv[] = {"strace",
                                "-f",
                                "-qq",
                                "-y",
                                "-o",
                                "trace",
                                "-E",
                                preload,
                                "-E",
                                folder,
                                "-E",
                                log,
                                "-E",
                                sanitizer,
                                getenv("CONDA_GPU"),
                                scenario->command,
                                "-p",
                                prefix,
                                applies ? "-f" : "-q",
                                applies ? "environment.yml" : NULL,
                                scenario->option,
                                NULL};
    const char *const env[] = {"PATH=/usr/bin:/bin", "CONDA_GPU_DRIVER=/nowhere", NULL};
    struct outcome got = sandbox_run(&box, argv, env, NULL);
    if (got.status != 0 && !sandbox_has(&box, "log")) {
        test_skip(false, "calls compared with strace: strace cannot run here: %s", got.err);
        outcome_free(&got);
        work_close(&work);
        return;
    }
    ck_assert_msg(got.status == 0, "%s", got.err);
    scope(free_text) char *trace = sandbox_read(&box, "trace", NULL);
    scope(free_text) char *seen = sandbox_read(&box, "log", NULL);
    scope(free_text) char *made = calls_on_prefix(trace);
    for (size_t i = 0; i < sizeof seens / sizeof *seens; i++) {
        int saw = 0, happened = 0;
        for (size_t k = 0; k < 3 && seens[i].kinds[k]; k++)
            saw += count_lines(seen, seens[i].kinds[k], '\n');
        for (size_t c = 0; c < 4 && seens[i].calls[c]; c++)
            happened += count_lines(made, seens[i].calls[c], '(');
        ck_assert_msg(saw == happened, "%s: %d seen of %d", seens[i].kinds[0], saw, happened);
    }
    outcome_free(&got);
    work_close(&work);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("faults");

    for (int i = 0; i < SCENARIOS; i++) {
        TCase *tests = tcase_create(scenarios[i].name); /* for CK_RUN_CASE */
        tcase_add_checked_fixture(tests, one_prefix_open, one_prefix_close);
        tcase_set_timeout(tests, 600);
        tcase_add_loop_test(tests, a_scenario, i, i + 1);
        suite_add_tcase(suite, tests);
    }
    TCase *tests = tcase_create("others");
    tcase_add_checked_fixture(tests, one_prefix_open, one_prefix_close);
    tcase_set_timeout(tests, 600);
    tcase_add_loop_test(tests, a_swap, 0, SWAPS);
    tcase_add_test(tests, a_swapped_prefix);
    tcase_add_loop_test(tests, no_call_goes_unseen, 0, SCENARIOS - 2);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return test_main(suite());
}
