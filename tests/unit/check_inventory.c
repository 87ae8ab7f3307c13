/*
 * The module inventory: answers of every kind of wrong decoded, and the simulated driver asked. All
 * faults of the driver, through the command line, are in check_cli_driver.c.
 */
#include "support/sandboxed.h"

#include "base/scope.h"
#include "gpu/inventory.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A sound answer about two devices, which each test spoils in its own way. */
struct answer {
    struct answer_head head;
    struct device devices[2];
};

static struct answer sound(void)
{
    struct answer answer = {.head = {.driver_version = 12040, .count = 2}};

    for (int i = 0; i < 2; i++) {
        struct device *device = &answer.devices[i];
        device->uuid.bytes[0] = (unsigned char)(i + 1);
        device->pci.bus = (uint8_t)(i + 1);
        snprintf(device->name, sizeof device->name, "GPU %d", i);
        device->memory = (uint64_t)(i + 1) << 30;
        device->compute_major = 8;
        device->compute_minor = i;
        device->mig = i;
    }
    return answer;
}

START_TEST(decodes)
{
    scope(inventory_release) struct inventory machine = {0};
    scope(error_release) struct error err = ERROR_INIT;
    struct answer answer = sound();

    ck_assert_int_eq(inventory_decode((char *)&answer, sizeof answer, &machine, &err), 0);
    ck_assert_int_eq(machine.driver_version, 12040);
    ck_assert(!machine.absent);
    ck_assert_uint_eq(machine.devices.count, 2);
    const struct device *device = &machine.devices.items[1];
    ck_assert_str_eq(device->name, "GPU 1");
    ck_assert_int_eq(device->uuid.bytes[0], 2);
    ck_assert_int_eq(device->pci.bus, 2);
    ck_assert_uint_eq(device->memory, UINT64_C(2) << 30);
    ck_assert_int_eq(device->compute_minor, 1);
    ck_assert(device->mig);
    ck_assert(!machine.devices.items[0].mig);
}
END_TEST

/* A new answer is taken only when it is sound. */
static void check_refused(const void *bytes, size_t length, const char *message)
{
    struct inventory machine = {.driver_version = 7};
    scope(error_release) struct error err = ERROR_INIT;

    ck_assert_int_eq(inventory_decode(bytes, length, &machine, &err), -1);
    ck_assert_int_eq(err.status, STATUS_DRIVER);
    ck_assert_uint_eq(err.count, 1);
    ck_assert_str_eq(error_text(&err), message);
    ck_assert_int_eq(machine.driver_version, 7);
    ck_assert_ptr_null(machine.devices.items);
}

#define NONSENSE "the CUDA driver's answer makes no sense"
#define LOOK     "; see whether nvidia-smi works\n"

START_TEST(cut_short)
{
    struct answer answer = sound();

    for (size_t length = 0; length < sizeof answer; length++) {
        char *copy = malloc(length + 1);
        memcpy(copy, &answer, length);
        check_refused(copy, length, NONSENSE LOOK);
        free(copy);
    }
}
END_TEST

START_TEST(too_long)
{
    struct {
        struct answer answer;
        char more[8];
    } longer = {sound(), ""};

    check_refused(&longer, sizeof(struct answer) + 1, NONSENSE LOOK);
}
END_TEST

static void spoil_count(struct answer *answer)
{
    answer->head.count = 3;
}

static void spoil_huge_count(struct answer *answer)
{
    answer->head.count = UINT32_MAX;
}

static void spoil_no_count(struct answer *answer)
{
    answer->head.count = 0;
}

static void spoil_unseen(struct answer *answer)
{
    memset(answer->head.unseen, 'x', sizeof answer->head.unseen);
}

static void spoil_name(struct answer *answer)
{
    memset(answer->devices[1].name, 'x', sizeof answer->devices[1].name);
}

static void spoil_pci_device(struct answer *answer)
{
    answer->devices[0].pci.device = 0x20;
}

static void spoil_pci_function(struct answer *answer)
{
    answer->devices[1].pci.function = 8;
}

static void spoil_uuid(struct answer *answer)
{
    answer->devices[1].uuid.bytes[0] = 0;
}

