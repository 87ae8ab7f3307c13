/*
 * Inventories: what `devices --yaml` prints on one machine, and what apply makes of that where
 * there is no GPU.
 */
#include "support/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct sandbox box;

static void set_up(void)
{
    sandbox_open(&box);
    free(sandbox_environment(&box, "pt"));
}

static void tear_down(void)
{
    sandbox_close(&box);
}

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

static Suite *suite(void)
{
    Suite *suite = suite_create("command line: inventories");
    TCase *tests = tcase_create("");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, one_machine);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return test_main(suite());
}
