#!/usr/bin/env bash
# `make pictures`: draws docs/apply.svg and docs/status.svg, two terminals with what the commands in
# them really print. The driver is a simulated one, and conda's part is played by the two lines of
# `conda` below, which run hooks as conda does. The Makefile sets CONDA_GPU, FAKE_CUDA and TESTS.
#
#   docs/pictures.sh FOLDER    where the pictures go
set -eu
target=$(cd "$1" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export PATH="${CONDA_GPU%/*}:$PATH" HOME="$scratch" CONDA_GPU_DRIVER="$FAKE_CUDA/libcuda.so.1" \
  CONDA_ENVS_PATH="$scratch/conda/envs" FAKE_CUDA_MACHINE="$scratch/machine"
unset CONDA_PREFIX CONDA_DEFAULT_ENV CONDA_EXE CONDA_SHLVL MAMBA_EXE MAMBA_ROOT_PREFIX CUDA_VISIBLE_DEVICES CUDA_DEVICE_ORDER
mkdir -p "$CONDA_ENVS_PATH/pt/conda-meta" "$CONDA_ENVS_PATH/jax/conda-meta"
cd "$scratch"

cat >machine <<'END'
driver 12.8
gpu GPU-7a1be2f0-52c1-4d0e-9a35-0c6f1e88b214 0000:07:00.0 80GiB 9.0 "NVIDIA H100 80GB HBM3"
used 61GiB
process 40961 61GiB
gpu GPU-8932f937-d72c-4106-c12f-20bd9faed9f6 0000:0f:00.0 80GiB 9.0 "NVIDIA H100 80GB HBM3"
gpu GPU-16a5e2c1-870b-459c-b048-847625089e6e 0000:41:00.0 80GiB 9.0 "NVIDIA H100 80GB HBM3"
gpu GPU-5e8f4a10-33f1-9c1d-8d4a-0a3b7c1f2e55 0000:47:00.0 80GiB 9.0 "NVIDIA H100 80GB HBM3"
used 17GiB
process 40962 12GiB
process 40963 5GiB
END
cat >environment.yml <<'END'
name: pt
dependencies: [pytorch]
gpu:
  devices: [1, 3]
  variables: {OMP_NUM_THREADS: 8}
END

conda() { # activate NAME | deactivate
  if [ "$1" = activate ]; then
    export CONDA_PREFIX=$CONDA_ENVS_PATH/$2 CONDA_DEFAULT_ENV=$2 CONDA_SHLVL=1
    # shellcheck source=/dev/null
    . "$CONDA_PREFIX/etc/conda/activate.d/env_vars.sh"
  else
    # shellcheck source=/dev/null
    . "$CONDA_PREFIX/etc/conda/deactivate.d/env_vars.sh"
    unset CONDA_PREFIX CONDA_DEFAULT_ENV CONDA_SHLVL
  fi
}

# typing LINE...: each as it would be typed, and what it prints.
typing() {
  for line; do
    printf '%s$ %s\n' "${CONDA_DEFAULT_ENV:+($CONDA_DEFAULT_ENV) }" "$line"
    eval "$line"
  done 2>&1
}

# draw NAME TITLE: a terminal with the text on standard input.
draw() {
  sed -e "s,$scratch/conda,/opt/conda,g" -e 's/&/\&amp;/g' -e 's/</\&lt;/g' |
    awk -v title="$2" '
      { line[NR] = $0; if (length > columns) columns = length }
      END {
        width = columns * 8.43 + 32
        height = NR * 19 + 24
        printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" role=\"img\">\n", \
          width, height, width, height
        printf "<title>%s</title>\n<style>\n", title
        print "text { font: 14px ui-monospace, Menlo, Consolas, \"DejaVu Sans Mono\", monospace; white-space: pre; fill: #1f2328 }"
        print ".typed { font-weight: bold }\nrect { fill: #f6f8fa; stroke: #d0d7de }"
        print "@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } rect { fill: #161b22; stroke: #30363d } }"
        printf "</style>\n<rect x=\".5\" y=\".5\" width=\"%d\" height=\"%d\" rx=\"6\"/>\n", width - 1, height - 1
        for (i = 1; i <= NR; i++)
          if (line[i] != "")
            printf "<text x=\"16\" y=\"%d\" xml:space=\"preserve\"%s>%s</text>\n", i * 19 + 10, \
              line[i] ~ /^(\([a-z]+\) )?\$ / ? " class=\"typed\"" : "", line[i]
        print "</svg>"
      }' >"$target/$1.svg"
}

# shellcheck disable=SC2016 # typed like that
typing 'cat environment.yml' 'conda-gpu apply' 'conda activate pt' 'echo $CUDA_VISIBLE_DEVICES' 'conda deactivate' \
  'echo ${CUDA_VISIBLE_DEVICES-unset}' >typed
draw apply 'conda-gpu apply writes hooks; conda activate sets the GPUs, conda deactivate takes them back' <typed

printf 'name: jax\ngpu: {devices: 0}\n' >jax.yml
conda-gpu apply -q -f jax.yml
typing 'conda-gpu status --all' 'conda-gpu exec -n pt --free 1 -- printenv CUDA_VISIBLE_DEVICES' >typed
draw status 'conda-gpu status --all shows who uses which GPU; exec --free takes one that is free' <typed
