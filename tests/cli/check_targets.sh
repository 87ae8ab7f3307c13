#!/usr/bin/env bash
# What export writes, taken up by what it is for: docker's client, compose, and a kernel that Jupyter
# starts. The other formats are in check_cli_export.c.
set -u
# shellcheck source=tests/support/report.sh
. "$TESTS/support/report.sh"

export CONDA_GPU_DRIVER=$FAKE_CUDA/libcuda.so.1
one=GPU-8932f937-d72c-4106-c12f-20bd9faed9f6 three=GPU-5e8f4a10-33f1-9c1d-8d4a-0a3b7c1f2e55
odd="a b # \" \$HOME %n \`id\` "
prefix=$scratch/pt
mkdir -p "$prefix/conda-meta"
cd "$scratch" || exit

# use SECTION: the environment gets this.
use() {
  echo "gpu: {$1}" >environment.yml
  check "apply of {$1}" "$CONDA_GPU" apply -q -p "$prefix" -f environment.yml
}

export_as() { # FORMAT [OPTION...]
  "$CONDA_GPU" export -q -p "$prefix" --format "$@"
}

# A distribution's modules are its own python3's.
python() {
  PATH=/usr/bin:$PATH python3 "$@"
}

# ---- docker -----------------------------------------------------------------------------------

# docker_is_asked SECTION REQUESTS: what `docker run` asks its daemon for.
docker_is_asked() {
  use "$1"
  eval "docker create $(export_as docker) image" >/dev/null
  check "docker, {$1}" test "$(jq -c '[.HostConfig.DeviceRequests, .Env]' asked)" = "$2"
}

try_docker() {
  local daemon
  export DOCKER_CONFIG=$scratch/config DOCKER_HOST=unix://$scratch/socket
  PATH=/usr/bin:$PATH timeout 100 python3 "$TESTS/support/docker_daemon.py" socket asked &
  daemon=$!
  for _ in $(seq 100); do
    [ -S socket ] || sleep 0.1
  done
  docker_is_asked 'devices: [1, 3]' \
    '[[{"Driver":"","Count":0,"DeviceIDs":["'$one'","'$three'"],"Capabilities":[["gpu"]],"Options":{}}],null]'
  docker_is_asked 'devices: all' \
    '[[{"Driver":"","Count":-1,"DeviceIDs":null,"Capabilities":[["gpu"]],"Options":{}}],null]'
  docker_is_asked 'devices: none' '[null,["NVIDIA_VISIBLE_DEVICES=void"]]'
  kill $daemon
}

if ! command -v docker >/dev/null; then
  skip "docker: its client is not installed (Debian's docker.io, 62 MB; or docker-cli, from Debian 13 on)"
elif have jq docker && have python3 docker; then
  try_docker
fi

# ---- compose ----------------------------------------------------------------------------------

# in_compose COMMAND...: that compose reads the .env file as it stands, for a container and for ${NAME}.
in_compose() {
  "$@" config 2>/dev/null | sed 's/\$\$/$/g' >composed # it prints every $ twice
  check "$*: the variable of a container" grep -qxF "      X: '$odd'" composed
  check "$*: a variable in compose.yml" grep -qxF "      V: '$odd'" composed
}

use "devices: 1, variables: {X: '$odd'}"
export_as dotenv --output .env
# shellcheck disable=SC2016 # for compose
printf '%s\n' 'version: "3"' 'services:' '  s: {image: i, env_file: .env, environment: {V: "${X}"}}' >docker-compose.yml
if have docker-compose compose; then
  in_compose docker-compose
fi
if docker compose version >/dev/null 2>&1; then
  in_compose docker compose
fi

# ---- Jupyter ----------------------------------------------------------------------------------

try_jupyter() {
  local kernel=$scratch/.local/share/jupyter/kernels/pt/kernel.json
  mkdir -p "${kernel%/*}"
  echo '{"argv": ["python3", "-m", "ipykernel_launcher", "-f", "{connection_file}"], "display_name": "pt"}' >"$kernel"
  export_as jupyter --output "$kernel"
  use "devices: [1, 3], variables: {X: '$odd'}" # the file follows
  HOME=$scratch python -W ignore -c '
from jupyter_client.manager import start_new_kernel
manager, client = start_new_kernel(kernel_name="pt")
client.execute_interactive("import os; print(os.environ[\"CUDA_VISIBLE_DEVICES\"], os.environ[\"X\"])", timeout=60)
manager.shutdown_kernel(now=True)' >printed 2>errors
  check "the kernel has not what the plan says: $(cat printed errors)" test "$(cat printed)" = "1,3 $odd"
}

if python -c 'import ipykernel, jupyter_client' 2>/dev/null; then
  try_jupyter
else
  skip "Jupyter: python3 has no ipykernel here" 1
fi
report
