/*
 * Inventories: what `devices --yaml` prints on one machine, and what apply makes of that where
 * there is no GPU.
 */
#include "support/sandboxed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What `devices --yaml` prints on a machine of tests/machines, under another name. */
static char *inventory_of(const char *machine, const char *host)
{
    char text[512], *path = tests_path("machines"), *named = NULL;

    snprintf(text, sizeof text, "include %s/%s\n", path, machine);
    sandbox_write(&box, "machine", text);
    struct outcome got = conda_gpu(&box, NULL, "devices", "--yaml", NULL);
    ck_assert_str_eq(got.err, "");
    char *name = strstr(got.out, "\nhost: ");
    ck_assert_ptr_nonnull(name);
    name += strlen("\nhost: ");
    ck_assert_int_gt(
        asprintf(&named, "%.*s%s%s", (int)(name - got.out), got.out, host, strchr(name, '\n')), 0);
    outcome_free(&got);
    sandbox_remove(&box, "machine");
    free(path);
    return named;
}

START_TEST(one_machine)
{
    char *got = inventory_of("one", "dgx-01");

    ck_assert_str_eq(got, "---\n"
                          "format: 1\n"
                          "host: dgx-01\n"
                          "driver_cuda_version: 12040\n"
                          "numbered: true\n"
                          "devices:\n"
                          "- number: 0\n"
                          "  uuid: GPU-8932f937-d72c-4106-c12f-20bd9faed9f6\n"
                          "  pci_bus_id: 0000:0f:00.0\n"
                          "  name: NVIDIA A100-SXM4-80GB\n"
                          "  memory: 85899345920\n"
                          "  compute_capability: 8.0\n"
                          "...\n");
    free(got);
}
END_TEST

/* apply where there is no driver. */
static struct outcome apply(const char *inventory, const char *further)
{
    static const char *const no_driver[] = {"CONDA_GPU_DRIVER=/nowhere/libcuda.so.1", NULL};

    sandbox_write(&box, "gpus.yml", inventory);
    return conda_gpu(&box, no_driver, "apply", "-p", "envs/pt", "--inventory", "gpus.yml", further,
                     NULL);
}

/* That, which must end well; what it has written at this place. */
static char *applied(const char *inventory, const char *file)
{
    struct outcome got = apply(inventory, NULL);
    char path[256];

    ck_assert_msg(got.status == 0, "%s", got.err);
    outcome_free(&got);
    snprintf(path, sizeof path, "envs/pt/etc/conda/%s", file);
    return sandbox_read(&box, path, NULL);
}

/* ---- resolving ---- */

static const char *const machines[] = {"busy", "domain", "eight", "four",
                                       "h200", "mig",    "mixed", "one"};

static const char *const choices[] = {
    "0",
    "[1, 0]",
    "0-1",
    "{count: 1}",
    "{min_memory: 30GiB}",
    "{name: '*A100*', count: 2}",
    "{mig: 3g.40gb}",
    "{mig: 1g.10gb, count: 1}",
    "GPU-8932f937",
    "GPU-3c8010c5-1d16-4ef9-a335-ccf3e12183f6",
    "MIG-995da99b-d448-4d00-bd64-76299d1391dd",
    "41:00.0",
    "all",
    "none",
};

enum { CHOICES = sizeof choices / sizeof *choices };

/* The planned CUDA_VISIBLE_DEVICES of a receipt, or what was refused. */
static char *planned(struct outcome *got)
{
    char *receipt = sandbox_read(&box, "envs/pt/etc/conda/conda-gpu.yml", NULL), *told = NULL;
    const char *at = receipt ? strstr(receipt, "name: CUDA_VISIBLE_DEVICES\n") : NULL;

    ck_assert(!receipt == (got->status != 0));
    if (at)
        ck_assert_int_gt(asprintf(&told, "%.*s", (int)strcspn(at, "-"), at), 0);
    else
        ck_assert_int_gt(asprintf(&told, "%d", got->status), 0);
    free(receipt);
    outcome_free(got);
    sandbox_remove(&box, "envs/pt/etc");
    return told;
}

