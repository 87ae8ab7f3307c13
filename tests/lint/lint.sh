# shellcheck shell=bash
# What the scripts of tests/lint share. Linters and formatters change their mind with every version,
# so what they say is compared with one version of each, Debian 12's; with another one they skip.
# shellcheck source=tests/support/report.sh
. "$TESTS/support/report.sh"

include=$(pkg-config --cflags-only-I libcyaml yaml-0.1 jansson check 2>/dev/null)
# shellcheck disable=SC2206,SC2034 # words, for the scripts
flags=(-std=c11 -D_GNU_SOURCE '-DVERSION="0"' -Isrc -Itests $include -include src/base/banned.h)

# tool NAME VERSION WHAT: sets `tool` to the command NAME-VERSION or NAME of that version; without one
# WHAT is skipped.
tool() {
  local name found
  for name in "$1-$2" "$1"; do
    command -v "$name" >/dev/null || continue
    found=$("$name" --version | grep -oE '[0-9]+(\.[0-9]+)+' | sed -n 1p)
    case $found. in
      "$2".*)
        # shellcheck disable=SC2034 # for the scripts
        tool=$name && return
        ;;
    esac
  done
  if [ -n "${found-}" ]; then
    skip "$3: it is checked with $1 $2, and this is $found"
  else
    skip "$3: $1 $2 is not installed" 1
  fi
  return 1
}
