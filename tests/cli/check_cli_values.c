/*
 * ${gpu.uuids}, ${gpu.count}, ${gpu.pci} and ${gpu.egl} in the values of `variables`, with the
 * simulated EGL, whose numbers are neither CUDA's nor nvidia-smi's.
 */
#include "support/one_prefix.h"

#include "base/scope.h"
#include "base/strbuf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define A "GPU-00000000-0000-0000-0000-00000000000a"
#define B "GPU-00000000-0000-0000-0000-00000000000b"
#define C "GPU-00000000-0000-0000-0000-00000000000c"
#define M "MIG-00000000-0000-0000-0000-00000000000d"

/* EGL's devices: one that is no GPU, C, A, B. */
#define MACHINE                                                                                    \
    "driver 12.8\n"                                                                                \
    "gpu " A " 0000:01:00.0 24GiB 9.0 \"A\" egl=2\n"                                               \
    "gpu " B " 0000:02:00.0 24GiB 9.0 \"B\" egl=3\n"                                               \
    "gpu " C " 0001:03:00.0 24GiB 9.0 \"C\" egl=1\n"                                               \
    "software\n"

static void set_up(void)
{
    one_prefix_open();
    sandbox_write(&box, "machine", MACHINE);
}

static struct outcome apply_section(const char *section)
{
    scope(free_text) char *text = format_text("gpu:\n  %s\n", section);

    sandbox_write(&box, "environment.yml", text);
    return conda_gpu(&box, NULL, "apply", "-p", "envs/pt", NULL);
}

/* What a value becomes in the hooks. */
static const struct {
    const char *section, *value, *becomes;
} values[] = {
    {"devices: [2, 1]", "${gpu.uuids}", C "," B},
    {"devices: [2, 1]", "${gpu.count}", "2"},
    {"devices: [2, 1]", "${gpu.pci}", "0001:03:00.0,0000:02:00.0"},
    {"devices: [2, 1]", "${gpu.egl}", "1"},
    {"devices: 0", "${gpu.egl}", "2"},
    {"devices: 1", "egl:${gpu.egl}, ${gpu.count} of ${gpu.pci}; ${gpu",
     "egl:3, 1 of 0000:02:00.0; ${gpu"},
    {"devices: {name: C}", "x${gpu.egl}", "x1"},
    {"devices: 0\n  ids: uuid", "${gpu.egl}${gpu.egl}", "22"},
    {"devices: none", "[${gpu.uuids}${gpu.pci}]", "[]"},
    {"devices: none", "${gpu.count}", "0"},
    {"devices: 0", "$${gpu.count}", "$1"},
};

START_TEST(a_value)
{
    scope(free_text) char *section =
        format_text("%s\n  variables: {V: '%s'}", values[_i].section, values[_i].value);
    scope(free_text) char *set = format_text("\n__gpu_set V :'%s' ", values[_i].becomes);

    struct outcome got = apply_section(section);
    ck_assert_msg(got.status == 0, "%s", got.err);
    outcome_free(&got);
    scope(free_text) char *hook = sandbox_read(&box, inside(hooks[3]), NULL);
    ck_assert_msg(strstr(hook, set) != NULL, "%s: %s", values[_i].value, hook);
}
END_TEST

/* The hooks of a MIG instance name it; its address is its card's. */
START_TEST(of_a_mig_instance)
{
    sandbox_write(&box, "machine",
                  "driver 12.8\ngpu " A " 0000:01:00.0 24GiB 9.0 \"A\" mig\nmig " M
                  " 10GiB \"1g.10gb\"\n");
    struct outcome got = apply_section("devices: {mig: 1g.10gb}\n"
                                       "  variables: {V: '${gpu.uuids} ${gpu.pci}'}");
    ck_assert_msg(got.status == 0, "%s", got.err);
    outcome_free(&got);
    scope(free_text) char *hook = sandbox_read(&box, inside(hooks[3]), NULL);
    ck_assert_ptr_nonnull(strstr(hook, "\n__gpu_set V :'" M " 0000:01:00.0' "));
    got = apply_section("devices: {mig: 1g.10gb}\n  variables: {V: '${gpu.egl}'}");
    ck_assert_str_eq(got.err,
                     "environment.yml:3:18: gpu.variables.V: ${gpu.egl} cannot be told: the first "
                     "device is a MIG instance, and EGL knows whole cards only\n");
    ck_assert_int_eq(got.status, 3);
    outcome_free(&got);
}
END_TEST

