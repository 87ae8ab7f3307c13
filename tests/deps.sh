#!/bin/sh
# Installs what building and testing need, as far as it is missing: `make deps`, `make demo`,
# `make check` and others begin with it. Says first what it is about to do; says nothing when nothing
# is missing. Where it may not install (no apt-get, or neither root nor sudo without a password), it
# says what to do.
#
#   sh tests/deps.sh SET...               installs: build, test, trace, shells, tools, lint, valgrind
#   sh tests/deps.sh --unpack FOLDER SET  the set's packages are unpacked there, and not installed
#   sh tests/deps.sh --names SET          only names the packages, for this machine's package manager
#   sh tests/deps.sh --has NEED           only tells by its status whether it is there
#
# Fails when something of "build" or "test" is missing at the end. What is missing of other sets costs
# the tests that need it, which skip.

# shellcheck disable=SC2086 # flags, sets and packages are lists of words

# Needs, one a line: the set; the command, <header.h> or flag of clang's that shows that it is there
# (import:NAME: a module of python3); the package for apt, dnf, Homebrew and conda-forge (- where there is none).
needs='
build    cc              gcc            gcc                 gcc          c-compiler
build    <stdio.h>       libc6-dev      glibc-devel         -            -
build    make            make           make                make         make
build    pkg-config      pkg-config     pkgconf-pkg-config  pkgconf      pkg-config
build    <yaml.h>        libyaml-dev    libyaml-devel       libyaml      yaml
build    <cyaml/cyaml.h> libcyaml-dev   libcyaml-devel      libcyaml     -
build    <jansson.h>     libjansson-dev jansson-devel       jansson      jansson
test     <check.h>       check          check-devel         check        check
test     bash            bash           bash                bash         bash
test     cmp             diffutils      diffutils           diffutils    diffutils
test     patch           patch          patch               gpatch       patch
shells   zsh             zsh            zsh                 zsh          zsh
shells   dash            dash           dash                dash         dash
shells   ksh             ksh            ksh                 ksh93        -
shells   mksh            mksh           mksh                mksh         -
shells   busybox         busybox        busybox             -            -
shells   yash            yash           yash                yash         -
shells   fish            fish           fish                fish         fish
shells   tcsh            tcsh           tcsh                tcsh         tcsh
shells   xonsh           xonsh          xonsh               xonsh        xonsh
slurm    slurmctld       slurmctld      slurm-slurmctld     -            -
slurm    slurmd          slurmd         slurm-slurmd        -            -
slurm    sbatch          slurm-client   slurm               -            -
slurm    munged          munge          munge               -            -
trace    strace          strace         strace              strace       -
tools    modulecmd       environment-modules environment-modules -        -
tools    jq              jq             jq                  jq           jq
tools    python3         python3        python3             python3      python
tools    import:dotenv   python3-dotenv python3-dotenv      -            python-dotenv
tools    systemd-analyze systemd        systemd             -            -
tools    docker-compose  docker-compose docker-compose      -            docker-compose
tools    import:ipykernel python3-ipykernel python3-ipykernel -          ipykernel
tools    clang           clang          clang               llvm         clang
tools    -fsanitize=fuzzer libclang-rt-dev compiler-rt      -            compiler-rt
lint     gcc-12          gcc-12         -                   -            -
lint     clang-14        clang-14       -                   -            -
lint     clang-format-14 clang-format-14 -                  -            -
lint     clang-tidy-14   clang-tidy-14  -                   -            -
lint     cppcheck        cppcheck       cppcheck            cppcheck     cppcheck
lint     mandoc          mandoc         mandoc              -            -
lint     shellcheck      shellcheck     ShellCheck          shellcheck   shellcheck
valgrind valgrind        valgrind       valgrind            valgrind     valgrind
'

PATH=$PATH:/usr/sbin:/sbin

# The least that -fsanitize=fuzzer links.
flagged='int LLVMFuzzerTestOneInput(void); int LLVMFuzzerTestOneInput(void) { return 0; }'

here() {
  case $1 in
    cc) command -v "${CC:-cc}" >/dev/null ;;
    import:*) PATH=/usr/bin:$PATH python3 -c "import ${1#import:}" 2>/dev/null ;;
    -f*) echo "$flagged" | "${CLANG:-clang}" "$1,address" -xc - -o /dev/null >/dev/null 2>&1 ;;
    '<'*) echo "#include $1" | ${CC:-cc} -E -xc - $CPPFLAGS $include >/dev/null 2>&1 ;;
    *) command -v "$1" >/dev/null ;;
  esac
}

# The package manager that is here: its command, its column of the table, and what installs with it.
if command -v apt-get >/dev/null; then
  manager=apt-get column=3 install='apt-get install'
elif command -v dnf >/dev/null; then
  manager=dnf column=4 install='dnf install'
elif command -v brew >/dev/null; then
  manager=brew column=5 install='brew install'
elif command -v conda >/dev/null; then
  manager=conda column=6 install='conda install -c conda-forge'
else
  manager=none column=3 install='install, under the names that this system has for'
fi

# The packages of some sets that are missing.
missing() (
  include=$(pkg-config --cflags-only-I libcyaml yaml-0.1 jansson 2>/dev/null)
  echo "$needs" | while read -r set need packages; do
    for wanted; do
      [ "$set" = "$wanted" ] || continue
      here "$need" || echo "$set $need $packages" | awk -v c="$column" '$c != "-" { printf " %s", $c }'
    done
  done
)

# Those of them without which there is no building or testing.
missing_required() {
  for set in $sets; do
    case $set in build | test) missing "$set" ;; esac
  done
}

