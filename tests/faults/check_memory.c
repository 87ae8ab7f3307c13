/*
 * Every allocation fails in turn, alone and with all that follow it (tests/faults/fail_memory.c):
 * the run must end as it ends with memory enough, or with "out of memory" and exit status 5, and
 * then prints no JSON that lacks something. Whatever it wrote is whole, what it did not
 * write is as it was, nothing lies around, and the next run does all of the work. With
 * VARIANT=sanitize, nothing may leak either.
 *
 * Where a command allocates a lot, each FAIL_MEMORY_STEPth is taken; `make check-long` takes all.
 */
#include "support/sandboxed.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const files[] = {
    "etc/conda/deactivate.d/env_vars.sh",
    "etc/conda/deactivate.d/env_vars.fish",
    "etc/conda/deactivate.d/env_vars.csh",
    "etc/conda/activate.d/env_vars.sh",
    "etc/conda/activate.d/env_vars.fish",
    "etc/conda/activate.d/env_vars.csh",
    "etc/conda/conda-gpu.yml",
};
enum { FILES = sizeof files / sizeof *files };

/* What stands in the environment; NULL for a file that is not there. */
struct state {
    char *texts[FILES];
};

/* The path below the sandbox of a path below the environment; valid until the next call. */
static const char *inside(const char *path)
{
    static char whole[256];

    snprintf(whole, sizeof whole, "envs/pt/%s", path);
    return whole;
}

static struct state read_state(void)
{
    struct state state;

    for (int i = 0; i < FILES; i++)
        state.texts[i] = sandbox_read(&box, inside(files[i]), NULL);
    return state;
}

static void free_state(struct state *state)
{
    for (int i = 0; i < FILES; i++)
        free(state->texts[i]);
}

static bool is_same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool is_state(const struct state *state)
{
    struct state now = read_state();
    bool same = true;

    for (int i = 0; i < FILES; i++)
        same = same && is_same(now.texts[i], state->texts[i]);
    free_state(&now);
    return same;
}

static void put_state(const struct state *state)
{
    static const char *const folders[] = {"etc/conda/deactivate.d", "etc/conda/activate.d",
                                          "etc/conda", "etc"};

    for (int i = 0; i < FILES; i++) {
        char *path = sandbox_path(&box, inside(files[i]));
        if (state->texts[i])
            sandbox_write(&box, inside(files[i]), state->texts[i]);
        else
            unlink(path);
        free(path);
    }
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        char *path = sandbox_path(&box, inside(folders[i]));
        rmdir(path);
        free(path);
    }
}

/* What a run of each kind starts from and does. */
#define SMALL "gpu: {devices: 1}\n"
#define OTHER "gpu: {devices: 3, variables: {A: '1', B: null, C: {prepend: x}}}\n"
#define CARD(number, uuid)                                                                         \
    "{number: " number ", uuid: " uuid ", pci_bus_id: '0" number ":00.0', name: A, memory: 1, "    \
    "compute_capability: 8.0}"
#define HOST(name, cards)                                                                          \
    "---\n{format: 1, host: " name ", driver_cuda_version: 1, numbered: true, devices: [" cards    \
    "]}\n...\n"
#define GPUS                                                                                       \
    HOST("h", CARD("0", "GPU-8932f937-d72c-4106-c12f-20bd9faed9f6"))                               \
    HOST("i", CARD("3", "GPU-c70a5e91-12bd-47f3-9a08-e4d6f1b38a2c"))
#define WRONG "gpu:\n  devices: [x, [1]]\n  idz: uuid\n  variables: {PATH: 1}\n"

