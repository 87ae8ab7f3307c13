#!/usr/bin/env bash
# Runs the fuzz targets that the Makefile built, one after the other, and shows how much each did.
# What a target shows, and when an input is at fault, is in tests/fuzz/*.c.
#
#   FUZZ_SECONDS=N  for each target; 600, and 10 as a part of `make check-all`
#   TARGET=NAME     that one alone
#
# Inputs that reach something new are kept below build/fuzz/corpus, and are where the next run begins,
# beside tests/fuzz/seeds and, where it is there, the corpus of real environment files. An input at
# fault is put into build/fuzz/found, whole; `build/fuzz/targets/TARGET FILE` runs it again.
# Started by the Makefile. Reports as the test programs do: see tests/run.
set -u
# Many small files are written: in memory if that can be.
[ ! -w /dev/shm ] || export TMPDIR=/dev/shm
# shellcheck source=tests/support/report.sh
. "$TESTS/support/report.sh"

seconds=${FUZZ_SECONDS:-600}
[ -z "${TEST_RESULTS-}" ] || seconds=${FUZZ_SECONDS:-10}
corpus=$TESTS/../../shared/corpus/environments

# Real files with a section behind them, in the encoding of ASCII.
add_real_files() {
  local file
  for file in "$corpus"/*; do
    [ "$(stat -c %s "$file")" -lt 16384 ] || continue
    { cat "$file" && printf '\ngpu:\n  devices: [1, 3]\n  variables: {A: x}\n'; } \
      >"$scratch/seeds/${file##*/}"
  done
}

# run TARGET: 0 if nothing was found.
run() {
  local target=$1 log=$FUZZ/$1.log status dictionary=$TESTS/fuzz/$1.dict options=()
  mkdir -p "$FUZZ/corpus/$target" "$FUZZ/found" "$scratch/tmp"
  rm -rf "$scratch/seeds"
  cp -r "$TESTS/fuzz/seeds/$target" "$scratch/seeds"
  [ "$target" != environment ] || [ ! -d "$corpus" ] || add_real_files
  [ ! -e "$dictionary" ] || options=(-dict="$dictionary")
  TMPDIR=$scratch/tmp "$FUZZ/targets/$target" -max_total_time="$seconds" -timeout=30 \
    -rss_limit_mb=4096 "${options[@]}" -artifact_prefix="$FUZZ/found/$target-" \
    -print_final_stats=1 "$FUZZ/corpus/$target" "$scratch/seeds" >"$log" 2>&1 </dev/null
  status=$?
  awk -v target="$target" -v found="$([ $status = 0 ] && echo none || echo YES)" '
    / cov: / { for (i = 1; i < NF; i++) at[$i] = $(i + 1) }
    /^stat::number_of_executed_units/ { runs = $2 }
    END { printf "%-14s %12d %8d %9d %8s  %s\n", target, runs, at["cov:"], at["ft:"], at["corp:"], found }
  ' "$log"
  rm -rf "$scratch/tmp"
  return $status
}

printf '%-14s %12s %8s %9s %8s  %s\n' target executions edges features inputs found
for source in "$TESTS"/fuzz/*.c; do
  target=$(basename "$source" .c)
  [ ! -e "${source%.c}.h" ] || continue
  case ${TARGET:-$target} in "$target") ;; *) continue ;; esac
  if [ ! -x "$FUZZ/targets/$target" ]; then
    skip "fuzzing $target: clang and its libFuzzer are not installed" 1
  elif run "$target"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    tail -n 40 "$FUZZ/$target.log"
  fi
done
[ "$failed" = 0 ] || echo "What was found is in $FUZZ/found"
report
