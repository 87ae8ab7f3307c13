/*
 * The module cards: the simulated NVML asked, with its versions and faults, and answers that are
 * wrong in any way.
 */
#include "support/sandboxed.h"

#include "base/scope.h"
#include "gpu/cards.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The library of this variant: whole, old or bare. */
static char *library(const char *variant)
{
    return format_text("%s/%s/libnvidia-ml.so.1", getenv("FAKE_CUDA_VARIANTS"), variant);
}

/* The machine busy, with further statements. */
static void use_machine(const char *statements)
{
    scope(free_text) char *path = sandbox_path(&box, "machine");
    scope(free_text) char *busy = tests_path("machines/busy");
    scope(free_text) char *text = format_text("include %s\n%s\n", busy, statements);

    sandbox_write(&box, "machine", text);
    setenv("FAKE_CUDA_MACHINE", path, 1);
}

static int ask(struct card_list *cards, const char *variant, struct error *err)
{
    scope(free_text) char *path = library(variant);
    const struct question question = {.driver = path, .timeout = 5};

    return cards_read(cards, &question, err);
}

static void must_read(struct card_list *cards, const char *variant)
{
    scope(error_release) struct error err = ERROR_INIT;

    ck_assert_msg(ask(cards, variant, &err) == 0, "%s", error_text(&err));
    ck_assert_uint_eq(cards->count, 4);
}

#define MIB(count) ((uint64_t)(count) << 20)

START_TEST(reads)
{
    scope(cards_release) struct card_list cards = {0};
    char text[UUID_TEXT_SIZE];

    use_machine("");
    setenv("CUDA_VISIBLE_DEVICES", "-1", 1);
    must_read(&cards, "whole");
    ck_assert_str_eq(cards.driver, "580.159.04");
    const struct card *card = &cards.items[0];
    ck_assert_uint_eq(card->device.number, 0);
    ck_assert_int_eq(card->problem, 0);
    ck_assert_uint_eq(card->device.pci.bus, 0x0f);
    ck_assert_str_eq(card->device.name, "NVIDIA A100-SXM4-80GB");
    ck_assert_str_eq(uuid_text(&card->device, text), "GPU-8932f937-d72c-4106-c12f-20bd9faed9f6");
    ck_assert_uint_eq(card->device.memory, MIB(81920));
    ck_assert_uint_eq(card->memory_used, MIB(1643));
    ck_assert_int_eq(card->utilization, 42);
    ck_assert_int_eq(card->temperature, 61);
    ck_assert_int_eq(card->persistence, 1);
    ck_assert_int_eq(card->mig, 0);
    ck_assert_int_eq(card->processes_told, 1);
    ck_assert_uint_eq(card->process_count, 2);
    ck_assert_uint_eq(card->processes[0].pid, 1024);
    ck_assert_uint_eq(card->processes[0].memory, MIB(1634));
    ck_assert_uint_eq(card->processes[1].pid, 77);
    ck_assert_uint_eq(card->processes[1].memory, CARD_NOT_TOLD);
    ck_assert_uint_eq(cards.items[3].process_count, 0);
    ck_assert_int_eq(cards.items[3].processes_told, 1);
    ck_assert_int_eq(cards.items[3].persistence, 0);
}
END_TEST

START_TEST(reads_instances)
{
    scope(cards_release) struct card_list cards = {0};

    use_machine("");
    must_read(&cards, "whole");
    const struct card *card = &cards.items[2];
    ck_assert_int_eq(card->mig, 1);
    ck_assert_int_eq(card->utilization, -1);
    ck_assert_uint_eq(card->instance_count, 2);
    ck_assert_int_eq(card->instances[0].device.uuid.bytes[0], 0x99);
    ck_assert_pstr_eq(device_profile(&card->instances[0].device), "3g.40gb");
    ck_assert_uint_eq(card->instances[0].device.memory, MIB(40192));
    ck_assert_uint_eq(card->instances[0].memory_used, MIB(2048));
    ck_assert_pstr_eq(device_profile(&card->instances[1].device), "1g.10gb");
    ck_assert_int_eq(card->processes_told, 1);
    ck_assert_uint_eq(card->process_count, 1);
    ck_assert_uint_eq(card->processes[0].pid, 4321);
    ck_assert_uint_eq(card->processes[0].instance, 0);
}
END_TEST

