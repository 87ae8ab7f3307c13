#!/usr/bin/env bash
# What the program as people get it is: hardened against what its checks miss, and content with an
# old C library. Started by the Makefile; CONDA_GPU is the program, CONDA_GPU_STATIC the one with the
# libraries in it, empty where those are not there to be linked in.
set -u
# shellcheck source=tests/support/report.sh
. "$TESTS/support/report.sh"

elf() { # PROGRAM PATTERN
  readelf -hldsW "$1" | grep -q -e "$2"
}

hardened() { # PROGRAM
  check "$1 is not position-independent" elf "$1" 'Type: *DYN'
  check "$1 is not linked as a PIE" elf "$1" 'FLAGS_1.* PIE'
  check "the relocations of $1 stay writable" elf "$1" GNU_RELRO
  check "$1 binds its functions late" elf "$1" BIND_NOW
  check "the stack of $1 is executable" elf "$1" 'GNU_STACK.* RW '
  check "$1 has no stack protector" elf "$1" __stack_chk_fail
  check "$1 is built without _FORTIFY_SOURCE" elf "$1" __snprintf_chk
}

# RHEL 8, Debian 10 and Ubuntu 20.04 have glibc 2.28 or a later one. Of our own names for what later
# ones have is in src/base/glibc.c.
newest=2.28
old_glibc() { # PROGRAM
  objdump -T "$1" | sed -n 's/.*(\{0,1\}GLIBC_\([0-9.]*\))\{0,1\} *\([^ ]*\)$/\1 \2/p' \
    | sort -V | awk -v newest="$newest" '
      { split($1, is, "."); split(newest, may, ".") }
      is[1] > may[1] || is[1] == may[1] && is[2] + 0 > may[2] + 0 { print $2 " is of glibc " $1 }
      END { if (!NR) print "objdump shows no versions" }' >"$scratch/versions"
  check "$1 needs a glibc newer than $newest: see src/base/glibc.c" cat "$scratch/versions"
}

case $OBJECTS in
  */sanitize* | */coverage* | */debug*)
    skip "hardening and old glibc: only the program as people get it has that"
    report
    ;;
esac
for program in "$CONDA_GPU" $CONDA_GPU_STATIC; do
  hardened "$program"
  case $(uname -m) in
    x86_64 | aarch64) old_glibc "$program" ;;
    *) skip "old glibc: it is promised for x86-64 and 64-bit ARM only" ;;
  esac
done
if [ -n "$CONDA_GPU_STATIC" ]; then
  objdump -p "$CONDA_GPU_STATIC" | awk '$1 == "NEEDED" && $2 !~ /^(libc|libdl|ld-linux.*)\.so/ { print $2 }' \
    >"$scratch/needed"
  check "STATIC=1 leaves a library outside" cat "$scratch/needed"
else
  skip "STATIC=1: the libraries are not here as archives (.a)"
fi
report
