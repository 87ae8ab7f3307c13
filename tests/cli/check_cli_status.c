/*
 * conda-gpu status: what is assigned, what is in force in a shell, and who is on the cards.
 */
#include "support/one_prefix.h"

#include "base/scope.h"
#include "base/strbuf.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Four cards, of which the first is used by this process; with UUIDs of this test alone, since
   leases are the whole machine's. */
static void use_machine(const char *before, const char *after)
{
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;

    strbuf_adds(&text, before);
    for (unsigned i = 0; i < 4; i++) {
        strbuf_addf(&text, "gpu GPU-%08x-0000-4000-8000-%012x 0000:%02x:00.0 80GiB 9.0 \"H100\"\n",
                    i, (unsigned)getpid(), 0x10 + i);
        if (!i)
            strbuf_addf(&text, "used 3GiB\nbusy 42\nheat 61\nprocess %d 2GiB\n", (int)getpid());
    }
    strbuf_adds(&text, after);
    sandbox_write(&box, "machine", strbuf_text(&text));
}

static void set_up(void)
{
    one_prefix_open();
    use_machine("", "");
    sandbox_write(&box, "environment.yml",
                  "name: pt\n"
                  "gpu: {devices: [1, 3], variables: {OMP_NUM_THREADS: 8, X: null,\n"
                  "      L: {prepend: '${CONDA_PREFIX}/lib'}}}\n");
    must_apply();
}

/* Lines of bash; `pt` activates the environment's hooks, `shell` does so in a clean shell. What
   they print must hold these lines, spaces of any number being one, and each ! line must not be
   there. */
static void must_print(const char *script, const char *const *lines)
{
    static const char before[] =
        "export CONDA_GPU_DRIVER=\"$DRIVER\" FAKE_CUDA_MACHINE=\"$PWD/machine\" "
        "HOME=\"$PWD/home\"\n"
        "unset ${!CUDA_*} ${!CONDA_P*} CONDA_SHLVL OMP_NUM_THREADS X L\n"
        "pt() { export CONDA_PREFIX=$PWD/envs/pt CONDA_SHLVL=1\n"
        "  . envs/pt/etc/conda/activate.d/env_vars.sh; }\n"
        "status() { \"$CONDA_GPU\" status \"$@\"; echo \"ends with $?\"; }\n"
        "tell() { \"$@\" 2>&1 | tr -s ' ' | sed 's/^ //'; }\n";
    scope(free_text) char *driver = fake_driver();
    scope(free_text) char *text = format_text("DRIVER=%s\n%s%s", driver, before, script);

    sandbox_write(&box, "script", text);
    struct outcome got = run_script("exec bash script");
    scope(free_text) char *out = format_text("\n%s", got.out);
    for (; *lines; lines++) {
        bool absent = **lines == '!';
        scope(free_text) char *line = format_text("\n%s", *lines + absent);
        scope(free_text) char *wanted = rooted(line, box.root);
        ck_assert_msg(!strstr(out, wanted) == absent, "%s: %s\nin: %s%s",
                      absent ? "there" : "not there", wanted, got.out, got.err);
    }
    outcome_free(&got);
}

START_TEST(as_planned)
{
    must_print("export L=/m X=1\npt; tell status\n",
               (const char *const[]){"name pt @/envs/pt\n",
                                     "cuda:0 GPU 1 H100 11:00.0 GPU-00000001 as assigned\n",
                                     "cuda:1 GPU 3 H100 13:00.0 GPU-00000003 as assigned\n",
                                     "in force the environment is active in this shell\n",
                                     "CUDA_VISIBLE_DEVICES 1,3 as planned (not set)\n",
                                     "OMP_NUM_THREADS 8 as planned (not set)\n",
                                     "X (not set) as planned 1\n", "ends with 0\n", NULL});
}
END_TEST

START_TEST(inactive)
{
    must_print(
        "tell status -p envs/pt; tell status\n",
        (const char *const[]){"in force nothing: the environment is not active in this shell\n",
                              "name no environment is active, and none was named with -n or -p\n",
                              "!ends with 1", NULL});
}
END_TEST

START_TEST(changed_in_the_shell)
{
    must_print("pt; export OMP_NUM_THREADS=3 CUDA_VISIBLE_DEVICES=7 L=/q:$L X=\n"
               "tell status\n",
               (const char *const[]){"CUDA_DEVICE_ORDER PCI_BUS_ID as planned (not set)\n",
                                     "CUDA_VISIBLE_DEVICES 7 changed by hand 7\n",
                                     "OMP_NUM_THREADS 3 changed by hand 3\n",
                                     "X (empty) changed by hand (empty)\n", "ends with 1\n", NULL});
    must_print("pt; L=/q:$L; tell status\n", (const char *const[]){"ends with 0\n", NULL});
}
END_TEST