/* Where the name does not end in the profile, it is made of the sizes. */
START_TEST(profile_of_sizes)
{
    scope(cards_release) struct card_list cards = {0};

    use_machine("fault nvmlDeviceGetName 2 says \"NVIDIA A100-SXM4-80GB\"");
    must_read(&cards, "whole");
    ck_assert_pstr_eq(device_profile(&cards.items[2].instances[0].device), "3g.40gb");
    ck_assert_pstr_eq(device_profile(&cards.items[2].instances[1].device), "1g.10gb");
}
END_TEST

/* A library of before MIG, whose `used` includes what the driver keeps, and whose entries of
   processes are shorter. */
START_TEST(reads_an_old_library)
{
    scope(cards_release) struct card_list cards = {0};

    use_machine("");
    must_read(&cards, "old");
    const struct card *card = &cards.items[0];
    ck_assert_uint_eq(card->memory_used, MIB(1643 + 600));
    ck_assert_int_eq(card->mig, -1);
    ck_assert_uint_eq(card->process_count, 2);
    ck_assert_uint_eq(card->processes[0].memory, MIB(1634));
    ck_assert_uint_eq(card->processes[1].pid, 77);
    ck_assert_uint_eq(cards.items[2].instance_count, 0);
    ck_assert_int_eq(cards.items[2].processes_told, 0);
}
END_TEST

START_TEST(reads_a_bare_library)
{
    scope(cards_release) struct card_list cards = {0};

    use_machine("");
    must_read(&cards, "bare");
    const struct card *card = &cards.items[0];
    ck_assert_uint_eq(card->device.pci.bus, 0x0f);
    ck_assert_str_eq(cards.driver, "");
    ck_assert_uint_eq(card->device.memory, 0);
    ck_assert_uint_eq(card->memory_used, CARD_NOT_TOLD);
    ck_assert_int_eq(card->utilization, -1);
    ck_assert_int_eq(card->temperature, -1);
    ck_assert_int_eq(card->persistence, -1);
    ck_assert_int_eq(card->mig, -1);
    ck_assert_int_eq(card->processes_told, 0);
}
END_TEST

START_TEST(reads_many_processes)
{
    scope(cards_release) struct card_list cards = {0};
    scope(strbuf_release) struct strbuf statements = STRBUF_INIT;

    for (int i = 1; i <= 120; i++)
        strbuf_addf(&statements, "process %d 1MiB\n", i);
    use_machine(strbuf_text(&statements));
    must_read(&cards, "whole");
    ck_assert_uint_eq(cards.items[3].process_count, 120);
    ck_assert_uint_eq(cards.items[3].processes[119].pid, 120);
}
END_TEST

START_TEST(finds_a_card)
{
    scope(cards_release) struct card_list cards = {0};
    const struct device there = {.pci = {0, 0x41, 0, 0}}, nowhere = {.pci = {0, 0x42, 0, 0}};
    struct device moved = nowhere;

    use_machine("");
    must_read(&cards, "whole");
    ck_assert_ptr_eq(cards_find(&cards, &there), &cards.items[2]);
    ck_assert_ptr_null(cards_find(&cards, &nowhere));
    moved.uuid = cards.items[3].device.uuid;
    ck_assert_ptr_eq(cards_find(&cards, &moved), &cards.items[3]);
}
END_TEST

