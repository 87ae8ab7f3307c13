/*
 * The inventories of machines in a file: printed and read back, mixed by srun, and wrong in every
 * way, each with its place.
 */
#include "support/support.h"

#include "base/scope.h"
#include "gpu/stock.h"

#include <cyaml/cyaml.h>
#include <stdlib.h>
#include <string.h>

#define A "GPU-8932f937-d72c-4106-c12f-20bd9faed9f6"
#define B "GPU-c70a5e91-12bd-47f3-9a08-e4d6f1b38a2c"
#define M "MIG-73785c32-055c-467d-a997-2f87700d0f40"

#define HEAD(host) "---\nformat: 1\nhost: " host "\ndriver_cuda_version: 12040\nnumbered: true\n"
#define DEVICE(number, uuid, pci)                                                                  \
    "- number: " number "\n  uuid: " uuid "\n  pci_bus_id: " pci "\n  name: NVIDIA H100\n"         \
    "  memory: 85899345920\n  compute_capability: 12.1\n"
#define ONE HEAD("a") "devices:\n" DEVICE("0", A, "0000:0f:00.0") "...\n"
#define TWO HEAD("b.example.org") "devices:\n" DEVICE("0", B, "0001:41:00.0") "...\n"

static void read_right(struct stock *stock, const char *text)
{
    scope(error_release) struct error err = ERROR_INIT;

    ck_assert_msg(stock_read(stock, "f", text, strlen(text), &err) == 0, "%s", error_text(&err));
}

/* What was printed is read back as it was, also a name with odd bytes. */
START_TEST(printed_and_read)
{
    struct device devices[] = {
        {.uuid = {{1}}, .number = 1, .pci = {0x10000, 1, 2, 3}, .name = "A: \"\xc3\xa9\" #\n\xff"},
        {.uuid = {{2}}, .mig = true, .pci = {0, 9, 0, 0}, .name = "", .memory = UINT64_MAX},
    };
    char unseen[] = "0000:01:00.0";
    struct inventory machine = {
        .driver_version = 13000,
        .devices = {.items = devices, .count = 2, .numbered = true, .unseen = unseen}};
    scope(stock_release) struct stock stock = {0};
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;
    scope(error_release) struct error err = ERROR_INIT;

    devices[0].compute_major = 12;
    devices[0].compute_minor = 1;
    ck_assert_int_eq(stock_print(&text, "dgx-01", &machine, &err), 0);
    strbuf_adds(&text, TWO);
    read_right(&stock, strbuf_text(&text));
    ck_assert_uint_eq(stock.count, 2);
    ck_assert_ptr_null(stock_find(&stock, "dgx"));
    const struct inventory *read = &stock_find(&stock, "dgx-01")->inventory;
    ck_assert_int_eq(read->driver_version, 13000);
    ck_assert(read->devices.numbered);
    ck_assert_str_eq(read->devices.unseen, unseen);
    ck_assert_uint_eq(read->devices.count, 2);
    const struct device *first = &read->devices.items[0], *second = &read->devices.items[1];
    ck_assert_str_eq(first->name, "A: \"\xc3\xa9\" #\\n\\xff");
    ck_assert(pci_equal(&first->pci, &devices[0].pci));
    ck_assert_int_eq(first->compute_major, 12);
    ck_assert_int_eq(first->compute_minor, 1);
    ck_assert_uint_eq(first->number, 1);
    ck_assert(!first->mig);
    ck_assert(second->mig);
    ck_assert_uint_eq(second->memory, UINT64_MAX);
    ck_assert_mem_eq(&second->uuid, &devices[1].uuid, sizeof second->uuid);
}
END_TEST

/* Lines of two tasks as they come, with the labels that srun writes, one of them aligned. */
START_TEST(labelled_and_mixed)
{
    static const char *const texts[] = {ONE, TWO};
    static const char *const labels[] = {" 0: ", "10: "};
    const char *at[] = {ONE, TWO};
    scope(strbuf_release) struct strbuf mixed = STRBUF_INIT;
    scope(stock_release) struct stock stock = {0};

    for (size_t turn = 0; *at[0] || *at[1]; turn++) {
        size_t task = turn % 3 % 2, length = strcspn(at[task], "\n");
        if (*at[task])
            strbuf_addf(&mixed, "%s%.*s\n", labels[task], (int)length, at[task]);
        at[task] += length + (*at[task] != '\0');
    }
    ck_assert(texts[0] != texts[1]);
    read_right(&stock, strbuf_text(&mixed));
    ck_assert_uint_eq(stock.count, 2);
    ck_assert_uint_eq(stock_find(&stock, "a")->inventory.devices.items[0].pci.bus, 0x0f);
    ck_assert_uint_eq(stock_find(&stock, "b.example.org")->inventory.devices.items[0].pci.bus,
                      0x41);
}
END_TEST