/* Every user's hooks have the values of his own devices. */
START_TEST(by_rules)
{
    struct outcome got = apply_section("variables: {V: '${gpu.egl}', N: '${gpu.count}'}\n"
                                       "  assign:\n"
                                       "    - {user: alice, devices: 1}\n"
                                       "    - {user: bob, devices: [2, 0]}\n"
                                       "    - {user: carol, devices: none, variables: {V: null}}\n"
                                       "    - {host: '*', devices: 0}");
    ck_assert_msg(got.status == 0, "%s", got.err);
    outcome_free(&got);
    scope(free_text) char *hook = sandbox_read(&box, inside(hooks[3]), NULL);
    for (char digit = '1'; digit <= '3'; digit++) {
        char value[] = {'V', ' ', ':', '\'', digit, '\'', '\0'};
        ck_assert_msg(strstr(hook, value) != NULL, "%s: %s", value, hook);
    }
    ck_assert_ptr_nonnull(strstr(hook, "N :'0' "));
    ck_assert_ptr_nonnull(strstr(hook, "N :'2' "));
}
END_TEST

/* exec and export have them as well. */
static const struct {
    const char *arguments[12], *out;
} others[] = {
    {{"exec", "-p", "envs/pt", "--", "sh", "-c", "echo $V"}, "3 0000:02:00.0\n"},
    {{"exec", "-f", "environment.yml", "-p", "envs/pt", "--", "sh", "-c", "echo $V"},
     "3 0000:02:00.0\n"},
    {{"export", "-p", "envs/pt", "--format", "sh"}, "\nexport V='3 0000:02:00.0'\n"},
};

START_TEST(beside_the_hooks)
{
    const char *const *a = others[_i].arguments;

    struct outcome got = apply_section("devices: 1\n  variables: {V: '${gpu.egl} ${gpu.pci}'}");
    ck_assert_int_eq(got.status, 0);
    outcome_free(&got);
    got = conda_gpu(&box, NULL, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], NULL);
    ck_assert_msg(strstr(got.out, others[_i].out) != NULL, "%s%s", got.out, got.err);
    outcome_free(&got);
}
END_TEST

/* What is wrong, or cannot be told, at its place. */

#define AT    "environment.yml:3:18: gpu.variables.V: "
#define KNOWN "there are ${gpu.uuids}, ${gpu.count}, ${gpu.pci} and ${gpu.egl}\n"

static const struct {
    const char *devices, *value, *message;
    int status;
} wrong[] = {
    {"devices: 0", "${gpu.cuont}", AT "${gpu.cuont} is unknown; did you mean ${gpu.count}?\n", 2},
    {"devices: 0", "a ${gpu.PCI}", AT "${gpu.PCI} is unknown; did you mean ${gpu.pci}?\n", 2},
    {"devices: 0", "${gpu.vulkan}", AT "${gpu.vulkan} is unknown; " KNOWN, 2},
    {"devices: 0", "${gpu.}", AT "${gpu.} is unknown; " KNOWN, 2},
    {"devices: 0", "$gpu.count", AT "$gpu. is not replaced without braces; " KNOWN, 2},
    {"ids: index", "${gpu.count}",
     AT "${gpu.count} is of the devices, and neither the section nor the rule that holds names "
        "'devices'\n",
     2},
    {"devices: all", "${gpu.uuids}",
     AT "${gpu.uuids} is of the devices, and 'devices: all' leaves open which they are; name "
        "them\n",
     2},
    {"devices: none", "${gpu.egl}",
     AT "${gpu.egl} cannot be told: there is no device; where that is meant, write null\n", 3},
};

