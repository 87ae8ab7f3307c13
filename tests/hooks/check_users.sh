#!/usr/bin/env bash
# One prefix, several machines and users: what each gets from the same hooks, in each shell. The
# machine's name is the kernel's (unshare -u); the user is $USER, as in any shell that somebody logs
# in to. SHELLS="bash fish" takes only these shells.
# shellcheck disable=SC2016 # words for other shells
set -u
# shellcheck source=tests/support/report.sh
. "$TESTS/support/report.sh"

# shellcheck source=tests/support/machines.sh
. "$TESTS/support/machines.sh"

if ! machines_allowed; then
  skip "machines of other names: unshare -u is not allowed"
  report
fi

prefix=$scratch/pt
mkdir -p "$prefix/conda-meta"
# section HOST: applies what is on stdin.
section() {
  cat >"$scratch/environment.yml"
  on "$1" "$CONDA_GPU" apply -q -f "$scratch/environment.yml" -p "$prefix" \
    --driver "$FAKE_CUDA/libcuda.so.1"
}

show='echo "$CUDA_VISIBLE_DEVICES|$OMP|$LIST|$MORE"'
# run SHELL HOST USER [NAME=VALUE...]: what the variables are in the environment, and after it.
run() {
  local shell=$1 host=$2 user=$3 extension=sh source=. options='' begin=''
  shift 3
  case $shell in
    fish)
      # fish looks USER up when it starts, and so tells the one who runs the test.
      extension=fish source=source options=--no-config begin="set -gx USER $user"
      [ -n "$user" ] || begin='set -e USER'
      ;;
    tcsh) extension=csh source=source options=-f ;;
    zsh) options=-f ;;
    busybox) options="sh" ;;
  esac
  cat >"$scratch/script" <<END
$begin
$source $prefix/etc/conda/activate.d/env_vars.$extension
sh -c '$show'
$source $prefix/etc/conda/deactivate.d/env_vars.$extension
sh -c '$show'
env | grep -i 'conda_gpu'
END
  on "$host" env -i LC_ALL=C.UTF-8 PATH="$PATH" HOME="$scratch" USER="$user" CONDA_PREFIX="$prefix" CONDA_SHLVL=1 \
    MORE=before "$@" "$shell" $options "$scratch/script"
}

# gives SHELL HOST USER WANTED [NAME=VALUE...]
gives() {
  local shell=$1 host=$2 user=$3 wanted=$4 before
  shift 4
  before=$(env -i PATH="$PATH" MORE=before "$@" sh -c "$show")
  run "$shell" "$host" "$user" "$@" >"$scratch/got" 2>&1
  printf '%s\n%s\n' "${wanted:-$before}" "$before" >"$scratch/wanted"
  check "$shell: $user on $host $*" diff -u "$scratch/wanted" "$scratch/got"
}

# step SHELL LEVEL PREFIX HOOKS: a line that sources this folder's hook of an environment at a level.
step() {
  case $1 in
    fish) echo "set -gx CONDA_SHLVL $2; set -gx CONDA_PREFIX $3; source $4/env_vars.fish" ;;
    tcsh) echo "setenv CONDA_SHLVL $2; setenv CONDA_PREFIX $3; source $4/env_vars.csh" ;;
    *) echo "export CONDA_SHLVL=$2 CONDA_PREFIX=$3; . $4/env_vars.sh" ;;
  esac
}

# no_say SHELL: an environment whose rules leave this user's GPUs alone is stacked upon another that
# hooks gave one to. What those noted of it stands, so the other is left with what was there before.
no_say() {
  local first=$scratch/first inner=$scratch/inner options=()
  case $1 in fish) options=(--no-config) ;; tcsh | zsh) options=(-f) ;; busybox) options=(sh) ;; esac
  rm -rf "${prefix:?}/etc" "$first" "$inner"
  mkdir -p "$inner/conda-meta"
  section dgx-01 <<<'gpu: {devices: 1}'
  cp -r "$prefix/etc/conda" "$first"
  prefix=$inner section dgx-01 <<<'gpu: {devices: 2, if_set: keep}'
  section dgx-01 <<<'gpu: {variables: {OMP: 8}, assign: [{user: bob, devices: 0}]}'
  {
    step "$1" 1 "$prefix" "$first/activate.d"
    step "$1" 2 "$inner" "$inner/etc/conda/activate.d"
    step "$1" 3 "$prefix" "$prefix/etc/conda/activate.d"
    step "$1" 3 "$prefix" "$prefix/etc/conda/deactivate.d"
    step "$1" 2 "$inner" "$inner/etc/conda/activate.d"
    echo "sh -c '$show'"
    step "$1" 2 "$inner" "$inner/etc/conda/deactivate.d"
    step "$1" 1 "$prefix" "$prefix/etc/conda/activate.d"
    echo "sh -c '$show'"
    step "$1" 1 "$prefix" "$prefix/etc/conda/deactivate.d"
    echo "sh -c '$show'"
    echo "env | grep -i conda_gpu"
  } >"$scratch/script"
  on dgx-01 env -i LC_ALL=C.UTF-8 PATH="$PATH" HOME="$scratch" USER=alice "$1" "${options[@]}" "$scratch/script" \
    >"$scratch/got" 2>&1
  printf '2|||\n1|8||\n|||\n' >"$scratch/wanted"
  check "$1: rules leave the GPUs of an environment further out alone" diff -u "$scratch/wanted" "$scratch/got"
}

