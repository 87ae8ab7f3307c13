#!/usr/bin/env bash
# One prefix for several machines: what apply makes of it on each, what it says, and what it leaves
# alone. The machine's name is the kernel's (unshare -u).
set -u
# shellcheck source=tests/support/report.sh
. "$TESTS/support/report.sh"

# shellcheck source=tests/support/machines.sh
. "$TESTS/support/machines.sh"

if ! machines_allowed; then
  skip "machines of other names: unshare -u is not allowed"
  report
fi

# new NAME: an empty environment, and the file that `apply` takes.
new() {
  prefix=$scratch/$1 file=$scratch/$1.yml
  mkdir -p "$prefix/conda-meta"
  cat >"$file"
}

# apply HOST STATUS [OPTION...]: runs it there, and must end with that status. What it says is in
# $scratch/said.
apply() {
  local host=$1 wanted=$2 got=0
  shift 2
  on "$host" "$CONDA_GPU" apply -p "$prefix" \
    --driver "$FAKE_CUDA/libcuda.so.1" -f "$file" "$@" >"$scratch/said" 2>&1 || got=$?
  check "apply on $host $*: $got, and not $wanted: $(cat "$scratch/said")" test "$got" = "$wanted"
}

# says TEXT: that was said.
says() {
  check "'$1' is not in: $(cat "$scratch/said")" grep -qF -- "$1" "$scratch/said"
}

# serves HOST...: the machines in the receipt.
serves() {
  sed -n 's/^- host: //p' "$prefix/etc/conda/conda-gpu.yml" >"$scratch/hosts"
  check "the machines that are served are not $*" diff <(printf '%s\n' "$@") "$scratch/hosts"
}