static const struct scenario {
    const char *before; /* the environment file that was applied; NULL: none */
    const char *file;   /* the one that is there now */
    const char *arguments[6];
    int status;
    bool quick; /* few allocations, and each of them is taken */
} scenarios[] = {
    {NULL, SMALL, {"apply", "-p", "envs/pt"}, 0, false},
    {SMALL, OTHER, {"apply", "-p", "envs/pt", "--verbose"}, 0, false},
    {SMALL, SMALL, {"apply", "-n", "pt"}, 0, false},
    {SMALL, OTHER, {"apply", "-p", "envs/pt", "--check"}, 1, false},
    {SMALL, OTHER, {"apply", "-p", "envs/pt", "--dry-run"}, 0, false},
    {SMALL, SMALL, {"remove", "-p", "envs/pt"}, 0, false},
    {NULL, "gpu: {devices: 0, if_no_gpu: cpu}\n", {"apply", "--driver", "/none.so"}, 0, false},
    {NULL, WRONG, {"apply", "-p", "envs/pt"}, 2, true},
    {NULL, "gpu: {devices: [9, GPU-00, {min_memory: 9GB, count: 9}]}\n", {"apply"}, 3, true},
    {NULL, SMALL, {"apply", "-n", "none"}, 4, true},
    {NULL,
     "gpu: {devices: [3, 1], variables: {A: '${gpu.egl}/${gpu.uuids}'}}\n",
     {"apply"},
     0,
     false},
    {NULL, "gpu: {devices: none, variables: {A: '${gpu.egl}'}}\n", {"apply"}, 3, true},
    {NULL, SMALL, {"devices"}, 0, true},
    {NULL, SMALL, {"devices", "--json"}, 0, true},
    {OTHER, OTHER, {"exec", "-p", "envs/pt", "--dry-run"}, 0, true},
    {OTHER, OTHER, {"exec", "-p", "envs/pt", "--dry-run", "--json", "x"}, 0, true},
    {OTHER, OTHER, {"exec", "-d", "--gpus", "3", "-f", "environment.yml"}, 0, false},
    {SMALL, SMALL, {"export", "--format", "dotenv"}, 0, true},
    {SMALL, SMALL, {"export", "--format", "jupyter"}, 0, true},
    {OTHER, OTHER, {"export", "--format", "sh"}, 0, true},
    {OTHER, OTHER, {"export", "--format", "fish"}, 0, true},
    {OTHER, OTHER, {"export", "--format", "json"}, 0, true},
    {SMALL, OTHER, {"apply", "--json"}, 0, false},
    {SMALL, OTHER, {"apply", "--json", "--driver", "/none.so"}, 3, true},
    {SMALL, SMALL, {"remove", "--json"}, 0, true},
    {NULL, SMALL, {"devices", "--yaml"}, 0, true},
    {SMALL, "gpu: {devices: {name: A}}\n", {"apply", "--inventory", "gpus.yml"}, 0, false},
    {NULL, "gpu: {devices: [9, 8]}\n", {"apply", "--inventory", "gpus.yml"}, 3, true},
    {NULL, SMALL, {"apply", "--inventory", "odd.yml"}, 2, true},
    {SMALL, "name: pt\n", {"apply"}, 2, true},
    {NULL, "gpu: {devices: 0, assign: [{user: me}]}\n", {"apply", "--explain", "--json"}, 0, true},
    {SMALL, SMALL, {"status", "--json", "-p", "envs/pt"}, 1, false},
    {SMALL, SMALL, {"status"}, 0, true},
    {SMALL, SMALL, {"status", "--all", "--json"}, 0, true},
};
enum { SCENARIOS = sizeof scenarios / sizeof *scenarios };

/* Runs a command with these allocations failing; NULL: none. The environment that it is about is
   active, and its name has to be quoted. */
static struct outcome run(const char *const *arguments, const char *failing)
{
    const char *const *a = arguments;
    const char *library = getenv("FAIL_MEMORY_LIBRARY");
    char envs[128], active[128], seen[128], preload[4096], which[64];
    const char *const env[] = {
        envs, active, "CONDA_DEFAULT_ENV=it's", "USER=me", "ASAN_OPTIONS=verify_asan_link_order=0",
        seen, which,  failing ? preload : NULL, NULL};

    ck_assert_ptr_nonnull(library);
    snprintf(envs, sizeof envs, "CONDA_ENVS_PATH=%s/envs", box.root);
    snprintf(active, sizeof active, "CONDA_PREFIX=%s/envs/pt", box.root);
    snprintf(seen, sizeof seen, "FAIL_MEMORY_SEEN=%s/seen", box.root);
    snprintf(preload, sizeof preload, "LD_PRELOAD=%s", library);
    snprintf(which, sizeof which, "FAIL_MEMORY=%s", failing ? failing : "");
    return conda_gpu(&box, env, a[0], a[1], a[2], a[3], a[4], a[5], NULL);
}

