#!/usr/bin/env bash
# The conda plugin, in real condas: those that CONDA_EXE names, or the one in PATH. It is made
# known to each by PYTHONPATH, so nothing is installed. The environments that conda makes are empty, so
# no channel is asked.
set -u
# shellcheck source=tests/support/report.sh
. "$TESTS/support/report.sh"
plugin=$TESTS/../packaging/conda-plugin
version=$("$CONDA_GPU" version)

mkdir -p "$scratch/modules/conda_gpu-0.dist-info" "$scratch/work" "$scratch/beside" "$scratch/plain"
cp "$plugin/conda_gpu_plugin.py" "$scratch/modules"
printf 'Metadata-Version: 2.1\nName: conda-gpu\nVersion: 0\n' >"$scratch/modules/conda_gpu-0.dist-info/METADATA"
printf '[conda]\nconda-gpu = conda_gpu_plugin\n' >"$scratch/modules/conda_gpu-0.dist-info/entry_points.txt"
printf 'name: made\nchannels: []\ndependencies: []\n' \
  | tee "$scratch/beside/environment.yml" "$scratch/plain/environment.yml" >"$scratch/work/environment.yml"
echo 'gpu: {devices: 1}' >>"$scratch/work/environment.yml"
echo 'devices: 1' >"$scratch/beside/gpu.yml"

unset CONDA_PREFIX CONDA_DEFAULT_ENV CONDA_SHLVL
# run FOLDER ARGUMENT...: conda there; its output is in the files out and err.
run() {
  local folder=$1
  shift
  (cd "$scratch/$folder" && timeout 300 env HOME="$scratch" PATH="${CONDA_GPU%/*}:/usr/bin:/bin" CONDA_SOLVER=classic \
    CONDA_OFFLINE=1 CONDA_ENVS_PATH="$scratch/envs" CONDA_PKGS_DIRS="$scratch/pkgs" PYTHONPATH="$scratch/modules" \
    PYTHONDONTWRITEBYTECODE=1 CONDA_GPU_DRIVER="${driver-$FAKE_CUDA/libcuda.so.1}" "$conda" "$@") \
    >"$scratch/stdout" 2>"$scratch/stderr" </dev/null
}
hooks() { # NAME
  [ -e "$scratch/envs/$1/etc/conda/activate.d/env_vars.sh" ]
}
said() {
  grep -q "$1" "$scratch/stderr"
}
fresh() {
  rm -rf "$scratch/envs"
}
status_of() {
  run "$@"
  echo $?
}

try() {
  local on
  on=$("$conda" --version)
  check "$on: conda gpu does not hand over" test "$(run work gpu version && cat "$scratch/stdout")" = "$version"
  check "$on: conda gpu hides a status" test "$(status_of work gpu apply --nope)" = 2

  fresh
  check "$on: env create fails" run work env create -f environment.yml
  check "$on: env create applies no section" hooks made
  check "$on: nothing is said of it" said 'environment.yml has a gpu: section'
  rm -r "$scratch/envs/made/etc"
  if ! run work env update -f environment.yml && said "KeyError: 'conda'"; then
    skip "$on: env update fails by itself where no package is asked for"
  else
    check "$on: env update applies no section" hooks made
  fi
  fresh
  check "$on: env create -n fails" run work env create -n other
  check "$on: env create -n applies no section" hooks other
  fresh
  check "$on: env create fails beside a gpu.yml" run beside env create
  check "$on: gpu.yml is passed over" hooks made
  fresh
  check "$on: env create fails without a section" run plain env create
  check "$on: something is said without a section" eval '! said "conda gpu"'
  fresh
  check "$on: --json fails" run beside env create --json
  check "$on: --json is no JSON" python3 -c 'import json, sys; json.load(open(sys.argv[1]))' "$scratch/stdout"
  fresh
  check "$on: a driver that is missing makes conda fail" eval 'driver=/nowhere/libcuda.so.1 run work env create'
  check "$on: that the section is not in effect is not said" said 'the section is not in effect'
  fresh
  check "$on: create fails" run work create -n empty
  check "$on: create without a file applies a section" eval '! hooks empty'
}

# Installing, into something that is as far a conda as the script asks.
install_it() { # install|uninstall VERSION
  "$plugin/install.sh" "$1" "$scratch/conda" "$2" >/dev/null
}
is_refused() {
  ! FOUND=$1 install_it install 1 2>/dev/null
}
try_install() {
  local base=$scratch/base
  # shellcheck disable=SC2016 # for that script
  printf '#!/bin/sh\ncase $1 in info) echo %s ;; *) echo conda ${FOUND-24.1.0} ;; esac\n' "$base" >"$scratch/conda"
  chmod +x "$scratch/conda"
  find "$base" | sort >"$scratch/before"
  check "it installs into a conda that is too old" is_refused 23.5.2
  check "it does not install" install_it install 1
  check "it does not install over itself" install_it install 2
  check "Python does not see it" test "$("$base/bin/python" -c '
from importlib.metadata import distribution
found = distribution("conda-gpu")
print(found.version, *(entry.value for entry in found.entry_points))')" = "2 conda_gpu_plugin"
  check "it does not uninstall" install_it uninstall 2
  check "something of it stays" diff "$scratch/before" <(find "$base" | sort)
}
if python3 -m venv --without-pip "$scratch/base" 2>/dev/null; then
  try_install
else
  skip "installing the plugin: Python has no venv here"
fi

condas=${CONDA_EXE:-$(command -v conda)}
[ -n "$condas" ] || { skip "the plugin: there is no conda; docs/clients.md says how to have one" && report; }
for conda in $condas; do
  try
done
report
