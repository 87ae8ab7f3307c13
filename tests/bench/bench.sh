#!/usr/bin/env bash
# `make bench`: what the hooks and the program cost, against the least that does the same work.
#
#   REPEAT=N                  rounds of each comparison (15 for hooks and large files, else 61)
#   ONLY=hook|hosts|apply|read|exec|free|gpu  one part of it
#   CONDA_EXE=/path/to/conda  whose `conda activate` is measured; else the one on PATH, and without
#                             any the time that it took elsewhere stands for it
#
# Each comparison runs its candidates in turn, N times, and shows medians, so that other work on the
# machine falls on all of them alike. Fails if a limit does not hold. The Makefile sets CONDA_GPU,
# FAKE_CUDA, TESTS, OBJECTS and CC.
set -euo pipefail

activate=336000 # microseconds that one `conda activate` takes, where it was measured once
conda=${CONDA_EXE:-$(command -v conda || :)}
dependencies=100000
only=${ONLY:-hook hosts apply read exec free gpu}
driver=$FAKE_CUDA/libcuda.so.1
work=$OBJECTS/bench
held=0 failed=0

case $only in
  hook | hosts | apply | read | exec | free | gpu | 'hook hosts apply read exec free gpu') ;;
  *) echo "bench: ONLY=$only: hook, hosts, apply, read, exec, free or gpu" >&2 && exit 2 ;;
esac

# What is measured gets an environment that is the same everywhere.
for name in $(compgen -e); do
  case $name in PATH | LD_LIBRARY_PATH) ;; *) export -n "${name?}" ;; esac
done
export HOME=$work LC_ALL=C

rm -rf "$work"
mkdir -p "$work"
trap 'rm -rf "$work"' EXIT

# compile PROGRAM FLAG...: tests/bench/bench_PROGRAM.c
compile() {
  "$CC" -std=c11 -O2 -o "$work/$1" "$TESTS/bench/bench_$1.c" "${@:2}"
}

compile time
compile free -I"$TESTS/../src" "$OBJECTS"/obj/src/gpu/{lease,turn,abstract}.o "$OBJECTS"/obj/src/base/{proc,file,strbuf,utf8,tempfile}.o -ldl
# shellcheck disable=SC2046 # words
compile bare $(pkg-config --cflags --libs yaml-0.1 2>/dev/null || echo -lyaml) -ldl

# measure ROUNDS COMMAND... [-- COMMAND...]...: sets wall, processor and memory to lists of medians,
# in microseconds and KiB. The commands' environment has what is in `given` as well.
given=()
measure() {
  local times
  times=$(env "${given[@]}" "$work/time" "$@")
  mapfile -t wall < <(cut -d ' ' -f 1 <<<"$times")
  mapfile -t processor < <(cut -d ' ' -f 2 <<<"$times")
  mapfile -t memory < <(cut -d ' ' -f 3 <<<"$times")
}

calculate() {
  awk "BEGIN { printf \"$1\", $2 }"
}

heading() {
  printf '\n%s\n  %-46s %12s %12s %9s %7s\n' "$1" '' "${2:-conda-gpu}" "${3:-bare}" "${4:-ratio}" limit
}

# line WHAT OURS BASE VALUE LIMIT [UNIT]: one line of the table; VALUE must not exceed LIMIT (none: no
# limit is set).
line() {
  local verdict=holds limit=$5${6-}
  if [ "$5" = none ]; then
    limit=none verdict=
  elif awk "BEGIN { exit !($4 > $5) }"; then
    verdict='DOES NOT HOLD'
    failed=$((failed + 1))
  else
    held=$((held + 1))
  fi
  printf '  %-46s %12s %12s %9s %7s  %s\n' "$1" "$2" "$3" "$4${6-}" "$limit" "$verdict" |
    sed 's/ *$//'
}

# ratio WHAT OURS BASE LIMIT DIVISOR UNIT: values are shown in UNIT after division.
ratio() {
  line "$1" "$(calculate "%.1f $6" "$2 / $5")" "$(calculate "%.1f $6" "$3 / $5")" \
    "$(calculate %.2f "$2 / $3")" "$4"
}

# environment NAME: makes an empty conda environment and prints its prefix.
environment() {
  mkdir -p "$work/envs/$1/conda-meta"
  : >"$work/envs/$1/conda-meta/history"
  echo "$work/envs/$1"
}

