/*
 * The modules of values: device, item, vars, env.
 */
#include "support/support.h"

#include "base/env.h"
#include "base/scope.h"
#include "gpu/device.h"
#include "section/item.h"
#include "section/vars.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* device */

static const struct {
    const char *text;
    bool good;
    struct pci_address pci;
    const char *shown;
} addresses[] = {
    {"0000:65:00.0", true, {0, 0x65, 0, 0}, "0000:65:00.0"},
    {"65:00.0", true, {0, 0x65, 0, 0}, "0000:65:00.0"},
    {"00000000:0F:1f.7", true, {0, 0x0f, 0x1f, 7}, "0000:0f:1f.7"},
    {"ABCD:ff:00.1", true, {0xabcd, 0xff, 0, 1}, "abcd:ff:00.1"},
    {"2ab3c4d5:00:00.0", true, {0x2ab3c4d5, 0, 0, 0}, "2ab3c4d5:00:00.0"},
    {"ffffffff:ff:1f.7", true, {0xffffffff, 0xff, 0x1f, 7}, "ffffffff:ff:1f.7"},
    {"0000:65:20.0", false, {0}, NULL},
    {"0000:65:00.8", false, {0}, NULL},
    {"0000:65:00", false, {0}, NULL},
    {"0000:65:00.0 ", false, {0}, NULL},
    {" 0000:65:00.0", false, {0}, NULL},
    {"0000:65:00.00", false, {0}, NULL},
    {"000:65:00.0", false, {0}, NULL},
    {"000000000:65:00.0", false, {0}, NULL},
    {":65:00.0", false, {0}, NULL},
    {"0000:6:00.0", false, {0}, NULL},
    {"0000:065:00.0", false, {0}, NULL},
    {"0000-65-00.0", false, {0}, NULL},
    {"65;00.0", false, {0}, NULL},
    {"65:00:0", false, {0}, NULL},
    {"0x00:65:00.0", false, {0}, NULL},
    {"+000:65:00.0", false, {0}, NULL},
    {"0000:g5:00.0", false, {0}, NULL},
    {"", false, {0}, NULL},
    {"0000:", false, {0}, NULL},
};

START_TEST(pci_address)
{
    static const struct pci_address untouched = {1, 2, 3, 4};
    struct pci_address pci = untouched;
    char text[PCI_TEXT_SIZE];

    ck_assert_msg(pci_parse(addresses[_i].text, &pci) == addresses[_i].good, "%s",
                  addresses[_i].text);
    if (addresses[_i].good) {
        ck_assert(pci_equal(&pci, &addresses[_i].pci));
        ck_assert_str_eq(pci_text(&pci, text), addresses[_i].shown);
        struct pci_address again;
        ck_assert(pci_parse(text, &again) && pci_equal(&again, &pci));
    } else {
        ck_assert(pci_equal(&pci, &untouched));
    }
}
END_TEST

/* What we print is what we read, also as an item of a file, whatever the domain. */
START_TEST(pci_reads_back)
{
    static const uint32_t domains[] = {0,       0xffff,   0x10000,   0x12345,
                                       0xfffff, 0x100000, 0x7654321, 0xffffffff};
    const struct pci_address pci = {domains[_i], 0x1f, 3, 1};
    struct pci_address again = {0};
    struct item item = {0};
    char text[PCI_TEXT_SIZE];

    ck_assert_msg(pci_parse(pci_text(&pci, text), &again), "%s", text);
    ck_assert_msg(pci_parse(pci_short(&pci, text), &again), "%s", text);
    ck_assert(pci_equal(&again, &pci));
    ck_assert_msg(item_parse(text, &item) == 0, "%s", text);
    ck_assert(pci_equal(&item.pci, &pci));
}
END_TEST

START_TEST(pci_differs)
{
    const struct pci_address a = {1, 2, 3, 4};
    const struct pci_address others[] = {{0, 2, 3, 4}, {1, 0, 3, 4}, {1, 2, 0, 4}, {1, 2, 3, 0}};

    for (size_t i = 0; i < 4; i++)
        ck_assert(!pci_equal(&a, &others[i]));
}
END_TEST

START_TEST(uuid_of_both_kinds)
{
    struct device device = {.uuid = {{0x89, 0x32, 0xf9, 0x37, 0xd7, 0x2c, 0x41, 0x06, 0xc1, 0x2f,
                                      0x20, 0xbd, 0x9f, 0xae, 0xd9, 0xf6}}};
    char text[UUID_TEXT_SIZE];

    ck_assert_str_eq(uuid_text(&device, text), "GPU-8932f937-d72c-4106-c12f-20bd9faed9f6");
    ck_assert_str_eq(uuid_short(&device, text), "GPU-8932f937");
    device.mig = true;
    ck_assert_str_eq(uuid_text(&device, text), "MIG-8932f937-d72c-4106-c12f-20bd9faed9f6");
    ck_assert_str_eq(uuid_short(&device, text), "MIG-8932f937-d72c-4106-c12f-20bd9faed9f6");
}
END_TEST

