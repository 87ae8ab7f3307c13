/*
 * The pure decisions: select and plan. Every item kind on every machine, with messages, is in
 * check_cli_devices.c.
 */
#include "support/support.h"

#include "base/scope.h"
#include "plan/plan.h"
#include "plan/select.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Four GPUs at 01:00.0 to 04:00.0; number i has UUID 0i0000…, i + 1 GiB and capability 7.i. */
static struct device gpus[4];
static struct device_list machine = {.items = gpus, .count = 4};

static void set_up(void)
{
    for (int i = 0; i < 4; i++) {
        gpus[i] = (struct device){.number = (uint32_t)i,
                                  .pci = {0, (uint8_t)(i + 1), 0, 0},
                                  .memory = (uint64_t)(i + 1) << 30,
                                  .compute_major = 7,
                                  .compute_minor = i};
        gpus[i].uuid.bytes[0] = (unsigned char)i;
        snprintf(gpus[i].name, sizeof gpus[i].name, "GPU model %d", i % 2);
    }
    machine.count = 4;
}

static void read_devices(struct section *config, const char *devices)
{
    scope(error_release) struct error err = ERROR_INIT;
    scope(free_text) char *text =
        format_text("gpu:\n  devices: %s\n  variables: {A: 1, B: ~}\n", devices);

    ck_assert_msg(section_read(config, "f", text, strlen(text), &err) == 0, "%s", error_text(&err));
}

#define WHOLE(first) "GPU-0" first "000000-0000-0000-0000-000000000000"

/* select */

static const struct {
    const char *devices, *chosen; /* numbers; NULL: refused */
    enum status status;
} selections[] = {
    {"0", "0", STATUS_DONE},
    {"[3, 1, 2]", "312", STATUS_DONE},
    {"0-3", "0123", STATUS_DONE},
    {"[2-3, 0-1]", "2301", STATUS_DONE},
    {"GPU-02", "2", STATUS_DONE},
    {WHOLE("3"), "3", STATUS_DONE},
    {"04:00.0", "3", STATUS_DONE},
    {"00000000:02:00.0", "1", STATUS_DONE},
    {"{name: '*model 1'}", "13", STATUS_DONE},
    {"{name: 'GPU model [01]', count: 3}", "012", STATUS_DONE},
    {"{min_memory: 3GiB}", "23", STATUS_DONE},
    {"{min_compute: '7.1', count: 1}", "1", STATUS_DONE},
    {"{min_compute: '6.9'}", "0123", STATUS_DONE},
    {"[{name: '*1'}, {name: '*0'}]", "1302", STATUS_DONE},
    {"4", NULL, STATUS_DRIVER},
    {"[0, 3-4]", NULL, STATUS_DRIVER},
    {"GPU-9", NULL, STATUS_DRIVER},
    {"GPU-0", NULL, STATUS_INPUT},
    {WHOLE("9"), NULL, STATUS_DRIVER},
    {"05:00.0", NULL, STATUS_DRIVER},
    {"0001:01:00.0", NULL, STATUS_DRIVER},
    {"{name: model}", NULL, STATUS_DRIVER},
    {"{name: 'gpu*'}", NULL, STATUS_DRIVER},
    {"{min_compute: '8.0'}", NULL, STATUS_DRIVER},
    {"{count: 5}", NULL, STATUS_DRIVER},
    {"[1, 1]", NULL, STATUS_INPUT},
    {"[1, 0-3]", NULL, STATUS_INPUT},
    {"[1, GPU-01]", NULL, STATUS_INPUT},
    {"[" WHOLE("1") ", '02:00.0']", NULL, STATUS_INPUT},
    {"[{count: 2}, {count: 1}]", NULL, STATUS_INPUT},
};

