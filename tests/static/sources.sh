#!/usr/bin/env bash
# What the sources themselves must keep to, whatever compiles them: headers that stand alone, folders
# that are floors, who may print, what is banned, and templates that are embedded byte for byte.
# Started by the Makefile from the root of the repository; OBJECTS is where it compiles to.
set -u
# shellcheck source=tests/support/report.sh
. "$TESTS/support/report.sh"

include=$(pkg-config --cflags-only-I libcyaml yaml-0.1 jansson check 2>/dev/null)
# shellcheck disable=SC2206 # words
flags=(-std=c11 -D_GNU_SOURCE '-DVERSION="0"' -Isrc -Itests $include -include src/base/banned.h)

# Each header can be the only one that a file includes. Those of the simulated drivers, which are
# libraries of their own, do without banned.h.
for header in src/*/*.h tests/*/*.h; do
  case $header in
    */fake_*) check "$header does not compile alone" "$CC" -std=c11 -D_GNU_SOURCE -Itests -fsyntax-only -include "$header" -xc /dev/null && continue ;;
  esac
  check "$header does not compile alone" "$CC" "${flags[@]}" -fsyntax-only -include "$header" -xc /dev/null
done

# src/base/banned.h does ban, and says what to use instead.
for call in 'strcpy(a, b)' 'sprintf(a, b)' 'atoi(a)' 'system(a)' 'sscanf(b, b)'; do
  echo "void f(char *a, const char *b); void f(char *a, const char *b) { $call; }" >"$scratch/bad.c"
  "$CC" "${flags[@]}" -fsyntax-only "$scratch/bad.c" 2>"$scratch/message"
  check "src/base/banned.h lets ${call%%(*} pass" grep -q "${call%%(*}_is_banned__" "$scratch/message"
done

# The embedded templates are the files' bytes.
cat >"$scratch/print.c" <<'END'
#include "hook/templates.h"
#include <stdio.h>
int main(int argc, char **argv)
{
    for (const struct template_file *file = template_files; argc == 2 && file->name; file++)
        if (strcmp(file->name, argv[1]) == 0)
            fputs(file->text, stdout);
    return 0;
}
END
check "the printer of templates does not compile" \
  "$CC" "${flags[@]}" -o "$scratch/print" "$scratch/print.c" "$OBJECTS/embedded.c"
for template in templates/*; do
  "$scratch/print" "${template##*/}" >"$scratch/template"
  check "$template is not embedded as it is" cmp "$template" "$scratch/template"
done

# Only the command line prints, exits or looks at the environment. (A child, src/*/child.c, ends with
# _exit.)
upward='stdout|stderr|puts|(__)?printf(_chk)?|putchar|exit|getenv|secure_getenv|environ|(v?warnx?|v?errx?)'
for source in src/*/*.c; do
  [ "${source#src/cli/}" = "$source" ] || continue
  nm -u "$OBJECTS/obj/${source%.c}.o" | awk '{ print $NF }' | sed 's/@.*//' | grep -xE "$upward" \
    >"$scratch/upward"
  check "$source prints, exits or reads the environment, which only src/cli and src/main.c may" \
    cat "$scratch/upward"
done

# The floors, from the ground up: a folder includes from itself and from those before it. Headers make
# no circle; a .c file may have a header that it shares with a part of its own (hook/command.h).
floors='base gpu section plan hook conda export cli'
for file in src/*.[ch] src/*/*.[ch]; do
  sed -n 's|^#include "\([a-z_/]*\)\.h".*|\1|p' "$file" | sed "s|^|${file#src/} |"
done | awk -v floors="$floors" -v circles="$scratch/includes" '
  BEGIN { count = split(floors, names, " "); for (i = 1; i <= count; i++) floor[names[i]] = i }
  {
    from = $1; sub("/.*", "", from)
    to = $2; sub("/.*", "", to)
    if (from == "main.c")
      next
    if (!(from in floor))
      print "src/" from " is no floor; those are: " floors
    else if (!(to in floor) || floor[to] > floor[from])
      print "src/" $1 " includes " $2 ".h, from a floor above"
    if (sub("\\.h$", "", $1))
      print $1, $2 >circles
  }' | sort -u >"$scratch/arrows"
check "a folder of src/ includes from a floor above it" cat "$scratch/arrows"
sort -u "$scratch/includes" | tsort >/dev/null 2>"$scratch/circle"
check "headers include each other in a circle" cat "$scratch/circle"

report
