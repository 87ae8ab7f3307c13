# bash completion for conda-gpu, which knows itself what may stand where.
# shellcheck shell=bash

# shellcheck disable=SC2207 # names of files, which readline splits at newlines
_conda_gpu() {
  local said current=${COMP_WORDS[COMP_CWORD]} IFS=$'\n'

  COMPREPLY=()
  [ "$current" != = ] || current=
  while IFS=$'\t' read -r said _; do
    case $said in
      :files)
        compopt -o filenames 2>/dev/null
        COMPREPLY=($(compgen -f -- "$current"))
        ;;
      :folders)
        compopt -o filenames 2>/dev/null
        COMPREPLY=($(compgen -d -- "$current"))
        ;;
      ":command "*) _conda_gpu_other "${said#:command }" ;;
      *) COMPREPLY+=("$(printf %q "$said")") ;;
    esac
  done < <("${1/#\~/$HOME}" complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}

# Another command's line, from that word on.
_conda_gpu_other() {
  if declare -F _command_offset >/dev/null; then
    _command_offset $(($1 + 1))
  elif [ "$COMP_CWORD" -eq $(($1 + 1)) ]; then
    COMPREPLY=($(compgen -c -- "$current"))
  else
    compopt -o filenames 2>/dev/null
    COMPREPLY=($(compgen -f -- "$current"))
  fi
}

complete -F _conda_gpu conda-gpu