/* An inventory gives what the machine itself gives. */
START_TEST(as_on_the_machine)
{
    const char *machine = machines[_i / CHOICES];
    char text[256], name[64], *path = NULL;

    gethostname(name, sizeof name);
    snprintf(text, sizeof text, "gpu: {devices: %s}\n", choices[_i % CHOICES]);
    sandbox_write(&box, "environment.yml", text);
    char *inventory = inventory_of(machine, name);
    struct outcome got = apply(inventory, NULL);
    char *here = planned(&got);
    snprintf(text, sizeof text, "machines/%s", machine);
    path = tests_path(text);
    snprintf(text, sizeof text, "include %s\n", path);
    sandbox_write(&box, "machine", text);
    got = conda_gpu(&box, NULL, "apply", "-p", "envs/pt", NULL);
    char *there = planned(&got);
    ck_assert_msg(strcmp(here, there) == 0, "%s: %s: here %s, there %s", machine,
                  choices[_i % CHOICES], here, there);
    free(inventory);
    free(here);
    free(there);
    free(path);
}
END_TEST

#define SECTION "gpu: {devices: [1, 3]}\n"

/* It says that no driver has confirmed it: in the report, in the hook and in the receipt. */
START_TEST(unconfirmed_is_said)
{
    char *inventory = inventory_of("four", "dgx-01");

    sandbox_write(&box, "environment.yml", SECTION);
    struct outcome got = apply(inventory, NULL);
    ck_assert_str_eq(got.err, "");
    ck_assert_ptr_nonnull(strstr(got.out,
                                 "\ninventory    gpus.yml, of 1 machine\non dgx-01:\ncuda:0  "
                                 "GPU 1  NVIDIA A100-SXM4-80GB"));
    ck_assert_ptr_nonnull(strstr(got.out, "\nfrom the inventory, not confirmed by a driver: "
                                          "CUDA_VISIBLE_DEVICES=1,3\n"));
    outcome_free(&got);
    char *hook = sandbox_read(&box, "envs/pt/etc/conda/activate.d/env_vars.sh", NULL);
    ck_assert_ptr_nonnull(strstr(hook, "#   cuda:1  GPU 3  NVIDIA A100-SXM4-80GB"));
    ck_assert_ptr_nonnull(strstr(hook, "CUDA_VISIBLE_DEVICES=1,3, from an inventory: no driver has "
                                       "confirmed it.\n"));
    got = conda_gpu(&box, NULL, "status", "-p", "envs/pt", NULL);
    ck_assert_ptr_nonnull(strstr(got.out, "from an inventory, which no driver has confirmed"));
    outcome_free(&got);
    got = apply(inventory, "--check");
    ck_assert_int_eq(got.status, 0);
    outcome_free(&got);
    free(hook);
    free(inventory);
}
END_TEST

/* ---- several machines ---- */

/* Two machines, the one after the other or as srun --label mixes them. */
static char *two_machines(bool mixed)
{
    char *parts[] = {inventory_of("four", "dgx-01"), inventory_of("mixed", "dgx-02")}, *all = NULL;
    size_t length;
    FILE *file = open_memstream(&all, &length);

    for (size_t at[2] = {0}; parts[0][at[0]] || parts[1][at[1]];)
        for (int i = 0; i < 2; i++)
            while (parts[i][at[i]]) {
                int line = (int)strcspn(parts[i] + at[i], "\n") + 1;
                fprintf(file, "%s%.*s", !mixed ? "" : i ? "1: " : "0: ", line, parts[i] + at[i]);
                at[i] += (size_t)line;
                if (mixed)
                    break;
            }
    fclose(file);
    free(parts[0]);
    free(parts[1]);
    return all;
}

