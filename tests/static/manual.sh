#!/usr/bin/env bash
# The man pages say what is true: conda-gpu(1) has every option, the examples of
# conda-gpu-environment(5) are sections that apply takes, and it has every key that there is.
set -u
# shellcheck source=tests/support/report.sh
. "$TESTS/support/report.sh"
pages=$OBJECTS/man
sections=$pages/conda-gpu-environment.5
export CONDA_GPU_DRIVER=$FAKE_CUDA/libcuda.so.1 FAKE_CUDA_MACHINE=$TESTS/machines/four

# The options of a command, from its help or from its part of the page, one a line.
helped() {
  "$CONDA_GPU" help "$1" | sed -n 's/^  \(-., \|    \)\(--[a-z-]*\).*/\2/p' | grep -v '^--help$'
}
described() {
  awk -v command="$1" '/^\.Ss / { here = $2 == command } here' "$pages/conda-gpu.1" \
    | sed -n '/^\.It /{ s/.*Fl \\-\([a-z-]*\).*/--\1/p }'
}
has_options() { diff <(helped "$1") <(described "$1"); }
commands=$("$CONDA_GPU" help | sed -n '/^Exit/q; s/^  \([a-z]\{2,\}\) .*/\1/p')
for command in $commands; do
  check "conda-gpu(1) has not the options of $command" has_options "$command"
done
check "there are no commands" test -n "$commands"

# Every example that is a section.
awk -v folder="$scratch" '
  /^\.Bd -literal/ { file = folder "/" ++examples ".yml"; next }
  /^\.Ed/ { file = "" }
  file { print >file }' "$sections"
mkdir -p "$scratch/envs/pt/conda-meta"
applies() { "$CONDA_GPU" apply --quiet --dry-run -f "$1" -p "$scratch/envs/pt"; }
check "there are no examples" test -e "$scratch/1.yml"
for example in "$scratch"/*.yml; do
  check "apply refuses an example of conda-gpu-environment(5): $(cat "$example")" applies "$example"
done

# Every key that the program names when it meets one that it does not know.
keys() { # SECTION
  echo "$1" >"$scratch/wrong"
  "$CONDA_GPU" apply -f "$scratch/wrong" -p "$scratch/envs/pt" 2>&1 | sed -n 's/.*known keys: //p' | tr -d ,
}
has_keys() {
  local key found=0
  for key in $(keys "$1"); do
    found=$((found + 1))
    grep -qw "$key" "$sections" || echo "$key is missing"
  done
  [ "$found" -gt 1 ]
}
check "conda-gpu-environment(5) lacks a key" has_keys 'gpu: {devices: 0, zzz: 1}'
check "conda-gpu-environment(5) lacks a key of filters" has_keys 'gpu: {devices: {zzz: 1}}'
report
