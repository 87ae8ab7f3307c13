#!/usr/bin/env bash
# What only some shells have, and hooks could stumble over: variables that the shell holds as
# integers (it then evaluates what they are given), fish's universal variables, and tcsh's other
# ways to quote. In each the hooks must be exact, and nothing of a value may run.
set -u
# shellcheck source=tests/support/report.sh
. "$TESTS/support/report.sh"

# environment NAME SECTION: an environment with the hooks of that gpu: section.
environment() {
  mkdir -p "$scratch/$1/conda-meta"
  printf 'gpu: %s\n' "$2" >"$scratch/$1.yml"
  "$CONDA_GPU" apply -q -f "$scratch/$1.yml" -p "$scratch/$1" --driver "$FAKE_CUDA/libcuda.so.1"
}

# values SHELL SCRIPT NAME...: what the script leaves in these variables, names or patterns, in lines
# "NAME=VALUE".
values() {
  local shell=$1 script=$2 entry name
  shift 2
  mkdir -p "$scratch/home"
  printf '%s\nenv -0 >%s/env\n' "$script" "$scratch" >"$scratch/script"
  # shellcheck disable=SC2086 # $shell: words
  (cd "$scratch" && env -i PATH="$PATH" HOME="$scratch/home" CONDA_SHLVL=1 "${set[@]}" \
    $shell script) || return
  for name; do
    while IFS= read -r -d '' entry; do
      # shellcheck disable=SC2254 # a pattern
      case "${entry%%=*}" in $name) printf '%s\n' "$entry" ;; esac
    done <"$scratch/env"
  done
}

# exact WHAT SHELL SCRIPT WANTED NAME...: they are as wanted, and nothing else is said.
exact() {
  local what=$1 shell=$2 script=$3 wanted=$4
  rm -f "$scratch/canary"
  shift 4
  check "$what" diff <(printf '%s' "$wanted") <(values "$shell" "$script" "$@" 2>&1)
  check "$what: a value is run" test ! -e "$scratch/canary"
}

activate=etc/conda/activate.d/env_vars deactivate=etc/conda/deactivate.d/env_vars
set=()

# ---- integers -----------------------------------------------------------------------------------

# shellcheck disable=SC2016 # the shells within must not expand it either
hostile='a[$(touch canary)]'
environment I "{devices: 0, variables: {OMP_NUM_THREADS: '$hostile'}}" || failed=1
environment J "{devices: 0, variables: {OMP_NUM_THREADS: 8}}" || failed=1

set=("PRIOR=$hostile")
for shell in bash mksh ksh zsh; do
  if wanted $shell && have $shell "integer variables"; then
    exact "$shell, a value for an integer" "$shell" "typeset -i OMP_NUM_THREADS=4
export OMP_NUM_THREADS
. I/$activate.sh" "OMP_NUM_THREADS=$hostile
" OMP_NUM_THREADS
    exact "$shell, an integer and back" "$shell" "typeset -i OMP_NUM_THREADS=4
export OMP_NUM_THREADS
. I/$activate.sh
. I/$deactivate.sh" "OMP_NUM_THREADS=4
" OMP_NUM_THREADS '__CONDA_GPU_*'
    exact "$shell, what was before in a variable that is an integer by now" "$shell" \
      "export OMP_NUM_THREADS=\"\$PRIOR\"
. J/$activate.sh
typeset -i OMP_NUM_THREADS
. J/$deactivate.sh" "OMP_NUM_THREADS=$hostile
" OMP_NUM_THREADS
  fi
done
set=()

# ---- readonly variables -------------------------------------------------------------------------

# What the shell says of them is its own.

for shell in bash 'bash --posix' dash zsh ksh mksh 'busybox sh' yash; do
  if wanted "${shell%% *}" && have "${shell%% *}" "readonly variables"; then
    for name in OMP_NUM_THREADS CUDA_VISIBLE_DEVICES CUDA_DEVICE_ORDER; do
      exact "$shell, readonly $name" "$shell" "exec 2>/dev/null
export $name=3; readonly $name
. J/$activate.sh
. J/$deactivate.sh
echo goes on" "goes on
$name=3
" CUDA_VISIBLE_DEVICES CUDA_DEVICE_ORDER OMP_NUM_THREADS '__*'
    done
    exact "$shell, what is beside a readonly variable" "$shell" "exec 2>/dev/null
export CUDA_DEVICE_ORDER=3; readonly CUDA_DEVICE_ORDER
. J/$activate.sh" "CUDA_DEVICE_ORDER=3
CUDA_VISIBLE_DEVICES=0
OMP_NUM_THREADS=8
" CUDA_DEVICE_ORDER CUDA_VISIBLE_DEVICES OMP_NUM_THREADS '__gpu*'
    exact "$shell, readonly since activation" "$shell" "exec 2>/dev/null