# ---------------------------------------------------------------------------------------------
# Hooks. A pair's time is the processor time of a shell that sources it so often, less that of a
# shell that only loops: nothing in it waits, and wall time would count what else the machine does.

variables=(CUDA_DEVICE_ORDER=PCI_BUS_ID 'CUDA_VISIBLE_DEVICES=1,3' OMP_NUM_THREADS=8
  NCCL_P2P_DISABLE=1 MKL_NUM_THREADS=8 OPENBLAS_NUM_THREADS=8 NUMEXPR_NUM_THREADS=8 NCCL_DEBUG=WARN
  NCCL_IB_DISABLE=1 NCCL_SOCKET_IFNAME=eth0 TF_CPP_MIN_LOG_LEVEL=2 TF_FORCE_GPU_ALLOW_GROWTH=true
  TORCH_CUDA_ARCH_LIST=8.0+PTX PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True
  XLA_PYTHON_CLIENT_PREALLOCATE=false CUDA_MODULE_LOADING=LAZY CUDA_CACHE_MAXSIZE=4294967296
  CUBLAS_WORKSPACE_CONFIG=:4096:8 TOKENIZERS_PARALLELISM=false HF_HUB_OFFLINE=1)

# The lines for one variable as people write them. `backup` needs a value before, so there is one.
by_hand() {
  case $1 in
    activate.plain.sh) echo "export $2='$3'" ;;
    deactivate.plain.sh) echo "unset $2" ;;
    activate.backup.sh) echo "export OLD_$2=\"\$$2\"; export $2='$3'" ;;
    deactivate.backup.sh) echo "export $2=\"\$OLD_$2\"; unset OLD_$2" ;;
    activate.plain.fish) echo "set -gx $2 '$3'" ;;
    deactivate.plain.fish) echo "set -e $2" ;;
    activate.backup.fish) echo "set -gx OLD_$2 \$$2; set -gx $2 '$3'" ;;
    deactivate.backup.fish) echo "set -gx $2 \$OLD_$2; set -e OLD_$2" ;;
    activate.plain.csh) echo "setenv $2 '$3'" ;;
    deactivate.plain.csh) echo "unsetenv $2" ;;
    activate.backup.csh) echo "setenv OLD_$2 \"\$$2\"; setenv $2 '$3'" ;;
    deactivate.backup.csh) echo "setenv $2 \"\$OLD_$2\"; unsetenv OLD_$2" ;;
  esac
}

# loop EXTENSION [ACTIVATE DEACTIVATE]: prints a script that sources both once per argument.
loop() {
  local command=source
  case $1 in
    sh) command=. && echo "for i in \"\$@\"; do :" ;;
    fish) echo "for i in \$argv" ;;
    csh) echo "foreach i (\$argv)" ;;
  esac
  [ $# = 1 ] || printf '%s\n' "$command '$2'" "$command '$3'"
  case $1 in sh) echo 'done' ;; *) echo end ;; esac
}

# Makes the hooks for $count variables, those by hand, and the scripts that are measured.
make_hooks() {
  local extension kind direction setting
  prefix=$(environment "hook$count")
  scripts=$work/scripts$count
  mkdir "$scripts"
  {
    echo 'gpu: {devices: [1, 3], variables: {'
    printf '%s\n' "${variables[@]:2:count-2}" | sed 's/=\(.*\)/: "\1",/'
    echo '}}'
  } >"$scripts/environment.yml"
  "$CONDA_GPU" apply -q -f "$scripts/environment.yml" -p "$prefix" --driver "$driver"
  for extension in sh fish csh; do
    loop "$extension" >"$scripts/empty.$extension"
    loop "$extension" "$prefix/etc/conda/activate.d/env_vars.$extension" \
      "$prefix/etc/conda/deactivate.d/env_vars.$extension" >"$scripts/ours.$extension"
    for kind in plain backup; do
      for direction in activate deactivate; do
        for setting in "${variables[@]:0:count}"; do
          by_hand "$direction.$kind.$extension" "${setting%%=*}" "${setting#*=}"
        done >"$scripts/$direction.$kind.$extension"
      done
      loop "$extension" "$scripts/activate.$kind.$extension" \
        "$scripts/deactivate.$kind.$extension" >"$scripts/$kind.$extension"
    done
  done
}

