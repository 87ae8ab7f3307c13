#!/usr/bin/env bash
# One environment for both nodes of a real Slurm, as on a cluster whose environments are on a network
# file system: apply runs on all nodes at once, the hooks choose by node, and what Slurm gives to a
# job stands. SHELLS="bash fish" takes only these shells.
# shellcheck disable=SC2016 # words for other shells
set -u
# shellcheck source=tests/support/report.sh
. "$TESTS/support/report.sh"

# shellcheck source=tests/support/slurm.sh
. "$TESTS/support/slurm.sh"

if ! machines_allowed; then
  skip "nodes of other names: unshare -u is not allowed"
  report
fi
slurm_start 'two nodes with one environment'

prefix=$work/pt file=$work/pt.yml
mkdir -p "$prefix/conda-meta"
cat >"$file" <<'END'
gpu:
  devices: 3
  variables: {OMP_NUM_THREADS: 8}
  assign:
    - {host: node1, devices: 0}
    - {host: node2, user: "*", devices: [2, 1], in_job: override}
END

# same WHAT TEXT: what is on stdin.
same() {
  printf '%s\n' "$2" >"$scratch/wanted"
  check "$1" diff "$scratch/wanted" -
}

# Each node has four cards of its own.
cp "$TESTS/machines/four" "$work/machine.node1"
sed 's/GPU-..../GPU-ffff/' "$work/machine.node1" >"$work/machine.node2"
export FAKE_CUDA_MACHINE=

# on_nodes [OPTION...] -- COMMAND...: of conda-gpu, on both nodes at once, and so in two processes of one job.
on_nodes() {
  local options=()
  while [ "$1" != -- ]; do options+=("$1") && shift; done
  shift
  srun --quiet -N2 "${options[@]}" sh -c \
    'FAKE_CUDA_MACHINE=$0.$SLURMD_NODENAME && exec "$@"' "$work/machine" "$CONDA_GPU" "$@" \
    --driver "$FAKE_CUDA/libcuda.so.1"
}

# apply OPTION...
apply() {
  on_nodes -- apply -q -f "$file" -p "$prefix" "$@"
}

# Both nodes write the same receipt and the same hooks: each part must be there.
for round in 1 2 3 4 5; do
  rm -rf "${prefix:?}/etc"
  check "apply on both nodes, round $round" apply
  same "the nodes that were served, round $round" $'node1\nnode2' \
    < <(sed -n 's/^- host: //p' "$prefix/etc/conda/conda-gpu.yml")
done
check "apply is not done on both nodes" apply --check

# ---- The hooks choose by node -----------------------------------------------------------------

# Prints what is visible at first, after activation, after another one, and after deactivation.
show='echo "$CUDA_VISIBLE_DEVICES ${OMP_NUM_THREADS-unset} ${CUDA_DEVICE_ORDER-unset}"'
script() {
  local extension=sh source=.
  case $1 in
    fish) extension=fish source=source ;;
    tcsh) extension=csh source=source ;;
  esac
  cat <<END
sh -c '$show'
$source $prefix/etc/conda/activate.d/env_vars.$extension
sh -c '$show'
$source $prefix/etc/conda/deactivate.d/env_vars.$extension
$source $prefix/etc/conda/activate.d/env_vars.$extension
sh -c '$show'
$source $prefix/etc/conda/deactivate.d/env_vars.$extension
sh -c '$show'
END
}

# nodes WHAT NODE1 NODE2 OPTION...: runs the script on both at once; each must print its lines.
nodes() {
  local what=$1 node1=$2 node2=$3
  shift 3
  env CONDA_PREFIX="$prefix" CONDA_SHLVL=1 srun --quiet -N2 --output="$work/%N.out" "$@" \
    "$shell" "$work/script" >"$scratch/said" 2>&1 </dev/null
  same "$shell: $what, on node1" "$node1" <"$work/node1.out"
  same "$shell: $what, on node2" "$node2" <"$work/node2.out"
}

# Two fish at once would both make their folders, and one of them complain.
mkdir -p "$HOME/.config/fish" "$HOME/.local/share/fish"

for shell in bash dash zsh fish tcsh; do
  wanted "$shell" || continue
  have "$shell" "$shell" || continue
  script "$shell" >"$work/script"
  nodes 'a job without GPUs' \
    $' unset unset\n0 8 PCI_BUS_ID\n0 8 PCI_BUS_ID\n unset unset' \
    $' unset unset\n2,1 8 PCI_BUS_ID\n2,1 8 PCI_BUS_ID\n unset unset'
  nodes 'a job with two GPUs on each' \
    $'0,1 unset unset\n0,1 8 PCI_BUS_ID\n0,1 8 PCI_BUS_ID\n0,1 unset unset' \
    $'0,1 unset unset\n2,1 8 PCI_BUS_ID\n2,1 8 PCI_BUS_ID\n0,1 unset unset' --gres=gpu:2
done

# ---- An inventory, for a login node without a driver ------------------------------------------

shell=bash
script $shell >"$work/script"
for label in '' --label; do
  rm -rf "${prefix:?}/etc"
  on_nodes $label -- devices --yaml >"$work/gpus.yml"
  check "apply by the inventory${label:+ with $label}" on login "$CONDA_GPU" apply -q -f "$file" -p "$prefix" \
    --driver "$work/none" --inventory "$work/gpus.yml"
  check "the nodes' own driver says something else" apply --check
  nodes "hooks made by an inventory${label:+ with $label}" \
    $' unset unset\n0 8 PCI_BUS_ID\n0 8 PCI_BUS_ID\n unset unset' \
    $' unset unset\n2,1 8 PCI_BUS_ID\n2,1 8 PCI_BUS_ID\n unset unset'
done

# ---- Two jobs on one node at once -------------------------------------------------------------

# job NAME OTHER: prints what Slurm gave it and what is visible in the environment, when both jobs run.
job() {
  cat <<END
#!/bin/bash
touch $work/$1.runs
for ((i = 0; i < 600; i++)); do [ ! -e $work/$2.runs ] || break; sleep 0.1; done
export CONDA_PREFIX=$prefix CONDA_SHLVL=1
echo \$CUDA_VISIBLE_DEVICES
. $prefix/etc/conda/activate.d/env_vars.sh
echo \$CUDA_VISIBLE_DEVICES
END
}
job one two >"$work/one.job"
job two one >"$work/two.job"
for name in one two; do
  sbatch --quiet --wait --nodelist=node1 --gres=gpu:2 --output="$work/$name.out" "$work/$name.job" &
done
wait
for name in one two; do
  mapfile -t seen <"$work/$name.out"
  check "job $name sees ${seen[1]-nothing} and was given ${seen[0]-nothing}" \
    test "${seen[*]}" = "${seen[0]} ${seen[0]}"
done
same "the cards of two jobs at once" $'0\n1\n2\n3' \
  < <(cat "$work/one.out" "$work/two.out" | tr , '\n' | sort -u)
report