START_TEST(select_on_plain_machine)
{
    scope(section_release) struct section config = {0};
    scope(selection_release) struct selection selection = {0};
    scope(error_release) struct error err = ERROR_INIT;
    char chosen[8] = "";

    read_devices(&config, selections[_i].devices);
    int result = select_devices(&selection, &config, &machine, &err);
    ck_assert_int_eq(result, selections[_i].chosen ? 0 : -1);
    ck_assert_int_eq(err.status, selections[_i].status);
    for (size_t i = 0; i < selection.count; i++) {
        chosen[i] = (char)('0' + selection.items[i].number);
        ck_assert_ptr_eq(selection.items[i].device, &gpus[selection.items[i].number]);
        ck_assert(selection.items[i].item >= config.items &&
                  selection.items[i].item < config.items + config.item_count);
    }
    ck_assert_str_eq(chosen, selections[_i].chosen ? selections[_i].chosen : "");
}
END_TEST

START_TEST(select_reports_every_item)
{
    scope(section_release) struct section config = {0};
    scope(selection_release) struct selection selection = {0};
    scope(error_release) struct error err = ERROR_INIT;

    read_devices(&config, "[9, 0, 8, GPU-9]");
    ck_assert_int_eq(select_devices(&selection, &config, &machine, &err), -1);
    ck_assert_str_eq(error_text(&err),
                     "f:2:13: gpu.devices: no GPU 9; this machine has GPUs 0 to 3\n"
                     "f:2:19: gpu.devices: no GPU 8; this machine has GPUs 0 to 3\n"
                     "f:2:22: gpu.devices: no GPU with UUID 'GPU-9'; this machine has GPUs 0 to "
                     "3\n");
    ck_assert_ptr_null(selection.items);
}
END_TEST

/* With an instance in the list, numbers mean nothing, and a whole UUID stands for itself. */
static const struct {
    const char *devices;
    int result;
    bool listed;
} mig_selections[] = {
    {"0", -1, false},
    {"0-1", -1, false},
    {"{count: 1}", -1, false},
    {"MIG-00000000-0000-0000-0000-000000000000", 0, true},
    {"MIG-11000000-0000-0000-0000-000000000000", 0, false},
    {"GPU-11000000-0000-0000-0000-000000000000", 0, false},
    {"GPU-11", -1, false},
};

START_TEST(select_on_mig_machine)
{
    scope(section_release) struct section config = {0};
    scope(selection_release) struct selection selection = {0};
    scope(error_release) struct error err = ERROR_INIT;

    gpus[0].mig = true;
    read_devices(&config, mig_selections[_i].devices);
    ck_assert_int_eq(select_devices(&selection, &config, &machine, &err),
                     mig_selections[_i].result);
    if (selection.count)
        ck_assert_int_eq(selection.items[0].device != NULL, mig_selections[_i].listed);
}
END_TEST

/* A GPU that nvidia-smi numbers and CUDA does not list: neither do numbers mean the same to both,
   and what is chosen otherwise is written by UUID. */
START_TEST(select_beside_an_unseen_gpu)
{
    scope(section_release) struct section config = {0}, other = {0};
    scope(selection_release) struct selection selection = {0};
    scope(error_release) struct error err = ERROR_INIT;
    struct device_list partial = machine;
    char unseen[] = "0000:65:00.0";

    partial.unseen = unseen;
    read_devices(&config, "0");
    ck_assert_int_eq(select_devices(&selection, &config, &partial, &err), -1);
    ck_assert_ptr_nonnull(strstr(error_text(&err), "CUDA does not show 0000:65:00.0"));
    read_devices(&other, "02:00.0");
    ck_assert_int_eq(select_devices(&selection, &other, &partial, &err), 0);
    ck_assert(selection.by_uuid);
}
END_TEST

/* plan */

static const struct {
    const char *devices, *further, *visible;
} plans[] = {
    {"[3, 1]", "", "3,1"},
    {"0", "", "0"},
    {"[3, 1]", "uuid", WHOLE("3") "," WHOLE("1")},
};

static void make_plan(struct plan *plan, struct section *config, struct selection *selection,
                      const char *devices, bool uuids)
{
    scope(error_release) struct error err = ERROR_INIT;

    read_devices(config, devices);
    config->ids = uuids ? IDS_UUID : IDS_INDEX;
    ck_assert_int_eq(select_devices(selection, config, &machine, &err), 0);
    ck_assert_int_eq(plan_make(plan, config, selection, &err), 0);
}

