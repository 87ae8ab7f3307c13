#!/bin/sh
# On a machine with a real NVIDIA driver: does conda-gpu agree with nvidia-smi, does the driver
# confirm every plan, and does PyTorch see the planned GPU as cuda:0? Run by `make check-gpu`, which
# sets CONDA_GPU to the program. Elsewhere it says why it skips. Its last line is
# "N passed, N failed, N skipped".
set -u

passed=0 failed=0 skipped=0
conda_gpu=${CONDA_GPU:-}
dir=

finish() {
  [ -z "$dir" ] || rm -rf "$dir"
  echo "$passed passed, $failed failed, $skipped skipped"
  [ "$failed" = 0 ]
  exit
}

pass() {
  passed=$((passed + 1))
  echo "ok      $1"
}

# What was checked, and a file that shows why it failed.
fail() {
  failed=$((failed + 1))
  echo "FAILED  $1"
  sed 's/^/        /' "$2"
}

skip() {
  skipped=$((skipped + 1))
  echo "skipped $1"
}

[ -n "$conda_gpu" ] || { skip "everything: CONDA_GPU does not name the program"; finish; }
[ -x "$conda_gpu" ] || { skip "everything: $conda_gpu is not there; run make first"; finish; }
command -v nvidia-smi >/dev/null || { skip "everything: no nvidia-smi on this machine"; finish; }
nvidia-smi -L >/dev/null 2>&1 || { skip "everything: nvidia-smi -L fails: $(nvidia-smi -L 2>&1 | head -n 1)"; finish; }

# What the shell or a job says is not what is asked here.
unset CUDA_VISIBLE_DEVICES CUDA_DEVICE_ORDER CONDA_GPU_DRIVER CONDA_PREFIX CONDA_SHLVL
unset CONDA_GPU_LEASE SLURM_JOB_ID SLURM_STEP_ID PBS_JOBID LSB_JOBID FLUX_JOB_ID OAR_JOB_ID _CONDOR_JOB_AD

dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT TERM
mkdir -p "$dir/pt/conda-meta"
: >"$dir/pt/conda-meta/history"

# number,uuid,address,name of every GPU, a line each; the address as we write it.
nvidia-smi --query-gpu=index,uuid,pci.bus_id,name --format=csv,noheader >"$dir/smi.csv"
awk -F ', ' -v OFS=, '{
  address = tolower($3)
  if (address ~ /^0000[0-9a-f][0-9a-f][0-9a-f][0-9a-f]:/) address = substr(address, 5)
  name = $4
  for (i = 5; i <= NF; i++) name = name ", " $i
  print $1, $2, address, name
}' "$dir/smi.csv" >"$dir/smi"

# The same of devices --json, whose keys stand on lines of their own.
if "$conda_gpu" devices --json >"$dir/json" 2>"$dir/err"; then
  awk '
    function text(line) { sub(/^[^:]*: */, "", line); sub(/,$/, "", line); gsub(/^"|"$/, "", line); return line }
    /"number":/ { number = text($0) }
    /"name":/ { name = text($0) }
    /"pci_bus_id":/ { address = text($0) }
    /"uuid":/ { print number "," text($0) "," address "," name }' "$dir/json" >"$dir/ours"
else
  fail "devices --json" "$dir/err"
  finish
fi

count=$(wc -l <"$dir/smi" | tr -d ' ')
if grep -q '"mig": true' "$dir/json"; then
  skip "table: a GPU is in MIG mode, so CUDA does not list what nvidia-smi lists"
  finish
fi
if diff "$dir/smi" "$dir/ours" >"$dir/diff"; then
  pass "devices: number, UUID, PCI address and name of $count GPU(s) are nvidia-smi's"
else
  fail "devices: nvidia-smi (<) and conda-gpu (>) differ" "$dir/diff"
fi

# Applies these devices; further keys may follow. The output is in $dir/out.
apply() {
  printf 'name: pt\ngpu:\n  devices: %s\n%s\n' "$1" "${2:-}" >"$dir/environment.yml"
  "$conda_gpu" apply -v -f "$dir/environment.yml" -p "$dir/pt" >"$dir/out" 2>&1
}

