/*
 * The simulated driver against a real one: gpu/facts.json holds what driver 580.159.04 answered on
 * a machine with one H200, asked with many forms of CUDA_VISIBLE_DEVICES and CUDA_DEVICE_ORDER. The
 * simulated one is asked the same about machines/h200, which describes that machine.
 */
#include "support/support.h"

#include "base/child.h"
#include "base/scope.h"
#include "gpu/cuda.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct environment {
    const char *visible, *order;
};

static char *driver;
static json_t *facts;

static void set_up(void)
{
    scope(free_text) char *machine = tests_path("machines/h200");
    scope(free_text) char *path = tests_path("gpu/facts.json");
    json_error_t error;

    driver = fake_driver();
    setenv("FAKE_CUDA_MACHINE", machine, 1);
    facts = json_load_file(path, 0, &error);
    ck_assert_msg(facts != NULL, "%s:%d: %s", path, error.line, error.text);
}

static void tear_down(void)
{
    json_decref(facts);
    free(driver);
}

/* "CODE PCI PCI ...": what cuInit returns, and the devices that are seen. */
static void ask_driver(const void *data, struct strbuf *answer)
{
    const struct environment *environment = data;
    char problem[LIBRARY_PROBLEM_SIZE], pci[32];
    struct cuda cuda;
    int count = 0;

    unsetenv("CUDA_VISIBLE_DEVICES");
    unsetenv("CUDA_DEVICE_ORDER");
    if (environment->visible)
        setenv("CUDA_VISIBLE_DEVICES", environment->visible, 1);
    if (environment->order)
        setenv("CUDA_DEVICE_ORDER", environment->order, 1);
    if (library_open(&cuda_library, driver, &cuda, problem) != LIBRARY_OPEN)
        return;
    strbuf_addf(answer, "%d", cuda.init(0));
    if (cuda.device_count(&count) != CUDA_SUCCESS)
        return;
    for (int i = 0; i < count; i++)
        if (cuda.device_pci(pci, sizeof pci, i) == CUDA_SUCCESS)
            strbuf_addf(answer, " %s", pci);
}

static void check_answer(const struct environment *environment, int code, const json_t *devices)
{
    scope(strbuf_release) struct strbuf answer = STRBUF_INIT, wanted = STRBUF_INIT;
    struct child child = CHILD_INIT;
    const json_t *device;
    size_t i;

    strbuf_addf(&wanted, "%d", code);
    json_array_foreach(devices, i, device) strbuf_addf(&wanted, " %s", json_string_value(device));
    ck_assert_int_eq(child_start(&child, ask_driver, environment, 10), 0);
    ck_assert_int_eq(child_answer(&child, 4096, &answer).how, CHILD_ANSWERED);
    ck_assert_msg(strcmp(strbuf_text(&answer), strbuf_text(&wanted)) == 0,
                  "CUDA_VISIBLE_DEVICES='%s' CUDA_DEVICE_ORDER='%s': the simulated driver says %s, "
                  "the real one %s",
                  environment->visible ? environment->visible : "(not set)", environment->order,
                  strbuf_text(&answer), strbuf_text(&wanted));
}

START_TEST(visible_devices)
{
    const char *visible;
    json_t *seen;
    int asked = 0;

    json_object_foreach(json_object_get(facts, "visible"), visible, seen)
    {
        const struct environment environment = {visible, "PCI_BUS_ID"};
        int code = (int)json_integer_value(json_object_get(seen, "init"));
        check_answer(&environment, code, json_object_get(seen, "pci"));
        asked++;
    }
    ck_assert_int_eq(asked, 42);
}
END_TEST

/* A device's own description, as `plain` has it. */
static void describe(const void *data, struct strbuf *answer)
{
    struct cuda cuda;
    struct uuid uuid, instance;
    char problem[LIBRARY_PROBLEM_SIZE], name[DEVICE_NAME_SIZE];
    int version = 0, major = 0, minor = 0;
    size_t memory = 0;

    (void)data;
    if (library_open(&cuda_library, driver, &cuda, problem) != LIBRARY_OPEN || cuda.init(0) != 0)
        return;
    cuda.driver_version(&version);
    cuda.device_name(name, sizeof name, 0);
    cuda.device_memory(&memory, 0);
    cuda.device_uuid(&uuid, 0);
    cuda.device_uuid_v2(&instance, 0);
    cuda.device_attribute(&major, CUDA_COMPUTE_MAJOR, 0);
    cuda.device_attribute(&minor, CUDA_COMPUTE_MINOR, 0);
    strbuf_addf(answer, "%d %s %zu %d.%d ", version, name, memory, major, minor);
    for (size_t i = 0; i < sizeof uuid.bytes; i++)
        strbuf_addf(answer, "%02x", uuid.bytes[i]);
    strbuf_adds(answer, memcmp(&uuid, &instance, sizeof uuid) == 0 ? "" : " (v2 differs)");
}

START_TEST(description)
{
    scope(strbuf_release) struct strbuf answer = STRBUF_INIT, wanted = STRBUF_INIT;
    struct child child = CHILD_INIT;
    const char *name, *uuid;
    int version, major, minor;
    json_int_t memory;

    ck_assert_int_eq(json_unpack(json_object_get(facts, "plain"),
                                 "{s:i, s:[{s:s, s:I, s:s, s:i, s:i}]}", "version", &version,
                                 "devices", "name", &name, "memory", &memory, "cuDeviceGetUuid",
                                 &uuid, "major", &major, "minor", &minor),
                     0);
    strbuf_addf(&wanted, "%d %s %lld %d.%d %s", version, name, (long long)memory, major, minor,
                uuid);
    ck_assert_int_eq(child_start(&child, describe, NULL, 10), 0);
    ck_assert_int_eq(child_answer(&child, 4096, &answer).how, CHILD_ANSWERED);
    ck_assert_str_eq(strbuf_text(&answer), strbuf_text(&wanted));
}
END_TEST

START_TEST(device_order)
{
    const char *order;
    json_t *devices;
    int asked = 0;

    json_object_foreach(json_object_get(facts, "order"), order, devices)
    {
        const struct environment environment = {NULL, order};
        json_t *code = json_object_get(json_object_get(facts, "order_init"), order);
        ck_assert_ptr_nonnull(code);
        check_answer(&environment, (int)json_integer_value(code), devices);
        asked++;
    }
    ck_assert_int_eq(asked, 5);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("facts");
    TCase *tests = tcase_create("");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, visible_devices);
    tcase_add_test(tests, description);
    tcase_add_test(tests, device_order);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return test_main(suite());
}