/* Whether an allocation failed in the last run. */
static bool has_failed(void)
{
    char *path = sandbox_path(&box, "seen");
    bool seen = unlink(path) == 0;

    free(path);
    return seen;
}

static void set_up(void)
{
    sandbox_write(&box, "gpus.yml", GPUS);
    sandbox_write(&box, "odd.yml", HOST("h", CARD("0", "GPU-1")) HOST("h", "7"));
}

/* What a scenario starts from, and what comes of it with memory enough. */
struct expected {
    const struct scenario *scenario;
    struct state before, after;
    struct outcome sound;
};

static struct expected expect(const struct scenario *scenario)
{
    static const char *const apply[6] = {"apply"};
    struct expected expected = {.scenario = scenario};

    if (scenario->before) {
        sandbox_write(&box, "environment.yml", scenario->before);
        struct outcome got = run(apply, NULL);
        ck_assert_int_eq(got.status, 0);
        outcome_free(&got);
    }
    expected.before = read_state();
    sandbox_write(&box, "environment.yml", scenario->file);
    expected.sound = run(scenario->arguments, NULL);
    ck_assert_int_eq(expected.sound.status, scenario->status);
    expected.after = read_state();
    put_state(&expected.before);
    return expected;
}

static void check_outcome(const struct expected *expected, const char *failing)
{
    const struct outcome *sound = &expected->sound;
    struct outcome got = run(expected->scenario->arguments, failing);

    bool whole = strcmp(got.out, sound->out) == 0;
    bool same = got.status == sound->status && whole && strcmp(got.err, sound->err) == 0;
    bool told = got.status == 5 && strstr(got.err, "out of memory\n") && (whole || *got.out != '{');
    ck_assert_msg(same || told, "FAIL_MEMORY=%s: status %d\n%s%s", failing, got.status, got.out,
                  got.err);
    outcome_free(&got);
}

static int is_no_litter(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return strstr(path, "/.conda-gpu-") != NULL;
}

/* Each file is whole, and if some are new ones, the next run makes them all so. */
static void check_files(const struct expected *expected, const char *failing)
{
    struct state now = read_state();
    char *prefix = sandbox_path(&box, "envs/pt");

    for (int i = 0; i < FILES; i++)
        ck_assert_msg(is_same(now.texts[i], expected->before.texts[i]) ||
                          is_same(now.texts[i], expected->after.texts[i]),
                      "FAIL_MEMORY=%s: %s is neither the old nor the new one", failing, files[i]);
    free_state(&now);
    ck_assert_int_eq(nftw(prefix, is_no_litter, 16, FTW_PHYS), 0);
    free(prefix);
    if (is_state(&expected->before))
        return;
    struct outcome again = run(expected->scenario->arguments, NULL);
    ck_assert_int_eq(again.status, 0);
    ck_assert(is_state(&expected->after));
    outcome_free(&again);
    put_state(&expected->before);
}

static unsigned long step_of(const struct scenario *scenario)
{
    const char *step = getenv("FAIL_MEMORY_STEP");

    return scenario->quick ? 1 : strtoul(step ? step : "29", NULL, 10);
}

START_TEST(a_failure)
{
    struct expected expected = expect(&scenarios[_i / 2]);
    unsigned long step = step_of(expected.scenario), count = 0;
    char failing[32];

    for (bool failed = true; failed; count += failed) {
        snprintf(failing, sizeof failing, "%lu%s", 1 + (unsigned)_i % step + count * step,
                 _i % 2 ? "-" : "");
        check_outcome(&expected, failing);
        failed = has_failed();
        check_files(&expected, failing);
    }
    ck_assert_uint_ge(count, expected.scenario->quick ? 20 : 300 / step);
    outcome_free(&expected.sound);
    free_state(&expected.before);
    free_state(&expected.after);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("memory");
    TCase *tests = tcase_create("");

    sandboxed_with_environment(tests);
    tcase_add_checked_fixture(tests, set_up, NULL);
    tcase_set_timeout(tests, 3600);
    tcase_add_loop_test(tests, a_failure, 0, 2 * SCENARIOS);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return test_main(suite());
}
