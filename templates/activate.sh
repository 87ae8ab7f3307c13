# GPU settings of @environment@@whom@. Written by conda-gpu @version@ from @source@.
# Change that file and run `conda-gpu apply`; an edit made here is noticed, not kept.
@each devices@
#   cuda:@ordinal@  GPU @number@  @name@  @memory@  @address@  @uuid@
@end devices@
@each about@
#   @text@
@end about@
# Of each variable X the shell then also holds what it was (..._OLD_X="=value"; none if it was not set) and what it
# became (..._SET_X). deactivate.d/@file@ puts back what still is what it became; what anybody changed since stays.
# conda-gpu digest @digest@

@each by_host@
# Only on the machines that apply has served: on any other, nothing changes.
export __conda_gpu_host=
{ IFS= read -r __conda_gpu_host </proc/sys/kernel/hostname; } 2>/dev/null || :
case "$__conda_gpu_host" in
  @hosts@)
@end by_host@
@each decided@
export __conda_gpu_who=
@end decided@
@each by_user@
case "${USER:-}" in
  '') export __conda_gpu_who="$(id -un 2>/dev/null)" ;;
  *) export __conda_gpu_who="$USER" ;;
esac
@end by_user@
@each by_host@
export __conda_gpu_who="$__conda_gpu_who@at@$__conda_gpu_host"
@end by_host@
export @state@_AT="${@state@_AT:-${CONDA_SHLVL:--}}" __conda_gpu_where=here __conda_gpu_leave=
case "${@state@_AT%% *}:${CONDA_SHLVL-}" in # ..._AT is the level. Is this environment active at a lower one already?
  *: | *[!0-9:]*) ;;
  *) [ "${@state@_AT%% *}" -lt "$CONDA_SHLVL" ] && export __conda_gpu_where=below ||
    export @state@_AT="$CONDA_SHLVL${@state@_AT#"${@state@_AT%% *}"}" ;;
esac
__conda_gpu_keep() { # NAME; what it is; what it became ("no": nothing is kept yet); what it was, if that says more
  case "$__conda_gpu_leave" in *" $1 "*) return 0 ;; esac
  case "$3$__conda_gpu_where" in
    "$2$__conda_gpu_where") ;; # still as it became
    nobelow) export __conda_gpu_leave="$__conda_gpu_leave $1 " ;; # new in the plan of what is active below: waits
    no* | new* | *here) unset -v "@state@_OLD_$1"; case "${4-$2}" in ?*) export "@state@_OLD_$1=${4-$2}" ;; esac ;;
  esac
}
@each lists@
__conda_gpu_keep_list() { # NAME; what it is; what it became; ELEMENT; SEPARATOR: others' changes stay, where ELEMENT does
  case "$3" in no | "$2") ;; *)
    case "$5${2#=}$5" in *"$5$4$5"*) export __conda_gpu_leave="$__conda_gpu_leave $1 " ;; esac ;;
  esac
  __conda_gpu_keep "$1" "$2" "$3"
}
@end lists@
__conda_gpu_set() { # NAME VALUE
  case "$__conda_gpu_leave" in *" $1 "*) return 0 ;; esac
  unset -v "$1"; export "$1=$2"
@each visible@
  case "$1" in CUDA_VISIBLE_DEVICES)
    export __CONDA_GPU_VISIBLE="$__conda_gpu_job=$2" @state@_AT="${@state@_AT%% *} visible$__conda_gpu_job=$2"; return 0 ;;
  esac
@end visible@
  export "@state@_SET_$1==$2"
}
@each unsets@
__conda_gpu_unset() { # NAME
  case "$__conda_gpu_leave" in *" $1 "*) return 0 ;; esac
  unset -v "$1"
@each visible@
  case "$1" in CUDA_VISIBLE_DEVICES)
    unset -v __CONDA_GPU_VISIBLE; export @state@_AT="${@state@_AT%% *} visible$__conda_gpu_job"; return 0 ;;
  esac
@end visible@
  export "@state@_SET_$1="
}
@end unsets@
@each prepends@
__conda_gpu_prepend() { # NAME; what it was; ELEMENT; SEPARATOR
  case "$4${2#=}$4" in
    *"$4$3$4"*) __conda_gpu_set "$1" "${2#=}" ;; # it is there
    "$4$4") __conda_gpu_set "$1" "$3" ;;
    *) __conda_gpu_set "$1" "$3$4${2#=}" ;;
  esac
}
@end prepends@
@each appends@
__conda_gpu_append() { # NAME; what it was; ELEMENT; SEPARATOR
  case "$4${2#=}$4" in
    *"$4$3$4"*) __conda_gpu_set "$1" "${2#=}" ;; # it is there
    "$4$4") __conda_gpu_set "$1" "$3" ;;
    *) __conda_gpu_set "$1" "${2#=}$4$3" ;;
  esac
}
@end appends@
@each visible@