static void spoil_twins(struct answer *answer)
{
    answer->devices[1].uuid = answer->devices[0].uuid;
}

static void spoil_version(struct answer *answer)
{
    answer->head.driver_version = -12040;
}

static void spoil_major(struct answer *answer)
{
    answer->devices[0].compute_major = -8;
}

static void spoil_minor(struct answer *answer)
{
    answer->devices[1].compute_minor = -1;
}

static const struct {
    void (*spoil)(struct answer *answer);
    const char *message;
} spoilings[] = {
    {spoil_count, NONSENSE LOOK},
    {spoil_huge_count, NONSENSE LOOK},
    {spoil_no_count, NONSENSE LOOK},
    {spoil_unseen, NONSENSE LOOK},
    {spoil_name, NONSENSE ": device 1 has a name without an end" LOOK},
    {spoil_pci_device, NONSENSE ": device 0 has no PCI bus ID" LOOK},
    {spoil_pci_function, NONSENSE ": device 1 has no PCI bus ID" LOOK},
    {spoil_uuid, NONSENSE ": device 1 has no UUID" LOOK},
    {spoil_twins, NONSENSE ": device 1 has the UUID of another one" LOOK},
    {spoil_version, NONSENSE LOOK},
    {spoil_major, NONSENSE ": device 0 has a negative compute capability" LOOK},
    {spoil_minor, NONSENSE ": device 1 has a negative compute capability" LOOK},
};

START_TEST(spoilt)
{
    struct answer answer = sound();

    spoilings[_i].spoil(&answer);
    check_refused(&answer, sizeof answer, spoilings[_i].message);
}
END_TEST

/* Any bytes at all: no crash, and success only for what is sound. */
START_TEST(random_bytes)
{
    unsigned state = 12345;

    for (int round = 0; round < 2000; round++) {
        struct answer answer = sound();
        unsigned char *bytes = (unsigned char *)&answer;
        for (int i = 0; i < 4; i++) {
            state = state * 1103515245u + 12345u;
            bytes[(state >> 8) % sizeof answer] = (unsigned char)(state >> 24);
        }
        scope(inventory_release) struct inventory machine = {0};
        scope(error_release) struct error err = ERROR_INIT;
        int result = inventory_decode((char *)&answer, sizeof answer, &machine, &err);
        ck_assert_int_eq(result<0, err.count> 0);
        if (result == 0)
            ck_assert_uint_eq(machine.devices.count, 2);
    }
}
END_TEST

/* Why there are no devices. */
static const struct {
    const char *statements, *message;
    bool absent;
} reasons[] = {
    {"fault cuInit 100", "the CUDA driver failed: cuInit gave 100 (", true},
    {"fault cuInit 803", "the CUDA driver failed: cuInit gave 803 (", false},
    {"fault cuInit 12345", "the CUDA driver failed: cuInit gave 12345 (unknown code); ", false},
    {"fault cuDeviceGetCount 100", "the CUDA driver failed: cuDeviceGetCount gave 100 (", true},
    {"fault cuDeviceGetCount says 0", "the CUDA driver sees no GPU: see whether", true},
};

/* Asking. The machine is a file in the sandbox, named by the environment of the test itself. */

static char *driver;

static void set_up(void)
{
    driver = fake_driver();
    unsetenv("CUDA_VISIBLE_DEVICES");
    unsetenv("CUDA_DEVICE_ORDER");
}

static void tear_down(void)
{
    free(driver);
}

static void use_machine(const char *statements)
{
    scope(free_text) char *path = sandbox_path(&box, "machine");
    scope(free_text) char *four = tests_path("machines/four");
    char text[1024];

    snprintf(text, sizeof text, "include %s\n%s\n", four, statements);
    sandbox_write(&box, "machine", text);
    setenv("FAKE_CUDA_MACHINE", path, 1);
}

static int ask(struct inventory *machine, const struct question *question, struct error *err)
{
    int result = inventory_read(machine, question, err);

    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
    return result;
}