START_TEST(kept_from_a_job)
{
    must_print("export JOB_ID=78 SGE_TASK_ID=undefined CUDA_VISIBLE_DEVICES=2; pt; tell status\n",
               (const char *const[]){"CUDA_VISIBLE_DEVICES 2 kept from job 78 2\n", "ends with 0\n",
                                     NULL});
    must_print("export SLURM_JOB_ID=77 CUDA_VISIBLE_DEVICES=2; pt; tell status\n",
               (const char *const[]){"CUDA_VISIBLE_DEVICES 2 kept from job 77 2\n", "ends with 0\n",
                                     NULL});
}
END_TEST

START_TEST(hooks_that_did_not_run)
{
    must_print("export CONDA_PREFIX=$PWD/envs/pt CONDA_SHLVL=1; tell status\n",
               (const char *const[]){"OMP_NUM_THREADS (not set) hooks did not run (not set)\n",
                                     "ends with 1\n", NULL});
}
END_TEST

START_TEST(of_an_earlier_apply)
{
    must_print("pt; sed -i 's/8/9/; s/\\[1/[0/' environment.yml\n"
               "\"$CONDA_GPU\" apply -q; tell status\n",
               (const char *const[]){"CUDA_VISIBLE_DEVICES 1,3 of an earlier apply (not set)\n",
                                     "OMP_NUM_THREADS 8 of an earlier apply (not set)\n",
                                     "CUDA_DEVICE_ORDER PCI_BUS_ID as planned (not set)\n",
                                     "ends with 1\n", NULL});
}
END_TEST

START_TEST(beaten_by_a_script)
{
    must_print(
        "echo 'export OMP_NUM_THREADS=64' >envs/pt/etc/conda/activate.d/zz.sh\n"
        "pt; . envs/pt/etc/conda/activate.d/zz.sh; tell status\n",
        (const char *const[]){"OMP_NUM_THREADS 64 beaten by zz.sh:1 64\n", "ends with 1\n", NULL});
}
END_TEST

