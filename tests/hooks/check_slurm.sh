#!/usr/bin/env bash
# The hooks in jobs of a real Slurm: a login shell activates, the job inherits everything (sbatch
# exports the environment), Slurm sets or takes away CUDA_VISIBLE_DEVICES, and the job activates and
# deactivates in turn. What Slurm gave must stand throughout, and the login shell must come out as
# it was.
# SHELLS="bash fish" leaves out the other shells.
set -u
# shellcheck source=tests/support/report.sh
. "$TESTS/support/report.sh"

# shellcheck source=tests/support/slurm.sh
. "$TESTS/support/slurm.sh"

subject='the hooks in jobs of a real Slurm'
slurm_start "$subject"

# ---- Environments and shells ------------------------------------------------------------------

# environment NAME SECTION: an environment with the hooks of that gpu: section.
environment() {
  mkdir -p "$work/$1/conda-meta"
  echo "gpu: $2" >"$work/$1.yml"
  "$CONDA_GPU" apply -q -f "$work/$1.yml" -p "$work/$1" --driver "$FAKE_CUDA/libcuda.so.1" || exit 1
}
environment A '{devices: [1, 3], variables: {OMP_NUM_THREADS: 8}}'
environment B '{devices: 2, variables: {OMP_NUM_THREADS: null}}'
environment O '{devices: [3, 2], in_job: override}'
environment N '{devices: none}'
environment K '{devices: 2, if_set: keep, variables: {LD_LIBRARY_PATH: {prepend: /k}}}'
environment L '{devices: 1, variables: {LD_LIBRARY_PATH: {prepend: /l}, OMP_NUM_THREADS: 2}}'

# lines SHELL STEP...: a script of these steps. "+A1" activates A as level 1 and "-A1" deactivates
# it, as conda does; "look NAME" keeps the environment; "forget" unsets all of Slurm's variables, as
# `unset ${!SLURM_@}` does in bash; anything else is a command.
lines() {
  local shell=$1 step extension=sh source=. set='export %s=%s\n'
  local names="env | sed -n 's/^\(SLURM_[A-Z0-9_]*\)=.*/\1/p'" forget
  shift
  forget="for name in \$($names); do unset \"\$name\"; done"
  case $shell in
    fish) extension=fish source=source set='set -gx %s %s\n' forget="for name in ($names); set -e \$name; end" ;;
    tcsh) extension=csh source=source set='setenv %s %s\n' forget="foreach name (\`$names\`)
unsetenv \$name
end" ;;
  esac
  for step; do
    case $step in
      [+-][A-Z][0-9])
        # shellcheck disable=SC2059
        printf "$set" CONDA_PREFIX "$work/${step:1:1}" CONDA_SHLVL "${step:2}"
        case $step in +*) step=${step:1:1}/etc/conda/activate.d ;; *) step=${step:1:1}/etc/conda/deactivate.d ;; esac
        echo "$source $work/$step/env_vars.$extension"
        ;;
      look\ *) echo "env -0 >$work/$shell.${step#look }" ;;
      forget) echo "$forget" ;;
      *) echo "$step" ;;
    esac
  done
}

# value SHELL LOOK NAME: what the variable was then; "unset" if it was not there.
value() {
  local entry
  while IFS= read -r -d '' entry; do
    [ "${entry%%=*}" = "$3" ] && printf '%s\n' "${entry#*=}" && return
  done <"$work/$1.$2"
  echo unset
}

# expect SHELL LOOK NAME VALUE
expect() {
  local found
  found=$(value "$1" "$2" "$3")
  if [ "$found" = "$4" ]; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "failed: $1, $2: $3 is $found, not $4"
  fi
}