# All packages of a set.
packages_of() {
  echo "$needs" | awk -v c="$column" -v s="$1" '$1 == s && $c != "-" { printf " %s", $c }'
}

case $1 in
  --names) echo "$install$(packages_of "$2")" && exit ;;
  --has) here "$2" && exit || exit 1 ;;
  --unpack) unpack=$2 && shift 2 ;;
esac

compiler=${CC:-cc}
compiler=${compiler%% *}
if [ "$compiler" != cc ] && ! command -v "$compiler" >/dev/null; then
  echo "CC=$CC: there is no command $compiler on this machine; leave CC out for the usual compiler" >&2
  exit 1
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT

# apt's own words on what went wrong.
complaints() {
  grep -E '^(E|W|Err):|^Err' "$log" | sort -u | head -n 5 | sed 's/^/  /'
}

# apt ARGUMENT...: apt-get, which waits for another one that is running, and says so.
apt() {
  $as_root env DEBIAN_FRONTEND=noninteractive LC_ALL=C apt-get -q "$@" >"$log" 2>&1 </dev/null && return
  grep -q 'Could not get lock\|Unable to lock' "$log" || return
  echo "Another program is installing packages; waiting for it for at most 5 minutes:"
  complaints
  for _ in $(seq 60); do
    sleep 5
    $as_root env DEBIAN_FRONTEND=noninteractive LC_ALL=C apt-get -q "$@" >"$log" 2>&1 </dev/null && return
    grep -q 'Could not get lock\|Unable to lock' "$log" || return
  done
}

# Sets `known` to those of the packages that there are, and says what is with the others.
look_up() {
  known=
  apt -o APT::Update::Error-Mode=any update
  fetched=$?
  [ $fetched = 0 ] || { echo "The lists of packages cannot be fetched:" && complaints; }
  for package; do
    if LC_ALL=C apt-cache policy "$package" 2>/dev/null | grep -q 'Candidate: [^(]'; then
      known="$known $package"
    elif [ $fetched = 0 ]; then
      echo "  $package is not in this distribution"
    fi
  done
}

# What apt would fetch and take up, in its own numbers.
amounts() {
  LC_ALL=C apt-get --assume-no --no-install-recommends install $known 2>/dev/null </dev/null | sed -n \
    -e 's/^[0-9]* upgraded, \([0-9]* newly installed\).*/  \1/p' \
    -e 's/^Need to get \(.*\) of archives\./  \1 to fetch/p' \
    -e 's/^After this operation, \(.*\) of additional disk.*/  \1 on the disk/p'
}

# Unpacks them with what they depend on and is not installed, into a folder: no root is needed for
# that, and no daemon is started.
unpack() {
  packages=$(LC_ALL=C apt-get -s --no-install-recommends install $known 2>/dev/null | awk '/^Inst/ { print $2 }')
  mkdir -p "$unpack/archives" || return
  (cd "$unpack/archives" && apt -o APT::Sandbox::User=root download $packages) || { complaints && return 1; }
  for archive in "$unpack"/archives/*.deb; do
    dpkg-deb -x "$archive" "$unpack" || return
  done
  rm -r "$unpack/archives"
  # What installing would do: slurmctld-wlm is found as slurmctld.
  for program in "$unpack"/usr/*bin/*-wlm; do
    [ ! -e "$program" ] || ln -s "${program##*/}" "${program%-wlm}"
  done
}

sets=$*
packages=$(missing $sets)
[ -n "$packages" ] || exit 0

if [ "$(id -u)" = 0 ]; then
  as_root=
elif sudo -n true 2>/dev/null; then
  as_root='sudo -n'
else
  as_root=none
fi

if [ -n "${unpack-}" ]; then
  [ "$manager" = apt-get ] && [ ! -d "$unpack/usr" ] || exit 0
  if [ "$as_root" = none ]; then
    as_root=
    known=$packages # root's lists have to do
  else
    look_up $packages
  fi
  [ -n "$known" ] || exit 0
  echo "Unpacking into $unpack, without installing:$known"
  amounts
  as_root=
  unpack || { rm -rf "$unpack" && echo "That failed; the tests that need it will be skipped."; }
  exit 0
fi

if [ "$as_root" != none ] && [ $manager = apt-get ]; then
  echo "Looking up, to install with apt-get:$packages"
  look_up $packages
  if [ -n "$known" ]; then
    amounts
    case $sets in
      *shells*) echo "  they stay installed, and the shells add their names to /etc/shells" ;;
      *) echo "  they stay installed" ;;
    esac
    apt -y --no-install-recommends install $known || { echo "apt-get fails:" && complaints; }
  fi
  must=$(missing_required)
  [ -z "$must" ] || { echo "Building and testing need these, which are not here now:$must" >&2 && exit 1; }
  packages=$(missing $sets)
  [ -z "$packages" ] || echo "The tests that need these will be skipped:$packages"
  exit 0
fi

must=$(missing_required)
case "$manager $as_root" in
  apt-get\ none | dnf\ none)
    sudo='as root'
    ! command -v sudo >/dev/null || install="sudo $install"
    why="only root can install them, and sudo asks for a password or is not here"
    ;;
  *) why="this script installs with apt-get only" ;;
esac
if [ -n "$must" ]; then
  {
    echo "Building and testing need packages that are missing; $why."
    echo "Please do this${sudo:+ ($sudo)}, and then again what you did:"
    echo "  $install$must"
    case $must in *cyaml*) [ $manager = apt-get ] ||
      echo "libcyaml, where it is not packaged: https://github.com/tlsa/libcyaml, make install" ;;
    esac
  } >&2
  exit 1
fi
echo "Some tests will be skipped, for want of packages; $why:"
echo "  $install$packages"