START_TEST(device_lists)
{
    struct device_list list = {.items = calloc(3, sizeof *list.items), .count = 3};

    for (unsigned char i = 0; i < 3; i++)
        list.items[i].uuid.bytes[15] = (unsigned char)(i + 1);
    ck_assert_uint_eq(device_list_find(&list, &list.items[2].uuid), 2);
    ck_assert_uint_eq(device_list_find(&list, &(struct uuid){{0}}), 3);
    ck_assert(!device_list_has_mig(&list));
    list.items[1].mig = true;
    ck_assert(device_list_has_mig(&list));
    device_list_release(&list);
    ck_assert_uint_eq(list.count, 0);
    ck_assert_uint_eq(device_list_find(&list, &(struct uuid){{0}}), 0);
    device_list_release(&list);
}
END_TEST

static const struct {
    uint64_t bytes;
    const char *text;
} memories[] = {
    {0, "0 GiB"},
    {UINT64_C(80) << 30, "80 GiB"},
    {UINT64_C(40192) << 20, "39.2 GiB"},
    {UINT64_C(24564) << 20, "23.9 GiB"},
    {(UINT64_C(1) << 30) - 1, "0.9 GiB"},
    {UINT64_MAX, "17179869183.9 GiB"},
};

START_TEST(memory_in_gib)
{
    char text[MEMORY_TEXT_SIZE];

    ck_assert_str_eq(memory_text(memories[_i].bytes, text), memories[_i].text);
}
END_TEST

/* item */

static const struct {
    const char *text;
    int result;
    enum item_kind kind;
    unsigned long first, last;
} items[] = {
    {"0", 0, ITEM_RANGE, 0, 0},
    {"999999999", 0, ITEM_RANGE, 999999999, 999999999},
    {"0-3", 0, ITEM_RANGE, 0, 3},
    {"7-7", 0, ITEM_RANGE, 7, 7},
    {"all", 0, ITEM_ALL, 0, 0},
    {"none", 0, ITEM_NONE, 0, 0},
    {"GPU-8", 0, ITEM_UUID, 0, 0},
    {"GPU-8932f937-", 0, ITEM_UUID, 0, 0},
    {"GPU-8932F937-d72c-4106-c12f-20bd9faed9f6", 0, ITEM_UUID, 0, 0},
    {"MIG-8932f937-d72c-4106-c12f-20bd9faed9f6", 0, ITEM_MIG, 0, 0},
    {"65:00.0", 0, ITEM_PCI, 0, 0},
    {"0000:65:00.0", 0, ITEM_PCI, 0, 0},
    {"", -1, 0, 0, 0},
    {" 1", -1, 0, 0, 0},
    {"1 ", -1, 0, 0, 0},
    {"+1", -1, 0, 0, 0},
    {"-1", -1, 0, 0, 0},
    {"1000000000", -1, 0, 0, 0},
    {"99999999999999999999999", -1, 0, 0, 0},
    {"3-1", -1, 0, 0, 0},
    {"1-", -1, 0, 0, 0},
    {"-", -1, 0, 0, 0},
    {"1--2", -1, 0, 0, 0},
    {"1-2-3", -1, 0, 0, 0},
    {"1-1000000000", -1, 0, 0, 0},
    {"All", -1, 0, 0, 0},
    {"none ", -1, 0, 0, 0},
    {"GPU-", -1, 0, 0, 0},
    {"GPU-x", -1, 0, 0, 0},
    {"GPU-8932f9371", -1, 0, 0, 0},
    {"GPU--", -1, 0, 0, 0},
    {"GPU-8932f937-d72c-4106-c12f-20bd9faed9f60", -1, 0, 0, 0},
    {"gpu-8", -1, 0, 0, 0},
    {"MIG-8", -1, 0, 0, 0},
    {"MIG-8932f937-d72c-4106-c12f-20bd9faed9f", -1, 0, 0, 0},
    {"MIG-GPU-8932f937-d72c-4106-c12f-20bd9faed9f6/1/0", -1, 0, 0, 0},
};