# gave SHELL LOOK N: Slurm gave N GPUs there, and now $given is what it gave.
gave() {
  given=$(value "$1" "$2" CUDA_VISIBLE_DEVICES)
  case $3:$given in
    1:[0-3] | 2:[0-3],[0-3]) passed=$((passed + 1)) ;;
    *) echo "failed: $1, $2: Slurm gave '$given', and $3 of its GPUs were asked for" && failed=$((failed + 1)) ;;
  esac
}

# all SHELL LOOK: the whole environment, but for conda's part and what the shell itself changes.
all() {
  grep -zvE '^(_|CONDA_PREFIX|CONDA_SHLVL)=' "$work/$1.$2" | sort -z | tr '\0' '\n'
}

# same SHELL LOOK LOOK
same() {
  if diff <(all "$1" "$2") <(all "$1" "$3"); then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "failed: $1: the environment at '$3' (>) is not that at '$2' (<)"
  fi
}

# job SHELL NAME STEP...: a batch script of that name, in that shell.
job() {
  local shell=$1 name=$2
  shift 2
  { echo "#!$(command -v "$shell")" && lines "$shell" "$@"; } >"$work/$shell.$name.job"
}

# submit SHELL NAME OPTION...: the command that runs it, and waits.
submit() {
  local shell=$1 name=$2
  shift 2
  echo "sbatch --quiet --wait --output=$work/$shell.$name.log $* $work/$shell.$name.job"
}

# ---- What happens -----------------------------------------------------------------------------

# A login shell with A active hands its whole environment to jobs of each sort.
run() {
  local shell=$1 name path
  path=$(command -v "$1")
  job "$shell" given 'look given-entry' -A1 +A1 'look given-again' -A1 +B2 'look given-other' \
    -B2 +A1 'look given-back' -A1 'look given-end'
  job "$shell" free 'look free-entry' -A1 +A1 'look free-again' -A1 +B2 'look free-other' \
    -B2 +A1 'look free-back' -A1 'look free-end'
  job "$shell" fresh 'look fresh-entry' +A1 'look fresh-active' +O2 'look fresh-override' -O2 +A1 \
    -A1 +N1 'look fresh-none' -N1 'look fresh-end'
  job "$shell" other 'look other-entry' +L1 'look other-active' -L1 'look other-end'
  job "$shell" again 'look again-entry' +A1 'look again-active' -A1 'look again-end'
  job "$shell" forgetful forget 'look forgetful-entry' +K1 'look forgetful-kept' -K1 \
    'look forgetful-between' +A1 -A1 'look forgetful-end'
  lines "$shell" 'look direct-entry' -A1 +A1 'look direct-again' -A1 'look direct-end' >"$work/$shell.direct"
  lines "$shell" 'look before' +A1 'look active' \
    "srun --quiet --gres=gpu:2 $path $work/$shell.direct" "$(submit "$shell" given --gres=gpu:2)" \
    "$(submit "$shell" free)" "$(submit "$shell" fresh --gres=gpu:2 --export=NONE)" \
    "$(submit "$shell" again --gres=gpu:1)" "$(submit "$shell" forgetful --gres=gpu:1)" \
    'look after' -A1 'look left' +L1 'look list' "$(submit "$shell" other --gres=gpu:1)" -L1 >"$work/$shell.login"
  env CUDA_VISIBLE_DEVICES=7 CONDA_SHLVL=0 CONDA_PREFIX= "$shell" "$work/$shell.login" \
    >"$work/$shell.out" 2>&1

  # The shell of an allocation has no GPUs of its own, and its steps have.
  lines "$shell" 'look step-entry' -A1 +A1 'look step-again' +B2 'look step-other' -B2 +A1 -A1 \
    'look step-end' >"$work/$shell.step"
  lines "$shell" +A1 'look salloc-active' \
    "srun --quiet $path $work/$shell.step" 'look salloc-after' -A1 \
    'look salloc-left' >"$work/$shell.salloc"
  env CONDA_SHLVL=0 CONDA_PREFIX= salloc --quiet --gres=gpu:1 "$shell" "$work/$shell.salloc" \
    >>"$work/$shell.out" 2>&1

  # A batch job and an allocation that are started inside a step hand on that step's number: their
  # own first step has the same. In it, what Slurm gives it counts, not what the hooks did before.
  for name in A O; do
    lines "$shell" "look first$name-entry" -${name}1 +B1 "look first$name-other" -B1 +${name}1 \
      "look first$name-again" -${name}1 "look first$name-end" >"$work/$shell.first$name"
    job "$shell" inner$name -${name}1 +${name}1 "look inner$name" \
      "srun --quiet --gres=gpu:1 $path $work/$shell.first$name"
    sed "s/first$name/second$name/" "$work/$shell.first$name" >"$work/$shell.second$name"
    lines "$shell" -${name}1 +${name}1 "srun --quiet --gres=gpu:1 $path $work/$shell.second$name" \
      >"$work/$shell.allocation$name"
    lines "$shell" +${name}1 "look outside$name" "$(submit "$shell" inner$name --gres=gpu:1)" \
      "salloc --quiet --gres=gpu:1 $path $work/$shell.allocation$name" >"$work/$shell.outer$name"
    env CONDA_SHLVL=0 CONDA_PREFIX= srun --quiet --gres=gpu:1 "$shell" "$work/$shell.outer$name" \
      >>"$work/$shell.out" 2>&1 </dev/null
  done
}

