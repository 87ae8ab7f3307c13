#!/bin/sh
# `make check-clients`: the hooks under real conda, mamba and micromamba, in every shell that is
# installed here. Each client goes through the sequences below in the real shell, and what it left
# in the environment after every step is compared with what should be there: the innermost
# environment's values while one is active, and byte for byte what was there before when none is.
#
#     make check-clients                                 clients that are on PATH
#     make check-clients CONDA_EXE='/opt/a/bin/conda /opt/b/bin/conda' MICROMAMBA=... MAMBA=...
#     SHELLS='bash fish'   only these          KEEP=1   leaves the folder with all runs there
#     JOBS=1               so many sequences at once (as many as there are processors)
#
# It works in a folder of its own, offline, and touches no environment of yours. Each variable of
# the throwaway environments has a name such as SP_EMPTY: A sets it, B prepends to it (U: unset,
# A: append, N: nothing), and before all that it is empty.
set -u

# NAME STEPS: X activates environment X, +X stacks it, - deactivates. i installs into the active
# environment, in as far as the shell notices; r is `conda run -n R`, u the same under set -eu.
# Z is base, C a clone of A. J is a job that starts in the present state and ends again, K a child shell
# whose level starts again at 0. o is another party, such as `module load`: it sets THEIRS_S and adds to the
# lists THEIRS_P and THEIRS_A, of which O takes its own out again.
sequences='
once    A -
switch  A B - -
stack   A +B - -
again   A A i -
deep    A +B +A - - -
back    A B A - - -
base    Z A B - - -
clone   C - A +C - -
run     r B u -
job     A +B - -
sbatch  A J -
child   A K -
load    A o i -
unload  o A O -
'
in_job='A B - -' # what J does
in_child='A -'    # what K does
all_shells='bash zsh dash busybox yash ksh ksh+local mksh mksh+local fish tcsh xonsh'
priors='UNSET EMPTY PLAIN HOSTILE'

client_list=$(
  for exe in ${CONDA_EXE:-$(command -v conda)}; do echo "conda $exe"; done
  for exe in ${MAMBA:-$(command -v mamba)}; do echo "mamba $exe"; done
  for exe in ${MICROMAMBA:-$(command -v micromamba)}; do echo "micromamba $exe"; done
)
if [ -z "$client_list" ]; then
  echo "No conda, mamba or micromamba is on PATH; give one: make check-clients CONDA_EXE=/path/to/bin/conda"
  echo "0 passed, 0 failed, $(echo "$sequences" | grep -c .) skipped"
  exit 0
fi

work=$(cd "$(mktemp -d)" && pwd -P)
# shellcheck disable=SC2154 # the trap's own
trap 'status=$?; [ -n "${KEEP-}" ] && echo "Kept: $work" || rm -rf "$work"; exit $status' EXIT
trap 'exit 130' HUP INT TERM
mkdir -p "$work/home" "$work/tmp" "$work/pkgs" "$work/cells"
path=$(command -p getconf PATH)

# ---- The environments -------------------------------------------------------------------------

# shellcheck disable=SC2016 # none of this is to be expanded; so below
set_a='a'\''"$(exit 3)`exit 4` \n' set_b='two words; !! ~ *'
# shellcheck disable=SC2016
mild='it'\''s "$HOME" `exit 5` $(exit 6) \ !! ; *
-second line' hostile="=$mild=
"
for a in S U P A N; do
  for b in S U P A N; do
    for prior in $priors; do
      [ $a$b = NN ] || echo "${a}${b}_$prior $a$b"
    done
  done
done >"$work/names"
cat >>"$work/names" <<'END'
PKG_CONFIG_PATH PA
THEIRS_S SN
THEIRS_P PN
THEIRS_A AN
CUDA_VISIBLE_DEVICES --
CUDA_DEVICE_ORDER --
END

