/*
 * conda-gpu exec: the command has the variables that the hooks would have given it, and all else of
 * its process is as its caller left it.
 */
#include "support/one_prefix.h"

#include "base/scope.h"
#include "base/strbuf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void set_up(void)
{
    one_prefix_open();
    sandbox_write(&box, "environment.yml", "name: pt\ngpu: {devices: [1, 3]}\n");
}

/* ---- As the hooks ---------------------------------------------------------------------------- */

/* Sections of the environment that is entered. Another one, `other`, may be active before. */
static const char *const sections[] = {
    "devices: [1, 3], variables: {OMP_NUM_THREADS: 8, LD_LIBRARY_PATH: {prepend: '/o/lib'}}",
    "devices: [1, 3], in_job: override, variables: {X: null, L: {append: 'a b', separator: ', '}}",
    "devices: 1, if_set: keep, variables: {CACHE: '${HOME}/${USER}/$HOME', X: \"it's\\n'$(date)\"}",
    "devices: 1, in_job: override, if_set: keep",
    "devices: none, if_set: keep, variables: {X: ''}",
    "devices: none",
    "devices: all",
    "devices: all, if_set: keep, in_job: override",
    "devices: 3, ids: uuid, variables: {L: {prepend: '${CONDA_PREFIX}/lib'}}",
    "variables: {X: new, LD_LIBRARY_PATH: {append: '${CONDA_PREFIX}/lib', separator: '::'}}",
};
static const char other[] = "devices: [2, 0], variables: {OMP_NUM_THREADS: 2, X: other, L: null, "
                            "LD_LIBRARY_PATH: {prepend: '${CONDA_PREFIX}/lib'}}";

/* What a shell has been through before it enters the environment: lines of bash. `activate` and
   `stack` do what conda does with hooks, A being the other environment and B this one. */
static const char *const pasts[] = {
    "",
    "export CUDA_VISIBLE_DEVICES=7",
    "export CUDA_VISIBLE_DEVICES=",
    "export CUDA_VISIBLE_DEVICES=7 CUDA_DEVICE_ORDER=FASTEST_FIRST",
    "export X='a=b\n' L= LD_LIBRARY_PATH=/m:/o/lib OMP_NUM_THREADS=1",
    "export L='a b' LD_LIBRARY_PATH=; unset HOME",
    "activate $A",
    "activate $A; export CUDA_VISIBLE_DEVICES=5 X=mine",
    "activate $A; unset CUDA_VISIBLE_DEVICES; export LD_LIBRARY_PATH=/m:$LD_LIBRARY_PATH",
    "activate $A; unset CONDA_SHLVL",
    "activate $A; export CONDA_SHLVL=0",
    "activate $B",
    "activate $B; export CUDA_VISIBLE_DEVICES=5 OMP_NUM_THREADS=3 LD_LIBRARY_PATH=/m L=q",
    "activate $B; unset CONDA_SHLVL",
    "export LD_LIBRARY_PATH=/m L=x; activate $B; export LD_LIBRARY_PATH=/n:$LD_LIBRARY_PATH; "
    "L=$L,y",
    "activate $B; stack $A",
    "activate $B; stack $A; export CUDA_VISIBLE_DEVICES=5 LD_LIBRARY_PATH=/n X=3",
    "activate $A; stack $B",
    "export CONDA_PREFIX=$B CONDA_SHLVL=1", /* the hooks are new */
    "export CONDA_PREFIX=$A CONDA_SHLVL=2",
    "export CONDA_PREFIX=$B; unset CONDA_SHLVL; . $B/etc/conda/activate.d/env_vars.sh",
    "export SLURM_JOB_ID=4",
    "export SLURM_JOB_ID=4 CUDA_VISIBLE_DEVICES=0",
    "export SLURM_JOB_ID=4 SLURM_STEP_ID=1 CUDA_VISIBLE_DEVICES=0 CUDA_DEVICE_ORDER=FASTEST_FIRST",
    "export SLURM_JOB_ID= CUDA_VISIBLE_DEVICES=0",
    "export PBS_JOBID=4.host CUDA_VISIBLE_DEVICES=",
    "export LSB_JOBID=4 CUDA_VISIBLE_DEVICES=0",
    "export FLUX_JOB_ID=f1 CUDA_VISIBLE_DEVICES=0",
    "export OAR_JOB_ID=4 CUDA_VISIBLE_DEVICES=0",
    "export _CONDOR_JOB_AD=/x/.job.ad CUDA_VISIBLE_DEVICES=0",
    "export PJM_JOBID=4 CUDA_VISIBLE_DEVICES=0",
    "export JOB_ID=4 CUDA_VISIBLE_DEVICES=0",
    "export JOB_ID=4 SGE_TASK_ID=undefined CUDA_VISIBLE_DEVICES=0",
    "activate $B; export SLURM_JOB_ID=4 CUDA_VISIBLE_DEVICES=0",
    "activate $B; export SLURM_JOB_ID=4",
    "activate $A; export SLURM_JOB_ID=4 CUDA_VISIBLE_DEVICES=0",
    "export SLURM_JOB_ID=4 CUDA_VISIBLE_DEVICES=0; activate $A",
    "export SLURM_JOB_ID=4; activate $A",
    "export SLURM_JOB_ID=4 CUDA_VISIBLE_DEVICES=0; activate $B; unset SLURM_JOB_ID",
    "export SLURM_JOB_ID=4; activate $B; export SLURM_STEP_ID=0 CUDA_VISIBLE_DEVICES=2",
    "export SLURM_JOB_ID=4; activate $A; unset SLURM_JOB_ID; export CUDA_VISIBLE_DEVICES=2",
};