START_TEST(a_wrong_value)
{
    scope(free_text) char *section =
        format_text("%s\n  variables: {V: '%s'}", wrong[_i].devices, wrong[_i].value);

    struct outcome got = apply_section(section);
    ck_assert_str_eq(got.err, wrong[_i].message);
    ck_assert_int_eq(got.status, wrong[_i].status);
    ck_assert(!sandbox_has(&box, "envs/pt/etc"));
    outcome_free(&got);
}
END_TEST

/* Where there is no GPU. */
START_TEST(without_a_gpu)
{
    sandbox_write(&box, "machine", "driver 12.4\n");
    struct outcome got = apply_section("devices: 0\n  variables: {V: '${gpu.count}'}\n"
                                       "  if_no_gpu: cpu");
    ck_assert_int_eq(got.status, 0);
    ck_assert_ptr_nonnull(strstr(got.out, "\nno GPU: "));
    outcome_free(&got);
    got = apply_section("devices: 0\n  variables: {V: '${gpu.count}'}\n"
                        "  if_no_gpu: unconfirmed");
    ck_assert_str_eq(got.err, AT "${gpu.count} is of the devices, and no driver has told what they "
                                 "are (if_no_gpu: unconfirmed); run conda-gpu apply where the GPUs "
                                 "are, or leave the value out\n");
    ck_assert_int_eq(got.status, 2);
    outcome_free(&got);
}
END_TEST

/* A value that grows too large. */
START_TEST(too_large)
{
    scope(strbuf_release) struct strbuf section = STRBUF_INIT;

    strbuf_adds(&section, "devices: 0-2\n  variables: {V: '");
    for (int i = 0; i < 5000; i++)
        strbuf_adds(&section, "${gpu.uuids}");
    strbuf_adds(&section, "'}");
    struct outcome got = apply_section(strbuf_text(&section));
    ck_assert_str_eq(got.err, AT "with the devices' values in it, it has more than 120000 bytes, "
                                 "and Linux starts no program with much more\n");
    ck_assert_int_eq(got.status, 2);
    outcome_free(&got);
}
END_TEST

/* An EGL that fails, in each of the ways, harms nobody, and is not asked where nobody wants to
 * know. */

#define TELL AT "${gpu.egl} cannot be told: "
#define REMEDY                                                                                     \
    "; install libEGL and NVIDIA's part of it (on Debian libegl1 and libegl-nvidia0), or start a " \
    "container with NVIDIA_DRIVER_CAPABILITIES=all\n"

static const struct {
    const char *statements, *message;
} faults[] = {
    {"fault eglQueryString says \"EGL_EXT_platform_device\"\n",
     TELL "EGL cannot be used: it has no EGL_EXT_device_enumeration" REMEDY},
    {"fault eglQueryString says \"EGL_EXT_device_enumeration EGL_EXT_device_queryx\"\n",
     TELL "EGL cannot be used: it has no EGL_EXT_device_query" REMEDY},
    {"fault eglQueryDevicesEXT 1\n", TELL "EGL failed: eglQueryDevicesEXT gave 0x3003" REMEDY},
    {"fault eglQueryDevicesEXT says -1\n",
     TELL "EGL failed: eglQueryDevicesEXT, as the number of devices, gave 0xffffffff" REMEDY},
    {"fault eglQueryDevicesEXT segv\n",
     TELL "EGL crashed (signal 11, Segmentation fault); see whether nvidia-smi works\n"},
    {"fault eglGetProcAddress abort\n",
     TELL "EGL crashed (signal 6, Aborted); see whether nvidia-smi works\n"},
    {"fault eglQueryDevicesEXT exit 0\n", TELL
     "EGL ended its process (exit status 0) without an answer; see whether nvidia-smi works\n"},
    {"fault eglQueryDeviceAttribEXT hang\n",
     TELL "EGL did not answer within 2 seconds; see whether nvidia-smi works, and give it longer "
          "with --timeout SECONDS\n"},
    {"fault eglQueryDeviceAttribEXT 1 1\n", TELL "none of the 4 devices that EGL lists is " C},
    {"fault eglQueryDeviceAttribEXT says 99\n", TELL "none of the 4 devices that EGL lists is " C},
    {"fault eglQueryDeviceStringEXT 1\n", TELL "none of the 4 devices that EGL lists is " C},
    {"when-visible fault eglQueryDeviceAttribEXT 1\n",
     TELL "with the planned CUDA_VISIBLE_DEVICES it numbers the GPU otherwise than with every GPU "
          "visible\n"},
    {"when-visible fault eglQueryDevicesEXT segv\n", TELL "EGL crashed (signal 11"},
};