judge() {
  local shell=$1 look given
  if [ -s "$work/$shell.out" ] || ! [ -e "$work/$shell.left" ]; then
    failed=$((failed + 1))
    echo "failed: $shell: the login shell said:"
    cat "$work/$shell.out"
  fi
  expect "$shell" active CUDA_VISIBLE_DEVICES 1,3
  same "$shell" active after
  expect "$shell" left CUDA_VISIBLE_DEVICES 7
  same "$shell" before left

  # Slurm gave two GPUs: its word stands, while the other variables come and go.
  gave "$shell" given-entry 2
  for look in again other back end; do
    expect "$shell" given-$look CUDA_VISIBLE_DEVICES "$given"
  done
  for look in again other back; do
    expect "$shell" given-$look CUDA_DEVICE_ORDER PCI_BUS_ID
  done
  expect "$shell" given-end CUDA_DEVICE_ORDER unset
  expect "$shell" given-end OMP_NUM_THREADS unset
  expect "$shell" given-again OMP_NUM_THREADS 8
  expect "$shell" given-other OMP_NUM_THREADS unset
  expect "$shell" given-back OMP_NUM_THREADS 8

  # The same in a step that is started in the activated shell, without a job around it.
  gave "$shell" direct-entry 2
  for look in again end; do
    expect "$shell" direct-$look CUDA_VISIBLE_DEVICES "$given"
  done
  expect "$shell" direct-again OMP_NUM_THREADS 8
  expect "$shell" direct-end OMP_NUM_THREADS unset

  # Slurm gave none, and took CUDA_VISIBLE_DEVICES out: it is the plan's to set, and gone at the end.
  expect "$shell" free-entry CUDA_VISIBLE_DEVICES unset
  expect "$shell" free-again CUDA_VISIBLE_DEVICES 1,3
  expect "$shell" free-other CUDA_VISIBLE_DEVICES 2
  expect "$shell" free-back CUDA_VISIBLE_DEVICES 1,3
  expect "$shell" free-end CUDA_VISIBLE_DEVICES unset
  expect "$shell" free-end OMP_NUM_THREADS unset

  # A job that inherits nothing.
  given=$(value "$shell" fresh-entry CUDA_VISIBLE_DEVICES)
  expect "$shell" fresh-entry OMP_NUM_THREADS unset
  expect "$shell" fresh-active CUDA_VISIBLE_DEVICES "$given"
  expect "$shell" fresh-active OMP_NUM_THREADS 8
  expect "$shell" fresh-override CUDA_VISIBLE_DEVICES 3,2
  expect "$shell" fresh-none CUDA_VISIBLE_DEVICES -1
  expect "$shell" fresh-end CUDA_VISIBLE_DEVICES "$given"
  expect "$shell" fresh-end CUDA_DEVICE_ORDER unset
  expect "$shell" fresh-end OMP_NUM_THREADS unset

  # What Slurm gives to a step stands there, also where the allocation's shell chose its own.
  gave "$shell" step-entry 1
  for look in again other end; do
    expect "$shell" step-$look CUDA_VISIBLE_DEVICES "$given"
  done
  expect "$shell" step-other OMP_NUM_THREADS unset
  expect "$shell" salloc-active CUDA_VISIBLE_DEVICES 1,3
  same "$shell" salloc-active salloc-after
  expect "$shell" salloc-left CUDA_VISIBLE_DEVICES unset

  judge_restarts "$shell"
  for look in firstA secondA firstO secondO; do judge_first "$shell" "$look"; done
}