/* conda's steps, as HOOKS.md lists them, and what is compared: all variables, but for PATH and the
   two that conda sets for the prompt. */
static const char steps[] =
    "A=$PWD/envs/other B=$PWD/envs/pt\n"
    "run() { . \"$2/etc/conda/$1.d/env_vars.sh\"; }\n"
    "stack() {\n"
    "  [ \"${CONDA_SHLVL:-0}\" = 0 ] || export CONDA_PREFIX_$CONDA_SHLVL=\"$CONDA_PREFIX\"\n"
    "  export CONDA_SHLVL=$((${CONDA_SHLVL:-0} + 1)) CONDA_PREFIX=$1; run activate \"$1\"; }\n"
    "activate() {\n"
    "  [ \"${CONDA_SHLVL:-0}\" = 0 ] || run deactivate \"$CONDA_PREFIX\"\n"
    "  if [ \"${CONDA_SHLVL:-0}\" != 0 ] && [ \"$CONDA_PREFIX\" = \"$1\" ]; then run activate "
    "\"$1\"\n"
    "  else stack \"$1\"; fi; }\n"
    "tell() { LC_ALL=C sort -z | LC_ALL=C grep -zvE "
    "'^(PATH|_|SHLVL|PWD|OLDPWD|CONDA_DEFAULT_ENV|CONDA_PROMPT_MODIFIER)=' | tr '\\0\\n' '\\n~'; "
    "}\n"
    "compare() {\n"
    "  \"$CONDA_GPU\" exec -p \"$B\" -- env -0 | tell >by_exec\n"
    "  activate \"$B\"\n"
    "  env -0 | tell >by_hooks\n"
    "  cmp -s by_exec by_hooks || { echo \"after: $1\"; diff by_hooks by_exec; }\n"
    "  grep -c CUDA_VISIBLE_DEVICES by_hooks >>counted; }\n";

static void apply_section(const char *prefix_name, const char *section)
{
    scope(free_text) char *text = format_text("gpu: {%s}\n", section);
    scope(free_text) char *path = format_text("envs/%s", prefix_name);

    sandbox_write(&box, "section.yml", text);
    struct outcome got = conda_gpu(&box, NULL, "apply", "-f", "section.yml", "-p", path, NULL);
    ck_assert_msg(got.status == 0, "%s", got.err);
    outcome_free(&got);
}

START_TEST(as_the_hooks)
{
    scope(strbuf_release) struct strbuf script = STRBUF_INIT;
    scope(free_text) char *environment = sandbox_environment(&box, "other");
    scope(free_text) char *program = format_text("CONDA_GPU=%s", getenv("CONDA_GPU"));
    const char *const env[] = {"PATH=/usr/local/bin:/usr/bin:/bin", "USER=me", program, NULL};
    const char *const argv[] = {"bash", "script", NULL};

    apply_section("pt", sections[_i]);
    apply_section("other", other);
    strbuf_adds(&script, steps);
    for (size_t i = 0; i < sizeof pasts / sizeof *pasts; i++)
        strbuf_addf(&script, "(%s\ncompare 'past %zu')\n", pasts[i], i);
    sandbox_write(&box, "script", strbuf_text(&script));
    struct outcome got = sandbox_run(&box, argv, env, NULL);
    ck_assert_msg(!*got.out && !*got.err, "with {%s}\n%s%s", sections[_i], got.out, got.err);
    size_t length;
    scope(free_text) char *counted = sandbox_read(&box, "counted", &length);
    ck_assert_uint_ge(length, 2 * (sizeof pasts / sizeof *pasts));
    outcome_free(&got);
}
END_TEST