# plan COLUMN DEVICES SET: a gpu: section, in which each variable gets what that column says.
plan() {
  printf 'gpu:\n  devices: %s\n  variables:\n' "$2"
  while read -r name kinds; do
    case $(echo "$kinds" | cut -c"$1") in
      S) printf "    %s: '%s'\n" "$name" "$(printf '%s\n' "$3" | sed "s/'/''/g")" ;;
      U) echo "    $name: null" ;;
      P) echo "    $name: {prepend: \"\${CONDA_PREFIX}/of\"}" ;;
      A) echo "    $name: {append: \"\${CONDA_PREFIX}/of\"}" ;;
    esac
  done <"$work/names"
}

# environment PREFIX COLUMN DEVICES SET
environment() {
  mkdir -p "$1/conda-meta"
  : >"$1/conda-meta/history"
  plan "$2" "$3" "$4" >"$work/gpu.yml"
  env -i PATH="$path" HOME="$work/home" "CONDA_GPU_DRIVER=$FAKE_CUDA/libcuda.so.1" \
    "$CONDA_GPU" apply -q -f "$work/gpu.yml" -p "$1" || exit 1
}

root=$work/root envs=$work/root/envs
environment "$root" 1 none base
environment "$envs/A" 1 1 "$set_a"
environment "$envs/B" 2 '[2, 3]' "$set_b"
environment "$envs/R" 1 1 "$set_a"
# Runs after env_vars.sh: what `conda run` leaves behind, where it does deactivate.
# shellcheck disable=SC2016
echo '"$CHECK_DUMP" "$CHECK_CELL/after"' >"$envs/R/etc/conda/deactivate.d/a-look.sh"

dump=$work/dump
# shellcheck disable=SC2016
printf '%s\n' '#!/bin/sh' 'exec /usr/bin/env -0 >"$1"' >"$dump"
chmod +x "$dump"

# ---- One sequence in one shell ----------------------------------------------------------------