hooks() {
  cat "$prefix"/etc/conda/*activate.d/*
}

# Without rules: a plain hook for every machine, until another machine gets something else.
new plain <<'END'
gpu: {devices: [1, 3]}
END
apply a 0
serves a
check "a decision in a plain hook" sh -c "! grep -rqE '__gpu_(who|host)|by (user|machine)' '$prefix/etc'"
apply b 0
says unchanged
serves a
echo 'gpu: {devices: 0}' >"$file"
apply b 0
says 'the hooks of a did the same on every machine so far'
serves a b

# Each machine has its own part, whoever comes first; the same parts make the same files.
apply c 1 --check
says 'the hooks there serve a, b so far, and on this machine, c, they change nothing'
says 'conda-gpu apply, run here, adds it'
apply b 0 --check
hooks >"$scratch/before"
apply c 0
serves a b c
apply a 2 --host c --forget --explain
apply a 2 --forget
says '--forget needs the machine'
apply a 2 --host c
says '--host is for --explain and --forget'
apply a 2 --host d --forget
says "no apply has served a machine of the name 'd'; these are served:"
apply a 1 --host c --forget --check
serves a b c
apply a 0 --host c --forget
serves a b
check "forgetting leaves something else than what was there" \
  diff "$scratch/before" <(hooks)
apply b 0 --check
apply a 0 --host a --forget
serves b
apply b 0 --check
apply a 2 --host b --forget
says 'conda-gpu remove takes the hooks away altogether'
serves b

# Two machines at once.
rm -rf "${prefix:?}/etc"
for host in m1 m2 m3 m4; do
  echo "gpu: {devices: ${host#m}}" | sed 's/4/0/' >"$scratch/$host.yml"
  on $host "$CONDA_GPU" apply -q -p "$prefix" \
    --driver "$FAKE_CUDA/libcuda.so.1" -f "$scratch/$host.yml" &
done
wait
serves m1 m2 m3 m4

# A name that no hook can hold.
apply 'm 5' 4
says "not by 'm 5'"
serves m1 m2 m3 m4

# Rules.
new rules <<'END'
gpu:
  devices: 3
  assign:
    - user: alice
      devices: 0
    - {user: [bob, carol], host: "dgx*", devices: [0, 1]}
    - {host: login, devices: none}
END
apply dgx-01 0
says 'rules.yml: GPU 0 is given to several users: alice (line 4), bob (line 6), carol (line 6)'
says 'CUDA_VISIBLE_DEVICES=3'
check "the rule's line is not in the hook" \
  grep -q '^  bob@\* | carol@\*) # line 6$' "$prefix/etc/conda/activate.d/env_vars.sh"
apply login 0
says 'no GPU: CUDA_VISIBLE_DEVICES=-1'
serves dgx-01 login
apply x 0 --explain --user carol --host dgx-02.example.org
says 'line 6   user: [bob, carol], host: dgx*  serves carol'
says 'line 4   user: alice                     does not fit user carol'
apply login 0 --explain --user alice
says 'line 7   host: login                     would fit, but line 4 comes first'
says 'not needed'
apply login 2 --user alice
says '--user is for --explain'

rules_prefix=$prefix rules_file=$file
# An inventory of two machines, made on a third; one of them applies itself, before and after.
new inventory <<'END'
gpu: {devices: [1, 0]}
END
for host in n1 n2 n3; do
  case $host in n2) machine=mixed ;; n1) machine=four ;; *) machine=domain ;; esac
  FAKE_CUDA_MACHINE=$TESTS/machines/$machine on $host "$CONDA_GPU" devices --yaml \
    --driver "$FAKE_CUDA/libcuda.so.1" >"$scratch/$host"
done
cat "$scratch/n1" "$scratch/n2" >"$scratch/both"
apply n3 0
serves n3
apply login 0 --inventory "$scratch/both"
says 'this machine, login, is not in'
says 'on n2:'
serves n1 n2 n3
apply login 0 --inventory "$scratch/both" --check
check "n3 is unconfirmed as well" \
  test "$(grep -c 'unconfirmed: true' "$prefix/etc/conda/conda-gpu.yml")" = 2
apply n1 0 --check # the machine four is the driver's own
says 'the driver confirms their devices'
apply n2 1 --check
says 'GPU 1 of n2 is NVIDIA A100-SXM4-80GB'
says 'it was NVIDIA A100-PCIE-40GB'
apply n1 0
apply login 0 --inventory "$scratch/both"
check "an inventory took the driver's word back" \
  test "$(grep -c 'unconfirmed: true' "$prefix/etc/conda/conda-gpu.yml")" = 1
hooks >"$scratch/before"
apply login 0 --host n2 --forget
serves n1 n3
apply login 0 --inventory - <"$scratch/n2"
serves n1 n2 n3
check "one machine less and one more is another result" diff "$scratch/before" <(hooks)
apply login 0 --explain --inventory "$scratch/both" --host n2
apply login 2 --explain --inventory "$scratch/both" --host n3
says "has no machine of the name 'n3'"
sed 's/uuid: GPU-8932/uuid: GPU-9/' "$scratch/n1" >"$scratch/bad"
apply login 2 --inventory "$scratch/bad"
says '/bad:14:9: uuid: found '
check "a bad inventory has changed the hooks" diff "$scratch/before" <(hooks)

# Bad rules: nothing is written.
prefix=$rules_prefix file=$rules_file
hooks >"$scratch/before"
for rule in '{user: alice, devices: 9}' '{user: "al[ice", devices: 0}' \
  '{host: "dgx*", devices: [0, 0]}'; do
  printf 'gpu:\n  devices: 1\n  assign:\n    - %s\n' "$rule" >"$file"
  apply dgx-01 "$(case $rule in *9*) echo 3 ;; *) echo 2 ;; esac)"
  says 'rules.yml:4:'
done
check "a bad rule has changed the hooks" diff "$scratch/before" <(hooks)

# Somebody who may not write there is told of rules, with the lines to add.
new shared <<'END'
gpu: {devices: [1, 3]}
END
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
  chmod a+rx "$scratch"
  got=0
  setpriv --reuid=65534 --clear-groups "$CONDA_GPU" apply -p "$prefix" -f "$file" \
    --driver "$FAKE_CUDA/libcuda.so.1" >"$scratch/said" 2>&1 || got=$?
  check "not 4, but $got: $(cat "$scratch/said")" test $got = 4
  says 'Whoever may write to it can apply for all users at once'
  says '    - user: nobody'
  says '      devices: [1,3]'
else
  skip "an environment of somebody else's: not run by root"
fi
report
