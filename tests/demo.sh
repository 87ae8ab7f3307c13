#!/usr/bin/env bash
# `make demo`: conda-gpu from the GPUs to a deactivated environment, in a throwaway folder. With
# this machine's driver if that shows a GPU, else with the simulated one. Fails if anything is not
# as it should be. The Makefile sets CONDA_GPU and FAKE_CUDA.
set -euo pipefail

PATH=$(dirname "$CONDA_GPU"):$PATH
# The shell that runs the demo may have an environment active, or be in a job.
unset CONDA_PREFIX CONDA_SHLVL CONDA_DEFAULT_ENV CONDA_ENVS_DIRS CONDA_EXE MAMBA_EXE \
  MAMBA_ROOT_PREFIX SLURM_JOB_ID SLURM_STEP_ID PBS_JOBID LSB_JOBID FLUX_JOB_ID OAR_JOB_ID _CONDOR_JOB_AD \
  CUDA_VISIBLE_DEVICES CUDA_DEVICE_ORDER FAKE_CUDA_MACHINE

bold='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR-}" ] && [ "${TERM-dumb}" != dumb ]; then
  bold=$'\033[1m' plain=$'\033[0m'
fi

say() {
  printf '\n%s\n' "$*"
}

command_line() {
  printf '\n%s$ %s%s\n' "$bold" "$1" "$plain"
}

show() {
  command_line "$*"
  "$@"
}

wrong() {
  echo "demo: $*" >&2
  exit 1
}

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
prefix=$folder/envs/pt
mkdir -p "$prefix/conda-meta"
touch "$prefix/conda-meta/history"
export CONDA_ENVS_PATH=$folder/envs

say "This is conda-gpu from the GPUs to a deactivated environment, in two seconds. The"
echo "environment is an empty one in a throwaway folder; nothing else is touched."
if [ -z "${CONDA_GPU_DRIVER-}" ] && conda-gpu devices >/dev/null 2>&1; then
  devices=0
  say "This machine's own GPU driver answers, so the demo uses it."
else
  devices='[1, 3]'
  export CONDA_GPU_DRIVER=${CONDA_GPU_DRIVER:-$FAKE_CUDA/libcuda.so.1}
  export FAKE_CUDA_MACHINE=${FAKE_CUDA_MACHINE:-$TESTS/machines/mixed}
  say "No GPU driver answers here: everything below is SIMULATED, with a library that"
  echo "plays the driver of a workstation with four GPUs (tests/support/fake_cuda.c)."
fi
cat >"$folder/environment.yml" <<END
name: pt
gpu:
  devices: $devices
  variables:
    OMP_NUM_THREADS: 8
    CUDA_LAUNCH_BLOCKING: null
    LD_LIBRARY_PATH: {prepend: "\${CONDA_PREFIX}/lib"}
END
here=$PWD
cd "$folder"

show conda-gpu devices
if [ "$devices" != 0 ]; then
  say "nvidia-smi calls the A100 GPU 1 (column GPU). CUDA counts the fastest first"
  echo "(column CUDA): a program that is told to use 1 and 3 gets other GPUs, and the"
  echo "small display card is one of them:"
  # shellcheck disable=SC2016 # shown as it would be typed; so below
  command_line "CUDA_VISIBLE_DEVICES=1,3 conda-gpu devices | grep '^\* *[0-9]'"
  CUDA_VISIBLE_DEVICES=1,3 conda-gpu devices | grep '^\* *[0-9]'
fi
say "So a team writes nvidia-smi's numbers into environment.yml, and conda-gpu sees to"
echo "it that they mean the same to CUDA:"
show cat environment.yml
show conda-gpu apply
activate=$prefix/etc/conda/activate.d/env_vars.sh
[ -f "$activate" ] || wrong "$activate was not written"
# shellcheck disable=SC2016
command_line 'head -n 3 $CONDA_PREFIX/etc/conda/activate.d/env_vars.sh'
sed -n 1,3p "$activate"