START_TEST(both_parts_at_once)
{
    char *inventory = two_machines(_i);

    sandbox_write(&box, "environment.yml",
                  "gpu:\n  devices: [1, 0]\n  assign: [{host: '*2', devices: {name: '*4090*'}}]\n");
    char *receipt = applied(inventory, "conda-gpu.yml");
    ck_assert_ptr_nonnull(strstr(receipt, "\n- host: dgx-01\n"));
    ck_assert_ptr_nonnull(strstr(receipt, "\n- host: dgx-02\n"));
    ck_assert_ptr_nonnull(strstr(receipt, "value: 1,0\n"));
    ck_assert_ptr_nonnull(strstr(receipt, "value: 2,3\n"));
    char *hook = sandbox_read(&box, "envs/pt/etc/conda/activate.d/env_vars.sh", NULL);
    ck_assert_ptr_nonnull(strstr(hook, "of which no driver has confirmed all.\n"));
    struct outcome got = apply(inventory, "--dry-run");
    char *said = NULL, name[64];
    gethostname(name, sizeof name);
    ck_assert_int_gt(asprintf(&said,
                              "note: this machine, %s, is not in gpus.yml, and the hooks change "
                              "nothing on it\n",
                              name),
                     0);
    ck_assert_str_eq(got.err, said);
    free(said);
    outcome_free(&got);
    free(hook);
    free(receipt);
    free(inventory);
}
END_TEST

/* What is wrong on one machine names it; what is wrong on all is said once. */
START_TEST(errors_name_the_machine)
{
    char *inventory = two_machines(false);

    sandbox_write(&box, "environment.yml",
                  "gpu:\n  devices: 9\n  assign:\n    - {user: a, devices: [0, 0]}\n"
                  "    - {user: b, devices: {name: '*4090*'}}\n");
    struct outcome got = apply(inventory, NULL);
    ck_assert_int_eq(got.status, 2);
    const char *twice = "environment.yml:4:30: gpu.devices: '0' names the device that '0' names "
                        "already; remove one of the two\n";
    ck_assert_msg(strncmp(got.err, twice, strlen(twice)) == 0, "%s", got.err);
    ck_assert_ptr_null(strstr(got.err + 1, twice));
    ck_assert_ptr_nonnull(strstr(got.err, "environment.yml:5:26: gpu.devices: no GPU matches "
                                          "{name: '*4090*'}; dgx-01 has GPUs 0 to 3\n"));
    ck_assert_ptr_nonnull(strstr(got.err, "environment.yml:2:12: gpu.devices: no GPU 9; dgx-01 has "
                                          "GPUs 0 to 3\n  GPU 0  NVIDIA A100"));
    ck_assert_ptr_nonnull(strstr(got.err, "environment.yml:2:12: gpu.devices: no GPU 9; dgx-02 has "
                                          "GPUs 0 to 3\n  GPU 0  NVIDIA T400"));
    ck_assert(!sandbox_has(&box, "envs/pt/etc"));
    outcome_free(&got);
    free(inventory);
}
END_TEST

/* ---- on the machine itself ---- */

/* With this driver, and the machine that `text` describes. */
static struct outcome on_it(const char *text, const char *further)
{
    sandbox_write(&box, "machine", text);
    struct outcome got = conda_gpu(&box, NULL, "apply", "-p", "envs/pt", further, NULL);
    sandbox_remove(&box, "machine");
    return got;
}

#define OTHER                                                                                      \
    "driver 12.4\n"                                                                                \
    "gpu GPU-3b2cf2d4-6a1f-8e54-70c9-5d0e2a9b1c47 0000:07:00.0 80GiB 8.0 \"NVIDIA "                \
    "A100-SXM4-80GB\"\n"                                                                           \
    "gpu GPU-00000000-0000-0000-0000-000000000001 0000:0f:00.0 80GiB 9.0 \"NVIDIA H100\"\n"        \
    "gpu GPU-c70a5e91-12bd-47f3-9a08-e4d6f1b38a2c 0000:41:00.0 80GiB 8.0 \"NVIDIA "                \
    "A100-SXM4-80GB\"\n"                                                                           \
    "gpu GPU-5e8f4a10-33f1-9c1d-8d4a-0a3b7c1f2e55 0000:47:00.0 80GiB 8.0 \"NVIDIA "                \
    "A100-SXM4-80GB\"\n"

/* --check compares with the driver and names a card that was swapped; apply confirms, and an
   inventory that says the same changes nothing then. */