/* A card that is lost does not hide the others. */
START_TEST(a_lost_card)
{
    scope(cards_release) struct card_list cards = {0};
    const struct device first = {.pci = {0, 0x0f, 0, 0}};

    use_machine("fault nvmlDeviceGetHandleByIndex_v2 0 15");
    must_read(&cards, "whole");
    ck_assert_int_eq(cards.items[0].problem, 15);
    ck_assert_str_eq(cards.items[0].device.reason, "GPU is lost");
    ck_assert_int_eq(cards.items[0].processes_told, 0);
    ck_assert_int_eq(cards.items[1].problem, 0);
    ck_assert_ptr_null(cards_find(&cards, &first));
}
END_TEST

/* What one call does not tell is not told, and the rest is. */
static const char *const refusals[] = {
    "nvmlDeviceGetMemoryInfo_v2",    "nvmlDeviceGetUtilizationRates",
    "nvmlDeviceGetTemperature",      "nvmlDeviceGetPersistenceMode",
    "nvmlDeviceGetMigMode",          "nvmlDeviceGetComputeRunningProcesses_v3",
    "nvmlDeviceGetMaxMigDeviceCount"};

START_TEST(a_refusal)
{
    scope(cards_release) struct card_list cards = {0};
    scope(free_text) char *fault = format_text("fault %s 3", refusals[_i]);

    use_machine(fault);
    must_read(&cards, "whole");
    const struct card *card = &cards.items[0];
    ck_assert_int_eq(card->memory_used == CARD_NOT_TOLD, _i == 0);
    ck_assert_int_eq(card->utilization == -1, _i == 1);
    ck_assert_int_eq(card->temperature == -1, _i == 2);
    ck_assert_int_eq(card->persistence == -1, _i == 3);
    ck_assert_int_eq(card->mig == -1, _i == 4);
    ck_assert_int_eq(card->processes_told == 0, _i == 5);
    ck_assert_int_eq(cards.items[2].processes_told == 0, _i >= 4);
}
END_TEST

static const struct {
    const char *statements, *message; /* its beginning */
} faults[] = {
    {"fault nvmlInit_v2 9", "NVML failed: nvmlInit gave 9 (Driver Not Loaded); "},
    {"fault nvmlInit_v2 18", "NVML failed: nvmlInit gave 18 (Driver/library version mismatch); "},
    {"fault nvmlDeviceGetCount_v2 999",
     "NVML failed: nvmlDeviceGetCount gave 999 (Unknown Error); "},
    {"fault nvmlInit_v2 segv", "NVML crashed (signal 11, "},
    {"fault nvmlDeviceGetUUID abort", "NVML crashed (signal 6, "},
    {"fault nvmlInit_v2 exit 3", "NVML ended its process (exit status 3) without an answer; "},
    {"fault nvmlDeviceGetTemperature hang", "NVML did not answer within 5 seconds; "},
    {"fault nvmlDeviceGetUUID 1 3",
     "NVML's answer makes no sense: a card has no UUID; see whether nvidia-smi works"},
    {"fault nvmlDeviceGetUUID 1 says \"GPU-1\"",
     "NVML's answer makes no sense: a card has no UUID"},
};

START_TEST(a_fault)
{
    struct card_list cards = {.count = 0};
    scope(error_release) struct error err = ERROR_INIT;

    use_machine(faults[_i].statements);
    ck_assert_int_eq(ask(&cards, "whole", &err), -1);
    ck_assert_msg(strncmp(error_text(&err), faults[_i].message, strlen(faults[_i].message)) == 0,
                  "%s", error_text(&err));
    ck_assert_int_eq(err.status, STATUS_DRIVER);
    ck_assert_ptr_null(cards.items);
}
END_TEST

START_TEST(harmless_faults)
{
    scope(cards_release) struct card_list cards = {0};

    use_machine("fault nvmlInit_v2 stdout \"noise\"\nfault nvmlInit_v2 descriptors\n"
                "fault nvmlDeviceGetName fill\nfault nvmlSystemGetDriverVersion 3");
    must_read(&cards, "whole");
    ck_assert_uint_eq(strlen(cards.items[0].device.name), DEVICE_NAME_SIZE - 1);
}
END_TEST

