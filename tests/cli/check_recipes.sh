#!/usr/bin/env bash
# What docs/recipes.md says to a new person and to Snakemake is done here, as it stands there: with a
# conda that makes and activates empty environments as the real one does, and with the real one and
# Snakemake where they are on PATH.
set -u
# shellcheck source=tests/support/report.sh
. "$TESTS/support/report.sh"

recipes=$TESTS/../docs/recipes.md
home=$scratch/home driver=$FAKE_CUDA/libcuda.so.1
mkdir -p "$home" "$scratch/bin"
printf '#!/bin/sh\nexec "%s" "$@"\n' "$CONDA_GPU" >"$scratch/bin/conda-gpu"
# The command of the recipes, which tells what it sees, also in the file after --out.
cat >"$scratch/bin/python" <<'END'
#!/bin/sh
echo "$1: $CUDA_VISIBLE_DEVICES $OMP_NUM_THREADS" | tee ${3+"$3"}
END
chmod +x "$scratch/bin"/*

# block TITLE LANGUAGE N: the N-th block in that language of the recipe with that title.
block() {
  awk -v title="## $1" -v begin="\`\`\`$2" -v wanted="$3" '
    /^## / { here = $0 == title }
    $0 == "```" { inside = 0 }
    inside { print }
    here && $0 == begin && ++count == wanted { inside = 1 }' "$recipes"
}

# session CONDA: the script on stdin, in a bash that knows nothing but that conda, without a terminal.
session() {
  (cd "$home" && env -i HOME="$home" PATH="$scratch/bin:${1%/*}:/usr/bin:/bin" CONDA_GPU_DRIVER="$driver" \
    CONDA_OFFLINE=true CONDA_SOLVER=classic CONDA_NUMBER_CHANNEL_NOTICES=0 CONDA_ENVS_PATH="$home/envs" \
    setsid bash -e) 2>&1
}

# What of conda the lines need, as conda 4.6 to 26.7 do it.
mkdir -p "$scratch/stub/bin" "$scratch/stub/conda-meta"
cat >"$scratch/stub/bin/conda" <<'END'
#!/bin/sh
case "$1 $2" in
  'env create') # -f FILE
    name=$(sed -n 's/^name: //p' "$4")
    mkdir -p "$CONDA_ENVS_PATH/$name/conda-meta" && : >"$CONDA_ENVS_PATH/$name/conda-meta/history"
    ;;
  'shell.bash hook')
    cat <<'HOOK'
conda() {
  if [ "$1" != activate ]; then command conda "$@"; return; fi
  export CONDA_PREFIX="$CONDA_ENVS_PATH/$2" CONDA_SHLVL=1
  . "$CONDA_PREFIX/etc/conda/activate.d/env_vars.sh"
}
HOOK
    ;;
  *) exit 1 ;;
esac
END
chmod +x "$scratch/stub/bin/conda"

condas=${CONDA_EXE:-$(command -v conda)}
for conda in "$scratch/stub/bin/conda" $condas; do
  rm -rf "$home/envs"
  cat >"$home/environment.yml" <<'END'
name: pt
channels: [nodefaults]
dependencies: []
gpu:
  devices: [1, 3]
  variables: {OMP_NUM_THREADS: 8}
END
  # In a terminal the shell has the function; here the recipe's line for scripts makes it.
  { block 'A new person' sh 3 | sed -n 1p && block 'A new person' sh 1 && echo 'python activated'; } >"$scratch/lines"
  session "$conda" <"$scratch/lines" >"$scratch/said"
  check "$conda: three lines for a new person: $(cat "$scratch/lines" "$scratch/said")" \
    grep -qx 'activated: 1,3 8' "$scratch/said"
  check "$conda: apply does not say the third line" grep -q '^  conda activate pt$' "$scratch/said"

  rm -rf "$home/envs"
  block 'A new person' sh 2 >"$scratch/lines"
  session "$conda" <"$scratch/lines" >"$scratch/said"
  check "$conda: three lines without activation: $(cat "$scratch/lines" "$scratch/said")" \
    grep -qx 'train.py: 1,3 8' "$scratch/said"

  { block 'A new person' sh 3 && echo 'python activated'; } >"$scratch/lines"
  session "$conda" <"$scratch/lines" >"$scratch/said"
  check "$conda: activation in a script: $(cat "$scratch/lines" "$scratch/said")" \
    grep -qx 'activated: 1,3 8' "$scratch/said"
done

# Snakemake asks conda and its `activate` for more than a copy of them could answer.
snakemake=$(command -v snakemake) || skip "the recipe for Snakemake: snakemake is not installed"
[ -n "$condas" ] || skip "the recipe for Snakemake: conda is not installed"
for conda in ${snakemake:+$condas}; do
  rm -rf "$home/workflow"
  mkdir -p "$home/workflow/envs"
  block Snakemake yaml 1 | sed -e 's/^channels: .*/channels: [nodefaults]/' \
    -e 's/^dependencies: .*/dependencies: []/' >"$home/workflow/envs/pt.yaml"
  block Snakemake sh 1 >"$home/workflow/envs/pt.post-deploy.sh"
  block Snakemake python 1 >"$home/workflow/Snakefile"
  session "$conda" >"$scratch/said" <<<"cd workflow && '$snakemake' --cores 1 --use-conda --conda-frontend conda"
  check "$conda: Snakemake's rule does not see the plan: $(cat "$scratch/said")" \
    grep -q '^train.py: 1,3' "$home/workflow/model.pt"
done
report