START_TEST(item_kinds)
{
    static const struct item untouched = {.kind = ITEM_FILTER, .first = 77, .last = 78};
    struct item item = untouched;

    ck_assert_msg(item_parse(items[_i].text, &item) == items[_i].result, "%s", items[_i].text);
    if (items[_i].result < 0) {
        ck_assert_mem_eq(&item, &untouched, sizeof item);
        return;
    }
    ck_assert_int_eq(item.kind, items[_i].kind);
    if (item.kind == ITEM_RANGE) {
        ck_assert_uint_eq(item.first, items[_i].first);
        ck_assert_uint_eq(item.last, items[_i].last);
    }
    if (item.kind == ITEM_PCI)
        ck_assert_int_eq(item.pci.bus, 0x65);
}
END_TEST

static const struct {
    const char *text;
    uint64_t bytes; /* 0: refused */
} sizes[] = {
    {"1MB", 1000000},
    {"1GB", 1000000000},
    {"1MiB", 1048576},
    {"40GiB", UINT64_C(40) << 30},
    {"40 GiB", UINT64_C(40) << 30},
    {"1.5GiB", UINT64_C(3) << 29},
    {"0.5 GB", 500000000},
    {"79.999 GB", UINT64_C(79999000000)},
    {"999999999GiB", UINT64_C(999999999) << 30},
    {"0.000000001GB", 1},
    {"0GB", 0},
    {"0.0GB", 0},
    {"40", 0},
    {"40G", 0},
    {"40gb", 0},
    {"40KB", 0},
    {"40TiB", 0},
    {"-1GB", 0},
    {"1.GB", 0},
    {".5GB", 0},
    {"1e3MB", 0},
    {"1000000000GB", 0},
    {"1.0000000001GB", 0},
    {"40  GiB", 0},
    {"40GiB ", 0},
    {"GiB", 0},
    {"", 0},
};

START_TEST(size_units)
{
    uint64_t bytes = 12345;
    bool good = size_parse(sizes[_i].text, &bytes);

    ck_assert_msg(good == (sizes[_i].bytes > 0), "%s", sizes[_i].text);
    if (good)
        ck_assert_uint_eq(bytes, sizes[_i].bytes);
}
END_TEST

static const struct {
    const char *text;
    bool good;
    int major, minor;
} capabilities[] = {
    {"8.0", true, 8, 0},   {"8", true, 8, 0},      {"10.0", true, 10, 0},
    {"8.10", true, 8, 10}, {"08.6", true, 8, 6},   {"0", true, 0, 0},
    {"8.", false, 0, 0},   {".8", false, 0, 0},    {"8.0.1", false, 0, 0},
    {"8,0", false, 0, 0},  {"sm_80", false, 0, 0}, {"", false, 0, 0},
    {"-8.0", false, 0, 0}, {"8.-1", false, 0, 0},  {"1000000000.0", false, 0, 0},
};

START_TEST(compute_capability)
{
    int major = -1, minor = -1;

    ck_assert_int_eq(compute_parse(capabilities[_i].text, &major, &minor), capabilities[_i].good);
    ck_assert_int_eq(major, capabilities[_i].good ? capabilities[_i].major : -1);
    ck_assert_int_eq(minor, capabilities[_i].good ? capabilities[_i].minor : -1);
}
END_TEST

static const struct {
    const char *text;
    bool good;
    unsigned long number;
} numbers[] = {
    {"0", true, 0},    {"999999999", true, 999999999},
    {"007", true, 7},  {"", false, 0},
    {"1 ", false, 0},  {"-1", false, 0},
    {"1.0", false, 0}, {"1000000000", false, 0},
};

START_TEST(whole_number)
{
    unsigned long number = 77;

    ck_assert_int_eq(number_parse(numbers[_i].text, &number), numbers[_i].good);
    ck_assert_uint_eq(number, numbers[_i].good ? numbers[_i].number : 77);
}
END_TEST

/* vars */

START_TEST(vars_keep_order_and_copies)
{
    struct var_list list = {0};
    char name[8] = "A", value[8] = "1";

    ck_assert_int_eq(vars_add(&list, name, VAR_SET, value, NULL), 0);
    name[0] = 'B';
    value[0] = '2';
    ck_assert_int_eq(vars_add(&list, name, VAR_PREPEND, value, ":"), 0);
    ck_assert_int_eq(vars_add(&list, "C", VAR_UNSET, NULL, NULL), 0);
    ck_assert_uint_eq(list.count, 3);
    ck_assert_str_eq(list.items[0].name, "A");
    ck_assert_str_eq(list.items[0].value, "1");
    ck_assert_ptr_null(list.items[0].separator);
    ck_assert_ptr_eq(vars_find(&list, "B"), &list.items[1]);
    ck_assert_str_eq(list.items[1].separator, ":");
    ck_assert_int_eq(list.items[1].kind, VAR_PREPEND);
    ck_assert_ptr_null(list.items[2].value);
    ck_assert_ptr_null(vars_find(&list, "D"));
    ck_assert_ptr_null(vars_find(&list, ""));
    vars_release(&list);
    ck_assert_uint_eq(list.count, 0);
    vars_release(&list);
}
END_TEST

