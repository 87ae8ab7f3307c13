#!/usr/bin/env bash
# The hooks as the program writes them, read by every shell that will source them and by shellcheck:
# those of a first plan, and of a second one that drops, adds and changes variables.
# SHELLS="dash fish" takes only these, SHELLS="! dash" all but these.
set -u
# shellcheck source=tests/support/report.sh
. "$TESTS/support/report.sh"

write_hooks() {
  "$CONDA_GPU" apply -q -p "$scratch/pt" -f "$scratch/environment.yml" \
    --driver "$FAKE_CUDA/libcuda.so.1"
}

# reads WHAT FILE SHELL...: the shell, with its options, finds no fault in the file.
reads() {
  local what=$1 file=$2
  shift 2
  ! wanted "$1" || ! have "$1" "the syntax of the written hooks" ||
    check "$* -n complains about $what ${file#"$scratch"/pt/}" "$@" -n "$file"
}

read_all() { # WHAT
  local file shell
  for file in "$scratch"/pt/etc/conda/*/env_vars.sh; do
    for shell in bash dash zsh ksh mksh yash; do
      reads "$1" "$file" $shell
    done
    reads "$1" "$file" bash --posix
    reads "$1" "$file" busybox sh
    # A value is literal: it may hold a $ in single quotes, and quotes of its own. What stands between
    # && and || is an export or a function that ends with one.
    if wanted shellcheck && have shellcheck "the written hooks"; then
      check "shellcheck complains about $1 ${file#"$scratch"/pt/}" \
        shellcheck -s sh -e SC2015,SC2016,SC2089,SC2090 "$file"
    fi
  done
  for file in "$scratch"/pt/etc/conda/*/env_vars.fish; do
    reads "$1" "$file" fish
  done
  for file in "$scratch"/pt/etc/conda/*/env_vars.csh; do
    reads "$1" "$file" tcsh -f
  done
}

mkdir -p "$scratch/pt/conda-meta"
cat >"$scratch/environment.yml" <<'END'
gpu:
  devices: [1, 3]
  variables:
    OMP_NUM_THREADS: 8
    CUDA_HOME: ${CONDA_PREFIX}
    NOTE: "it's $HOME `x` \\ !\nsecond line"
    TF_FORCE_GPU_ALLOW_GROWTH: null
    LD_LIBRARY_PATH: {prepend: "${CONDA_PREFIX}/lib"}
    XLA_FLAGS: {append: "--a", separator: " "}
END
check "apply fails" write_hooks
read_all "the first plan's"
printf '%s\n' 'gpu:' '  devices: none' '  in_job: override' '  variables: {NOTE: null, A: "", XLA_FLAGS: b}' \
  >"$scratch/environment.yml"
check "apply fails" write_hooks
read_all "the second plan's"

report
