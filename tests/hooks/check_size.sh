#!/usr/bin/env bash
# How much an administrator has to read before approving the hooks: their lines, bytes and longest
# line, and how many variables they put into the environment meanwhile.
set -u
# shellcheck source=tests/support/report.sh
. "$TESTS/support/report.sh"

# write NAME: the hooks of the section on stdin, in an environment of that name.
write() {
  mkdir -p "$scratch/$1/conda-meta"
  cat >"$scratch/$1.yml"
  "$CONDA_GPU" apply -q -f "$scratch/$1.yml" -p "$scratch/$1" --driver "$FAKE_CUDA/libcuda.so.1"
}

# at_most WHAT NUMBER LIMIT
at_most() {
  check "$1: $2, and at most $3 may be" test "$2" -le "$3"
}

# measure WHAT LINES BYTES FILE...
measure() {
  local what=$1 lines=$2 bytes=$3
  shift 3
  at_most "$what, lines" "$(cat "$@" | wc -l)" "$lines"
  at_most "$what, bytes" "$(cat "$@" | wc -c)" "$bytes"
  at_most "$what, the longest line" "$(cat "$@" | LC_ALL=C wc -L)" 180
}

write small <<'END' || failed=1
gpu:
  devices: 1
  variables:
    OMP_NUM_THREADS: 8
END
write large <<'END' || failed=1
gpu:
  devices: 1
  variables:
    OMP_NUM_THREADS: 8
    MKL_NUM_THREADS: 8
    NUMEXPR_MAX_THREADS: 8
    CUDA_HOME: ${CONDA_PREFIX}
    CUDA_CACHE_PATH: /scratch/cuda-cache
    CUDA_MODULE_LOADING: LAZY
    CUPY_CACHE_DIR: /scratch/cupy
    HF_HOME: /scratch/hf
    JAX_PLATFORMS: cuda
    LD_LIBRARY_PATH: {prepend: "${CONDA_PREFIX}/lib"}
    NCCL_DEBUG: WARN
    NCCL_IB_DISABLE: 1
    NCCL_P2P_LEVEL: NVL
    TF_XLA_FLAGS: null
    TF_NUM_INTEROP: 2
    TORCH_HOME: /scratch/torch
    WANDB_MODE: offline
    XLA_FLAGS: {append: "--xla_gpu_autotune_level=2", separator: " "}
END

# What people set often has long names, and their values must be seen at a glance as well.
write long <<'END' || failed=1
gpu:
  assign: [{user: alice, devices: 0}]
  variables:
    PYTORCH_CUDA_ALLOC_CONF: expandable_segments:True,max_split_size_mb:512
    XLA_PYTHON_CLIENT_MEM_FRACTION: .75
    GST_PLUGIN_SYSTEM_PATH_1_0: {append: /opt/gst}
    OMPI_MCA_btl_openib_allow_ib: null
END

small=$scratch/small/etc/conda large=$scratch/large/etc/conda
measure "devices and one variable, the .sh pair" 76 5734 "$small"/*/env_vars.sh
measure "devices and 18 variables, the .sh pair" 150 13312 "$large"/*/env_vars.sh
measure "devices and 18 variables, all six" 700 46080 "$large"/*/env_vars.*
at_most "long names, the longest line" "$(cat "$scratch"/long/etc/conda/*/env_vars.sh | LC_ALL=C wc -L)" 180

# shellcheck disable=SC2016 # the shell within expands it
states=$(env -i CONDA_PREFIX="$scratch/small" CONDA_SHLVL=1 bash -c \
  '. "$CONDA_PREFIX/etc/conda/activate.d/env_vars.sh"; env' | grep -c '^__CONDA_GPU_')
at_most "variables that keep the state of three that were unset" "$states" 5

report