# That the driver confirms these devices, whose UUIDs are $3, in that order.
check_apply() {
  if ! apply "$1" "$2"; then
    fail "apply: devices: $1" "$dir/out"
    return 1
  fi
  if grep -q '^confirmed by the driver' "$dir/out" &&
    [ "$(sed -n 's/^cuda:.*\(GPU-[0-9a-f-]*\)$/\1/p' "$dir/out" | tr '\n' ' ')" = "$3" ]; then
    pass "apply: the driver confirms devices: $1${2:+,$2}"
  else
    fail "apply: devices: $1 was not confirmed as $3" "$dir/out"
  fi
}

# What PyTorch sees under the hooks, as bash sources them: how many GPUs, and what tells the first.
cat >"$dir/first.py" <<'PY'
import torch
p = torch.cuda.get_device_properties(0)
if getattr(p, "uuid", None) is not None:
    first = "GPU-" + str(p.uuid).replace("GPU-", "")
elif getattr(p, "pci_bus_id", None) is not None:
    first = "%04x:%02x:%02x.0" % (p.pci_domain_id, p.pci_bus_id, p.pci_device_id)
else:
    first = p.name
print("%d %s" % (torch.cuda.device_count(), first))
PY
torch=
if ! command -v python3 >/dev/null || ! python3 -c 'import torch' 2>/dev/null; then
  skip "PyTorch: python3 cannot import torch"
elif ! command -v bash >/dev/null; then
  skip "PyTorch: no bash to source the hooks in"
elif ! python3 -c 'import torch; torch.cuda.init()' 2>"$dir/err"; then
  skip "PyTorch: it cannot use CUDA here: $(tail -n 1 "$dir/err")"
else
  torch=yes
fi

# That PyTorch sees $2 GPUs, the first of which is that of the line $3 (number,uuid,address,name).
check_torch() {
  [ -n "$torch" ] || return 0
  # shellcheck disable=SC2016 # $1 and $2 are bash's
  CONDA_PREFIX=$dir/pt CONDA_SHLVL=1 bash -c '. "$1/etc/conda/activate.d/env_vars.sh" && exec python3 "$2"' \
    bash "$dir/pt" "$dir/first.py" >"$dir/seen" 2>"$dir/err" || { fail "PyTorch: devices: $1" "$dir/err"; return; }
  read -r seen_count seen <"$dir/seen"
  case ",$3," in
    *",$seen,"*) [ "$seen_count" = "$2" ] && pass "PyTorch: devices: $1: cuda:0 is $seen, of $2" && return ;;
  esac
  fail "PyTorch: devices: $1: wanted $2 GPU(s), first $3" "$dir/seen"
}

