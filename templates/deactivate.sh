# GPU settings of @environment@. Written by conda-gpu @version@ from @source@.
# Takes back what activate.d/@file@ did, which says what is kept, where nobody has changed it since.
# conda-gpu digest @digest@

export __conda_gpu_at="${@state@_AT-}"
case "${__conda_gpu_at%% *}:${CONDA_SHLVL-}" in # only what was kept at this level, or above, in a parent shell
  :* | *: | *[!0-9:]*) ;;
  *) [ "${__conda_gpu_at%% *}" -ge "$CONDA_SHLVL" ] || export __conda_gpu_at= ;;
esac
__conda_gpu_undo() { # NAME; what it is; what it became; what it was@each lists@; of a list also prepend or append, ELEMENT, SEPARATOR@end lists@
  case "$3" in
    "$2") unset -v "$1"; case "$4" in *=*) export "$1=${4#*=}" ;; esac ;;
@each lists@
    "="*) [ $# = 4 ] || __conda_gpu_take_out "$1" "$5" "$6" "$7" "$7${2#=}$7" "$4" ;;
@end lists@
  esac
  unset -v "@state@_SET_$1" "@state@_OLD_$1"
}
@each lists@
__conda_gpu_take_out() { # NAME; prepend or append; ELEMENT; SEPARATOR; the list between two separators; what it was
  case "$4${6#=}$4" in *"$4$3$4"*) return 0 ;; esac # it was there before us
  case "$2:$5" in
    prepend:*"$4$3$4"*) set -- "$1" "$4" "${5%%"$4$3$4"*}$4${5#*"$4$3$4"}" "$6" ;;
    append:*"$4$3$4"*) set -- "$1" "$4" "${5%"$4$3$4"*}$4${5##*"$4$3$4"}" "$6" ;;
    *) return 0 ;;
  esac
  set -- "$1" "$2" "${3#"$2"}" "$4"
  unset -v "$1"; case "${3%"$2"}$4" in ?*) export "$1=${3%"$2"}" ;; esac
}
@end lists@
@each several@
__conda_gpu_undo_either() { # the same, of an element that may be another's: only if activation put in this one
  case "$7${3#=}$7" in *"$7$6$7"*) ;; *) return 0 ;; esac
  case "$7${4#=}$7" in *"$7$6$7"*) ;; *) __conda_gpu_undo "$@" ;; esac
}
@end several@
case "$__conda_gpu_at" in ?*)
@each shown@
export __conda_gpu_job="@job@"
export __conda_gpu_was="${@state@_OLD_CUDA_VISIBLE_DEVICES-}" __conda_gpu_set=none
case "$__conda_gpu_job:${__conda_gpu_at#* visible}" in
  "$__conda_gpu_job:$__conda_gpu_job" | "$__conda_gpu_job:$__conda_gpu_job="*) # what it became in this job
    export __conda_gpu_set="${__conda_gpu_at#* visible}" ;;
  :/*) export __conda_gpu_set="${__conda_gpu_at#"${__conda_gpu_at%%=*}"}" ;; # the job is over
esac
case "$__conda_gpu_at" in *" visible"*) unset -v __CONDA_GPU_VISIBLE ;; esac
case "$__conda_gpu_set/$__conda_gpu_was" in
  "$__conda_gpu_job${CUDA_VISIBLE_DEVICES+=$CUDA_VISIBLE_DEVICES}/ours"*) # what it was is of hooks of ours, too
    export __CONDA_GPU_VISIBLE="$__conda_gpu_job${__conda_gpu_was#ours}" ;;
esac
__conda_gpu_undo CUDA_VISIBLE_DEVICES "$__conda_gpu_job${CUDA_VISIBLE_DEVICES+=$CUDA_VISIBLE_DEVICES}" "$__conda_gpu_set" "$__conda_gpu_was"
@end shown@
@each managed@
@each either@
__conda_gpu_undo_either @name@ "${@name@+=$@name@}" "${@state@_SET_@name@-no}" \
  "${@state@_OLD_@name@-}"@each prepend@ prepend @value@ @separator@@end prepend@@each append@ append @value@ @separator@@end append@
@end either@
__conda_gpu_undo @name@ "${@name@+=$@name@}" "${@state@_SET_@name@-no}" \
  "${@state@_OLD_@name@-}"@each prepend@ prepend @value@ @separator@@end prepend@@each append@ append @value@ @separator@@end append@
@end managed@
unset -v @state@_AT ;;
esac
unset -f __conda_gpu_undo@each several@ __conda_gpu_undo_either@end several@@each lists@ __conda_gpu_take_out@end lists@
unset -v __conda_gpu_at@each shown@ __conda_gpu_job __conda_gpu_was __conda_gpu_set@end shown@