# client EXE KIND: looks at one, and sets what the rest needs to know.
client() {
  exe=$1 kind=$2 command=$2
  version=$(env -i PATH="$path" HOME="$work/home" "$exe" --version 2>&1 | sed -n 1p)
  version=${version##* } deactivates=''
  case $kind/$version in
    conda/2[0-5].* | conda/26.0.* | conda/[0-9].*) ;;
    conda/*) deactivates=1 ;; # after `conda run`'s command
  esac
  case $kind in
    conda) profile=$(env -i PATH="$path" HOME="$work/home" "$exe" info --base 2>/dev/null)/etc/profile.d ;;
    *) profile='' ;;
  esac
}

# Whether xonsh alone spoils the value or the one after it, when it sources an empty file in bash as
# its clients do.
xonsh_spoils() {
  : >"$work/empty.sh"
  printf '%s\n' "source-bash '$work/empty.sh'" "env '$dump' '$work/probe'" >"$work/probe.xsh"
  in_client ONE="$1" TWO=2 xonsh --no-rc "$work/probe.xsh" >"$work/probe.log" 2>&1
  [ "$(tr '\n\0' '\001\n' <"$work/probe" | grep -cxFe TWO=2 -e "ONE=$(echo "$1|" | tr '\n|' '\001\n')")" != 2 ]
}

# The line that initialises the client in this shell, as its documentation has it.
init() {
  case $shell in
    bash | zsh | fish | tcsh | xonsh) name=$shell ;;
    *) name=posix ;;
  esac
  case $kind in
    conda) hook="'$exe' shell.$name hook" ;;
    *) hook="'$exe' shell hook -s $name" ;;
  esac
  case $shell in
    fish) echo "$hook | source" ;;
    xonsh) echo "execx(\$($hook))" ;;
    tcsh) [ "$kind" = conda ] && echo "source '$profile/conda.csh'" ||
      echo "$hook >'$cell/hook.csh'; source '$cell/hook.csh'" ;;
    *) echo "eval \"\$($hook)\"" ;;
  esac
}

# Whether initialising activates base.
activates_base() {
  [ "$kind" = conda ] && [ "$shell" != tcsh ]
}

# assign NAME VALUE, in this shell's words. The value has neither quotes nor blanks.
assign() {
  case $shell in
    fish) echo "set -gx $1 '$2'" ;;
    tcsh) echo "setenv $1 '$2'" ;;
    xonsh) echo "\$$1 = '$2'" ;;
    *) echo "export $1='$2'" ;;
  esac
}

# theirs STEP: what another party does, where A is active if $inside.
theirs() {
  prepended=${inside:+$envs/A/of:}base appended=base${inside:+:$envs/A/of}
  case $1 in o) assign THEIRS_S theirs && prepended=/module:$prepended appended=$appended:/module ;; esac
  assign THEIRS_P "$prepended"
  assign THEIRS_A "$appended"
}

# What makes an install end before it begins, and the client still think that there was one: in fish,
# mamba looks for --help itself.
help_option() {
  case $kind/$shell in
    *mamba/fish) echo -h ;;
    *) echo --help ;;
  esac
}

# script NAME STEPS: what the shell is to run; its environment after step N goes to $cell/NAME$N.
script() {
  # conda asks for `local`, which ksh93 has not, and mksh has only as an alias.
  # shellcheck disable=SC2016
  case $shell in *+local)
    echo 'local() { for _x; do case $_x in *=*) eval "${_x%%=*}=\${_x#*=}" ;; esac; done; }' ;;
  esac
  # With env, because two quoted words are one string to xonsh.
  echo "env '$dump' '$cell/${1}0'"
  init
  number=0 inside=''
  for step in $2; do
    number=$((number + 1))
    case $step in A) inside=1 ;; -) inside='' ;; esac
    case $step in
      -) echo "$command deactivate" ;;
      +*) echo "$command activate --stack ${step#+}" ;;
      Z) activates_base || echo "$command activate base" ;;
      i) printf '%s\n' 'env echo help:' "$command install $(help_option)" 'env echo :help' ;;
      r) echo "$command run -n R '$dump' '$cell/$1$number'" ;;
      u) echo "env SHELLOPTS=errexit:nounset '$exe' run -n R '$dump' '$cell/$1$number'" ;;
      J) echo "env SLURM_JOB_ID=4711 CUDA_VISIBLE_DEVICES=5 $interpreter '$cell/in_job'" ;;
      K) echo "env CONDA_SHLVL=0 $interpreter '$cell/in_child'" ;;
      [oO]) theirs "$step" ;;
      *) echo "$command activate $step" ;;
    esac
    case $step in [ru]) ;; *) echo "env '$dump' '$cell/$1$number'" ;; esac
  done
}

# in_client ARGUMENT...: runs env with them, and with nothing from outside.
in_client() {
  env -i PATH="$path" HOME="$work/home" TMPDIR="$work/tmp" TERM=dumb LANG=C.UTF-8 PYTHONDONTWRITEBYTECODE=1 \
    CONDA_ROOT_PREFIX="$root" CONDA_ENVS_PATH="$envs" CONDA_PKGS_DIRS="$work/pkgs" \
    CONDA_OFFLINE=true CONDA_REPORT_ERRORS=false CONDA_AUTO_ACTIVATE_BASE="${base:-false}" \
    MAMBA_ROOT_PREFIX="$root" MAMBA_OFFLINE=true \
    CHECK_DUMP="$dump" CHECK_CELL="${cell-}" "$@" </dev/null
}

# run SEQUENCE STEPS VISIBLE: leaves one word and a reason in $cell/result. VISIBLE is the kind of
# value that CUDA_VISIBLE_DEVICES, CUDA_DEVICE_ORDER and PKG_CONFIG_PATH have before.
run() {
  sequence=$1 steps=$2 visible=$3 base=''
  cell=$work/cells/$row-$sequence
  mkdir -p "$cell"
  interpreter=$(command -v "${shell%+local}")
  case $shell in
    bash) interpreter="$interpreter --norc --noprofile" ;;
    busybox) interpreter="$interpreter sh" ;;
    zsh | tcsh) interpreter="$interpreter -f" ;;
    fish) interpreter="$interpreter --no-config" ;;
    xonsh) interpreter="$interpreter --no-rc" ;;
  esac
  script '' "$steps" >"$cell/script"
  script in_job. "$in_job" >"$cell/in_job"
  script in_child. "$in_child" >"$cell/in_child"
  case $steps in Z*) activates_base && base=true ;; esac

  set --
  while read -r name _; do
    case $name in
      ??_*) prior=${name#*_} ;;
      THEIRS_*) prior=THEIRS ;;
      *) prior=$visible ;;
    esac
    case $prior in
      THEIRS) set -- "$@" "$name=base" ;;
      EMPTY) set -- "$@" "$name=" ;;
      PLAIN) set -- "$@" "$name=7" ;;
      HOSTILE) set -- "$@" "$name=$any" ;;
    esac
  done <"$work/names"
  [ "$sequence" = job ] && set -- "$@" SLURM_JOB_ID=4711 CUDA_VISIBLE_DEVICES=5
  for _ in 1 2 3; do
    # shellcheck disable=SC2086 # words
    (cd "$work" && in_client "$@" timeout -k 5 600 $interpreter "$cell/script") >"$cell/log" 2>&1
    case $? in 124 | 137) echo "stopped after 600 seconds" >>"$cell/log" ;; esac
    # Before 2024, xonsh lost a command now and then (its issue 5631): once more, and say so.
    { [ "$shell" = xonsh ] && grep -q '^OSError: .*Bad file descriptor' "$cell/log"; } || break
    : >"$cell/repeated"
  done

  problems=$(judge "$steps")
  if [ -z "$problems" ]; then
    problems=$(noise <"$cell/log" | sed 's/^/printed: /')
  else
    limits
    if [ -n "$reasons" ] && [ -z "$(judge "$instead")$([ "$says" ] || noise <"$cell/log")" ]; then
      echo "limit $reasons" >"$cell/result"
      return
    fi
  fi
  if [ -z "$problems" ]; then
    echo ok >"$cell/result"
  else
    echo "FAIL with $visible CUDA_VISIBLE_DEVICES before: $steps" >"$cell/result"
    {
      printf '%s\n' "$problems" | head -n 4
      noise <"$cell/log" | head -n 4 | sed 's/^/printed: /'
    } >"$cell/problems"
  fi
}

# What a client says by itself, whatever the hooks are, taken out.
noise() {
  sed -e '/^help:$/,/^:help$/d' -e '/hash: inaccessible or not found/d' \
    -e '/^warning  libmamba .* filesystem separator/,/current working directory/d'
}

# Limits of a client itself, that no hook can help. Each is known by what the shell printed, if
# anything, and by what the client did: $steps become $instead, the ones that it did do, and the
# reason is taken only if every value is as those would have it. There, "." does nothing, x fails to
# run anything, and N is an environment without hooks.
limits() {
  instead=$steps reasons='' says=''
  case $kind/$shell/$steps in
    */ksh/*) limit 'local: not found' 's/[^ ruoO]\{1,\}/./g' "$kind calls \`local\`, which ksh93 does not know (ksh+local: with a function of that name)" ;;
    */mksh/*) limit 'local: .*not found' 's/[^ ruoO]\{1,\}/./g' "$kind calls \`\\local\`, which in mksh is but an alias (mksh+local: with a function of that name)" ;;
    *mamba/tcsh/*) limit Unmatched 's/[^ ruoO]\{1,\}/./g; s/r/x/' "$kind's hook for tcsh is no valid csh" ;;
    mamba/xonsh/*) limit 'command not found: mamba' 's/[^ ruoO]\{1,\}/./g; s/r/x/' "mamba's hook for xonsh knows only the name micromamba" ;;
    */xonsh/*+*)
      limit 'unrecognized arguments: --stack' 's/+./. /g' "in xonsh, $kind refuses --stack" ||
        limit '' 's/+//g' "in xonsh, $kind ignores --stack" ;;
  esac
  case $kind/$version/$instead in
    *mamba/*'A B A'* | *mamba/*'A +B +A'* | conda/4.*'A B A'* | conda/4.*'A +B +A'*)
      limit '' 's/\(A +*B\) +*A/\1 -/' "$kind takes the activation of the environment one level below for a deactivation" ;;
    *mamba/*C*) [ -e "$envs/C/etc" ] ||
      limit '' 's/C/N/g' "$kind's --clone copies packages only: no hook is there" ;;
  esac
}

# limit PRINTED SED-SCRIPT REASON
limit() {
  [ -z "$1" ] || grep -q -- "$1" "$cell/log" || return
  instead=$(echo "$instead" | sed "$2") says=$says$1
  reasons="$reasons${reasons:+; }$3"
}

# judge STEPS: what is not as it should be, one line each. Values are compared line by line, with
# newlines written as the byte 1.
judge() {
  rm -rf "$cell/flat"
  mkdir "$cell/flat"
  for file in "$cell"/*[0-9] "$cell/after"; do
    [ -s "$file" ] && tr '\n\0' '\001\n' <"$file" >"$cell/flat/${file##*/}"
  done
  (cd "$cell/flat" && SET_A=$set_a SET_B=$set_b LC_ALL=C awk -v steps="$1" -v in_job="$in_job" -v in_child="$in_child" -v shell="$shell" \
    -v root="$root" -v sequence="$sequence" -v deactivates="$deactivates" \
    -f "$work/judge.awk" "$work/names" ./*) 2>&1
}

cat >"$work/judge.awk" <<'JUDGE'
FILENAME ~ /names$/ { kinds[$1] = $2; next }
{
  file = substr(FILENAME, 3)
  at = index($0, "=")
  values[file, substr($0, 1, at - 1)] = substr($0, at + 1)
  seen[file] = 1
  if (tolower($0) ~ /^__conda_gpu_/) state[file] = substr($0, 1, at - 1)
}

function prefix(env) { return env == "Z" ? root : root "/envs/" env }
function column(env) { return env == "B" ? 2 : 1 }
function owner(env) { return env == "C" ? "A" : env }

# What this environment does to the variable: Set, Unset, Prepend, Append, Nothing.
function kind(env, name) {
  if (env == "N") return "N"
  if (name == "CUDA_VISIBLE_DEVICES") return sequence == "job" && env != "Z" ? "N" : "S"
  if (name == "CUDA_DEVICE_ORDER") return sequence == "job" && env != "Z" && found("0", name) != "" ? "N" : "S"
  return substr(kinds[name], column(env), 1)
}

function text(env, name) {
  if (name == "CUDA_DEVICE_ORDER") return "=PCI_BUS_ID"
  if (name == "CUDA_VISIBLE_DEVICES") return env == "Z" ? "=-1" : env == "B" ? "=2,3" : "=1"
  return "=" (env == "Z" ? "base" : ENVIRON["SET_" (env == "B" ? "B" : "A")])
}

# Whether a list has this element.
function has(list, element) { return index(":" list ":", ":" element ":") > 0 }

# "=VALUE", or "" for unset. An environment that is stacked on itself or on its clone joins to what
# was there before the outermost of them, but leaves a list that has its element as it is.
function value(level, low, name,   i, does, old, new, below) {
  if (level < low) return found("0", name)
  does = kind(frames[level], name)
  if (does == "N") return value(level - 1, low, name)
  if (does == "S") return text(frames[level], name)
  if (does == "U") return ""
  for (i = low; owner(frames[i]) != owner(frames[level]); i++) ;
  old = substr(value(i - 1, low, name), 2)
  new = prefix(frames[level]) "/of"
  below = value(level - 1, low, name)
  if (i < level && has(substr(below, 2), new)) return below
  return "=" (old == "" ? new : does == "P" ? new ":" old : old ":" new)
}

function found(file, name) { return (file, name) in values ? "=" values[file, name] : "" }
function shown(what) { return what == "" ? "unset" : substr(what, 2) }

function compare(file, name, want,   got) {
  got = found(file, name)
  if (got != want) print where ": " name " is [" shown(got) "], should be [" shown(want) "]"
}

# What another party may change is in our own elements and theirs; the rest is exact. Of lists that were
# changed, tcsh leaves even our element.
function look_at_theirs(file, inside,   i, list, ours) {
  compare(file, "THEIRS_S", "=" their_value)
  for (i = 1; i <= 2; i++) {
    list = substr(found(file, i == 1 ? "THEIRS_P" : "THEIRS_A"), 2)
    ours = prefix("A") "/of"
    if (has(list, "/module") != loaded || !has(list, "base") || gsub(/[/]module/, "/module", list) > 1)
      print where ": of THEIRS is left [" list "]"
    if (has(list, ours) != inside && !(shell == "tcsh" && !inside && changed))
      print where ": THEIRS with our element or without? [" list "]"
  }
}

# What happens to THEIRS_S: our hook keeps what was, and puts it back where it is as the hook made it.
function follow(step, inside) {
  if (step == "o") { their_value = "theirs"; loaded = 1; changed = 1 }
  if (step == "O") loaded = 0
  if ((step == "-" || step == "i") && their_value == ENVIRON["SET_A"]) their_value = their_old
  if (step == "A" || step == "i") { their_old = their_value; their_value = ENVIRON["SET_A"] }
}

function look(file, depth,   low, name) {
  if (!(file in seen)) { print where ": the shell did not get here"; return }
  if (depth && found(file, "CONDA_PREFIX") != "=" prefix(frames[depth] == "N" ? "C" : frames[depth]))
    print where ": the client did not go there: CONDA_PREFIX is " shown(found(file, "CONDA_PREFIX"))
  for (low = depth; stacked[low]; low--) ;
  for (name in kinds)
    if (!(changes && name ~ /^THEIRS/) && !(in_a_job && name ~ /^CUDA/))
      compare(file, name, depth ? value(depth, low, name) : found("0", name))
  if (theirs) look_at_theirs(file, depth > 0)
}

# One step of the client.
function move(step,   env) {
  env = substr(step, length(step))
  if (step == "-") depth -= depth > 0
  else if (step ~ /^[A-IL-Z+]/ && step !~ /^[JKO]$/ && !(depth && frames[depth] == env && step == env)) {
    frames[++depth] = env
    stacked[depth] = step ~ /^[+]/
  }
}

# The steps of a shell that this one starts, and in which the level begins at `from`.
function look_into(name, its_steps, from,   j, many, its, saved) {
  saved = depth
  depth = from
  many = split(its_steps, its, " ")
  for (j = 1; j <= many; j++) {
    where = "step " i ", in " name " after step " j
    move(its[j])
    look(name "." j, depth)
    if (in_a_job) compare(name "." j, "CUDA_VISIBLE_DEVICES", "=5")
  }
  if (in_a_job) compare(name "." many, "CUDA_DEVICE_ORDER", found("0", "CUDA_DEVICE_ORDER"))
  depth = saved
}

END {
  count = split(steps, step, " ")
  changes = steps ~ /o/
  theirs = changes && steps !~ /[.]/ # what they set is written for a client that does what it is told
  their_value = "base"
  for (i = 1; i <= count; i++) {
    where = "step " i " (" step[i] ")"
    if (step[i] == "x" && !(i in seen)) continue
    if (step[i] ~ /^[ru]$/) { frames[depth + 1] = "R"; stacked[depth + 1] = 0; look(i, depth + 1); continue }
    move(step[i])
    follow(step[i])
    look(i, depth)
    if (step[i] == "J") { in_a_job = 1; look_into("in_job", in_job, depth); in_a_job = 0 }
    if (step[i] == "K") look_into("in_child", in_child, 0)
  }
  where = "at the end"
  if (count in state) print where ": " state[count] " is left"
  where = "after conda run"
  if (sequence == "run" && deactivates && !("after" in seen)) print where ": deactivate.d was not run"
  if ("after" in seen) {
    for (name in kinds) compare("after", name, found("0", name))
    if ("after" in state) print where ": " state["after"] " is left"
  }
}
JUDGE

# ---- The matrix -------------------------------------------------------------------------------

passed=0 failed=0 skipped=0 notes=''
# note TEXT: its letter, in $letter.
note() {
  letter=$(printf '%s' "$notes" | grep -nxF -- "$1" | cut -d: -f1)
  if [ -z "$letter" ]; then
    notes="$notes$1
"
    letter=$(printf '%s' "$notes" | grep -c .)
  fi
}

names=$(echo "$sequences" | awk 'NF { print $1 }')
# shellcheck disable=SC2086 # words
printf '%-21s%-11s' client shell && printf '%-8s' $names && echo
rows=0 nth=0 jobs=${JOBS:-$(nproc 2>/dev/null || echo 2)}
while read -r kind exe <&3; do
  case $exe in /*) ;; *) exe=$PWD/$exe ;; esac
  client "$exe" "$kind"
  case $kind/$version in
    */[!0-9]* | */)
      failed=$((failed + 1))
      echo "$exe is no $kind, or does not start"
      continue ;;
    mamba/[01].*)
      note "mamba 1 activates through conda: give the conda beside it as CONDA_EXE"
      printf '%-21s[%s]\n' "$kind $version" "$letter"
      skipped=$((skipped + 1))
      continue ;;
  esac
  rm -rf "$envs/C" "${root:?}/bin"
  # Where base is elsewhere, `conda run` asks the conda that is there.
  [ "$kind" != conda ] || { mkdir "$root/bin" && ln -s "$exe" "$root/bin/conda"; }
  cell='' base=''
  in_client "$exe" create -y --offline --clone A -n C >"$work/clone.log" 2>&1 ||
    echo "$kind $version: create --clone failed: $(tail -n 1 "$work/clone.log")"
  for shell in ${SHELLS:-$all_shells}; do
    rows=$((rows + 1)) row=$rows
    printf '%-21s%-11s' "$kind $version" "$shell"
    if ! command -v "${shell%+local}" >/dev/null; then
      skipped=$((skipped + 1))
      echo "not installed"
      continue
    fi
    any=$hostile row_note='' running=0
    if [ "$shell" = xonsh ] && xonsh_spoils "$any"; then
      any=$(echo "$mild" | sed -n 1p)
      note "xonsh's source-bash, without any hook, spoils values that hold both = and newline, and so what hooks keep of a value with a newline: tested without"
      row_note=[$letter]
    fi
    while read -r sequence steps; do
      [ -n "$sequence" ] || continue
      nth=$((nth + 1))
      # shellcheck disable=SC2086 # words
      set -- $priors
      shift $((nth % 4))
      (run "$sequence" "$steps" "$1") &
      running=$((running + 1))
      [ $((running % jobs)) != 0 ] || wait
    done <<END