uuids=$(cut -d , -f 2 "$dir/smi" | tr '\n' ' ')
first=$(head -n 1 "$dir/smi")
while IFS= read -r line <&3; do
  number=${line%%,*}
  rest=${line#*,}
  check_apply "$number" '' "${rest%%,*} " && check_torch "$number" 1 "$line"
done 3<"$dir/smi"
numbers="[$(cut -d , -f 1 "$dir/smi" | paste -sd , -)]"
check_apply "$numbers" '  ids: uuid' "$uuids" && check_torch "$numbers, by UUID" "$count" "$first"
if apply all && grep -q '^unset *CUDA_VISIBLE_DEVICES$' "$dir/out"; then
  pass "apply: devices: all"
  check_torch all "$count" "$first"
else
  fail "apply: devices: all" "$dir/out"
fi
if [ "$count" -gt 1 ]; then
  backwards=$(cut -d , -f 1 "$dir/smi" | sort -rn | paste -sd , -)
  check_apply "[$backwards]" '' "$(sort -t , -rnk 1 "$dir/smi" | cut -d , -f 2 | tr '\n' ' ')" &&
    check_torch "[$backwards]" "$count" "$(tail -n 1 "$dir/smi")"
else
  skip "order: this machine has one GPU"
fi
if apply none && grep -q '^no GPU: CUDA_VISIBLE_DEVICES=-1$' "$dir/out"; then
  pass "apply: devices: none"
else
  fail "apply: devices: none" "$dir/out"
fi

# ${gpu.egl}: the number is that of the EGL device which, under the hooks, is CUDA's first.
cat >"$dir/egl.py" <<'PY'
import ctypes, os, sys
egl = ctypes.CDLL("libEGL.so.1")
egl.eglGetProcAddress.restype = ctypes.c_void_p
egl.eglQueryString.restype = ctypes.c_char_p
pointer, integer = ctypes.c_void_p, ctypes.c_int
def call(name, result, *arguments):
    return ctypes.CFUNCTYPE(result, *arguments)(egl.eglGetProcAddress(name))
devices, count, ordinal = (pointer * 64)(), integer(), ctypes.c_ssize_t(-1)
call(b"eglQueryDevicesEXT", integer, integer, pointer, pointer)(64, devices, ctypes.byref(count))
device = devices[int(os.environ["V"])]
call(b"eglQueryDeviceAttribEXT", integer, pointer, integer, pointer)(device, 0x323A, ctypes.byref(ordinal))
print("device %s of %d is cuda:%d" % (os.environ["V"], count.value, ordinal.value))
sys.exit(ordinal.value != 0)
PY
check_egl() {
  # shellcheck disable=SC2016 # ${gpu.egl} is ours
  if ! apply "$1" '  variables: {V: "${gpu.egl}"}'; then
    if grep -q 'cannot be told' "$dir/out"; then
      skip "EGL: $(head -n 1 "$dir/out")"
    else
      fail "EGL: devices: $1" "$dir/out"
    fi
  elif ! command -v python3 >/dev/null; then
    skip "EGL: devices: $1: no python3 to ask it"
  elif CONDA_PREFIX=$dir/pt CONDA_SHLVL=1 "$conda_gpu" exec -p "$dir/pt" -- python3 "$dir/egl.py" >"$dir/out" 2>&1; then
    pass "EGL: devices: $1: $(cat "$dir/out")"
  else
    fail "EGL: devices: $1" "$dir/out"
  fi
}
while IFS= read -r line <&3; do
  check_egl "${line%%,*}"
done 3<"$dir/smi"

# Who is on the cards: status against nvidia-smi's own query, and --free.

# "number,name,used,of,busy,heat" of every card, as status shows them, and as nvidia-smi tells them.
status_cards() {
  "$conda_gpu" status >"$dir/out" 2>&1 || return 1
  awk -F '  +' -v OFS=, '/^  on / { exit } /^  GPU [0-9]+  / { print $2, $3, $4, $5, $6, $7 }' "$dir/out"
}
smi_cards() {
  nvidia-smi --query-gpu=index,name,memory.used,memory.total,utilization.gpu,temperature.gpu \
    --format=csv,noheader,nounits | awk -F ', ' -v OFS=, '
    function gib(mib) { return sprintf("%g GiB", int(mib * 10 / 1024) / 10) }
    { print "GPU " $1, $2, gib($3), gib($4), $5 " %", $6 " C" }'
}
# The values move between two questions, so some tries.
check_cards() {
  tries=0
  while [ "$tries" -lt 20 ]; do
    status_cards >"$dir/ours" && smi_cards >"$dir/smi.cards" &&
      diff "$dir/smi.cards" "$dir/ours" >"$dir/diff" && [ -s "$dir/ours" ] &&
      pass "status: $1: memory, utilisation and temperature are nvidia-smi's" && return
    tries=$((tries + 1))
    sleep 0.5
  done
  cat "$dir/out" >>"$dir/diff"
  fail "status: $1: nvidia-smi (<) and conda-gpu (>) differ" "$dir/diff"
}
check_cards idle

driver=$(sed -n 's/^GPUs *driver //p' "$dir/out")
if [ "$driver" = "$(nvidia-smi --query-gpu=driver_version --format=csv,noheader | head -n 1)" ]; then
  pass "status: driver $driver"
else
  fail "status: another driver than nvidia-smi's" "$dir/out"
fi

# Runs a command that must end so, and print this where that is given.
check_free() {
  what=$1 status=$2 wanted=$3
  shift 3
  "$conda_gpu" exec "$@" >"$dir/out" 2>&1
  got=$?
  if [ "$got" = "$status" ] && { [ -z "$wanted" ] || grep -q "$wanted" "$dir/out"; }; then
    pass "exec: $what"
  else
    echo "ended with $got, not $status, or without '$wanted'" >>"$dir/out"
    fail "exec: $what" "$dir/out"
  fi
}

# Until a file is there, while a process lives, at most 60 s.
until_there() {
  tries=0
  until [ -e "$1" ] || ! kill -0 "$2" 2>/dev/null || [ "$tries" -ge 600 ]; do sleep 0.1; tries=$((tries + 1)); done
}

if [ -n "$(nvidia-smi --query-compute-apps=pid --format=csv,noheader)" ]; then
  skip "free cards: somebody computes on this machine"
else
  # shellcheck disable=SC2016 # the inner shell's
  check_free "all $count are free, and visible" 0 "^$count$" --free "$count" -- \
    sh -c 'nvidia-smi -L >/dev/null; echo "$CUDA_VISIBLE_DEVICES" | tr , "\n" | wc -l | tr -d " "'
  # shellcheck disable=SC2016
  "$conda_gpu" exec --free 1 -- sh -c ': >"$1"; exec sleep 300' sh "$dir/leased" 2>"$dir/err" &
  holder=$!
  until_there "$dir/leased" "$holder"
  check_free "a leased card is not free" 6 "leased by .*process $holder: sleep" --free "$count" -- true
  "$conda_gpu" status >"$dir/out" 2>&1
  if grep -q " leased .* $holder  *sleep" "$dir/out"; then
    pass "status: who has leased a card"
  else
    fail "status: no lease of process $holder" "$dir/out"
  fi
  kill -9 "$holder"
  check_free "a lease ends with SIGKILL" 0 '' --free "$count" --wait=60 -- true

  cat >"$dir/compute.py" <<'PY'
import ctypes, sys, time
cuda = ctypes.CDLL("libcuda.so.1")
device, context, memory = ctypes.c_int(), ctypes.c_void_p(), ctypes.c_void_p()
for result in (cuda.cuInit(0), cuda.cuDeviceGet(ctypes.byref(device), 0),
               cuda.cuCtxCreate_v2(ctypes.byref(context), 0, device),
               cuda.cuMemAlloc_v2(ctypes.byref(memory), ctypes.c_size_t(3 << 30))):
    if result:
        sys.exit("CUDA: %d" % result)
open(sys.argv[1], "w").close()
time.sleep(300)
PY
  CUDA_DEVICE_ORDER=PCI_BUS_ID python3 "$dir/compute.py" "$dir/computes" >"$dir/err" 2>&1 &
  worker=$!
  until_there "$dir/computes" "$worker"
  if [ ! -e "$dir/computes" ]; then
    skip "processes: python3 cannot compute: $(tail -n 1 "$dir/err")"
  else
    check_cards "while a process computes"
    "$conda_gpu" status >"$dir/out" 2>&1
    nvidia-smi --query-compute-apps=pid,used_memory --format=csv,noheader,nounits | awk -F ', ' '
      { printf "%g GiB %s\n", int($2 * 10 / 1024) / 10, $1 }' >"$dir/smi.apps"
    awk -F '  +' '/^  on / { on = 1; next } /^[^ ]/ { on = 0 } on { print $3, $6 }' "$dir/out" >"$dir/apps"
    if [ -s "$dir/smi.apps" ] && diff "$dir/smi.apps" "$dir/apps" >"$dir/diff"; then
      pass "status: processes and their memory are nvidia-smi's: $(paste -sd , - <"$dir/apps")"
    else
      cat "$dir/out" >>"$dir/diff"
      fail "status: processes: nvidia-smi (<) and conda-gpu (>) differ" "$dir/diff"
    fi
    if grep -q " $worker  *python3 " "$dir/out"; then
      pass "status: our process $worker is on its card"
    else
      skip "status: the driver tells process IDs of another namespace"
    fi
    check_free "a card on which somebody computes is not free" 6 'in use by ' --free "$count" -- true
    kill -9 "$worker"
    check_free "it is free again after its end" 0 '' --free "$count" --wait=60 -- true
  fi
fi

if "$conda_gpu" remove -q -p "$dir/pt" >"$dir/out" 2>&1 && [ ! -e "$dir/pt/etc" ]; then
  pass "remove leaves nothing"
else
  fail "remove" "$dir/out"
fi
finish