# How many processes a command creates, by fork or in place of itself.
processes() {
  strace -f -qq -o "$work/trace" -e trace='?clone,?clone3,?fork,?vfork,execve' "$@" >/dev/null
  grep -E '(clone3?|v?fork|execve)\(' "$work/trace" | grep -vc CLONE_THREAD
}

# pair_line KIND LIMIT EXTENSION SHELL [OPTION...]: ours beside the pair by hand, where that is right:
# `plain` where the variables were not set before, `backup` where they were. Sets `cost` to ours.
pair_line() {
  local kind=$1 limit=$2 extension=$3 arguments=() candidate setting i pairs
  # So many pairs in one shell that its start is little beside them.
  mapfile -t pairs < <(seq $((600 / count)))
  shift 3
  for candidate in empty ours "$kind"; do
    arguments+=("$@" "$scripts/$candidate.$extension" "${pairs[@]}" --)
  done
  unset 'arguments[-1]'
  given=(CONDA_PREFIX="$prefix" CONDA_SHLVL=1)
  for setting in "${variables[@]:0:count}"; do
    [ "$kind" = plain ] || given+=("${setting%%=*}=before")
  done
  measure "${REPEAT:-15}" "${arguments[@]}"
  for i in 1 2; do
    processor[i]=$(calculate %.2f "(${processor[i]} - ${processor[0]}) / ${#pairs[@]}")
  done
  cost=${processor[1]}
  case $kind in plain) kind='set and erase' ;; backup) kind='backup pair' ;; esac
  ratio "$1, $count variables: $kind" "$cost" "${processor[2]}" "$limit" 1 us
}

# hook_lines EXTENSION SHELL [OPTION...]: held to a share of an activation, with few variables; beside
# the pair by hand, to see what exactness costs.
hook_lines() {
  local extension=$1 share=none cost made
  shift
  command -v "$1" >/dev/null || {
    printf '  %-46s not installed\n' "$1"
    return
  }
  case $extension$count in
    sh3) share=0.15 ;;
    *3) share=0.6 ;;
  esac
  pair_line plain none "$extension" "$@"
  pair_line backup none "$extension" "$@"
  line "$1, $count variables: share of conda activate" "$cost us" "$activate us" \
    "$(calculate %.3f "100 * $cost / $activate")" $share %
  if command -v strace >/dev/null; then
    made=$(processes "$@" "$scripts/ours.$extension" 1)
    line "$1, $count variables: processes created" \
      $((made - $(processes "$@" "$scripts/empty.$extension" 1))) '' 0 0
  fi
}

hook_part() {
  if [ -n "$conda" ]; then
    measure "${REPEAT:-5}" "$conda" shell.posix activate base
    activate=${wall[0]%.*}
  fi
  heading 'Hooks: one activation and one deactivation' conda-gpu 'by hand'
  for count in 3 20; do
    make_hooks
    hook_lines sh bash --norc --noprofile
    hook_lines sh dash
    hook_lines sh zsh -f
    hook_lines fish fish --no-config
    hook_lines csh tcsh -f
  done
}

# ---------------------------------------------------------------------------------------------
# One prefix for 64 machines with 32 users each

# team: their file.
team() {
  local host user
  printf 'gpu:\n  devices: 0\n  variables: {OMP_NUM_THREADS: 8}\n  assign:\n'
  for host in {00..63}; do
    for user in {00..31}; do
      echo "    - {host: gpu-node-$host, user: user$user, devices: $(((10#$host + 10#$user) % 4))}"
    done
  done
}

# on HOST COMMAND...: on a machine of that name.
on() {
  # shellcheck disable=SC2016 # words for the inner shell
  unshare -u sh -c 'echo "$1" >/proc/sys/kernel/hostname && shift && exec "$@"' - "$@"
}