START_TEST(plan_of_selection)
{
    scope(section_release) struct section config = {0};
    scope(selection_release) struct selection selection = {0};
    scope(plan_release) struct plan plan = {0};

    make_plan(&plan, &config, &selection, plans[_i].devices, *plans[_i].further);
    ck_assert_str_eq(plan_visible(&plan), plans[_i].visible);
    ck_assert_uint_eq(plan.variables.count, 4);
    ck_assert_str_eq(plan.variables.items[0].name, "CUDA_DEVICE_ORDER");
    ck_assert_str_eq(plan.variables.items[0].value, "PCI_BUS_ID");
    ck_assert_str_eq(plan.variables.items[1].name, "CUDA_VISIBLE_DEVICES");
    ck_assert_str_eq(plan.variables.items[2].name, "A");
    ck_assert_int_eq(plan.variables.items[3].kind, VAR_UNSET);
    ck_assert_uint_eq(plan.devices.count, 0);
}
END_TEST

/* in_job is the file's word, also without a GPU; but `devices: none` is none in a job as well. */
static const struct {
    const char *devices;
    bool cpu;
    enum in_job written, planned;
} jobs[] = {
    {"0", false, IN_JOB_KEEP, IN_JOB_KEEP},
    {"0", false, IN_JOB_OVERRIDE, IN_JOB_OVERRIDE},
    {"0", true, IN_JOB_KEEP, IN_JOB_KEEP},
    {"0", true, IN_JOB_OVERRIDE, IN_JOB_OVERRIDE},
    {"none", true, IN_JOB_KEEP, IN_JOB_OVERRIDE},
    {"none", true, IN_JOB_OVERRIDE, IN_JOB_OVERRIDE},
    {"[none]", true, IN_JOB_KEEP, IN_JOB_OVERRIDE},
};

START_TEST(plan_in_jobs)
{
    scope(section_release) struct section config = {0};
    scope(selection_release) struct selection selection = {0};
    scope(plan_release) struct plan plan = {0};
    scope(error_release) struct error err = ERROR_INIT;

    read_devices(&config, jobs[_i].devices);
    config.in_job = jobs[_i].written;
    if (!jobs[_i].cpu)
        ck_assert_int_eq(select_devices(&selection, &config, &machine, &err), 0);
    int result = jobs[_i].cpu ? plan_make_plain(&plan, &config, PLAN_GPUS_NONE, &err)
                              : plan_make(&plan, &config, &selection, &err);
    ck_assert_int_eq(result, 0);
    ck_assert_int_eq(plan.in_job, jobs[_i].planned);
}
END_TEST

START_TEST(plan_for_instances)
{
    scope(section_release) struct section config = {0};
    scope(selection_release) struct selection selection = {0};
    scope(plan_release) struct plan plan = {0};

    gpus[0].mig = true;
    make_plan(&plan, &config, &selection, "MIG-00000000-0000-0000-0000-000000000000", false);
    ck_assert_str_eq(plan_visible(&plan), "MIG-00000000-0000-0000-0000-000000000000");
}
END_TEST

/* What a plan says of CUDA's two variables where no device must be chosen. */
static const struct {
    enum plan_gpus gpus;
    size_t variables;
    const char *visible;
} plains[] = {
    {PLAN_GPUS_AS_BEFORE, 2, NULL},
    {PLAN_GPUS_ALL, 4, NULL},
    {PLAN_GPUS_NONE, 4, "-1"},
};

START_TEST(plain_plan)
{
    scope(section_release) struct section config = {0};
    scope(plan_release) struct plan plan = {0};
    scope(error_release) struct error err = ERROR_INIT;

    read_devices(&config, "0");
    config.if_set = IF_SET_KEEP;
    ck_assert_int_eq(plan_make_plain(&plan, &config, plains[_i].gpus, &err), 0);
    ck_assert_int_eq(plan.gpus, plains[_i].gpus);
    ck_assert_int_eq(plan.if_set, IF_SET_KEEP);
    ck_assert(!plan.unconfirmed);
    ck_assert_uint_eq(plan.variables.count, plains[_i].variables);
    ck_assert_pstr_eq(plan_visible(&plan), plains[_i].visible);
    const struct var *visible = vars_find(&plan.variables, "CUDA_VISIBLE_DEVICES");
    ck_assert_int_eq(visible != NULL, plains[_i].gpus != PLAN_GPUS_AS_BEFORE);
    if (visible)
        ck_assert_int_eq(visible->kind, plains[_i].visible ? VAR_SET : VAR_UNSET);
}
END_TEST

