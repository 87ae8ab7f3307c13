# GPU settings of @environment@. Written by conda-gpu @version@ from @source@.
# Undoes what activate.d/@file@ did, where nobody changed it since; it says what is kept.
# conda-gpu digest @digest@

export __gpu_at="${@state@_AT-}"
case "${__gpu_at%% *}:${CONDA_SHLVL-}" in :* | *: | *[!0-9:]*) ;; *) # a lower level is still active
  [ "${__gpu_at%% *}" -ge "$CONDA_SHLVL" ] || export __gpu_at= ;; esac
__gpu_undo() { # NAME; what it is; what we made of it; what it was@each lists@; of a list: prepend or append, ELEMENT, SEPARATOR@end lists@
  case "$3" in "$2") unset -v "$1"; case "$4" in *=*) export "$1=${4#*=}" ;; esac ;;
@each lists@
    "="*) [ $# = 4 ] || __gpu_take_out "$1" "$5" "$6" "$7" "$7${2#=}$7" "$4" ;;
@end lists@
  esac
  unset -v "@state@_SET_$1" "@state@_OLD_$1"
}
@each lists@
__gpu_take_out() { # NAME; prepend or append; ELEMENT; SEPARATOR; the list between two separators; what it was
  case "$4${6#=}$4" in *"$4$3$4"*) return 0 ;; esac # it was there before us
  case "$2:$5" in
    prepend:*"$4$3$4"*) set -- "$1" "$4" "${5%%"$4$3$4"*}$4${5#*"$4$3$4"}" "$6" ;;
    append:*"$4$3$4"*) set -- "$1" "$4" "${5%"$4$3$4"*}$4${5##*"$4$3$4"}" "$6" ;;
    *) return 0 ;; esac
  set -- "$1" "$2" "${3#"$2"}" "$4"; set -- "$1" "${3%"$2"}" "$4"; unset -v "$1"
  [ -z "$2" ] && [ "$3" != "=" ] || export "$1=$2"
}
@end lists@
@each several@
__gpu_undo_either() { # the same, of an element that may be another's: only if activation put in this one
  case "$7${3#=}$7" in *"$7$6$7"*) ;; *) return 0 ;; esac
  case "$7${4#=}$7" in *"$7$6$7"*) ;; *) __gpu_undo "$@" ;; esac
}
@end several@
case "$__gpu_at" in ?*)
@each shown@
  export __gpu_job="@job@"
  export __gpu_made=no __gpu_was="${@state@_OLD_CUDA_VISIBLE_DEVICES-}"
  case "$__gpu_job:$__gpu_at" in *" gpus$__gpu_job" | *" gpus$__gpu_job="* | :*" gpus"*)
    export __gpu_made="${__gpu_at#"${__gpu_at%%=*}"}" ;; esac # in this job, or it is over
  case "$__gpu_at" in *" gpus"*) unset -v __CONDA_GPU_VISIBLE ;; esac
  case "$__gpu_made:$__gpu_was" in "${CUDA_VISIBLE_DEVICES+=$CUDA_VISIBLE_DEVICES}:ours"*)
    export __CONDA_GPU_VISIBLE="$__gpu_job${__gpu_was#ours}" ;; esac # another hook's again
  __gpu_undo CUDA_VISIBLE_DEVICES "${CUDA_VISIBLE_DEVICES+=$CUDA_VISIBLE_DEVICES}" "$__gpu_made" "$__gpu_was"
@end shown@
@each managed@
@each either@
  __gpu_undo_either @name@ "${@name@+=$@name@}" "${@state@_SET_@name@-no}"@break@"${@state@_OLD_@name@-}"@each prepend@ \
    prepend @value@ @separator@@end prepend@@each append@ \
    append @value@ @separator@@end append@
@end either@
  __gpu_undo @name@ "${@name@+=$@name@}" "${@state@_SET_@name@-no}"@break@"${@state@_OLD_@name@-}"@each prepend@ \
    prepend @value@ @separator@@end prepend@@each append@ \
    append @value@ @separator@@end append@
@end managed@
  unset -v @state@_AT ;; esac
unset -f __gpu_undo@each several@ __gpu_undo_either@end several@@each lists@ __gpu_take_out@end lists@
unset -v __gpu_at@each shown@ __gpu_job __gpu_made __gpu_was@end shown@
