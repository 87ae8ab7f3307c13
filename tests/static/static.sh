#!/usr/bin/env bash
# What can be checked without running what is checked: sources, scripts, and hooks as the program
# writes them. Reports as the test programs do: see tests/run.
# Started by the Makefile, from the root of the repository.
set -u

passed=0 failed=0 skipped=0 could=0
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# check WHAT COMMAND...: the command must succeed, and say nothing then.
check() {
  local what=$1
  shift
  if "$@" >"$scratch/out" 2>&1 && [ ! -s "$scratch/out" ]; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "failed: $what"
    cat "$scratch/out"
  fi
}

# have COMMAND WHAT: whether the command is there; otherwise WHAT is skipped. The machine could be
# given it.
have() {
  command -v "$1" >/dev/null && return
  skipped=$((skipped + 1)) could=1
  echo "skipped: $2: $1 is not installed"
  return 1
}

# It says on stderr how much it did not say, which nobody asked for. Its analyzer takes a minute.
tidy() {
  local quick=(--checks=-clang-analyzer-*)
  [ -n "${LINT-}" ] && quick=()
  clang-tidy --quiet "${quick[@]}" "$1" -- "${flags[@]}" 2>"$scratch/tidy" || cat "$scratch/tidy"
}

include=$(pkg-config --cflags-only-I libcyaml yaml-0.1 jansson check 2>/dev/null)
# shellcheck disable=SC2206 # words
flags=(-std=c11 -D_GNU_SOURCE '-DVERSION="0"' -Isrc -Itests $include -include src/base/banned.h)
warnings=(-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes
  -Wvla -Wformat=2 -Wcast-qual -Wundef -Wwrite-strings -Wpointer-arith)

# Each header can be the only one that a file includes.
for header in src/*/*.h tests/*/*.h; do
  check "$header does not compile alone" \
    "$CC" "${flags[@]}" "${warnings[@]}" -Werror -fsyntax-only -xc "$header" \
    -Wno-pragma-once-outside-header
done

# Both compilers take the sources without a warning.
for compiler in gcc clang; do
  have "$compiler" "warnings of $compiler" || continue
  for source in src/*.c src/*/*.c; do
    check "$compiler warns about $source" \
      "$compiler" "${flags[@]}" "${warnings[@]}" -Werror -fsyntax-only "$source"
  done
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
  "$CC" "${flags[@]}" -o "$scratch/print" "$scratch/print.c" "$BUILD/embedded.c"
for template in templates/*; do
  "$scratch/print" "${template##*/}" >"$scratch/template"
  check "$template is not embedded as it is" cmp "$template" "$scratch/template"
done

# Only the command line prints, exits or looks at the environment. (child.c is
# a process of its own, which ends with _exit.)
for source in src/*/*.c; do
  name=${source#src/}
  name=${name%.c}
  [ "${name%%/*}" = cli ] && continue
  nm -u "$BUILD/obj/src/$name.o" | awk '{ print $NF }' | sed 's/@.*//' |
    grep -xE 'stdout|stderr|puts|(__)?printf(_chk)?|putchar|exit|getenv|secure_getenv|environ|(v?warnx?|v?errx?)' \
      >"$scratch/upward"
  check "$source prints, exits or reads the environment, which only src/cli and src/main.c may" \
    cat "$scratch/upward"
done

