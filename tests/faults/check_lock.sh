#!/usr/bin/env bash
# The environment's lock between machines whose kernels know nothing of each other's locks: many
# applies at once, and a lock that a machine has left. Where a machine's name is the kernel's (unshare
# -u), flock and fcntl locks are each machine's own (host_flock.c).
#
# With NFS="/mnt/a /mnt/b", two mounts of one export, half of the machines see the environment through
# the one, and half through the other, with the locks that these have. They must be two clients for the
# server: with vers=4.1 and vers=4.2, or with vers=3,nolock,nosharecache twice. (Two mounts of the same
# version 4 are one client, which the server does not tell what it has changed itself.)
set -u
# shellcheck source=tests/support/report.sh
. "$TESTS/support/report.sh"

# shellcheck source=tests/support/machines.sh
. "$TESTS/support/machines.sh"

if ! machines_allowed; then
  skip "machines of other names: unshare -u is not allowed"
  report
fi

if [ -n "${NFS-}" ]; then
  read -r one other <<<"$NFS"
  library=''
else
  one=$scratch other=$scratch library=$HOST_FLOCK_LIBRARY
fi
prefix=$one/pt file=$scratch/pt.yml
lock=$prefix/.conda-gpu.lock
mkdir -p "$prefix/conda-meta" "$scratch/locks"
export HOST_FLOCK=$scratch/locks

# apply HOST [OPTION...]: odd ones see it through the first mount.
apply() {
  local seen=$one
  [ $((${1#node} % 2)) = 1 ] || seen=$other
  on "$1" env LD_PRELOAD="$library" "$CONDA_GPU" apply -q -p "$seen/pt" -f "$file" \
    --driver "$FAKE_CUDA/libcuda.so.1" "${@:2}"
}

# refused HOST PATTERN: apply there ends with 4 and a message like this, and leaves the lock.
refused() {
  local got=0
  cp "$lock" "$scratch/before"
  apply "$1" --timeout 1 >"$scratch/said" 2>&1 || got=$?
  check "apply on $1: $got, and not 4" test $got = 4
  # shellcheck disable=SC2053 # it is a pattern
  [[ $(<"$scratch/said") == $2 ]] || check "apply on $1 says: $(<"$scratch/said")" false
  check "the lock is another one" cmp "$lock" "$scratch/before"
}

# What the library is for: while the machine a holds a file, b can lock it, and a cannot.
: >"$scratch/file"
cat >"$scratch/others" <<'END'
. "$TESTS/support/machines.sh"
on b flock -n "$1" true && ! on a flock -n "$1" true
END
reaches() {
  LD_PRELOAD=$library on a flock "$scratch/file" sh "$scratch/others" "$scratch/file"
}
[ -z "$library" ] || check "flock does not reach just its own machine" reaches

# ---- Many at once -----------------------------------------------------------------------------

{
  printf 'gpu:\n  devices: 3\n  assign:\n'
  for i in {1..8}; do
    echo "    - {host: node$i, devices: $((i % 4)), variables: {OMP_NUM_THREADS: $i}}"
  done
} >"$file"
for round in {1..10}; do
  rm -rf "${prefix:?}/etc"
  for host in node{1..8} node{1..8}; do
    apply "$host" --timeout 60 2>>"$scratch/errors" || echo "$? on $host" >>"$scratch/errors" &
  done
  wait
  check "round $round: an apply fails" cat "$scratch/errors"
  check "round $round: not every machine is served" diff <(printf '%s\n' node{1..8}) \
    <(sed -n 's/^- host: //p' "$prefix/etc/conda/conda-gpu.yml")
done
for host in node{1..8}; do
  check "the files are not what apply makes on $host" apply "$host" --check
done
check "something is left" find "$prefix" -name '.conda-gpu*'

# ---- Left over --------------------------------------------------------------------------------

# Of a run that was killed on this machine.
printf 'process 4711 on node1' >"$lock"
check "a lock of this machine's, which nobody holds, is not taken away" apply node1
check "the lock is left" test ! -e "$lock"

# Of one that was killed on another, or that runs there.
printf 'process 4711 on node1' >"$lock"
refused node2 "*: process 4711 on node1 still writes there after 1 seconds; *: rm '$other/pt/.conda-gpu.lock'"
refused node11 '*process 4711 on node1 still*'
eval "$(sed -n "s/.* remove its lock: //p" "$scratch/said")"
check "apply, after what the message says" apply node2
check "the lock is left" test ! -e "$lock"
rm -rf "${prefix:?}"
report
