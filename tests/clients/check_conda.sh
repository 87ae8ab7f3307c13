#!/bin/sh
# Part of `make check-clients`: what conda-gpu believes of conda, against real ones.
#
# Names: whether a name means the same environment. Both are asked for `pt` in every case below: conda
# activates it, conda-gpu would write into it.
#
# Variables: whether what conda-gpu says of conda's own variables of an environment is so. They spoil
# what a hook puts back, `conda env config vars unset` does not help, and the advice that is given does.
#
# CONDA_EXE names the condas, as for check_clients.sh. Each works with an installation, a home and
# environments of this script's own; yours are not touched. What /etc/conda says counts for both.
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
    $told CONDA_EXE="$root/bin/conda" CONDA_REPORT_ERRORS=false $variables "$@") 2>"$work/said"
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
  told="CONDA_ROOT_PREFIX=$root" variables=''
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
  one_by_one "$2" "$3"
}

# one_by_one CASE COUNT: takes away what is found until nothing is; there are COUNT places.
one_by_one() {
  places=0
  while compare "$1" && [ -n "$found" ] && [ $places -le "$2" ]; do
    mv "$found" "$found.gone"
    places=$((places + 1))
  done
  [ "$places" = "$2" ] || { failed=$((failed + 1)) && echo "$version, $1: found in $places places of $2"; }
}

# marked FILE MARKED: the mark, for the file that bears it.
marked() {
  [ "$1" = "$2" ] && echo ' #!final'
}

# list FILE: the folders on standard input, each with a comment that may be a mark; in each there is a pt.
list() {
  mkdir -p "${1%/*}"
  echo 'envs_dirs:' >"$1"
  while read -r folder comment; do
    case $folder in
      \#*) echo "  $folder $comment" ;;
      *) environment "$work/e/$folder/pt" && echo "  - $work/e/$folder $comment" ;;
    esac >>"$1"
  done
}

# Marks of folders, in two files and with what YAML and conda make of comments.
marks() {
  fresh
  list "$root/.condarc" <<END
t1 #!top
x #!bottom
b1 #bottom!
m1 #topmost
t3
#!top
m3 #!top
# a second line, which is no mark, and spoils the first
END
  list "$home/.condarc" <<END
t2 #!top
b2   #!!bottom
x #!top
b1
m2 #!top # why
END
  variables="CONDA_ENVS_DIRS=$work/e/x:$work/e/v"
  environment "$work/e/v/pt"
  one_by_one "folders that are marked" 10
}

# moved CASE: an installation that conda is told is elsewhere.
moved() {
  environment "$root/envs/pt"
  environment "$work/e/moved/envs/pt"
  environment "$work/e/moved"
  compare "$1"
}

# ---- Variables --------------------------------------------------------------------------------

# round_trip PRIOR: X before, in and after the environment, in bash.
round_trip() {
  cat >"$work/trip" <<END
eval "\$('$exe' shell.bash hook)"
printf '%s,' "\${X-unset}"
conda activate '$work/e/pt'
printf '%s,' "\${X-unset}"
conda deactivate
printf '%s' "\${X-unset}"
END
  # shellcheck disable=SC2086 # words
  (cd "$work" && env -i PATH="$path" HOME="$home" LANG=C.UTF-8 PYTHONDONTWRITEBYTECODE=1 \
    CONDA_AUTO_ACTIVATE_BASE=false CONDA_REPORT_ERRORS=false $1 bash --norc --noprofile "$work/trip") 2>/dev/null
}

# expect WHAT GOT WANTED
expect() {
  if [ "$2" = "$3" ]; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "$version, $1: $2, should be $3"
  fi
}

# noted WORDS: whether apply says that.
noted() {
  asked "$CONDA_GPU" apply -f "$work/x.yml" -p "$work/e/pt" >/dev/null
  grep -cF -- "$1" "$work/said"
}

state=$work/e/pt/conda-meta/state
the_state() { tr -d ' \n' <"$state"; }

own_variables() {
  fresh
  environment "$work/e/pt"
  printf 'gpu: {devices: none, variables: {X: 8}}\n' >"$work/x.yml"
  asked "$CONDA_GPU" apply -q -f "$work/x.yml" -p "$work/e/pt"
  expect 'hooks alone' "$(round_trip X=7) $(round_trip X=) $(round_trip '')" '7,8,7 ,8, unset,8,unset'
  asked "$exe" env config vars set -p "$work/e/pt" X=9 >/dev/null
  expect 'what "config vars set" writes' "$(the_state)" '{"env_vars":{"X":"9"}}'
  expect 'the note on a variable of conda' "$(noted 'conda itself sets X=9')" 1
  asked "$exe" env config vars unset -p "$work/e/pt" X >/dev/null
  expect 'what "config vars unset" leaves' "$(the_state)" '{"env_vars":{"X":"***unset***"}}'
  expect 'the note on what is left' "$(noted "has left \"X\"")" 1
  case $(round_trip X=7) in
    7,8,7) failed=$((failed + 1)) && echo "$version: what \`config vars unset\` leaves does no harm any more" ;;
    7,8,*) passed=$((passed + 1)) ;;
    *) failed=$((failed + 1)) && echo "$version, after \`config vars unset\`: $(round_trip X=7)" ;;
  esac
  echo '{"env_vars": {}}' >"$state"
  expect 'without the key' "$(round_trip X=7) $(round_trip X=) $(round_trip '')" '7,8,7 ,8, unset,8,unset'
  expect 'the note without the key' "$(noted X)" 0
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
  fresh && in_order '' 'every place' 21
  fresh && rm "$root/conda-meta/history" && in_order '' 'every place, an installation of others' 21
  fresh && in_order home/.conda/.condarc 'one is final' 12
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
  marks
  fresh
  told="CONDA_ROOT_PREFIX=$work/e/moved"
  moved 'a root_prefix of the environment'
  fresh
  told=''
  mkdir -p "$home/.conda"
  echo "root_prefix: $work/e/moved" >"$home/.condarc"
  moved 'a root_prefix of a condarc'
  own_variables
  [ "$failed" != "$before" ] || echo "$version: as conda-gpu says"
done
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" = 0 ]
