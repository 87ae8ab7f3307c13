#!/usr/bin/env bash
# The formatter, cppcheck, and shellcheck for the scripts.
set -u
# shellcheck source=tests/lint/lint.sh
. "$TESTS/lint/lint.sh"

if tool clang-format 14 "formatting"; then
  for file in src/*.[ch] src/*/*.[ch] man/*.c tests/*/*.[ch]; do
    check "clang-format would change $file" "$tool" --dry-run -Werror "$file"
  done
fi
# It does not see what scope() releases: VARIANT=sanitize and make valgrind do.
if tool cppcheck 2.10 "cppcheck"; then
  check "cppcheck complains" "$tool" -q --std=c11 --enable=warning,performance,portability \
    --inline-suppr --suppress=memleak --error-exitcode=1 -Isrc -D_GNU_SOURCE -j2 src
fi
if tool shellcheck 0.9 "shell scripts"; then
  # SC2317: what check calls is not unreachable
  for script in .ci/run tests/run tests/*.sh tests/*/*.sh packaging/*/*.sh; do
    check "shellcheck complains about $script" "$tool" -x -e SC2317 "$script"
  done
fi
report