. J/$activate.sh
readonly OMP_NUM_THREADS
. J/$deactivate.sh" "OMP_NUM_THREADS=8
" CUDA_DEVICE_ORDER CUDA_VISIBLE_DEVICES OMP_NUM_THREADS '__*'
  fi
done

# ---- fish's universal variables -----------------------------------------------------------------

environment U "{devices: 0, variables: {OMP_NUM_THREADS: null}}" || failed=1
if wanted fish && have fish "universal variables"; then
  printf 'set -Ux CUDA_VISIBLE_DEVICES 6\nset -Ux OMP_NUM_THREADS 3\n' >"$scratch/universal"
  mkdir -p "$scratch/home"
  env -i PATH="$PATH" HOME="$scratch/home" fish "$scratch/universal"
  exact "fish, universal variables" fish "" "CUDA_VISIBLE_DEVICES=6
OMP_NUM_THREADS=3
" CUDA_VISIBLE_DEVICES OMP_NUM_THREADS
  exact "fish, over a universal variable" fish "source U/$activate.fish" "CUDA_VISIBLE_DEVICES=0
" CUDA_VISIBLE_DEVICES
  exact "fish, a universal variable shows through afterwards" fish "source U/$activate.fish
source U/$deactivate.fish
set -Ux CUDA_VISIBLE_DEVICES 5" "CUDA_VISIBLE_DEVICES=5
OMP_NUM_THREADS=3
" CUDA_VISIBLE_DEVICES OMP_NUM_THREADS
  rm -rf "${scratch:?}/home"
fi

# ---- bash's nocasematch -------------------------------------------------------------------------

# Elements that differ in capitals are two: ours is put in beside the other, which stays.
if wanted bash && have bash "nocasematch"; then
  for where in prepend append; do
    environment P "{variables: {LIST: {$where: /X}}}" || failed=1
    both=/X:/x
    [ $where = prepend ] || both=/x:/X
    exact "bash, nocasematch, $where" "bash -O nocasematch" "export LIST=/x; . P/$activate.sh" "LIST=$both
" LIST
    exact "bash, nocasematch, $where, and others changed it" "bash -O nocasematch" "unset LIST; . P/$activate.sh
LIST=/x:/y; . P/$deactivate.sh" 'LIST=/x:/y
' LIST '__*'
  done
fi

# ---- xonsh's source-bash ------------------------------------------------------------------------

# Its own limit is one value with both: it reads "NAME=VALUE" lines again, and cuts there.
if wanted xonsh && have xonsh "values with = or a newline"; then
  set=('CUDA_DEVICE_ORDER=a=b' 'OMP_NUM_THREADS=a
b')
  exact "xonsh, values with = or a newline" "xonsh --no-rc" "source-bash J/$activate.sh
source-bash J/$deactivate.sh" 'CUDA_DEVICE_ORDER=a=b
OMP_NUM_THREADS=a
b
' CUDA_DEVICE_ORDER CUDA_VISIBLE_DEVICES OMP_NUM_THREADS '__*GPU_*'
  set=()
fi

# ---- tcsh's quotes ------------------------------------------------------------------------------

# quoted VALUE SETTING: the value through activation, and what was before through a round trip, under
# that setting of tcsh; unless apply refuses the value.
quoted() {
  local value=$1 setting=$2
  printf '%s' "$value" | sed 's/"/\\x22/g; s/\\\([^x]\|$\)/\\x5C\1/g' >"$scratch/text"
  environment T "{devices: 0, variables: {TEXT: \"$(cat "$scratch/text")\"}}" >/dev/null 2>&1 || return
  set=("TEXT=$value")
  exact "tcsh, $setting: the value $value" "tcsh -f" "$setting
unsetenv TEXT
source T/$activate.csh" "TEXT=$value
" TEXT
  exact "tcsh, $setting: $value was before" "tcsh -f" "$setting
source J/$activate.csh
source T/$activate.csh
source T/$deactivate.csh" "TEXT=$value
" TEXT '__CONDA_GPU_*_TEXT'
  set=()
}

if wanted tcsh && have tcsh "other quotes of tcsh"; then
  for setting in 'unset backslash_quote' 'set backslash_quote' "set histchars = '@#'" \
    "set histchars = ''" "set histchars = '%'"; do
    # shellcheck disable=SC1003,SC2016 # the characters themselves
    for value in 'plain' "it's" 'say "so"' 'a\b' 'ends\' "\\'\\\"" 'wow! !x !!' '@x #y %z ^a^b' \
      '$(touch canary)`touch canary`' '%% @@ @# ##'; do
      quoted "$value" "$setting"
    done
  done
fi

report
