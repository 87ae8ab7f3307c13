#!/usr/bin/env bash
# The completions, in the shells that they are for: what each makes of a line with the cursor at its
# end. conda-gpu complete knows the answers; the shells must hand it the line and take them.
set -u
# shellcheck source=tests/support/report.sh
. "$TESTS/support/report.sh"
completions=$(cd "$TESTS/../completions" && pwd)

mkdir -p "$scratch"/conda/envs/{pt,pt2,tf}/conda-meta "$scratch/conda/conda-meta" "$scratch/here/folder"
touch "$scratch/here/environment.yml"
cd "$scratch/here" || exit
export CONDA_EXE=$scratch/conda/bin/conda HOME=$scratch CONDA_GPU_DRIVER=$FAKE_CUDA/libcuda.so.1
export FAKE_CUDA_MACHINE=$TESTS/machines/four PATH=${CONDA_GPU%/*}:$PATH
unset CONDA_PREFIX CONDA_DEFAULT_ENV CONDA_ENVS_PATH CONDA_ENVS_DIRS MAMBA_EXE MAMBA_ROOT_PREFIX

# A line, and what its last word may become; a path is the shell's own matter.
lines='
conda-gpu ap                     | apply
conda-gpu apply --di             | --diff
conda-gpu --name tf re           | remove
conda-gpu apply -n p             | pt pt2
conda-gpu apply -n x             |
conda-gpu apply --prefix=x --name t | tf
conda-gpu apply --name=t         | --name=tf
conda-gpu apply --name=          | --name=base --name=pt --name=pt2 --name=tf
conda-gpu exec --gpus 0,         | 0,1 0,2 0,3
conda-gpu exec --gpus=2,1,       | --gpus=2,1,0 --gpus=2,1,3
conda-gpu exec --gpus GPU-3      | GPU-3b2cf2d4-6a1f-8e54-70c9-5d0e2a9b1c47
conda-gpu exec -n pt -- mkfif    | mkfifo
conda-gpu exec -n pt cat env     | environment.yml
conda-gpu export --format sys    | systemd
conda-gpu help g                 | gpu
conda-gpu apply -f env           | environment.yml
conda-gpu apply --file=env       | --file=environment.yml
conda-gpu apply -f fol           | folder
conda-gpu remove -p env          |
conda-gpu remove -p fol          | folder
'

# completed SHELL LINE: what SHELL offers, sorted, on one line.
completed() {
  "in_$1" "$2" | LC_ALL=C sort -u | xargs
}

in_bash() {
  # shellcheck disable=SC2016 # for the inner shell
  bash --norc -c '
    . "$0/conda-gpu.bash"
    line=$1
    read -ra COMP_WORDS <<<"${line//=/ = }"    # as bash does it
    [ "${line% }" = "$line" ] || COMP_WORDS+=("")
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    last=${COMP_WORDS[COMP_CWORD]} kept=
    _conda_gpu conda-gpu
    case ${line##* } in *=*) kept=${line##* } kept=${kept%%=*}= ;; esac
    [ ${#COMPREPLY[@]} = 0 ] || printf -- "$kept%s\n" "${COMPREPLY[@]}"' "$completions" "$1"
}

in_fish() {
  # shellcheck disable=SC2016 # for fish
  fish --no-config -c 'source $argv[1]; complete -C $argv[2]' "$completions/conda-gpu.fish" "$1" \
    | sed 's,/\?\t.*,,; s,/$,,'
}

# Only a terminal makes zsh complete, so it has one of its own, for all lines that have one answer: it
# shows no more than that. Each is what it made of the line, up to ^R.
in_zsh() {
  if [ ! -e "$scratch/answers" ]; then
    echo "$lines" | sed -n 's/ *| [^ ]*$//p' >"$scratch/questions"
    # shellcheck disable=SC2016 # for zsh
    timeout 60 zsh -f -c '
      zmodload zsh/zpty
      zpty shell zsh -f -i
      zpty -w shell "fpath=(${(q)1} \$fpath); autoload -Uz compinit; compinit -u -D; unsetopt auto_menu
        tell() { print -r -- \"<<\$BUFFER>>\"; BUFFER= }; zle -N tell; bindkey \"^R\" tell; PS1=prom\"\"pt"
      zpty -r -m shell got "*prompt*"
      for line in ${(f)"$(<$2)"}; do
        zpty -w -n shell $line$'"'\t\x12'"'
        zpty -r -m shell got "*>>*"
        print -r -- $line"|"${${got##*<<}%%>>*}
      done
      zpty -d shell' zsh "$completions" "$scratch/questions" >"$scratch/answers"
  fi
  awk -F '|' -v line="$1" '$1 == line { sub(/[ \/]*$/, "", $2); sub(/.* /, "", $2); print $2 }' "$scratch/answers"
}

for shell in bash fish zsh; do
  wanted $shell || continue
  have $shell "completion in $shell" || continue
  while IFS='|' read -r line words; do
    [ -n "$line" ] || continue
    line=${line%"${line##*[! ]}"}
    case $shell:$words in zsh: | zsh:' ' | zsh:' '*' '*) continue ;; esac # it shows nothing but one answer
    got=$(completed $shell "$line")
    check "$shell makes '$got' of '$line', not '${words# }'" test "$got" = "${words# }"
  done <<<"$lines"
done
report