# Sources the hooks as conda does: CONDA_PREFIX and CONDA_SHLVL are the new ones when activate.d
# runs, and still the old ones when deactivate.d runs. Prints the shown variables and keeps the
# whole environment at each step, for the comparison below.
cat >"$folder/session.bash" <<'END'
look() {
  local name
  for name in $shown; do
    if [ -n "${!name+set}" ]; then
      printf '%s\n' "$name=${!name}"
    else
      printf '%s\n' "$name"
    fi
  done >"$1.shown"
  env -0 | grep -zvE '^(CONDA_PREFIX|CONDA_SHLVL|_)=' | sort -z >"$1.all"
}
look "$out/before"
export CONDA_PREFIX=$prefix CONDA_SHLVL=1
for script in "$CONDA_PREFIX"/etc/conda/activate.d/*.sh; do . "$script"; done
look "$out/active"
conda-gpu devices | grep '^\* *[0-9]' >"$out/devices"
for script in "$CONDA_PREFIX"/etc/conda/deactivate.d/*.sh; do . "$script"; done
export CONDA_PREFIX='' CONDA_SHLVL=0
look "$out/after"
END

# session TITLE [NAME=VALUE...]: one bash from start to end, and a table of what it saw.
session() {
  local title=$1 out=$folder/out
  shift
  rm -rf "$out"
  mkdir "$out"
  env "$@" shown='CUDA_DEVICE_ORDER CUDA_VISIBLE_DEVICES OMP_NUM_THREADS CUDA_LAUNCH_BLOCKING LD_LIBRARY_PATH' \
    out="$out" prefix="$prefix" bash --norc --noprofile "$folder/session.bash" ||
    wrong "the hooks failed in bash"
  say "$title"
  paste -d '\n' "$out/before.shown" "$out/active.shown" "$out/after.shown" |
    awk -v prefix="$prefix" -v bold="$bold" -v plain="$plain" '
      BEGIN { printf "%s  %-20s %-9s %-26s %s%s\n", bold, "", "before", "activated", "deactivated", plain }
      {
        cell = index($0, "=") ? substr($0, index($0, "=") + 1) : "(unset)"
        at = index(cell, prefix)
        if (at)
          cell = substr(cell, 1, at - 1) "$CONDA_PREFIX" substr(cell, at + length(prefix))
        cells[NR % 3] = cell
      }
      NR % 3 == 0 {
        sub(/=.*/, "")
        printf "  %-20s %-9s %-26s %s\n", $0, cells[1], cells[2], cells[0]
      }'
  if ! cmp -s "$out/before.all" "$out/after.all"; then
    diff <(tr '\0' '\n' <"$out/before.all") <(tr '\0' '\n' <"$out/after.all") >&2 || :
    wrong "the environment after deactivation (>) is not the one before activation (<)"
  fi
}

# expect NAME[=VALUE] STEP: what the last session saw then.
expect() {
  grep -qxF -- "$1" "$folder/out/$2.shown" || wrong "$2: $1 was expected"
}

say "What activating and deactivating it does, in bash:"
visible=$(sed -n "s/^__gpu_set CUDA_VISIBLE_DEVICES :'\([^']*\)'.*/\1/p" "$activate")
[ -n "$visible" ] || wrong "$activate does not set CUDA_VISIBLE_DEVICES"
session "1. a shell in which nothing was set" -u OMP_NUM_THREADS -u CUDA_LAUNCH_BLOCKING \
  -u LD_LIBRARY_PATH
expect CUDA_DEVICE_ORDER=PCI_BUS_ID active
expect "CUDA_VISIBLE_DEVICES=$visible" active
expect CUDA_VISIBLE_DEVICES after
expect "LD_LIBRARY_PATH=$prefix/lib" active
if [ "$devices" != 0 ]; then
  say "Active, a program sees:"
  cat "$folder/out/devices"
  [ "$(awk '{ print $2 }' "$folder/out/devices" | xargs)" = '1 3' ] || wrong "those are not GPUs 1 and 3"
fi
session "2. a shell that had values of its own" CUDA_VISIBLE_DEVICES=3 OMP_NUM_THREADS=2 \
  CUDA_LAUNCH_BLOCKING=1 LD_LIBRARY_PATH=/opt/lib
expect "CUDA_VISIBLE_DEVICES=$visible" active
expect CUDA_LAUNCH_BLOCKING active
expect "LD_LIBRARY_PATH=$prefix/lib:/opt/lib" active
expect CUDA_VISIBLE_DEVICES=3 after

show conda-gpu apply --check || wrong "a second apply would change something"
show conda-gpu remove -n pt
[ ! -e "$prefix/etc" ] || wrong "conda-gpu remove left something in $prefix/etc"

# The paths as they are typed here, if they are below this folder.
short() {
  printf '%s' "${1#"$here/"}"
}
say "All of it was as it should be, and the folder is gone. To try it by hand, paste"
echo "these two lines into a shell; what they set is gone when it ends:"
echo
if [ "$devices" != 0 ]; then
  echo "  export CONDA_GPU_DRIVER=$(short "$CONDA_GPU_DRIVER") FAKE_CUDA_MACHINE=$(short "$FAKE_CUDA_MACHINE")"
else
  echo "  PATH=$(dirname "$CONDA_GPU"):\$PATH"
fi
echo "  $(short "$CONDA_GPU") devices"