static void use_fault(const char *statements)
{
    scope(free_text) char *text = format_text(MACHINE "%s", statements);

    sandbox_write(&box, "machine", text);
    sandbox_write(&box, "environment.yml",
                  "gpu:\n  devices: [2, 0]\n  variables: {V: '${gpu.egl}'}\n");
}

static void must_fail(const char *library, const char *message)
{
    struct outcome got = conda_gpu(&box, NULL, "apply", "-p", "envs/pt", "--timeout", "2",
                                   library ? "--driver" : NULL, library, NULL);
    ck_assert_msg(strncmp(got.err, message, strlen(message)) == 0, "%s", got.err);
    ck_assert_int_eq(got.status, 3);
    ck_assert(!sandbox_has(&box, "envs/pt/etc"));
    outcome_free(&got);
}

START_TEST(a_fault)
{
    use_fault(faults[_i].statements);
    must_fail(NULL, faults[_i].message);
    struct outcome got = apply_section("devices: [2, 0]\n  variables: {V: '${gpu.count}'}");
    ck_assert_str_eq(got.err, "");
    ck_assert_int_eq(got.status, 0);
    outcome_free(&got);
}
END_TEST

/* The machine has fewer EGL devices than GPUs. */
START_TEST(a_gpu_that_egl_lacks)
{
    sandbox_write(&box, "machine",
                  "gpu " A " 0000:01:00.0 24GiB 9.0 \"A\"\n"
                  "gpu " B " 0000:02:00.0 24GiB 9.0 \"B\" egl=-1\n");
    struct outcome got = apply_section("devices: 1\n  variables: {V: '${gpu.egl}'}");
    ck_assert_str_eq(got.err,
                     TELL "none of the 1 devices that EGL lists is " B
                          "; is NVIDIA's part of EGL there (on Debian libegl-nvidia0; in a "
                          "container NVIDIA_DRIVER_CAPABILITIES=all)?\n");
    outcome_free(&got);
}
END_TEST

START_TEST(no_library)
{
    scope(free_text) char *driver = fake_driver();
    scope(free_text) char *command = format_text("mkdir alone; cp '%s' alone/", driver);
    scope(free_text) char *alone = sandbox_path(&box, "alone/libcuda.so.1");
    scope(free_text) char *missing =
        format_text(TELL "no EGL library (%s/alone/libEGL.so.1: cannot open shared object file: No "
                         "such file or directory)" REMEDY,
                    box.root);
    scope(free_text) char *broken = format_text(
        TELL "EGL cannot be used: %s/alone/libEGL.so.1: file too short" REMEDY, box.root);

    use_fault("");
    struct outcome got = run_script(command);
    outcome_free(&got);
    must_fail(alone, missing);
    sandbox_write(&box, "alone/libEGL.so.1", "");
    must_fail(alone, broken);
}
END_TEST

#define LOOP(tests, test, table) tcase_add_loop_test(tests, test, 0, sizeof table / sizeof *table)

static Suite *suite(void)
{
    Suite *suite = suite_create("command line: values of the devices");
    TCase *tests = tcase_create("");

    tcase_add_checked_fixture(tests, set_up, one_prefix_close);
    tcase_set_timeout(tests, 30);
    LOOP(tests, a_value, values);
    tcase_add_test(tests, of_a_mig_instance);
    tcase_add_test(tests, by_rules);
    LOOP(tests, beside_the_hooks, others);
    LOOP(tests, a_wrong_value, wrong);
    tcase_add_test(tests, without_a_gpu);
    tcase_add_test(tests, too_large);
    LOOP(tests, a_fault, faults);
    tcase_add_test(tests, a_gpu_that_egl_lacks);
    tcase_add_test(tests, no_library);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return test_main(suite());
}