# The modules' includes have an order: no arrow points up, so they make no circle.
for file in src/*.[ch] src/*/*.[ch]; do
  module=${file#src/}
  sed -n 's|^#include "\([a-z_/]*\)\.h"|\1|p' "$file" | sed "s/^/${module%.*} /"
done | awk '$1 != $2' | sort -u >"$scratch/includes"
tsort "$scratch/includes" >/dev/null 2>"$scratch/circle"
check "modules include each other in a circle" cat "$scratch/circle"

# The formatter's versions differ in what they make of .clang-format; this one is Debian 12's.
if have clang-format "formatting"; then
  case $(clang-format --version) in
    *'version 14.'*)
      for file in src/*.[ch] src/*/*.[ch] tests/*/*.[ch]; do
        check "clang-format would change $file" clang-format --dry-run -Werror "$file"
      done
      ;;
    *)
      skipped=$((skipped + 1))
      echo "skipped: formatting: it is checked with clang-format 14"
      ;;
  esac
fi

# The program as people get it is hardened against what its checks miss.
elf() {
  readelf -hldsW "$CONDA_GPU" | grep -q "$@"
}
case $BUILD in
  */sanitize* | */coverage* | */debug*)
    skipped=$((skipped + 1))
    echo "skipped: hardening: only the program as people get it has it"
    ;;
  *)
    check "the program is not position-independent" elf 'Type: *DYN'
    check "the program is not linked as a PIE" elf 'FLAGS_1.* PIE'
    check "the program's relocations stay writable" elf GNU_RELRO
    check "the program binds its functions late" elf BIND_NOW
    check "the program's stack is executable" elf 'GNU_STACK.* RW '
    check "the program has no stack protector" elf __stack_chk_fail
    check "the program is built without _FORTIFY_SOURCE" elf __snprintf_chk
    ;;
esac

# `make lint` sets LINT, and so has everything that these can find; .clang-tidy says what is off.
if have cppcheck "cppcheck"; then
  check "cppcheck complains" cppcheck -q --std=c11 --enable=warning,performance,portability \
    --inline-suppr --error-exitcode=1 -Isrc -D_GNU_SOURCE -j2 src
fi
if have clang-tidy "clang-tidy"; then
  for source in src/*.c src/*/*.c; do
    check "clang-tidy complains about $source" tidy "$source"
  done
fi
# gcc 12 takes what is stored in a list for lost; VARIANT=sanitize finds what is.
if [ -n "${LINT-}" ] && have gcc "gcc -fanalyzer"; then
  for source in src/*.c src/*/*.c; do
    check "gcc -fanalyzer complains about $source" \
      gcc "${flags[@]}" -O2 -fanalyzer -Wno-analyzer-malloc-leak -Werror -S -o /dev/null "$source"
  done
fi

if have shellcheck "shell scripts"; then
  for script in .ci/run tests/run tests/*.sh tests/*/*.sh; do
    check "shellcheck complains about $script" shellcheck "$script"
  done
fi

# The hooks: of a first plan, and of a second one that drops, adds and changes variables. A value is
# literal: it may hold a $ in single quotes, and quotes of its own.
literal=SC2016,SC2089,SC2090
mkdir -p "$scratch/pt/conda-meta"
write_hooks() {
  "$CONDA_GPU" apply -q -p "$scratch/pt" -f "$scratch/environment.yml" \
    --driver "$FAKE_CUDA/libcuda.so.1"
}
check_hooks() {
  local hook shell
  for hook in "$scratch"/pt/etc/conda/*/env_vars.sh; do
    ! have shellcheck "the written hooks" ||
      check "shellcheck complains about $1 ${hook#"$scratch"/pt/}" \
        shellcheck -s sh -e $literal "$hook"
    for shell in 'bash --posix' bash dash zsh ksh mksh 'busybox sh' yash; do
      # shellcheck disable=SC2086 # words
      ! have "${shell%% *}" "the syntax of the written hooks" ||
        check "$shell -n complains about $1 ${hook#"$scratch"/pt/}" $shell -n "$hook"
    done
  done
  for hook in "$scratch"/pt/etc/conda/*/env_vars.fish; do
    ! have fish "the syntax of the written hooks" ||
      check "fish -n complains about $1 ${hook#"$scratch"/pt/}" fish -n "$hook"
  done
  for hook in "$scratch"/pt/etc/conda/*/env_vars.csh; do
    ! have tcsh "the syntax of the written hooks" ||
      check "tcsh -n complains about $1 ${hook#"$scratch"/pt/}" tcsh -f -n "$hook"
  done
}
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
check_hooks "the first plan's"
printf '%s\n' 'gpu:' '  devices: none' '  in_job: override' '  variables: {NOTE: null, A: "", XLA_FLAGS: b}' \
  >"$scratch/environment.yml"
check "apply fails" write_hooks
check_hooks "the second plan's"

echo "$passed $failed $skipped $could" >>"${TEST_RESULTS:-/dev/null}"
[ "$failed" = 0 ]
