#!/usr/bin/env bash
# The hooks beside real Environment Modules: what `module load` put into a list stays there through
# activation, a `conda install` and deactivation, and what `module unload` took out does not come
# back. In lists of all kinds: prepend, append, another separator, an element of odd characters, and
# one that was there twice before. SHELLS="bash fish" takes only these shells.
set -u
# shellcheck source=tests/support/report.sh
. "$TESTS/support/report.sh"

init=
for folder in /usr/share/modules/init /usr/share/Modules/init; do
  [ -e $folder/bash ] && init=$folder
done
if [ -z "$init" ]; then
  skip "the hooks beside Environment Modules: they are not installed" 1
  report
fi

odd="it's [a-z]* \"?\" \\ "
# environment NAME [YAML]: with the hooks of these lists, and of one more.
environment() {
  mkdir -p "$scratch/$1/conda-meta"
  cat >"$scratch/$1.yml" <<END
gpu:
  devices: 0
  variables:
    LD_LIBRARY_PATH: {prepend: "\${CONDA_PREFIX}/lib"}
    PKG_CONFIG_PATH: {append: /ours}
    XLA_FLAGS: {append: --ours, separator: " "}
    TWICE_PATH: {prepend: /ours}
    ${2-}
END
  "$CONDA_GPU" apply -q -f "$scratch/$1.yml" -p "$scratch/$1" \
    --driver "$FAKE_CUDA/libcuda.so.1" || failed=1
}
# Modules themselves cannot give tcsh an element of odd characters.
environment A "ODD_PATH: {prepend: 'it''s [a-z]* \"?\" \\ '}"
environment T
mkdir -p "$scratch/modulefiles" "$scratch/home"
cat >"$scratch/modulefiles/mine" <<'END'
#%Module
prepend-path LD_LIBRARY_PATH /module
append-path PKG_CONFIG_PATH /module
prepend-path ODD_PATH /module
append-path --delim " " XLA_FLAGS --module
prepend-path TWICE_PATH /module
END
names='LD_LIBRARY_PATH PKG_CONFIG_PATH ODD_PATH XLA_FLAGS TWICE_PATH'

# lines SHELL STEP...: a script of these steps: "+" activates and "-" deactivates as conda does,
# "look NAME" keeps the environment, "load" and "unload" are the module's.
lines() {
  local shell=$1 prefix=$scratch/A step extension=sh source=. set='export %s=%s\n'
  shift
  case $shell in
    fish) extension=fish source=source set='set -gx %s %s\n' ;;
    tcsh) extension=csh source=source set='setenv %s %s\n' prefix=$scratch/T ;;
  esac
  echo "$source $init/${shell/dash/sh}"
  echo "module use $scratch/modulefiles"
  # shellcheck disable=SC2059
  printf "$set" CONDA_PREFIX "$prefix" CONDA_SHLVL 1
  for step; do
    case $step in
      +) echo "$source $prefix/etc/conda/activate.d/env_vars.$extension" ;;
      -) echo "$source $prefix/etc/conda/deactivate.d/env_vars.$extension" ;;
      look\ *) echo "env -0 >$scratch/${step#look }" ;;
      *) echo "module $step mine" ;;
    esac
  done
}

# run SHELL STEP...: from lists that are unset, or hold something.
run() {
  local shell=$1 options=()
  [ "$shell" != tcsh ] || options=(-f)
  lines "$@" >"$scratch/script"
  check "$shell says something" env -i PATH="$PATH" HOME="$scratch/home" "${priors[@]}" "$shell" \
    "${options[@]}" "$scratch/script"
}

# value LOOK NAME: "unset" or "=..."
value() {
  local entry found=unset
  while IFS= read -r -d '' entry; do
    [ "${entry%%=*}" != "$2" ] || found="=${entry#*=}"
  done <"$scratch/$1"
  echo "$found"
}

# module_is LOOK yes|no: whether the module's element is in each list.
module_is() {
  local name found list
  for name in $names; do
    list=$(value "$1" "$name") found=no
    case ":${list#=}:" in *:/module:*) found=yes ;; *--module*) found=yes ;; esac
    check "$shell, $1: is the module's element in $name, which is $list? wanted: $2" test "$found" = "$2"
  done
}

# same LOOK LOOK: the lists are the same.
same() {
  local name
  for name in $names; do
    check "$shell, $1: $name is $(value "$1" "$name"), and at '$2' it is $(value "$2" "$name")" \
      test "$(value "$1" "$name")" = "$(value "$2" "$name")"
  done
}

judge() {
  # activate; module load; conda install; deactivate
  run "$shell" 'look before' + load 'look loaded' - + 'look installed' - 'look left' unload 'look after'
  for look in loaded installed left; do module_is $look yes; done
  module_is after no
  # tcsh leaves a list alone that somebody changed: our element stays in it.
  [ "$shell" = tcsh ] || same after before

  # module load; activate; module unload; deactivate
  run "$shell" 'look before' load 'look loaded' + unload 'look unloaded' - 'look after'
  module_is loaded yes
  for look in unloaded after; do module_is $look no; done
  [ "$shell" = tcsh ] || same after before
}

for shell in bash dash zsh ksh fish tcsh; do
  wanted $shell || continue
  have $shell "the hooks beside Environment Modules" || continue
  [ $shell != tcsh ] || odd=/plain
  priors=(TWICE_PATH=/ours:/x:/ours)
  judge
  priors+=(LD_LIBRARY_PATH=/lib PKG_CONFIG_PATH=/a:/b "ODD_PATH=/x:$odd" "XLA_FLAGS=--x --y")
  judge
done
report