START_TEST(a_file_that_changed)
{
    static const struct {
        const char *change, *said, *end;
    } rows[] = {
        {"touch environment.yml", "the file is newer and asks for the same", "ends with 0"},
        {"echo 'gpu: {devices: all}' >environment.yml; \"$CONDA_GPU\" apply -q -p envs/pt; "
         "touch environment.yml",
         "the file is newer and asks for the same", "ends with 0"},
        {"sed -i s/8/9/ environment.yml", "the file asks for something else now", "ends with 1"},
        {"echo x >environment.yml", "what the file asks for now cannot be told: ", "ends with 1"},
        {"rm environment.yml", "the file is not there any more", "ends with 1"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        scope(free_text) char *script = format_text(
            "%s; text=$(status -p envs/pt | tr -s ' \\n' ' ')\n"
            "case $text in *'%s'*) echo said;; *) echo \"$text\";; esac; echo \"${text: -12}\"\n",
            rows[i].change, rows[i].said);
        set_up();
        must_print(script, (const char *const[]){"said\n", rows[i].end, NULL});
        one_prefix_close();
    }
}
END_TEST

START_TEST(cards_that_moved_or_went)
{
    use_machine("gpu GPU-0000000f-0000-4000-8000-000000000000 0000:01:00.0 8GiB 7.5 \"T400\"\n",
                "");
    must_print("tell status -p envs/pt\n",
               (const char *const[]){"cuda:0 GPU 1 H100 11:00.0 GPU-00000001 is GPU 2 now\n",
                                     "ends with 1\n", NULL});
    sandbox_write(&box, "machine",
                  "gpu GPU-0000000f-0000-4000-8000-000000000000 0000:01:00.0 8GiB 7.5 \"T400\"\n");
    must_print("tell status -p envs/pt\n",
               (const char *const[]){"cuda:0 GPU 1 H100 11:00.0 GPU-00000001 is gone\n",
                                     "ends with 1\n", NULL});
}
END_TEST

START_TEST(who_is_on_the_cards)
{
    const char *user = getpwuid(getuid())->pw_name;
    scope(free_text) char *process = format_text("GPU 0 2 GiB %s ", user);
    scope(free_text) char *lease = format_text("GPU 1 leased %s ", user);

    must_print("\"$CONDA_GPU\" exec --free 1 -p envs/pt -- sh -c 'echo >there; exec sleep 300' &\n"
               "until [ -e there ]; do sleep 0.01; done; tell status; kill $!\n",
               (const char *const[]){"GPU 0 H100 3 GiB 80 GiB 42 % 61 C\n",
                                     "GPU 2 H100 0 GiB 80 GiB 0 % 30 C\n", process, lease, NULL});
}
END_TEST

START_TEST(without_nvml_or_a_driver)
{
    must_print("mkdir alone; cp \"$CONDA_GPU_DRIVER\" alone/\n"
               "tell status --driver alone/libcuda.so.1; tell status --driver /nowhere/x\n",
               (const char *const[]){
                   "GPUs nothing is known of memory and processes: ", "GPU 2 H100 - 80 GiB - -\n",
                   "GPUs nothing is known: no CUDA", "ends with 0\n", NULL});
}
END_TEST

START_TEST(what_to_beware_of)
{
    must_print("status -p envs/pt\n", (const char *const[]){"!beware", NULL});
    must_print("export MUJOCO_GL=egl MUJOCO_EGL_DEVICE_ID=1; status -p envs/pt\n",
               (const char *const[]){"!beware", NULL});
    must_print("mkdir mps; touch mps/control; export CUDA_MPS_PIPE_DIRECTORY=$PWD/mps\n"
               "export NVIDIA_VISIBLE_DEVICES=void MUJOCO_GL=egl\n"
               "touch envs/pt/conda-meta/ray-core-2.9-0.json\n"
               "mkdir -p envs/pt/lib/python3.11/site-packages/deepspeed\n"
               "status -p envs/pt | grep -oE 'An MPS daemon|by CDI|Ray,|Speed.s launcher|=egl:'\n",
               (const char *const[]){"An MPS daemon\n", "by CDI\n", "Ray,\n", "Speed's launcher\n",
                                     "=egl:\n", NULL});
}
END_TEST

START_TEST(what_to_beware_of_in_the_plan)
{
    must_print("sed -i 's/devices:/ids: uuid, devices:/' environment.yml; \"$CONDA_GPU\" apply -q "
               "-p envs/pt\n"
               "sed -i '/GPU-00000001/s/$/ mig/' machine\n"
               "echo 'export OMP_NUM_THREADS=64' >envs/pt/etc/conda/activate.d/zz.sh\n"
               "status -p envs/pt | grep -oE 'holds UUIDs|in MIG mode|zz.sh:1'\n",
               (const char *const[]){"holds UUIDs\n", "in MIG mode\n", "zz.sh:1\n", NULL});
}
END_TEST

/* It has neither a terminal nor, since its parent has ended, anybody who waits for it. */
START_TEST(a_forgotten_process)
{
    must_print(
        "setsid sh -c 'sleep 300 >/dev/null 2>&1 & echo $! >sleeper'; sleeper=$(cat sleeper)\n"
        "sleep 300 & printf 'process %s 1GiB\\n' $sleeper $! >>machine\n"
        "until [ \"$(cat /proc/$sleeper/comm /proc/$!/comm | tr '\\n' ' ')\" = 'sleep sleep ' ]; "
        "do :; done\n"
        "tell status | sed 's/.* sleep 300/sleep 300/'\n"
        "case $(cat /proc/$sleeper/status) in\n"
        "  *PPid:?1$'\\n'*) ;; *) echo sleep 300 yours, forgotten?;; esac\n"
        "kill $sleeper $!\n",
        (const char *const[]){"sleep 300 yours, forgotten?\n", "sleep 300\n", NULL});
}
END_TEST

START_TEST(all_environments)
{
    must_print(
        "mkdir -p \"$HOME/.conda\" envs/other/conda-meta; touch envs/other/conda-meta/history\n"
        "printf '%s\\n' $PWD/envs/pt $PWD/envs/other $PWD/gone >\"$HOME/.conda/environments.txt\"\n"
        "echo 'gpu: {devices: 3}' >o.yml; \"$CONDA_GPU\" apply -q -f o.yml -p envs/other\n"
        "tell status --all\n"
        "echo 'gpu GPU-00000009-0000-4000-8000-000000000000 0000:10:00.0 8GiB 9.0 \"X\"' "
        ">machine; tell status --all\n",
        (const char *const[]){"GPU 0 GPU-00000000 3 GiB 1\n", "GPU 1 GPU-00000001 0 GiB 0 pt\n",
                              "GPU 3 GPU-00000003 0 GiB 0 pt, other\n", "@/envs/pt GPUs: 1,3\n",
                              "@/envs/other GPUs: 3\n",
                              "@/envs/other GPUs: 3, of which GPU-00000003 is gone\n",
                              "ends with 0\n", "ends with 1\n", NULL});
}
END_TEST

static Suite *status_suite(void)
{
    Suite *suite = suite_create("cli_status");
    TCase *status = tcase_create("status");
    TCase *file = tcase_create("file");

    tcase_add_checked_fixture(status, set_up, one_prefix_close);
    tcase_add_test(status, as_planned);
    tcase_add_test(status, inactive);
    tcase_add_test(status, changed_in_the_shell);
    tcase_add_test(status, kept_from_a_job);
    tcase_add_test(status, hooks_that_did_not_run);
    tcase_add_test(status, of_an_earlier_apply);
    tcase_add_test(status, beaten_by_a_script);
    tcase_add_test(status, cards_that_moved_or_went);
    tcase_add_test(status, who_is_on_the_cards);
    tcase_add_test(status, without_nvml_or_a_driver);
    tcase_add_test(status, what_to_beware_of);
    tcase_add_test(status, what_to_beware_of_in_the_plan);
    tcase_add_test(status, a_forgotten_process);
    tcase_add_test(status, all_environments);
    suite_add_tcase(suite, status);
    tcase_add_test(file, a_file_that_changed);
    suite_add_tcase(suite, file);
    return suite;
}

int main(void)
{
    return test_main(status_suite());
}
