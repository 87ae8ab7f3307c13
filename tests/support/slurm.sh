# shellcheck shell=bash
# A real Slurm for tests, of two nodes with four GPUs each: munged, slurmctld and two slurmd with all
# their files in a throwaway folder, on loopback, as the user who runs the test. Where no Slurm is
# installed it is the one that the Makefile has unpacked in the folder SLURM. The GPUs are links to
# /dev/null and the like. The nodes are this machine twice; where that is allowed (machines.sh) each
# has a name of its own also for the kernel, and then so has everything that runs on it.
#
#   . "$TESTS/support/slurm.sh"
#   slurm_start SUBJECT      runs it until the test ends, or skips the test
#
# $work is then a folder for the test's files, as short as a socket's path has to be; the test's own
# environment has nothing of a job, of our hooks or of CUDA.

# shellcheck source=tests/support/machines.sh
. "$TESTS/support/machines.sh"

work=$(cd "$(mktemp -d)" && pwd -P)
plugins='' step_daemon=''
export SLURM_CONF=$work/slurm.conf

slurm_stop() {
  local daemons
  daemons=$(cat "$work"/*.pid 2>/dev/null)
  [ -z "$daemons" ] || scontrol shutdown >/dev/null 2>&1
  for daemon in $daemons; do
    kill "$daemon" 2>/dev/null
    timeout 20 tail --pid="$daemon" -f /dev/null || kill -9 "$daemon"
  done
  remove_scratch
  rm -rf "$work"
}
trap slurm_stop EXIT

slurm_find() {
  PATH=$PATH:/usr/sbin:/sbin
  if ! command -v slurmctld >/dev/null && [ -d "$SLURM/usr" ]; then
    PATH=$SLURM/usr/sbin:$SLURM/usr/bin:$PATH
    plugins=$(echo "$SLURM"/usr/lib/*/slurm*/)
    export LD_LIBRARY_PATH=${plugins%/slurm*}:$plugins
    step_daemon=$SLURM/usr/sbin/slurmstepd
  fi
  for program in munged slurmctld slurmd sbatch scontrol; do
    have $program "$1" || return
  done
}

# free_ports N: that many ports of loopback that nobody listens on.
free_ports() {
  local port found=0
  for port in $(shuf -i 20000-30000 -n 100); do
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && continue
    echo "$port"
    found=$((found + 1))
    [ $found = "$1" ] && return
  done
}

slurm_configure() {
  local host device i=0
  host=$(uname -n)
  mapfile -t ports < <(free_ports 3)
  mkdir "$work/state" "$work/spool.node1" "$work/spool.node2"
  head -c 1024 /dev/urandom >"$work/key"
  chmod 400 "$work/key"
  for device in null zero full random; do
    ln -s /dev/$device "$work/gpu$i"
    i=$((i + 1))
  done
  echo "NodeName=node[1-2] Name=gpu File=$work/gpu[0-3]" >"$work/gres.conf"
  cat >"$SLURM_CONF" <<CONF
ClusterName=conda-gpu-test
SlurmctldHost=${host%%.*}(127.0.0.1)
SlurmctldPort=${ports[0]}
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
AuthType=auth/munge
AuthInfo=socket=$work/munge.socket
CredType=cred/munge
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool.%n
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/%n.pid
SlurmctldLogFile=$work/slurmctld.log
SlurmdLogFile=$work/%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
GresTypes=gpu
NodeName=node1 NodeAddr=127.0.0.1 Port=${ports[1]} CPUs=16 Gres=gpu:4
NodeName=node2 NodeAddr=127.0.0.1 Port=${ports[2]} CPUs=16 Gres=gpu:4
PartitionName=all Nodes=node[1-2] Default=YES State=UP
${plugins:+PluginDir=$plugins}
CONF
}

slurm_launch() {
  local node
  munged --force --socket="$work/munge.socket" --key-file="$work/key" \
    --log-file="$work/munge.log" --pid-file="$work/munge.pid" --seed-file="$work/seed" &&
    slurmctld -f "$SLURM_CONF" || return
  for node in node1 node2; do
    set -- slurmd -N $node -f "$SLURM_CONF" ${step_daemon:+-d "$step_daemon"}
    ! machines_allowed || set -- on $node "$@"
    "$@" || return
  done
  timeout 120 srun --quiet -N2 --gres=gpu:1 true
}

# What the job in which the test itself may run has left in its environment.
slurm_forget() {
  local name
  for name in $(compgen -e); do
    case $name in
      CUDA_VISIBLE_DEVICES | CUDA_DEVICE_ORDER | OMP_NUM_THREADS | SLURM_JOB* | __CONDA_GPU_*)
        unset "$name"
        ;;
    esac
  done
}

slurm_start() {
  local why
  slurm_find "$1" || report
  slurm_configure
  if ! slurm_launch >"$work/start.log" 2>&1; then
    why=$(grep -h -i 'error\|fatal' "$work"/*.log 2>/dev/null | sed -n 1p)
    tail -n 20 "$work"/*.log
    skip "$1: Slurm does not start here: ${why:-no reason given}" 1
    report
  fi
  slurm_forget
}