/* What is right all the same. */
static const char *const fine[] = {
    "# made on Monday\n\n" ONE "\n# and\n" TWO,
    HEAD("a") "later: {x: [1]}\ndevices:\n" DEVICE("0", A, "0000:0f:00.0") "  later: 3\n...",
    "dgx: ---\r\ndgx: {format: 1, host: a, driver_cuda_version: 0, numbered: no, devices: "
    "[{number: 0, "
    "uuid: " M
    ", pci_bus_id: '0f:00.0', name: x, memory: 1, compute_capability: 9.0}]}\r\ndgx: ...\r\n",
    /* Instances of one card have its number. */
    HEAD("a") "devices:\n" DEVICE("0", A, "0000:0f:00.0") DEVICE("0", M, "0000:0f:00.0") "...\n",
};

START_TEST(is_fine)
{
    scope(stock_release) struct stock stock = {0};

    read_right(&stock, fine[_i]);
}
END_TEST

#define INVENTORY "; 'conda-gpu devices --yaml' prints one\n"
#define MAKE      "; 'conda-gpu devices --yaml' on a machine with GPUs prints an inventory\n"

static const struct {
    const char *text, *message;
} wrong[] = {
    {"", "f: no machine's devices are in it" MAKE},
    {"name: pt\ngpu: {devices: 0}\n",
     "f:1:1: a machine's devices are expected here, which begin with a line '---'" MAKE},
    {ONE "left\n",
     "f:14:1: a machine's devices are expected here, which begin with a line '---'" MAKE},
    {HEAD("a") "devices:\n", "f:1:1: the document that begins here has no end, which is a line "
                             "'...': the file was cut off\n"},
    {HEAD("a") TWO, "f:6:1: a document begins here, and the one that begins in line 1 has not "
                    "ended ('...'): a file was cut off, or the outputs of several machines are "
                    "mixed; 'srun --label' keeps them apart\n"},
    {"0: ---\n0: format: 1\n0: ---\n", "f:3:4: a document begins here, and the one that begins in "
                                       "line 1 has not ended ('...'): a file was cut off, or two "
                                       "are mixed\n"},
    {"0: ---\nformat: 1\n", "f:2:9: a machine's devices are expected here, which begin with a line "
                            "'---'" MAKE},
    {"0: ---\n0: format: 1\n...\n", "f:3:1: this line has no label before it, as the first one "
                                    "has\n"},
    {"---\nformat: 2\nnew: 1\n...\n",
     "f:2:9: format: found 2; accepted: 1. A newer conda-gpu wrote this; use that one here\n"},
    {"---\nformat: 0\n...\n", "f:2:9: format: found 0; accepted: 1\n"},
    {"---\nformat: x\n...\n", NULL},
    {"---\n...\n", NULL},
    {"---\n[\n...\n", NULL},
    {"---\nformat: 1\n%TAG ! x\n...\n",
     "f:1:1: this is no inventory: it holds a YAML directive" INVENTORY},
    {HEAD("'a b'") "devices:\n" DEVICE("0", A, "0000:0f:00.0") "...\n",
     "f:3:7: host: found 'a b'; accepted: a name of letters, digits and _.- only, since hooks have "
     "to tell the machine by it\n"},
    {"---\nformat: 1\nhost: a\ndriver_cuda_version: 2000000\nnumbered: true\ndevices:\n" DEVICE(
         "0", A, "0000:0f:00.0") "...\n",
     "f:4:22: driver_cuda_version: found 2000000; accepted: a number such as 12040, for CUDA "
     "12.4\n"},
    {HEAD("a") "devices: []\n...\n", NULL},
    {HEAD("a") "devices:\n" DEVICE("4294967296", A, "0000:0f:00.0") "...\n", NULL},
    {HEAD("a") "devices:\n" DEVICE("-1", A, "0000:0f:00.0") "...\n", NULL},
    /* All of a document, each at its place. */
    {HEAD("a") "devices:\n" DEVICE("0", "GPU-1", "0000:0f:00.0") DEVICE("1", B, "0f:00")
         DEVICE("1", M, "0000:01:00.0") "...\n",
     "f:8:9: uuid: found 'GPU-1'; accepted: a whole UUID, such as "
     "GPU-8932f937-d72c-4106-c12f-20bd9faed9f6\n"
     "f:15:15: pci_bus_id: found '0f:00'; accepted: a PCI bus ID, such as 0000:65:00.0\n"
     "f:19:11: number: 1 is the number of the card in line 13 already\n"},
    {HEAD("a") "devices:\n- {number: 0, uuid: " A ", pci_bus_id: '0f:00.0', name: x, memory: 1, "
               "compute_capability: 8}\n...\n",
     "f:7:126: compute_capability: found '8'; accepted: two numbers, such as 8.0\n"},
    /* All documents, and what they make together. */
    {"---\nformat: 0\n...\n---\nformat: 3\n...\n",
     "f:2:9: format: found 0; accepted: 1\n"
     "f:5:9: format: found 3; accepted: 1. A newer conda-gpu wrote this; use that one here\n"},
    {ONE ONE, "f:16:7: host: 'a' has its devices in line 3 already; one task on each machine is "
              "enough (srun --ntasks-per-node=1)\n"},
    {ONE HEAD("b") "devices:\n" DEVICE("0", A, "0000:01:00.0") "...\n",
     "f:21:9: uuid: this one is a device of a in line 8 already, and a card can be in one machine "
     "only\n"},
};