# many: rules for 40 users of each of 5 machines, in turn.
many() {
  local host user
  printf 'gpu:\n  devices: 1\n  variables: {OMP: 8}\n  assign:\n'
  for host in 0 1 2 3 4; do
    for user in {0..39}; do
      echo "    - {user: user$user, host: node$host, devices: $(((host + user) % 4)), $nothing}"
    done
  done
  echo "    - {user: 'guest*', devices: none, $nothing}"
}
nothing='variables: {OMP: ~}'

# What each scheduler gives a job, and an array's task or a step of one.
jobs=('SLURM_JOB_ID=4' 'SLURM_JOB_ID=4 SLURM_STEP_ID=0 SLURM_TASK_PID=4711' 'PBS_JOBID=12[3].pbs01'
  'LSB_JOBID=4' 'FLUX_JOB_ID=ƒ2oG5xZ' 'OAR_JOB_ID=4' '_CONDOR_JOB_AD=/var/lib/condor/execute/dir_1/.job.ad'
  'PJM_JOBID=4' 'JOB_ID=4 SGE_TASK_ID=undefined' 'JOB_ID=4 SGE_TASK_ID=1')

for shell in bash dash zsh mksh ksh busybox yash fish tcsh; do
  wanted "$shell" || continue
  have "$shell" "$shell" || continue
  rm -rf "${prefix:?}/etc"
  # Users only: a plain hook for every machine, with a decision by user.
  section dgx-01 <<'END'
gpu:
  devices: [1, 3]
  variables: {OMP: 8, LIST: {prepend: /own}, MORE: more}
  assign:
    - user: alice
      devices: 0
      variables: {LIST: {prepend: /alice}}
    - user: [bob, "c?r[o-s]*", "d[!a-e]x"]
      devices: 2
      variables: {OMP: ~, MORE: {append: bobs}}
END
  gives $shell dgx-01 alice '0|8|/alice|more'
  gives $shell elsewhere alice '0|8|/alice:x|more' LIST=x
  gives $shell dgx-01 bob '2||/own|before:bobs' OMP=4
  gives $shell dgx-01 carol '2||/own|before:bobs'
  gives $shell dgx-01 dfx '2||/own|before:bobs'
  gives $shell dgx-01 dax '1,3|8|/own|more'
  gives $shell dgx-01 'al*' '1,3|8|/own|more'
  gives $shell dgx-01 '$(id)' '1,3|8|/own|more'
  gives $shell dgx-01 "" '1,3|8|/own|more'

  # Machines: those that were served, and no others.
  rm -rf "${prefix:?}/etc"
  section dgx-01 <<'END'
gpu:
  devices: 1
  assign:
    - {user: alice, host: dgx-01, devices: 0}
    - {host: "login*", devices: none}
    - {user: root, devices: 3}
END
  section login1.example.org <<<"$(<"$scratch/environment.yml")"
  gives $shell dgx-01 alice '0|||before'
  gives $shell dgx-01 bob '1|||before'
  gives $shell dgx-01 "" '3|||before'
  gives $shell login1.example.org alice '-1|||before'
  gives $shell login1 alice ''
  gives $shell dgx-02 alice '' CUDA_VISIBLE_DEVICES=7
  # In a job `none` holds, and the rest leaves the job its own.
  gives $shell dgx-01 alice '5|||before' CUDA_VISIBLE_DEVICES=5 SLURM_JOB_ID=1
  gives $shell login1.example.org alice '-1|||before' CUDA_VISIBLE_DEVICES=5 SLURM_JOB_ID=1

  # Served again, by a section that says nothing of GPUs there; the other part stays.
  section login1.example.org <<'END'
gpu:
  variables: {OMP: 2}
END
  gives $shell login1.example.org alice '7|2||before' CUDA_VISIBLE_DEVICES=7
  gives $shell dgx-01 alice '0|||before'

  # In a job of any scheduler: its word stands, but for whom the rules let override it.
  rm -rf "${prefix:?}/etc"
  section dgx-01 <<'END'
gpu:
  devices: 1
  assign:
    - {user: alice, devices: 0, in_job: override}
    - {user: guest, devices: none}
END
  for job in "${jobs[@]}"; do
    read -ra job <<<"$job"
    gives $shell dgx-01 alice '0|||before' CUDA_VISIBLE_DEVICES=5,7 "${job[@]}"
    gives $shell dgx-01 bob '5,7|||before' CUDA_VISIBLE_DEVICES=5,7 "${job[@]}"
    gives $shell dgx-01 bob '1|||before' "${job[@]}"
    gives $shell dgx-01 guest '-1|||before' CUDA_VISIBLE_DEVICES=5,7 "${job[@]}"
  done
  gives $shell dgx-01 bob '1|||before' CUDA_VISIBLE_DEVICES=5,7 JOB_ID=4 # it takes more than that

  # Many: a shell may look for its machine first, and then for the user.
  rm -rf "${prefix:?}/etc"
  many >"$scratch/many.yml"
  for host in 0 1 2 3; do
    section node$host <"$scratch/many.yml"
  done
  gives $shell node0 user0 '0|||before'
  gives $shell node3 user39 '2|||before'
  gives $shell node2 user40 '1|8||before'
  gives $shell node2 'guest1' '-1|||before' CUDA_VISIBLE_DEVICES=5 SLURM_JOB_ID=1
  gives $shell node2 user5 '5|||before' CUDA_VISIBLE_DEVICES=5 SLURM_JOB_ID=1
  gives $shell node4 user0 ''

  no_say $shell
done
report
