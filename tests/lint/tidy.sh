#!/usr/bin/env bash
# clang-tidy, with the checks of .clang-tidy, which says what is off and why.
set -u
# shellcheck source=tests/lint/lint.sh
. "$TESTS/lint/lint.sh"

# It says on stderr how much it did not say, which nobody asked for.
tidy() {
  "$tool" --quiet "$1" -- "${flags[@]}" 2>"$scratch/tidy" || cat "$scratch/tidy"
}

if tool clang-tidy 14 "clang-tidy"; then
  for source in src/*.c src/*/*.c; do
    check "clang-tidy complains about $source" tidy "$source"
  done
fi
report