# team_line EXTENSION SHELL [OPTION...]: how much longer than a plain hook the last user of the last
# machine waits.
team_line() {
  local extension=$1 name arguments=() times difference
  shift
  command -v "$1" >/dev/null || return 0
  mapfile -t times < <(seq 100)
  for name in plain team; do
    local hooks=$work/envs/$name/etc/conda
    loop "$extension" "$hooks/activate.d/env_vars.$extension" \
      "$hooks/deactivate.d/env_vars.$extension" >"$work/$name.$extension"
    arguments+=("$@" "$work/$name.$extension" "${times[@]}" --)
  done
  unset 'arguments[-1]'
  mapfile -t processor < <(on gpu-node-63 env USER=user31 CONDA_SHLVL=1 CONDA_PREFIX="$work" \
    "$work/time" "${REPEAT:-15}" "${arguments[@]}" | cut -d ' ' -f 2)
  difference=$(calculate %.2f "(${processor[1]} - ${processor[0]}) / 100000")
  line "$1, activation and deactivation" "$(calculate '%.2f ms' "${processor[1]} / 100000")" \
    "$(calculate '%.2f ms' "${processor[0]} / 100000")" "$difference" 1 ' ms'
}

hosts_part() {
  local prefix host extension size
  heading '64 machines with 32 users each' conda-gpu 'plain hook' difference
  if ! unshare -u true 2>/dev/null; then
    echo '  machines of other names: unshare -u is not allowed'
    return
  fi
  environment_file plain
  "$CONDA_GPU" apply -q -f "$work/plain.yml" -p "$(environment plain)" --driver "$driver"
  team >"$work/team.yml"
  prefix=$(environment team)
  for host in {00..63}; do
    on "gpu-node-$host" "$CONDA_GPU" apply -q -f "$work/team.yml" -p "$prefix" --driver "$driver"
  done
  for extension in sh fish csh; do
    size=$(wc -c <"$prefix/etc/conda/activate.d/env_vars.$extension")
    line "activate.d/env_vars.$extension" "$size" '' "$(calculate %.1f "$size / 1024")" 64 ' KB'
  done
  measure "${REPEAT:-15}" unshare -u sh -c "echo gpu-node-63 >/proc/sys/kernel/hostname
    exec '$CONDA_GPU' apply -q --check -f '$work/team.yml' -p '$prefix' --driver '$driver'"
  line 'apply' "$(calculate '%.0f ms' "${wall[0]} / 1000")" '' \
    "$(calculate %.0f "${wall[0]} / 1000")" 500 ' ms'
  team_line sh bash --norc --noprofile
  team_line sh dash
  team_line fish fish --no-config
}

# ---------------------------------------------------------------------------------------------
# The program, against tests/bench/bench_bare.c

# environment_file NAME [DEPENDENCIES]
environment_file() {
  {
    echo "name: $1"
    echo 'channels:'
    echo '  - conda-forge'
    echo 'dependencies:'
    echo '  - python=3.12'
    seq -f '  - package-%06.0f=1.2.3=py312h0123456_0' "${2:-10}"
    echo 'gpu:'
    echo '  devices: [1, 3]'
    echo '  variables:'
    echo '    OMP_NUM_THREADS: 8'
  } >"$work/$1.yml"
}

# The bare program's arguments after FILE: the same driver, and the same devices in the end.
bare_asks=("$driver" '1,3')

apply_part() {
  local rounds=${REPEAT:-61} prefix bare_prefix round files
  prefix=$(environment changed)
  bare_prefix=$(environment changed_bare)

  # Each round has new prefixes, and a file of another name, which every hook mentions.
  for ((round = 0; round < rounds; round++)); do
    environment "new-$round" >/dev/null
    environment "bare-$round" >/dev/null
    environment_file "plan-$round"
  done
  environment_file plan
  "$CONDA_GPU" apply -q -f "$work/plan.yml" -p "$prefix" --driver "$driver"
  mapfile -t files < <(cd "$prefix" && find etc -type f -printf '%p=%s\n' | sort -r)
  "$work/bare" '' '' '' "$bare_prefix" "${files[@]}"

  heading "conda-gpu apply, ${#files[@]} files on $(df -T "$work" | awk 'END { print $2 }')"
  measure "$rounds" \
    "$CONDA_GPU" apply -f "$work/plan-%r.yml" -p "$work/envs/new-%r" --driver "$driver" -- \
    "$work/bare" "$work/plan-%r.yml" "${bare_asks[@]}" "$work/envs/bare-%r" "${files[@]}"
  ratio 'apply, new environment' "${wall[0]}" "${wall[1]}" 1.5 1000 ms
  measure "$rounds" \
    "$CONDA_GPU" apply -f "$work/plan-%r.yml" -p "$prefix" --driver "$driver" -- \
    "$work/bare" "$work/plan-%r.yml" "${bare_asks[@]}" "$bare_prefix" "${files[@]}"
  ratio 'apply, all files change' "${wall[0]}" "${wall[1]}" 1.5 1000 ms
  "$CONDA_GPU" apply -q -f "$work/plan.yml" -p "$prefix" --driver "$driver"
  measure "$((rounds * 3))" \
    "$CONDA_GPU" apply -f "$work/plan.yml" -p "$prefix" --driver "$driver" -- \
    "$work/bare" "$work/plan.yml" "${bare_asks[@]}"
  ratio 'apply, nothing to do (bare writes nothing)' "${wall[0]}" "${wall[1]}" 1.2 1000 ms
}