# __CONDA_GPU_VISIBLE is the job and what hooks of ours, of any environment, made of CUDA_VISIBLE_DEVICES last.
export __conda_gpu_job="@job@"
export __conda_gpu_old="${CUDA_VISIBLE_DEVICES+=$CUDA_VISIBLE_DEVICES}" __conda_gpu_set=new
case "$__conda_gpu_job:${@state@_AT#* visible}" in
  "$__conda_gpu_job:$__conda_gpu_job" | "$__conda_gpu_job:$__conda_gpu_job="*) # what it became in this job
    export __conda_gpu_set="${@state@_AT#* visible}" ;;
  :/*) export __conda_gpu_set="${@state@_AT#"${@state@_AT%%=*}"}" ;; # the job is over
esac
@each mixed@
export __conda_gpu_stands=no
case "$__conda_gpu_who" in # where a value of others stands: in_job, if_set
@each modes@
  @patterns@)@each in_job@ export __conda_gpu_stands="${__conda_gpu_job:-no}"@end in_job@@each if_set@ export __conda_gpu_stands=@end if_set@@each always@ export __conda_gpu_stands="$__conda_gpu_job"@end always@ ;;
@end modes@
esac
@end mixed@
case "$__conda_gpu_job$__conda_gpu_old" in
  "${__CONDA_GPU_VISIBLE-no}") export __conda_gpu_old="ours$__conda_gpu_old" ;;
@each stands@
@each mixed@
  "$__conda_gpu_stands="*) # others have set it: it stands, and the order with it (in_job, if_set)
@end mixed@
@each in_job@
  "${__conda_gpu_job:-no}="*) # the job has set it: it stands, and the order with it (in_job: keep)
@end in_job@
@each if_set@
  "="*) # it was set: it stands, and the order with it (if_set: keep)
@end if_set@
@each always@
  "$__conda_gpu_job="*) # it was set: it stands, and the order with it (if_set: keep, in_job: keep)
@end always@
    export __conda_gpu_leave=" CUDA_VISIBLE_DEVICES ${CUDA_DEVICE_ORDER+CUDA_DEVICE_ORDER }" @state@_AT="${@state@_AT%% *}"
    unset -v __CONDA_GPU_VISIBLE @state@_OLD_CUDA_VISIBLE_DEVICES ;;
@end stands@
esac
__conda_gpu_keep CUDA_VISIBLE_DEVICES "$__conda_gpu_job${CUDA_VISIBLE_DEVICES+=$CUDA_VISIBLE_DEVICES}" "$__conda_gpu_set" "$__conda_gpu_old"
@end visible@
@each names@
@each plain@
__conda_gpu_keep @name@ "${@name@+=$@name@}" "${@state@_SET_@name@-no}"
@end plain@
@each list@
__conda_gpu_keep_list @name@ "${@name@+=$@name@}" "${@state@_SET_@name@-no}" @value@ @separator@
@end list@
@end names@

@each decided@
case "$__conda_gpu_who" in
@end decided@
@each branches@
@each case@
  @patterns@) # @lines@
@each devices@
    # cuda:@ordinal@  GPU @number@  @name@  @memory@  @address@  @uuid@
@end devices@
@each about@
    # @text@
@end about@
@end case@
@each blind@
    export __conda_gpu_leave="$__conda_gpu_leave CUDA_VISIBLE_DEVICES "
@end blind@
@each settings@
@each plain@
@indent@__conda_gpu_keep @name@ "${@name@+=$@name@}" "${@state@_SET_@name@-no}"
@end plain@
@each list@
@indent@__conda_gpu_keep_list @name@ "${@name@+=$@name@}" "${@state@_SET_@name@-no}" \
@indent@  @value@ @separator@
@end list@
@each set@
@indent@__conda_gpu_set @name@ @value@
@end set@
@each unset@
@indent@__conda_gpu_unset @name@
@end unset@
@each prepend@
@indent@__conda_gpu_prepend @name@ "${@state@_OLD_@name@-}" @value@ @separator@
@end prepend@
@each append@
@indent@__conda_gpu_append @name@ "${@state@_OLD_@name@-}" @value@ @separator@
@end append@
@end settings@
@each end@
    ;;
@end end@
@end branches@
@each decided@
esac
@end decided@

unset -f __conda_gpu_keep __conda_gpu_set@each unsets@ __conda_gpu_unset@end unsets@@each lists@ __conda_gpu_keep_list@end lists@@each prepends@ __conda_gpu_prepend@end prepends@@each appends@ __conda_gpu_append@end appends@
unset -v __conda_gpu_where __conda_gpu_leave@each visible@ __conda_gpu_job __conda_gpu_old __conda_gpu_set@end visible@@each decided@ __conda_gpu_who@end decided@@each visible@@each mixed@ __conda_gpu_stands@end mixed@@end visible@
@each by_host@
  ;;
esac
unset -v __conda_gpu_host
@end by_host@
