#!/usr/bin/env bash
# What mandoc says of the man pages.
set -u
# shellcheck source=tests/support/report.sh
. "$TESTS/support/report.sh"
have mandoc "the man pages" || report

for page in "$OBJECTS"/man/*.[15]; do
  check "mandoc finds fault with ${page##*/}" mandoc -Tlint -Wwarning "$page"
done
report
