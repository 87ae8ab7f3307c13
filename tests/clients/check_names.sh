#!/bin/sh
# Part of `make check-clients`: whether a name means the same environment to conda-gpu as to real
# condas. Both are asked for `pt` in every case below: conda activates it, conda-gpu would write into
# it. CONDA_EXE names the condas, as for check_clients.sh.
#
# Each conda works with an installation, a home and environments of this script's own; yours are not
# touched. What /etc/conda says counts for both.
set -u

condas=${CONDA_EXE:-$(command -v conda)}
if [ -z "$condas" ]; then
  echo "No conda is on PATH; give one: make check-clients CONDA_EXE=/path/to/bin/conda"
  echo "0 passed, 0 failed, 1 skipped"
  exit 0
fi

work=$(cd "$(mktemp -d)" && pwd -P)
# shellcheck disable=SC2154 # the trap's own
trap 'status=$?; rm -rf "$work"; exit $status' EXIT
trap 'exit 130' HUP INT TERM
path=$(command -p getconf PATH)
root=$work/root home=$work/home
printf 'name: other\ngpu: {devices: none}\n' >"$work/gpu.yml"

environment() {
  mkdir -p "$1/conda-meta"
  : >"$1/conda-meta/history"
}

# condarc FILE FOLDER [MARK]: a file that names one folder of environments, in which there is a pt.
condarc() {
  mkdir -p "${1%/*}"
  printf 'envs_dirs:%s\n  - %s\n' "${3-}" "$2" >"$1"
  environment "$2/pt"
}

# asked COMMAND...: with this case's environment.
asked() {
  # shellcheck disable=SC2086 # words
  (cd "$work" && env -i PATH="$path" HOME="$home" LANG=C.UTF-8 PYTHONDONTWRITEBYTECODE=1 CONDA_ROOT="$root" \
    CONDA_ROOT_PREFIX="$root" CONDA_EXE="$root/bin/conda" CONDA_REPORT_ERRORS=false $variables "$@") 2>"$work/said"
}

passed=0 failed=0
# compare CASE: nothing, and a status, if both go to the same place; $found is that place.
compare() {
  found=$(asked "$exe" shell.posix activate pt | sed -n "s/^export CONDA_PREFIX='\(.*\)'$/\1/p")
  ours=$(asked "$CONDA_GPU" apply --check -f "$work/gpu.yml" -n pt |
    sed -n 's/^environment  [^ ]*  //p')
  if [ "$found" = "$ours" ]; then
    passed=$((passed + 1))
    return 0
  fi
  # Of a folder that is no environment, conda activates what there is, and conda-gpu says so.
  if [ -z "$ours" ] && [ ! -e "$found/conda-meta" ] && grep -qF "$found: not a conda environment" "$work/said"; then
    passed=$((passed + 1))
    return 0
  fi
  failed=$((failed + 1))
  echo "$version, $1: conda activates ${found:-nothing}, conda-gpu takes ${ours:-nothing}"
  return 1
}

fresh() {
  rm -rf "$root" "$home" "$work/e"
  environment "$root"
  mkdir -p "$home" "$root/bin"
  : >"$root/bin/conda"
  variables=''
}

# Every place at once; the first that is found is taken away, until none is left.
in_order() {
  for file in named.yml active/condarc.d/z.yml active/condarc.d/a.yaml active/condarc active/.condarc \
    home/.condarc home/.conda/condarc.d/a.yml home/.conda/condarc home/.conda/.condarc \
    home/.config/conda/condarc.d/a.yml home/.config/conda/condarc home/.config/conda/.condarc \
    xdg/conda/condarc.d/a.yml xdg/conda/condarc xdg/conda/.condarc \
    root/condarc.d/a.yml root/condarc root/.condarc; do
    condarc "$work/$file" "$work/e/$(echo "$file" | tr / _)" "$(marked "$file" "$1")"
  done
  condarc "$home/condarc" "$work/e/not_read"
  environment "$work/active"
  environment "$work/e/variable/pt"
  environment "$root/envs/pt"
  environment "$home/.conda/envs/pt"
  variables="CONDARC=$work/named.yml CONDA_PREFIX=$work/active XDG_CONFIG_HOME=$work/xdg CONDA_ENVS_PATH=$work/e/none:$work/e/variable"
  count=0
  while compare "$2" && [ -n "$found" ] && [ $count -lt 30 ]; do
    mv "$found" "$found.gone"
    count=$((count + 1))
  done
  [ $count -gt 2 ] || { failed=$((failed + 1)) && echo "$version, $2: only $count places were found"; }
}

# marked FILE MARKED: the mark, for the file that bears it.
marked() {
  [ "$1" = "$2" ] && echo ' #!final'
}

for exe in $condas; do
  case $exe in /*) ;; *) exe=$PWD/$exe ;; esac
  version=$(env -i PATH="$path" HOME="$work" "$exe" --version 2>/dev/null | sed -n '/^conda /p')
  if [ -z "$version" ]; then
    failed=$((failed + 1))
    echo "$exe is no conda, or does not start"
    continue
  fi
  before=$failed
  fresh && in_order '' 'every place'
  fresh && rm "$root/conda-meta/history" && in_order '' 'every place, an installation of others'
  fresh && in_order home/.conda/.condarc 'one is final'
  fresh
  environment "$root/envs/pt"
  environment "$home/.conda/envs/pt"
  compare 'the same name in two places'
  chmod a-w "$root/conda-meta/history"
  compare 'a read-only installation'
  fresh
  condarc "$root/.condarc" "$work/e/team"
  environment "$root/envs/pt"
  compare "a team's envs_dirs"
  variables="CONDA_ENVS_DIRS=~/mine"
  environment "$home/mine/pt"
  compare 'CONDA_ENVS_DIRS'
  fresh
  mkdir -p "$root/envs/pt"
  environment "$home/.conda/envs/pt"
  compare 'a folder that is no environment'
  fresh
  environment "$work/e/pt"
  mkdir -p "$home/.conda"
  echo "$work/e/pt" >"$home/.conda/environments.txt"
  compare 'only in environments.txt'
  [ "$failed" != "$before" ] || echo "$version: names mean the same"
done
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" = 0 ]