/* ---- What the command sees ------------------------------------------------------------------- */

/* Lines of sh, in which $exec is `conda-gpu exec -p envs/pt`, and what they print; @: the prefix.
 */
static const struct {
    const char *lines;
    const char *prints;
} views[] = {
    {"$exec -- sh -c 'echo $PATH'", "@/bin:/usr/local/bin:/usr/bin:/bin\n"},
    {"PATH=/a:@/bin::/usr/bin; $exec -- /bin/sh -c 'echo $PATH'", "@/bin:/a::/usr/bin\n"},
    {"unset PATH; $exec -- /bin/sh -c 'echo $PATH'", "@/bin:/usr/bin:/bin:/usr/sbin:/sbin\n"},
    {"$exec -- sh -c 'echo $CONDA_PREFIX $CONDA_SHLVL $CONDA_DEFAULT_ENV $CONDA_PROMPT_MODIFIER'",
     "@ 1 pt (pt)\n"},
    /* Another environment is left. */
    {"export CONDA_PREFIX=/o CONDA_SHLVL=1 PATH=/u:/o/bin:$PATH\n"
     "$exec -- sh -c 'echo $PATH $CONDA_PREFIX $CONDA_PREFIX_1 $CONDA_SHLVL'",
     "@/bin:/u:/usr/local/bin:/usr/bin:/bin @ /o 2\n"},
    /* The command and its arguments are handed on as they are. */
    {"$exec sh -c 'echo \"$*\"' x -n --gpus 7", "-n --gpus 7\n"},
    {"$exec -- sh -c 'echo \"$*\"' x -- --help", "-- --help\n"},
    /* The environment's own programs come first. */
    {"printf '#!/bin/sh\\necho mine\\n' >envs/pt/bin/sort; chmod +x envs/pt/bin/sort; $exec sort",
     "mine\n"},
    /* --gpus */
    {"$exec --gpus 3 printenv CUDA_VISIBLE_DEVICES", "3\n"},
    {"$exec --gpus 3,1 printenv CUDA_VISIBLE_DEVICES", "3,1\n"},
    {"$exec --gpus 1-1 printenv CUDA_VISIBLE_DEVICES", "1\n"},
    {"$exec --gpus gpu-5e8f printenv CUDA_VISIBLE_DEVICES 2>&1 | grep -c 'GPU-'", "1\n"},
    {"$exec --gpus GPU-5E8F printenv CUDA_VISIBLE_DEVICES", "3\n"},
    {"$exec --gpus 0F:00.0 printenv CUDA_VISIBLE_DEVICES", "1\n"},
    {"$exec --gpus '{min_memory: 40GiB}' printenv CUDA_VISIBLE_DEVICES", "1,3\n"},
    {"$exec --gpus '{name: \"*A100*\", count: 1}' printenv CUDA_VISIBLE_DEVICES", "1\n"},
    {"$exec --gpus all printenv CUDA_VISIBLE_DEVICES", "1,3\n"},
    {"$exec --gpus none printenv CUDA_VISIBLE_DEVICES", "-1\n"},
    /* FILE is resolved anew, whatever was applied. */
    {"printf 'gpu: {devices: 2}' >other.yml; $exec -f other.yml printenv CUDA_VISIBLE_DEVICES",
     "2\n"},
    {"$exec -f environment.yml --gpus 1 -- printenv CUDA_VISIBLE_DEVICES", "1\n"},
    /* The receipt needs no driver. */
    {"CONDA_GPU_DRIVER=/nowhere $exec printenv CUDA_VISIBLE_DEVICES", "1,3\n"},
    /* Statuses. */
    {"$exec sh -c 'exit 42'; echo $?", "42\n"},
    {"$exec nowhere 2>/dev/null; echo $?", "127\n"},
    {"$exec ./nowhere 2>/dev/null; echo $?", "127\n"},
    {"$exec ./environment.yml 2>/dev/null; echo $?", "126\n"},
    {"$exec / 2>/dev/null; echo $?", "126\n"},
    {"echo 'echo a script without a first line; exit 3' >s; chmod +x s; $exec ./s; echo $?",
     "a script without a first line\n3\n"},
    {"$exec --gpus 0 true 2>/dev/null; echo $?", "3\n"},
    {"$exec --gpus x true 2>/dev/null; echo $?", "2\n"},
    {"$exec --gpus 1,1 true 2>/dev/null; echo $?", "2\n"},
    {"$exec 2>/dev/null; echo $?", "2\n"},
    {"SLURM_JOB_ID=4 CUDA_VISIBLE_DEVICES=0 $exec --gpus 1 true 2>/dev/null; echo $?", "2\n"},
    /* The process is the command's: its number, its signals, its descriptors. */
    {"sh -c 'echo $$; exec $0 sh -c \"echo \\$\\$\"' \"$exec\" | uniq | wc -l", "1\n"},
    {"exec 2>/dev/null; $exec sh -c 'kill -TERM $$'; echo $?", "143\n"},
    {"($exec sh -c 'yes 2>/dev/null; echo $? >status') | head -1; cat status", "y\n141\n"},
    {"(trap '' PIPE; $exec sh -c 'yes 2>/dev/null; echo $? >status') | head -1; cat status",
     "y\n1\n"},
    {"grep -E 'Sig(Ign|Blk|Cgt)' /proc/self/status >a; $exec grep -E 'Sig(Ign|Blk|Cgt)' "
     "/proc/self/status | cmp - a",
     ""},
    {"$exec -f environment.yml grep -E 'Sig(Ign|Blk|Cgt)' /proc/self/status >b\n"
     "grep -E 'Sig(Ign|Blk|Cgt)' /proc/self/status | cmp - b",
     ""},
    {"ls /proc/self/fd >a; $exec ls /proc/self/fd >b; cmp a b", ""},
    {"ls /proc/self/fd >a; $exec -f environment.yml ls /proc/self/fd >b; cmp a b", ""},
    {"ls /proc/self/fd 0<&- >a; $exec ls /proc/self/fd 0<&- >b; cmp a b", ""},
    {"umask 027; $exec sh -c umask; cd /; ", "0027\n"},
    {"cd envs; \"$CONDA_GPU\" exec -p pt pwd | sed 's/.*[/]//'", "envs\n"},
    {"echo in | $exec cat", "in\n"},
    /* What is shown. */
    {"$exec -d | awk '/VISIBLE/ { print $1, $2 $3, $4 }'", "CUDA_VISIBLE_DEVICES (notset) 1,3\n"},
    {"$exec -d | grep -c __CONDA", "0\n"},
};

