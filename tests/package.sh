#!/usr/bin/env bash
# `make check-package`: the packages, as somebody who gets them meets them.
# - make dist makes the same bytes twice, and what is in it builds and has the tarball's version.
# - make deb makes the same bytes twice; the package installs in a new Debian of this machine's release,
#   works there without a GPU, and leaves nothing behind when it is purged.
# - The workflow for GitHub: the lines that it runs are run there, in its order, on a clone of what is
#   committed. (Of `make check` one test; make check-fresh runs them all.)
# It needs root, debootstrap and Debian's packages, and takes a few minutes.
#
#   FRESH=FOLDER   where the system is made, from the archive that make check-fresh left there if there
#                  is one (/var/tmp/conda-gpu-fresh); removed at the end
set -u
# shellcheck source=tests/support/report.sh
. "$TESTS/support/report.sh"
cd "$TESTS/.." || exit
fresh=${FRESH:-/var/tmp/conda-gpu-fresh}
# shellcheck source=/dev/null
release=$(. /etc/os-release && echo "${VERSION_CODENAME-}")

# twice TARGET: what make TARGET makes is the same the second time; sets `made` to it.
twice() {
  made=$(make --no-print-directory "$1" 2>"$scratch/log" | tail -n 1)
  [ -s "$made" ] || { cat "$scratch/log" && return 1; }
  cp "$made" "$scratch/first"
  rm "$made"
  sleep 1.1
  make --no-print-directory "$1" >/dev/null 2>&1
  cmp "$scratch/first" "$made"
}

check "make dist makes other bytes each time" twice dist
version=$("$CONDA_GPU" version)
mkdir "$scratch/dist"
tar -C "$scratch/dist" -xzf "$made"
unpacked=$(echo "$scratch"/dist/*)
builds() {
  env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -C "$unpacked" -j2 >"$scratch/log" 2>&1 || cat "$scratch/log"
}
check "what make dist packs does not build" builds
check "the tarball's program is of another version" test "$("$unpacked/build/conda-gpu" version)" = "$version"

check "make deb makes other bytes each time" twice deb
package=$made

[ "$(id -u)" = 0 ] || { skip "the package in a new Debian: only root can make one" && report; }
have debootstrap "the package in a new Debian" || report
[ -n "$release" ] || { skip "the package in a new Debian: this is none" && report; }
system=$scratch/$release
if [ -e "$fresh/$release.tar" ]; then
  tar -C "$scratch" -xf "$fresh/$release.tar"
else
  # shellcheck disable=SC2016 # for apt
  debootstrap --variant=minbase "$release" "$system" \
    "$(apt-get indextargets --format '$(REPO_URI)' | grep -m 1 '/debian/\?$')" >"$scratch/log" 2>&1 \
    || { skip "the package in a new Debian: debootstrap fails: $(tail -n 1 "$scratch/log")" && report; }
fi
inside() {
  env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
    ${http_proxy:+http_proxy="$http_proxy"} chroot "$system" sh -c "$1" </dev/null
}
# All files but those of dpkg, apt and their logs.
files() {
  inside 'find / -xdev \( -path /proc -o -path /dev -o -path /sys -o -path /tmp -o -path /var/lib/dpkg -o -path /var/lib/apt \
    -o -path /var/cache -o -path /var/log \) -prune -o -print' | sort
}
quietly() {
  inside "$1" >"$scratch/log" 2>&1 || cat "$scratch/log"
}

cp "$package" "$system/tmp/conda-gpu.deb"
# Its libraries come first, so that what is compared is the package alone.
check "the package lists cannot be fetched" quietly 'apt-get -q update'
check "its libraries do not install" quietly "apt-get -qy --no-install-recommends install $(
  dpkg-deb -f "$package" Depends | tr , '\n' | sed 's/(.*//' | xargs
)"
files >"$scratch/before"
check "the package does not install" quietly 'dpkg -i /tmp/conda-gpu.deb'
check "its files are not as packed" quietly 'dpkg --verify conda-gpu | diff /dev/null -'
check "the installed program is of another version" test "$(inside 'conda-gpu version')" = "$version"
inside 'mkdir -p /tmp/pt/conda-meta && printf "gpu: {devices: all, variables: {A: 1}}" >/tmp/environment.yml'
check "apply does not work there" quietly 'cd /tmp && conda-gpu apply -p /tmp/pt'
# shellcheck disable=SC2016 # for the inner shell
check "its hooks do not work there" test \
  "$(inside 'export CONDA_PREFIX=/tmp/pt CONDA_SHLVL=1; . /tmp/pt/etc/conda/activate.d/env_vars.sh; echo $A')" = 1
check "remove does not work there" quietly 'conda-gpu remove -p /tmp/pt'
check "there is no GPU there, and devices does not say so" test "$(inside 'conda-gpu devices >/dev/null 2>&1; echo $?')" = 3
check "the package cannot be purged" quietly 'apt-get -qy purge conda-gpu'
files >"$scratch/after"
check "the package leaves something behind" diff "$scratch/before" "$scratch/after"

# ---- The workflow -----------------------------------------------------------------------------

# lines JOB: what it runs, a step after the other; GitHub runs each in a shell of its own.
lines() {
  awk -v job="$1:" '
    /^  [a-z]+:$/ { inside = $1 == job; block = 0 }
    block && /^          / { print substr($0, 11); next }
    { block = 0 }
    inside && /^ +(- )?run: \|$/ { block = 1; next }
    inside && sub(/^ +(- )?run: /, "") { print "(" $0 ")" }
  ' .github/workflows/release.yml | sed "s/\${{ matrix.machine }}/$(uname -m)/g"
}
# does JOB [NAME=VALUE...]: as root in the clone, as in GitHub's container.
does() {
  lines "$1" >"$system/src/job"
  check "the workflow has no job $1" test -s "$system/src/job"
  shift
  check "the workflow's lines fail: $(cat "$system/src/job")" \
    quietly "cd /src && env GITHUB_WORKSPACE=/src ONLY=check_text $* sh -e job"
}
git clone -q . "$system/src"
# What GitHub would be told, and no more than that.
# shellcheck disable=SC2016 # for that script
printf '%s\n' '#!/bin/sh' 'for last; do :; done' 'test -s "$last"' >"$system/usr/bin/gh"
chmod +x "$system/usr/bin/gh"
does check
does package
does release "GITHUB_REF_NAME=v${version#conda-gpu }"
for file in SHA256SUMS "conda-gpu-linux-$(uname -m)" "$(basename "$package")" "conda-gpu-${version#conda-gpu }.tar.gz"; do
  check "the workflow releases no $file" test -s "$system/src/packages/$file"
done
check "the released program does not run" test "$(inside "/src/packages/conda-gpu-linux-$(uname -m) version")" = "$version"
report