START_TEST(compared_with_the_driver)
{
    char name[64], note[512], same[512], *path = tests_path("machines/four");

    gethostname(name, sizeof name);
    snprintf(same, sizeof same, "include %s\n", path);
    char *inventory = inventory_of("four", name);
    sandbox_write(&box, "environment.yml", SECTION);
    free(applied(inventory, "conda-gpu.yml"));
    struct outcome got = on_it(same, "--check");
    ck_assert_int_eq(got.status, 0);
    ck_assert_str_eq(got.err,
                     "note: the hooks were made from an inventory, and the driver confirms "
                     "their devices\n");
    outcome_free(&got);
    got = on_it(OTHER, "--check");
    ck_assert_int_eq(got.status, 1);
    snprintf(note, sizeof note,
             "note: GPU 1 of %s is NVIDIA H100, GPU-00000000-0000-0000-0000-000000000001, now; it "
             "was NVIDIA A100-SXM4-80GB, GPU-8932f937-d72c-4106-c12f-20bd9faed9f6, as an inventory "
             "said\n",
             name);
    ck_assert_str_eq(got.err, note);
    outcome_free(&got);
    got = on_it(same, NULL);
    ck_assert_int_eq(got.status, 0);
    ck_assert_ptr_nonnull(strstr(got.out, "\nwritten    etc/conda/conda-gpu.yml\n"));
    outcome_free(&got);
    char *receipt = applied(inventory, "conda-gpu.yml");
    ck_assert_ptr_nonnull(strstr(receipt, "unconfirmed: false\n"));
    free(receipt);
    free(inventory);
    free(path);
}
END_TEST

/* ---- wrong ones ---- */

static const struct {
    const char *inventory, *message;
} wrong[] = {
    {"name: pt\n",
     "gpus.yml:1:1: a machine's devices are expected here, which begin with a line '---'; "
     "'conda-gpu devices --yaml' on a machine with GPUs prints an inventory\n"},
    {"---\nformat: 9\n...\n", "gpus.yml:2:9: format: found 9; accepted: 1. A newer conda-gpu wrote "
                              "this; use that one here\n"},
};

/* Nothing is written. */
START_TEST(is_wrong)
{
    sandbox_write(&box, "environment.yml", SECTION);
    struct outcome got = apply(wrong[_i].inventory, NULL);
    ck_assert_str_eq(got.err, wrong[_i].message);
    ck_assert_int_eq(got.status, 2);
    ck_assert(!sandbox_has(&box, "envs/pt/etc"));
    outcome_free(&got);
}
END_TEST

START_TEST(cannot_be_read)
{
    sandbox_write(&box, "environment.yml", SECTION);
    struct outcome got =
        conda_gpu(&box, NULL, "apply", "-p", "envs/pt", "--inventory", "none.yml", NULL);
    ck_assert_str_eq(got.err, "none.yml: cannot read the inventory: No such file or directory\n");
    ck_assert_int_eq(got.status, 2);
    outcome_free(&got);
    got = conda_gpu(&box, NULL, "apply", "-p", "envs/pt", "-f", "-", "--inventory", "-", NULL);
    ck_assert_str_eq(got.err, "only one of --file and --inventory can be stdin (-)\n");
    outcome_free(&got);
}
END_TEST

#define LOOP(tests, test, table) tcase_add_loop_test(tests, test, 0, sizeof table / sizeof *table)

static Suite *suite(void)
{
    Suite *suite = suite_create("command line: inventories");
    TCase *tests = tcase_create("");

    sandboxed_with_environment(tests);
    tcase_add_test(tests, one_machine);
    tcase_add_loop_test(tests, as_on_the_machine, 0, sizeof machines / sizeof *machines * CHOICES);
    tcase_add_test(tests, unconfirmed_is_said);
    tcase_add_loop_test(tests, both_parts_at_once, 0, 2);
    tcase_add_test(tests, errors_name_the_machine);
    tcase_add_test(tests, compared_with_the_driver);
    LOOP(tests, is_wrong, wrong);
    tcase_add_test(tests, cannot_be_read);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return test_main(suite());
}
