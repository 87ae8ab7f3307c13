#!/bin/sh
# Installs what building and testing need, as far as it is missing: `make deps`, `make demo` and
# `make check` begin with it. Says first what it is about to do; says nothing when nothing is
# missing. Where it may not install (no apt-get, or neither root nor sudo without a password), it
# names the packages.
#
#   sh tests/deps.sh build          what the program is built with
#   sh tests/deps.sh build test     and what tests it
#   sh tests/deps.sh --names build  only names the packages, on one line
#   sh tests/deps.sh --has NEED     only tells by its status whether it is there
#
# Fails when something is missing still without which there is no building or testing.

# shellcheck disable=SC2086 # flags, sets and packages are lists of words

# Needs, one a line: the set; the command, <header.h> or flag of clang's that shows that it is
# there; the package for apt, dnf, Homebrew and conda-forge (- where there is none). The tests skip what they lack of
# the set "more".
needs='
build cc              gcc            gcc                 gcc          c-compiler
build <stdio.h>       libc6-dev      glibc-devel         -            -
build make            make           make                make         make
build pkg-config      pkg-config     pkgconf-pkg-config  pkgconf      pkg-config
build <yaml.h>        libyaml-dev    libyaml-devel       libyaml      yaml
build <cyaml/cyaml.h> libcyaml-dev   libcyaml-devel      libcyaml     -
build <jansson.h>     libjansson-dev jansson-devel       jansson      jansson
test  <check.h>       check          check-devel         check        check
test  cmp             diffutils      diffutils           diffutils    diffutils
more  zsh             zsh            zsh                 zsh          zsh
more  dash            dash           dash                dash         dash
more  ksh             ksh            ksh                 ksh93        -
more  mksh            mksh           mksh                mksh         -
more  busybox         busybox        busybox             -            -
more  yash            yash           yash                yash         -
more  fish            fish           fish                fish         fish
more  tcsh            tcsh           tcsh                tcsh         tcsh
more  xonsh           xonsh          xonsh               xonsh        xonsh
more  slurmctld       slurmctld      slurm-slurmctld     -            -
more  slurmd          slurmd         slurm-slurmd        -            -
more  sbatch          slurm-client   slurm               -            -
more  munged          munge          munge               -            -
more  strace          strace         strace              strace       -
more  clang           clang          clang               llvm         clang
more  -fsanitize=fuzzer libclang-rt-dev compiler-rt      -            compiler-rt
more  clang-format    clang-format   clang-tools-extra   clang-format clang-format
more  clang-tidy      clang-tidy     clang-tools-extra   llvm         clang-tools
more  cppcheck        cppcheck       cppcheck            cppcheck     cppcheck
more  valgrind        valgrind       valgrind            valgrind     valgrind
more  shellcheck      shellcheck     ShellCheck          shellcheck   shellcheck
'

PATH=$PATH:/usr/sbin:/sbin

# The least that -fsanitize=fuzzer links.
flagged='int LLVMFuzzerTestOneInput(void); int LLVMFuzzerTestOneInput(void) { return 0; }'

here() {
  case $1 in
    cc) command -v "${CC:-cc}" >/dev/null ;;
    -f*) echo "$flagged" | "${CLANG:-clang}" "$1,address" -xc - -o /dev/null >/dev/null 2>&1 ;;
    '<'*) echo "#include $1" | "${CC:-cc}" -E -xc - $CPPFLAGS $include >/dev/null 2>&1 ;;
    *) command -v "$1" >/dev/null ;;
  esac
}

# The packages that are missing in some sets; columns 3 to 6 of the table are apt to conda-forge.
missing() (
  column=$1
  shift
  include=$(pkg-config --cflags-only-I libcyaml yaml-0.1 jansson 2>/dev/null)
  echo "$needs" | while read -r set need packages; do
    for wanted; do
      [ "$set" = "$wanted" ] || continue
      here "$need" || echo "$set $need $packages" | awk -v c="$column" '$c != "-" { printf " %s", $c }'
    done
  done
)

all() {
  echo "$needs" | awk -v c="$1" -v s="$2" '$1 == s && $c != "-" { printf " %s", $c }'
}

if [ "$1" = --names ]; then
  echo " (apt)$(all 3 "$2"), (dnf)$(all 4 "$2"), (brew)$(all 5 "$2")"
  exit
fi

if [ "$1" = --has ]; then
  here "$2"
  exit
fi

sets=$*
case $sets in *test*) sets="$sets more" ;; esac
packages=$(missing 3 $sets)
[ -n "$packages" ] || exit 0

if [ "$(id -u)" = 0 ]; then
  as_root=
elif sudo -n true 2>/dev/null; then
  as_root='sudo -n'
else
  as_root=none
fi

if [ "$as_root" != none ] && command -v apt-get >/dev/null; then
  echo "Installing with apt-get:$packages"
  log=$(mktemp)
  $as_root apt-get -qq -o DPkg::Lock::Timeout=300 update >"$log" 2>&1 </dev/null
  known=
  for package in $packages; do
    if apt-cache show "$package" >/dev/null 2>&1; then
      known="$known $package"
    else
      echo "  $package is not in this distribution"
    fi
  done
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=300 \
    install --no-install-recommends $known >>"$log" 2>&1 </dev/null || cat "$log"
  rm -f "$log"
fi

packages=$(missing 3 $sets)
[ -n "$packages" ] || exit 0
echo "These are missing, and cannot be installed from here; please do it with one of:"
echo "  sudo apt-get install$packages"
echo "  sudo dnf install$(missing 4 $sets)"
echo "  brew install$(missing 5 $sets)"
echo "  conda install -c conda-forge$(missing 6 $sets)"
case $packages in
  *libcyaml*) echo "libcyaml, where it is not packaged: https://github.com/tlsa/libcyaml, make install" ;;
esac
case " $* " in *' test '*) required='build test' ;; *) required=build ;; esac
[ -z "$(missing 3 $required)" ] || exit 1
echo "The tests that need them will be skipped."