START_TEST(view)
{
    scope(free_text) char *lines = with_prefix(views[_i].lines);
    scope(free_text) char *script =
        format_text("exec=\"$CONDA_GPU exec -p envs/pt\"; mkdir -p envs/pt/bin\n%s", lines);

    must_apply();
    struct outcome got = run_script(script);
    ck_assert_str_eq(got.err, "");
    check_text(got.out, views[_i].prints);
    outcome_free(&got);
}
END_TEST

/* ---- Errors ---------------------------------------------------------------------------------- */

static const struct {
    const char *options[6];
    int status;
    const char *message; /* its beginning */
} errors[] = {
    {{"-p", "envs/pt", "true"}, 4, "@: apply has written nothing here yet; run 'conda-gpu apply'"},
    {{"-p", "envs/pt"}, 2, "no command is given; for example: conda-gpu exec -n pt -- "},
    {{"-p", "envs/no", "true"}, 4, ""},
    {{"-f", "no.yml", "true"}, 2, "no.yml: "},
};

START_TEST(error)
{
    const char *const *o = errors[_i].options;
    scope(free_text) char *wanted = with_prefix(errors[_i].message);

    struct outcome got = conda_gpu(&box, NULL, "exec", o[0], o[1], o[2], o[3], NULL);
    ck_assert_msg(strncmp(got.err, wanted, strlen(wanted)) == 0 && *got.err, "%s", got.err);
    ck_assert_int_eq(got.status, errors[_i].status);
    ck_assert_str_eq(got.out, "");
    outcome_free(&got);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cli: exec");
    TCase *tcase = tcase_create("exec");

    tcase_add_checked_fixture(tcase, set_up, one_prefix_close);
    tcase_add_loop_test(tcase, as_the_hooks, 0, sizeof sections / sizeof *sections);
    tcase_add_loop_test(tcase, view, 0, sizeof views / sizeof *views);
    tcase_add_loop_test(tcase, error, 0, sizeof errors / sizeof *errors);
    suite_add_tcase(suite, tcase);
    return test_main(suite);
}