read_part() {
  local prefix
  prefix=$(environment read)
  environment_file read "$dependencies"
  "$CONDA_GPU" apply -q -f "$work/read.yml" -p "$prefix" --driver "$driver"

  heading "A file of $dependencies dependencies, $(($(wc -c <"$work/read.yml") / 1024)) KiB; both ask the driver twice"
  measure "${REPEAT:-15}" \
    "$CONDA_GPU" apply --check -f "$work/read.yml" -p "$prefix" --driver "$driver" -- \
    "$work/bare" "$work/read.yml" "${bare_asks[@]}"
  ratio 'apply --check, against a document load: time' "${wall[0]}" "${wall[1]}" 1.2 1000 ms
  ratio 'apply --check, against a document load: memory' "${memory[0]}" "${memory[1]}" 1.2 1024 MiB
}

# What exec adds to a command that does nothing, and what export takes.
exec_part() {
  local prefix
  prefix=$(environment exec)
  environment_file exec
  "$CONDA_GPU" apply -q -f "$work/exec.yml" -p "$prefix" --driver "$driver"
  heading 'conda-gpu exec, by the receipt' 'with exec' without difference
  measure "$((${REPEAT:-61} * 3))" "$CONDA_GPU" exec -p "$prefix" /bin/true -- /bin/true
  line 'exec /bin/true' "$(calculate '%.2f ms' "${wall[0]} / 1000")" \
    "$(calculate '%.2f ms' "${wall[1]} / 1000")" \
    "$(calculate %.2f "(${wall[0]} - ${wall[1]}) / 1000")" 2 ' ms'
  measure "$((${REPEAT:-61} * 3))" "$CONDA_GPU" export --format dotenv -p "$prefix"
  line 'export --format dotenv' "$(calculate '%.2f ms' "${wall[0]} / 1000")" '' \
    "$(calculate %.2f "${wall[0]} / 1000")" 3 ' ms'
}

# difference WHAT OURS BASE LIMIT: microseconds, shown as milliseconds.
difference() {
  line "$1" "$(calculate '%.2f ms' "$2 / 1000")" "$(calculate '%.2f ms' "$3 / 1000")" \
    "$(calculate %.2f "($2 - $3) / 1000")" "$4" ' ms'
}

# eight_cards: a machine whose leases are this run's alone.
eight_cards() {
  local i
  for i in {0..7}; do
    printf 'gpu GPU-%08x-0000-4000-8000-%012x 0000:%02x:00.0 80GiB 9.0 "H100"\n' "$i" $$ $((16 + i))
  done
}

# waiters COUNT MILLISECONDS: so many wait for eight cards, which all become free at once, and use theirs
# for that time. Prints when that was, and who had which card from when to when. By a pipe, since files
# can take long where others write; before all other programs, where that is allowed.
waiters() {
  local i holder first=()
  chrt -r 1 true 2>/dev/null && first=(chrt -r 1)
  "$CONDA_GPU" exec --free 8 -- sh -c "echo >'$work/held'; exec sleep 600" >&2 &
  holder=$!
  until [ -e "$work/held" ]; do sleep 0.01; done
  for ((i = 0; i < $1; i++)); do
    "${first[@]}" "$CONDA_GPU" exec --free 1 --wait -- "$work/free" hold "$2" 2>/dev/null &
  done
  until [ "$(grep -c "@conda-gpu/turn/.*$(printf '%012x' $$)" /proc/net/unix)" -ge $((8 * $1)) ]; do
    sleep 0.1
  done
  sleep 2
  awk '{ print -1, 0, int($1 * 1000000) }' /proc/uptime && kill "$holder"
  wait
}