START_TEST(reason)
{
    scope(inventory_release) struct inventory machine = {.driver_version = 7};
    scope(error_release) struct error err = ERROR_INIT;
    const struct question question = {driver, NULL, "PCI_BUS_ID", 10, NULL};

    use_machine(reasons[_i].statements);
    ck_assert_int_eq(ask(&machine, &question, &err), -1);
    ck_assert_msg(strncmp(error_text(&err), reasons[_i].message, strlen(reasons[_i].message)) == 0,
                  "%s", error_text(&err));
    ck_assert_int_eq(machine.absent, reasons[_i].absent);
    ck_assert_int_eq(machine.driver_version, 7);
    ck_assert_int_eq(err.status, STATUS_DRIVER);
}
END_TEST

START_TEST(no_library)
{
    scope(inventory_release) struct inventory machine = {0};
    scope(error_release) struct error err = ERROR_INIT;
    const struct question question = {"/nowhere/libcuda.so.1", NULL, NULL, 10, NULL};

    ck_assert_int_eq(ask(&machine, &question, &err), -1);
    ck_assert_ptr_nonnull(strstr(error_text(&err), "no CUDA driver library (/nowhere/libcuda"));
    ck_assert(machine.absent);
    ck_assert_int_eq(err.status, STATUS_DRIVER);
}
END_TEST

/* Cut to what fits, it would be the name of another one. */
START_TEST(too_long_a_name)
{
    enum { LONGEST = 4095 }; /* PATH_MAX without its NUL */
    char name[LONGEST + 2];
    scope(inventory_release) struct inventory machine = {0};
    scope(error_release) struct error err = ERROR_INIT;
    const struct question question = {name, NULL, NULL, 10, NULL};

    use_machine("");
    memset(name, '/', LONGEST);
    memcpy(name + LONGEST - strlen(driver), driver, strlen(driver));
    memcpy(name + LONGEST, "x", 2);
    ck_assert_int_eq(ask(&machine, &question, &err), -1);
    ck_assert_ptr_nonnull(strstr(error_text(&err), "the CUDA driver library cannot be used: "));
}
END_TEST

START_TEST(asks)
{
    scope(inventory_release) struct inventory machine = {0};
    scope(error_release) struct error err = ERROR_INIT;
    const struct question question = {driver, NULL, "PCI_BUS_ID", 10, NULL};

    use_machine("");
    ck_assert_msg(ask(&machine, &question, &err) == 0, "%s", error_text(&err));
    ck_assert_uint_eq(machine.devices.count, 4);
    ck_assert_str_eq(machine.devices.items[2].name, "NVIDIA A100-SXM4-80GB");
    ck_assert_int_eq(machine.devices.items[2].pci.bus, 0x41);
    ck_assert_int_eq(machine.devices.items[2].compute_major, 8);
    ck_assert_uint_eq(machine.devices.items[2].memory, UINT64_C(80) << 30);
}
END_TEST

static const struct {
    const char *visible;
    const char *buses; /* of what is seen; NULL: no device, "twice": an error */
} views[] = {
    {"1,3", "0f 47 "}, {"3,1", "47 0f "}, {"GPU-8932f937", "0f "}, {"2,2", "twice"},
    {"-1", NULL},      {"", NULL},        {"0,-1,1", "07 "},       {"9", NULL},
};

START_TEST(asks_with_visible)
{
    scope(inventory_release) struct inventory machine = {0};
    scope(error_release) struct error err = ERROR_INIT;
    scope(strbuf_release) struct strbuf buses = STRBUF_INIT;
    const struct question question = {driver, views[_i].visible, "PCI_BUS_ID", 10, NULL};

    use_machine("");
    setenv("CUDA_VISIBLE_DEVICES", "2", 1);
    int result = ask(&machine, &question, &err);
    ck_assert_int_eq(machine.absent, !views[_i].buses);
    if (result < 0 && !machine.absent)
        strbuf_adds(&buses, strstr(error_text(&err), "names a device twice") ? "twice" : "?");
    for (size_t i = 0; i < machine.devices.count; i++)
        strbuf_addf(&buses, "%02x ", machine.devices.items[i].pci.bus);
    ck_assert_str_eq(strbuf_text(&buses), views[_i].buses ? views[_i].buses : "");
    ck_assert_str_eq(getenv("CUDA_VISIBLE_DEVICES"), "2");
}
END_TEST