START_TEST(is_wrong)
{
    struct stock stock = {.count = 7};
    scope(error_release) struct error err = ERROR_INIT;

    ck_assert_int_eq(stock_read(&stock, "f", wrong[_i].text, strlen(wrong[_i].text), &err), -1);
    ck_assert_int_eq(err.status, STATUS_INPUT);
    ck_assert_uint_eq(stock.count, 7);
    if (wrong[_i].message)
        ck_assert_str_eq(error_text(&err), wrong[_i].message);
    else /* libcyaml's words, at a place */
        ck_assert_msg(strstr(error_text(&err), ": this is no inventory: ") &&
                          strncmp(error_text(&err), "f:", 2) == 0,
                      "%s", error_text(&err));
}
END_TEST

/* libcyaml's place is the file's. */
START_TEST(place_of_libcyaml)
{
    static const char text[] =
        ONE "0: ---\n0: format: 1\n0: host: a\n0: driver_cuda_version: x\n0: ...\n";
    struct stock stock = {0};
    scope(error_release) struct error err = ERROR_INIT;

    ck_assert_int_eq(stock_read(&stock, "f", text + strlen(ONE), strlen(text) - strlen(ONE), &err),
                     -1);
    if ((cyaml_version & 0xffffff) < 0x010200) {
        test_skip(false, "the place of what libcyaml finds: this one is older than 1.2");
        return;
    }
    ck_assert_uint_eq(err.items[0].line, 4);
    ck_assert_uint_eq(err.items[0].column, 25);
}
END_TEST

/* Not one more than the limit. */
START_TEST(too_many_machines)
{
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;
    struct stock stock = {0};
    scope(error_release) struct error err = ERROR_INIT;

    for (int i = 0; i <= STOCK_HOSTS_LIMIT; i++)
        strbuf_adds(&text, "---\n...\n");
    ck_assert_int_eq(stock_read(&stock, "f", strbuf_text(&text), text.length, &err), -1);
    ck_assert_str_eq(error_text(&err), "f:2049:1: more than 1024 machines in one file\n");
}
END_TEST

#define LOOP(tests, test, table) tcase_add_loop_test(tests, test, 0, sizeof table / sizeof *table)

static Suite *suite(void)
{
    Suite *suite = suite_create("stock");
    TCase *tests = tcase_create("");

    tcase_add_test(tests, printed_and_read);
    tcase_add_test(tests, labelled_and_mixed);
    LOOP(tests, is_fine, fine);
    LOOP(tests, is_wrong, wrong);
    tcase_add_test(tests, place_of_libcyaml);
    tcase_add_test(tests, too_many_machines);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return test_main(suite());
}
