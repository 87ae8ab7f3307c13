#!/usr/bin/env bash
# gcc -fanalyzer. It takes what is stored in a list for lost; VARIANT=sanitize finds what is.
set -u
# shellcheck source=tests/lint/lint.sh
. "$TESTS/lint/lint.sh"

if tool gcc 12 "gcc -fanalyzer"; then
  for source in src/*.c src/*/*.c; do
    check "gcc -fanalyzer complains about $source" "$tool" "${flags[@]}" -O2 -fanalyzer \
      -Wno-analyzer-malloc-leak -Werror -S -o /dev/null "$source"
  done
fi
report