START_TEST(no_library)
{
    struct card_list cards = {.count = 0};
    scope(error_release) struct error err = ERROR_INIT;

    ck_assert_int_eq(ask(&cards, "nowhere", &err), -1);
    ck_assert_ptr_nonnull(strstr(error_text(&err), "no NVML ("));
}
END_TEST

START_TEST(not_nvml)
{
    struct card_list cards = {.count = 0};
    scope(error_release) struct error err = ERROR_INIT;
    scope(free_text) char *driver = fake_driver();
    scope(free_text) char *link = sandbox_path(&box, "libnvidia-ml.so.1");
    const struct question question = {.driver = link, .timeout = 5};

    ck_assert_int_eq(symlink(driver, link), 0);
    ck_assert_int_eq(cards_read(&cards, &question, &err), -1);
    ck_assert_ptr_nonnull(strstr(error_text(&err), "NVML cannot be used: it has no nvmlInit_v2"));
}
END_TEST

/* Answers that are wrong: cut at any byte, too long, and with bytes changed. */

struct answer {
    struct card_head head;
    struct card cards[2];
    struct card_instance instance; /* of the second */
    struct card_process process;   /* on it */
};

static struct answer sound(void)
{
    struct answer answer = {.head = {.count = 2}};

    for (uint32_t i = 0; i < 2; i++) {
        answer.cards[i].device.number = i;
        answer.cards[i].device.uuid.bytes[0] = (unsigned char)(i + 1);
        snprintf(answer.cards[i].device.name, sizeof answer.cards[i].device.name, "card %u", i);
    }
    answer.cards[1].instance_count = answer.cards[1].process_count = 1;
    return answer;
}

static int decode(const void *bytes, size_t length)
{
    scope(cards_release) struct card_list cards = {0};
    scope(error_release) struct error err = ERROR_INIT;
    scope(free_text) char *exact = malloc(length + 1);

    memcpy(exact, bytes, length);
    int result = cards_decode(exact, length, &cards, &err);
    ck_assert_int_eq(result<0, err.count> 0);
    ck_assert_int_eq(cards.items != NULL, result == 0);
    return result;
}

START_TEST(answers_of_any_length)
{
    struct {
        struct answer answer;
        char more;
    } longer = {sound(), 0};
    const size_t whole = sizeof(struct answer);

    for (size_t length = 0; length <= whole + 1; length++)
        ck_assert_int_eq(decode(&longer, length), length == whole ? 0 : -1);
}
END_TEST

START_TEST(answers_of_any_bytes)
{
    unsigned state = 12345;

    for (int round = 0; round < 2000; round++) {
        struct answer answer = sound();
        unsigned char *bytes = (unsigned char *)&answer;
        for (int i = 0; i < 4; i++) {
            state = state * 1103515245u + 12345u;
            bytes[(state >> 8) % sizeof answer] = (unsigned char)(state >> 24);
        }
        decode(&answer, sizeof answer);
    }
}
END_TEST

#define LOOP(tests, test, table) tcase_add_loop_test(tests, test, 0, sizeof table / sizeof *table)

static Suite *suite(void)
{
    Suite *suite = suite_create("cards");
    TCase *tests = tcase_create("");

    sandboxed(tests);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, reads);
    tcase_add_test(tests, reads_instances);
    tcase_add_test(tests, profile_of_sizes);
    tcase_add_test(tests, reads_an_old_library);
    tcase_add_test(tests, reads_a_bare_library);
    tcase_add_test(tests, reads_many_processes);
    tcase_add_test(tests, finds_a_card);
    tcase_add_test(tests, a_lost_card);
    LOOP(tests, a_refusal, refusals);
    LOOP(tests, a_fault, faults);
    tcase_add_test(tests, harmless_faults);
    tcase_add_test(tests, no_library);
    tcase_add_test(tests, not_nvml);
    tcase_add_test(tests, answers_of_any_length);
    tcase_add_test(tests, answers_of_any_bytes);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return test_main(suite());
}