$sequences
END
    wait
    for sequence in $names; do
      result=FAIL reason=''
      [ ! -e "$work/cells/$row-$sequence/result" ] ||
        read -r result reason <"$work/cells/$row-$sequence/result"
      case $result in
        ok) passed=$((passed + 1)) ;;
        limit)
          skipped=$((skipped + 1))
          note "$reason"
          result="[$letter]" ;;
        *)
          failed=$((failed + 1))
          # The first dozen tell enough.
          [ "$failed" -gt 12 ] ||
            { echo "FAIL: $kind $version ($exe), $shell, $sequence, $reason"
              sed 's/^/  /' "$work/cells/$row-$sequence/problems"; } >>"$work/failures" 2>&1 ;;
      esac
      if [ -e "$work/cells/$row-$sequence/repeated" ]; then
        note "run again, because xonsh lost a command: OSError: Bad file descriptor (xonsh issue 5631)"
        result="${result}[$letter]"
      fi
      printf '%-8s' "$result"
    done
    echo "$row_note"
  done
done 3<<END
$client_list
END

[ -z "$notes" ] || printf '\nLimits of the clients, each seen to be what it says:\n'
printf '%s' "$notes" | awk '{ print "[" NR "] " $0 }'
[ ! -e "$work/failures" ] || { echo && cat "$work/failures"; }
echo
echo "$passed passed, $failed failed, $skipped skipped"
echo "$passed $failed $skipped 0" >>"${TEST_RESULTS:-/dev/null}"
[ "$failed" = 0 ]
