#!/usr/bin/env bash
# Both compilers take every source without a warning, and the fuzz targets, which a machine without
# libFuzzer does not build.
set -u
# shellcheck source=tests/lint/lint.sh
. "$TESTS/lint/lint.sh"

warnings=(-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes
  -Wvla -Wformat=2 -Wcast-qual -Wundef -Wwrite-strings -Wpointer-arith)
for compiler in 'gcc 12' 'clang 14'; do
  tool "${compiler% *}" "${compiler#* }" "warnings of ${compiler% *}" || continue
  for source in src/*.c src/*/*.c tests/fuzz/*.c; do
    check "$tool warns about $source" "$tool" "${flags[@]}" "${warnings[@]}" -DRUNS_ON_OLD_GLIBC -O2 \
      -Werror -c -o "$scratch/object" "$source"
  done
done
report