/* What the driver shows under the plan [3, 1]: only the same devices in the same order will do. */
static const struct {
    const char *shown;
    bool confirmed;
} confirmations[] = {
    {"31", true},   {"13", false}, {"3", false},  {"1", false},
    {"312", false}, {"", false},   {"30", false}, {"0123", false},
};

START_TEST(plan_is_confirmed)
{
    scope(section_release) struct section config = {0};
    scope(selection_release) struct selection selection = {0};
    scope(plan_release) struct plan plan = {0};
    scope(error_release) struct error err = ERROR_INIT;
    struct device shown[4];
    struct device_list seen = {.items = shown, .count = strlen(confirmations[_i].shown)};

    for (size_t i = 0; i < seen.count; i++)
        shown[i] = gpus[confirmations[_i].shown[i] - '0'];
    make_plan(&plan, &config, &selection, "[3, 1]", false);
    int result = plan_confirm(&plan, &selection, &seen, &err);
    ck_assert_int_eq(result, confirmations[_i].confirmed ? 0 : -1);
    if (confirmations[_i].confirmed) {
        ck_assert(!plan.unconfirmed);
        ck_assert_uint_eq(plan.devices.count, 2);
        ck_assert_uint_eq(plan.devices.items[0].number, 3);
        ck_assert_uint_eq(plan.devices.items[1].number, 1);
        ck_assert_mem_eq(&plan.devices.items[1].device.uuid, &gpus[1].uuid, sizeof gpus[1].uuid);
        return;
    }
    ck_assert(plan.unconfirmed);
    ck_assert_int_eq(err.status, STATUS_DRIVER);
    ck_assert_ptr_nonnull(
        strstr(error_text(&err), "\n  planned: " WHOLE("3") ", " WHOLE("1") "\n"));
    ck_assert_ptr_nonnull(strstr(error_text(&err), "\n  the driver shows: "));
}
END_TEST

/* An instance that the driver has not listed is known only after the confirmation. */
START_TEST(plan_learns_from_confirmation)
{
    scope(section_release) struct section config = {0};
    scope(selection_release) struct selection selection = {0};
    scope(plan_release) struct plan plan = {0};
    scope(error_release) struct error err = ERROR_INIT;
    struct device shown = {.name = "An instance", .mig = true, .pci = {0, 2, 0, 0}};
    const struct device_list seen = {.items = &shown, .count = 1};

    gpus[0].mig = true;
    shown.uuid.bytes[0] = 0x11;
    make_plan(&plan, &config, &selection, "MIG-11000000-0000-0000-0000-000000000000", false);
    ck_assert_ptr_null(plan.devices.items);
    ck_assert_int_eq(plan_confirm(&plan, &selection, &seen, &err), 0);
    ck_assert_uint_eq(plan.devices.count, 1);
    ck_assert_str_eq(plan.devices.items[0].device.name, "An instance");
    ck_assert_uint_eq(plan.devices.items[0].number, PLAN_NO_NUMBER);
}
END_TEST

#define LOOP(tests, test, table) tcase_add_loop_test(tests, test, 0, sizeof table / sizeof *table)

static Suite *suite(void)
{
    Suite *suite = suite_create("select, plan");
    TCase *tests = tcase_create("");

    tcase_add_checked_fixture(tests, set_up, NULL);
    LOOP(tests, select_on_plain_machine, selections);
    tcase_add_test(tests, select_reports_every_item);
    tcase_add_test(tests, select_beside_an_unseen_gpu);
    LOOP(tests, select_on_mig_machine, mig_selections);
    LOOP(tests, plan_of_selection, plans);
    LOOP(tests, plan_in_jobs, jobs);
    tcase_add_test(tests, plan_for_instances);
    LOOP(tests, plain_plan, plains);
    LOOP(tests, plan_is_confirmed, confirmations);
    tcase_add_test(tests, plan_learns_from_confirmation);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return test_main(suite());
}
