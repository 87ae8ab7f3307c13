# GPU settings of @environment@. Written by conda-gpu @version@ from @source@.
# Undoes what activate.d/@file@ did, and leaves what others have changed since; that file explains the rest.
# conda-gpu digest @digest@

__gpu_is_inner() { # LEVEL: is it below CONDA_SHLVL? Then the environment stays active there.
  case ":$1:${CONDA_SHLVL-}:" in *::* | *[!0-9:]*) return 1 ;; *) [ "$1" -lt "$CONDA_SHLVL" ] ;; esac
}
if [ -n "${ZSH_VERSION-}" ]; then __gpu_unset() { eval 'unset -v "$1"'; }; else __gpu_unset() { command unset -v "$1"; }; fi
__gpu_undo() { # $1: NAME; $2: what it is; $3: what activation made of it, or "none"; $4: what it was@each lists@; of a list: prepend or append, ELEMENT, SEPARATOR@end lists@
  if [ "$2" = "$3" ] && __gpu_unset "$1"; then
    case "$4" in *:*) export "$1=${4#*:}" ;; esac
@each shown@
    case "$4" in hook*) export __CONDA_GPU_VISIBLE="$__gpu_job${4#hook}" ;; esac # again what a hook made
@end shown@
@each lists@
  elif [ $# = 7 ] && [ -n "${3#none}" ]; then
    __gpu_take_out "$1" "$5" "$6" "$7" "$7${2#:}$7" "$4"
@end lists@
  fi
  unset -v "@state@_SET_$1" "@state@_OLD_$1"
}
@each lists@
__gpu_has() { # LIST, or ":LIST"; ELEMENT; SEPARATOR: is it in there? (bash's nocasematch changes case, and not this)
  set -- "$3${1#:}$3" "$3$2$3"
  [ "${1#*"$2"}" != "$1" ]
}
__gpu_take_out() { # NAME; prepend or append; ELEMENT; SEPARATOR; the list between two separators; what it was
  if __gpu_has "$6" "$3" "$4" || [ "${5#*"$4$3$4"}" = "$5" ]; then
    return 0 # it was there before us, or is not there any more
  fi
  case "$2" in
    prepend) set -- "$1" "$4" "${5%%"$4$3$4"*}$4${5#*"$4$3$4"}" "$6" ;;
    append) set -- "$1" "$4" "${5%"$4$3$4"*}$4${5##*"$4$3$4"}" "$6" ;;
  esac
  set -- "$1" "$2" "${3#"$2"}" "$4"; set -- "$1" "${3%"$2"}" "$4"
  __gpu_unset "$1" || return 0
  [ -z "$2" ] && [ "$3" != ":" ] || export "$1=$2"
}
@end lists@
@each several@
__gpu_undo_either() { # the same, of an element that may be another's: only if activation put in this one
  __gpu_has "$3" "$6" "$7" || return 0
  __gpu_has "$4" "$6" "$7" || __gpu_undo "$@"
}
@end several@

@each shown@
@job@
@end shown@
if [ -n "${@state@_LEVEL-}" ] && ! __gpu_is_inner "$@state@_LEVEL"; then
@each shown@
  export __gpu_now="${CUDA_VISIBLE_DEVICES+:$CUDA_VISIBLE_DEVICES}"
  if [ -n "$__gpu_job" ] && [ "$__gpu_job$__gpu_now" != "${__CONDA_GPU_VISIBLE-none}" ]; then # no hook made it in this job
    unset -v __CONDA_GPU_VISIBLE @state@_SET_CUDA_VISIBLE_DEVICES @state@_OLD_CUDA_VISIBLE_DEVICES
  fi
  if [ -n "${@state@_SET_CUDA_VISIBLE_DEVICES+set}" ]; then unset -v __CONDA_GPU_VISIBLE; fi
  __gpu_undo CUDA_VISIBLE_DEVICES "$__gpu_now" "${@state@_SET_CUDA_VISIBLE_DEVICES-none}" "${@state@_OLD_CUDA_VISIBLE_DEVICES-}"
@end shown@
@each managed@
@each either@
  __gpu_undo_either @name@ "${@name@+:$@name@}" "${@state@_SET_@name@-none}"@break@"${@state@_OLD_@name@-}"@each prepend@ \
    prepend @value@ @separator@@end prepend@@each append@ \
    append @value@ @separator@@end append@
@end either@
  __gpu_undo @name@ "${@name@+:$@name@}" "${@state@_SET_@name@-none}"@break@"${@state@_OLD_@name@-}"@each prepend@ \
    prepend @value@ @separator@@end prepend@@each append@ \
    append @value@ @separator@@end append@
@end managed@
  unset -v @state@_LEVEL
fi
unset -f __gpu_is_inner __gpu_unset __gpu_undo@each several@ __gpu_undo_either@end several@@each lists@ __gpu_has __gpu_take_out@end lists@
@each shown@
unset -v __gpu_job __gpu_now
@end shown@