# idle_line COUNT MILLISECONDS: how long a card was idle at most, from one end to the next begin.
idle_line() {
  local idle
  idle=$(waiters "$1" "$2" | sort -k 1,1n -k 2,2n | awk '
    $1 == -1 { end = freed = $3; next }
    { if ($1 != card) end = freed; if ($2 - end > most) most = $2 - end; card = $1; end = $3; served++ }
    END { printf "%.0f %d", most / 1000, served }')
  line "$1 wait for 8: not served" $(($1 - ${idle#* })) '' $(($1 - ${idle#* })) 0
  line "$1 wait for 8, each $2 ms: a card is idle for" "${idle% *} ms" '' "${idle% *}" 100 ' ms'
}

free_part() {
  local prefix alone=$work/alone/libcuda.so.1
  prefix=$(environment free)
  echo 'gpu: {devices: 0-7}' >"$work/free.yml"
  eight_cards >"$work/eight"
  mkdir "$work/alone"
  cp "$driver" "$alone"
  given=(FAKE_CUDA_MACHINE="$work/eight")
  local -x CONDA_GPU_DRIVER=$driver FAKE_CUDA_MACHINE=$work/eight
  "$CONDA_GPU" apply -q -f "$work/free.yml" -p "$prefix"
  heading 'SIMULATED: conda-gpu status and exec --free, eight cards' conda-gpu bare difference
  measure "$((${REPEAT:-61} * 3))" "$CONDA_GPU" status -p "$prefix" --driver "$alone" -- \
    "$work/bare" '' "$alone" ''
  difference "status without NVML; bare: the driver's own" "${wall[0]}" "${wall[1]}" 10
  measure "$((${REPEAT:-61} * 3))" "$CONDA_GPU" exec -p "$prefix" --free 1 /bin/true -- \
    "$work/free" nvml "${driver%/*}/libnvidia-ml.so.1" -- "$work/free" lease 100
  difference "exec --free 1; bare: NVML's own" "${wall[0]}" "${wall[1]}" 5
  line 'a lease alone, and a place in the line' "$(calculate '%.2f ms' "${wall[2]} / 100000")" '' \
    "$(calculate %.2f "${wall[2]} / 100000")" 2 ' ms'
  idle_line 200 300
}

# The bare program lists the devices twice, as apply has to: all of them, then the planned ones.
# Without a GPU here, a simulated driver stands for it that is as slow to begin as a real one.
gpu_part() {
  local prefix library='' options=()
  given=()
  if "$CONDA_GPU" devices >"$work/devices" 2>&1; then
    heading "This machine's GPU" conda-gpu bare difference
  else
    heading "SIMULATED: a driver whose cuInit takes 100 ms" conda-gpu bare difference
    echo "  there is no GPU here: $(head -n 1 "$work/devices" | cut -d ";" -f 1)"
    library=$driver options=(--driver "$driver")
    printf '%s\n' "include $TESTS/machines/four" 'delay 100' >"$work/machine"
    given=(FAKE_CUDA_MACHINE="$work/machine")
  fi
  prefix=$(environment gpu)
  echo 'gpu: {devices: 0}' >"$work/gpu.yml"
  env "${given[@]}" "$CONDA_GPU" apply -q -f "$work/gpu.yml" -p "$prefix" "${options[@]}"
  measure "${REPEAT:-15}" \
    "$CONDA_GPU" apply -f "$work/gpu.yml" -p "$prefix" "${options[@]}" -- \
    "$work/bare" '' "$library" 0
  line 'apply, nothing to do' "$(calculate '%.1f ms' "${wall[0]} / 1000")" \
    "$(calculate '%.1f ms' "${wall[1]} / 1000")" \
    "$(calculate %.1f "(${wall[0]} - ${wall[1]}) / 1000")" 20 ' ms'
}

echo "$(nproc) processors, load $(cut -d ' ' -f 1 /proc/loadavg 2>/dev/null || echo unknown)"
for part in $only; do
  "${part}_part"
done
printf '\n%d of %d limits hold\n' "$held" $((held + failed))
[ "$failed" = 0 ]