START_TEST(vars_hold_many)
{
    struct var_list list = {0};
    char name[16];

    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "V%d", i);
        ck_assert_int_eq(vars_add(&list, name, VAR_SET, name, NULL), 0);
    }
    ck_assert_str_eq(vars_find(&list, "V999")->value, "V999");
    vars_release(&list);
}
END_TEST

START_TEST(names_are_kept_once)
{
    struct names names = {0};
    char name[16];

    for (int i = 0; i < 200; i++) {
        snprintf(name, sizeof name, "N%d", i % 100);
        ck_assert_int_eq(names_add(&names, name), 0);
    }
    ck_assert_uint_eq(names.count, 100);
    ck_assert_str_eq(names.items[99], "N99");
    ck_assert(names_have(&names, "N0"));
    ck_assert(!names_have(&names, "N"));
    names_release(&names);
    ck_assert(!names_have(&names, "N0"));
    names_release(&names);
}
END_TEST

static const struct {
    const char *name;
    bool shape, refused;
} shapes[] = {
    {"A", true, false},
    {"a", true, false},
    {"_x", true, false},
    {"A1_b", true, false},
    {"OMP_NUM_THREADS", true, false},
    {"CUDA_HOME", true, false},
    {"LD_LIBRARY_PATH", true, false},
    {"NCCL_P2P_DISABLE", true, false},
    {"HOMES", true, false},
    {"HOME", true, true},
    {"USER", true, true},
    {"PYTHONPATH", true, false},
    {"", false, true},
    {"1A", false, true},
    {"A-B", false, true},
    {"A B", false, true},
    {"A=", false, true},
    {"A\n", false, true},
    {"\xc3\x84", false, true},
    {"A.B", false, true},
    {"PATH", true, true},
    {"CUDA_VISIBLE_DEVICES", true, true},
    {"CUDA_DEVICE_ORDER", true, true},
    {"CONDA_PREFIX", true, true},
    {"CONDA_", true, true},
    {"_CONDA_X", true, true},
    {"__CONDA_GPU_X", true, true},
    {"_CE_CONDA", true, true},
    {"__conda_gpu_at", true, true},
    {"UID", true, true},
    {"PPID", true, true},
    {"IFS", true, true},
    {"status", true, true},
    {"_", true, true},
};

START_TEST(variable_names)
{
    ck_assert_int_eq(var_name_has_shape(shapes[_i].name), shapes[_i].shape);
    ck_assert_msg((var_name_refused(shapes[_i].name) != NULL) == shapes[_i].refused, "%s",
                  shapes[_i].name);
}
END_TEST

/* env */

START_TEST(env_finds_exact_names)
{
    char ab[] = "AB=1", a[] = "A=x=y", empty[] = "E=", odd[] = "NOEQUALS", again[] = "A=2";
    char *const env[] = {ab, a, empty, odd, again, NULL};
    char *const none[] = {NULL};

    ck_assert_str_eq(env_get(env, "A"), "x=y");
    ck_assert_str_eq(env_get(env, "AB"), "1");
    ck_assert_str_eq(env_get(env, "E"), "");
    ck_assert_ptr_null(env_get(env, "NOEQUALS"));
    ck_assert_ptr_null(env_get(env, "B"));
    ck_assert_ptr_null(env_get_filled(env, "E"));
    ck_assert_ptr_null(env_get_filled(env, "B"));
    ck_assert_str_eq(env_get_filled(env, "AB"), "1");
    ck_assert_ptr_null(env_get(none, "A"));
}
END_TEST

#define LOOP(tests, test, table) tcase_add_loop_test(tests, test, 0, sizeof table / sizeof *table)

static Suite *suite(void)
{
    Suite *suite = suite_create("device, item, vars, env");
    TCase *tests = tcase_create("");

    LOOP(tests, pci_address, addresses);
    tcase_add_loop_test(tests, pci_reads_back, 0, 8);
    tcase_add_test(tests, pci_differs);
    tcase_add_test(tests, uuid_of_both_kinds);
    tcase_add_test(tests, device_lists);
    LOOP(tests, memory_in_gib, memories);
    LOOP(tests, item_kinds, items);
    LOOP(tests, size_units, sizes);
    LOOP(tests, compute_capability, capabilities);
    LOOP(tests, whole_number, numbers);
    tcase_add_test(tests, vars_keep_order_and_copies);
    tcase_add_test(tests, vars_hold_many);
    tcase_add_test(tests, names_are_kept_once);
    LOOP(tests, variable_names, shapes);
    tcase_add_test(tests, env_finds_exact_names);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return test_main(suite());
}