# The login shell's environment in a job whose level starts again: nothing of it is left at the end,
# what is put in front of a list is there once, and what Slurm gave stands throughout; once Slurm's
# variables are forgotten it does so for `if_set: keep`, and comes back for the others.
judge_restarts() {
  local shell=$1 given look
  given=$(value "$shell" again-entry CUDA_VISIBLE_DEVICES)
  expect "$shell" again-entry OMP_NUM_THREADS 8
  expect "$shell" again-active CUDA_VISIBLE_DEVICES "$given"
  expect "$shell" again-active OMP_NUM_THREADS 8
  expect "$shell" again-end CUDA_VISIBLE_DEVICES "$given"
  expect "$shell" again-end OMP_NUM_THREADS unset
  expect "$shell" again-end CUDA_DEVICE_ORDER unset

  given=$(value "$shell" other-entry CUDA_VISIBLE_DEVICES)
  expect "$shell" list LD_LIBRARY_PATH "/l${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
  for look in entry active; do
    expect "$shell" other-$look LD_LIBRARY_PATH "/l${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
    expect "$shell" other-$look OMP_NUM_THREADS 2
  done
  expect "$shell" other-active CUDA_VISIBLE_DEVICES "$given"
  expect "$shell" other-end CUDA_VISIBLE_DEVICES "$given"
  expect "$shell" other-end LD_LIBRARY_PATH "${LD_LIBRARY_PATH-unset}"
  expect "$shell" other-end OMP_NUM_THREADS unset

  given=$(value "$shell" forgetful-entry CUDA_VISIBLE_DEVICES)
  for look in kept between end; do
    expect "$shell" forgetful-$look CUDA_VISIBLE_DEVICES "$given"
  done
  expect "$shell" forgetful-end OMP_NUM_THREADS unset
}

# A step whose number an outer step has as well.
judge_first() {
  local shell=$1 look=$2 given
  gave "$shell" "$look-entry" 1
  expect "$shell" "$look-other" CUDA_VISIBLE_DEVICES "$given"
  case $look in
    *O) expect "$shell" "$look-again" CUDA_VISIBLE_DEVICES 3,2 ;;
    *) expect "$shell" "$look-again" CUDA_VISIBLE_DEVICES "$given" ;;
  esac
  expect "$shell" "$look-end" CUDA_VISIBLE_DEVICES "$given"
  expect "$shell" "$look-end" CUDA_DEVICE_ORDER unset
}

shells=
case ${SHELLS-} in '' | '!'*) SHELLS='bash dash zsh fish tcsh' ;; esac # each is a job of its own here
for shell in $SHELLS; do
  if command -v "$shell" >/dev/null; then
    shells="$shells $shell"
  else
    skip "$subject: $shell is not installed" 1
  fi
done
# One after the other: a step waits for the jobs that it starts, and several could wait for each other's
# processors.
for shell in $shells; do
  run "$shell"
  judge "$shell"
done
report