/* Several at once, answered in another order than asked. */
START_TEST(asks_several_at_once)
{
    struct child children[3] = {CHILD_INIT, CHILD_INIT, CHILD_INIT};
    const struct question questions[] = {{driver, NULL, "PCI_BUS_ID", 10, NULL},
                                         {driver, "1", "PCI_BUS_ID", 10, NULL},
                                         {driver, "1,2", NULL, 10, NULL}};
    static const size_t counts[] = {4, 1, 2};
    scope(error_release) struct error err = ERROR_INIT;

    use_machine("delay 100");
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(inventory_ask(&children[i], &questions[i], &err), 0);
    for (int i = 2; i >= 0; i--) {
        scope(inventory_release) struct inventory machine = {0};
        ck_assert_int_eq(inventory_answer(&children[i], &machine, &err), 0);
        ck_assert_uint_eq(machine.devices.count, counts[i]);
    }
}
END_TEST

/* GPUs that the kernel has and CUDA does not list, in a folder in place of / */

static const struct {
    const char *address, *information, *node;
    const char *unseen; /* NULL: nothing is said of it */
} kernels[] = {
    {"0000:65:00.0", "Model: \t\t A100\nDevice Minor: \t 4\n", "4", "0000:65:00.0"},
    {"0000:65:00.0", "Device Minor: \t 4\n", "5", NULL}, /* hidden by a container */
    {"0000:65:00.0", "Model: A100\n", "0", NULL},
    {"0000:0f:00.0", "Device Minor: \t 4\n", "4", NULL}, /* CUDA lists it */
    {"capabilities", "Device Minor: \t 4\n", "4", NULL},
};

START_TEST(unseen)
{
    scope(inventory_release) struct inventory machine = {0}, chosen = {0}, none = {0};
    scope(error_release) struct error err = ERROR_INIT;
    scope(free_text) char *folder =
        format_text("proc/driver/nvidia/gpus/%s/information", kernels[_i].address);
    scope(free_text) char *node = format_text("dev/nvidia%s", kernels[_i].node);
    const struct question question = {driver, NULL, "PCI_BUS_ID", 10, box.root},
                          choice = {driver, "1", "PCI_BUS_ID", 10, box.root};

    use_machine("");
    sandbox_write(&box, folder, kernels[_i].information);
    sandbox_write(&box, node, "");
    ck_assert_int_eq(inventory_read(&machine, &question, &err), 0);
    ck_assert_pstr_eq(machine.devices.unseen, kernels[_i].unseen);
    ck_assert_int_eq(device_list_is_countable(&machine.devices), !kernels[_i].unseen);
    ck_assert_int_eq(inventory_read(&chosen, &choice, &err), 0);
    ck_assert_ptr_null(chosen.devices.unseen);
    use_machine("fault cuInit 100");
    ck_assert_int_eq(inventory_read(&none, &question, &err), -1);
    ck_assert_int_eq(strstr(error_text(&err), "the kernel has 0000:65:00.0") != NULL,
                     kernels[_i].unseen != NULL);
    ck_assert(none.absent);
}
END_TEST

#define LOOP(tests, test, table) tcase_add_loop_test(tests, test, 0, sizeof table / sizeof *table)

static Suite *suite(void)
{
    Suite *suite = suite_create("inventory");
    TCase *tests = tcase_create("");

    sandboxed(tests);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, decodes);
    tcase_add_test(tests, cut_short);
    tcase_add_test(tests, too_long);
    LOOP(tests, spoilt, spoilings);
    tcase_add_test(tests, random_bytes);
    LOOP(tests, reason, reasons);
    tcase_add_test(tests, no_library);
    tcase_add_test(tests, too_long_a_name);
    tcase_add_test(tests, asks);
    LOOP(tests, asks_with_visible, views);
    tcase_add_test(tests, asks_several_at_once);
    LOOP(tests, unseen, kernels);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return test_main(suite());
}
