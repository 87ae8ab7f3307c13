# GPU settings of @environment@@whom@. Written by conda-gpu @version@ from @source@.
# Change that file and run `conda-gpu apply`, which stops at an edit made here.
@each devices@
#   cuda:@ordinal@  GPU @number@  @name@  @memory@  @address@  @uuid@
@end devices@
@each about@
#   @text@
@end about@
# Kept of each variable X: what it was (..._OLD_X: "=value"; "ours=value" if our hooks made it; none: not set),
# what it becomes (..._SET_X), the level (..._AT). deactivate.d/@file@ does not undo what others changed since.
# conda-gpu digest @digest@

@each by_host@
# Only on the machines that apply has served: on any other, nothing changes.
export __gpu_host=
{ IFS= read -r __gpu_host </proc/sys/kernel/hostname; } 2>/dev/null || :
case "$__gpu_host" in
  @hosts@)
@end by_host@
@each decided@
export __gpu_who=
@end decided@
@each by_user@
case "${USER:-}" in
  '') export __gpu_who="$(id -un 2>/dev/null)" ;;
  *) export __gpu_who="$USER" ;;
esac
@end by_user@
@each joined@
export __gpu_who="$__gpu_who@at@$__gpu_host"
@end joined@
@each picks@
case "$__gpu_host" in # which number below
@each machines@
  @host@) case "$__gpu_who" in
@each users@
    @patterns@) export __gpu_who=@number@ ;;
@end users@
  esac ;;
@end machines@
esac
@end picks@
export __gpu_where=here @state@_AT="${@state@_AT:-${CONDA_SHLVL:--}}" __gpu_leave=
case "${@state@_AT%% *}:${CONDA_SHLVL-}" in *: | *[!0-9:]*) ;; *) # already active at a lower level?
  [ "${@state@_AT%% *}" -lt "$CONDA_SHLVL" ] && export __gpu_where=below ||
    export @state@_AT="$CONDA_SHLVL${@state@_AT#"${@state@_AT%% *}"}" ;; esac
__gpu_keep() { # NAME; what it is; what we made of it ("no": nothing yet); whose that is
  case "$__gpu_leave" in *" $1 "*) return 0 ;; esac
  case "$3$__gpu_where" in
    "$2$__gpu_where") ;; # as we made it
    nobelow) export __gpu_leave="$__gpu_leave $1 " ;; # not set there: it waits
    no* | new* | *here) unset -v "@state@_OLD_$1"; case "${4-}$2" in ?*) export "@state@_OLD_$1=${4-}$2" ;; esac ;;
  esac
}
@each lists@
__gpu_keep_list() { # NAME; what it is; what we made of it; ELEMENT; SEPARATOR: others' changes stay, if ELEMENT is there
  [ "$3" = no ] || [ "$3" = "$2" ] || case "$5${2#=}$5" in *"$5$4$5"*) export __gpu_leave="$__gpu_leave $1 " ;; esac
  __gpu_keep "$1" "$2" "$3"
}
@end lists@
__gpu_set() { # NAME VALUE@each unsets@; without VALUE, unsets it@end unsets@
  case "$__gpu_leave" in *" $1 "*) return 0 ;; esac
  unset -v "$1"; export "@state@_SET_$1=${2+=$2}"; case $# in 2) export "$1=$2" ;; esac
}
@each lists@
__gpu_add() { # NAME; what it was; prepend or append; ELEMENT; SEPARATOR
  case "$5${2#=}$5" in *"$5$4$5"*) __gpu_set "$1" "${2#=}" ;; # it is there
    "$5$5") __gpu_set "$1" "$4" ;;
    *) [ "$3" = append ] && __gpu_set "$1" "${2#=}$5$4" || __gpu_set "$1" "$4$5${2#=}" ;;
  esac
}
@end lists@
@each visible@
# __CONDA_GPU_VISIBLE: "JOB=value", what hooks of any environment last made of CUDA_VISIBLE_DEVICES.
export __gpu_job="@job@"
export __gpu_made=no __gpu_now="${CUDA_VISIBLE_DEVICES+=$CUDA_VISIBLE_DEVICES}" __gpu_whose=
case "$__gpu_job:$@state@_AT" in *" gpus$__gpu_job" | *" gpus$__gpu_job="* | :*" gpus"*)
  export __gpu_made="${@state@_AT#"${@state@_AT%%=*}"}" ;; # in this job, or it is over
  *" gpus"*) export __gpu_made=new ;; esac
@each mixed@
export __gpu_stands=no
case "$__gpu_who" in # where a value of others stands: in_job, if_set
@each modes@
  @patterns@)@each in_job@ export __gpu_stands="${__gpu_job:-no}"@end in_job@@each if_set@ export __gpu_stands=@end if_set@@each always@ export __gpu_stands="$__gpu_job"@end always@ ;;
@end modes@
esac
@end mixed@
case "$__gpu_job$__gpu_now" in
  "${__CONDA_GPU_VISIBLE-no}") export __gpu_whose=ours ;;
@each stands@
@each mixed@
  "$__gpu_stands="*) # not ours: it stands, with its order (in_job, if_set)
@end mixed@
@each in_job@
  "${__gpu_job:-no}="*) # the job's, not ours: it stands, with its order (in_job: keep)
@end in_job@
@each if_set@
  "="*) # not ours: it stands, with its order (if_set: keep)
@end if_set@
@each always@
  "$__gpu_job="*) # not ours: it stands, with its order (if_set: keep, in_job: keep)
@end always@
    unset -v __CONDA_GPU_VISIBLE @state@_OLD_CUDA_VISIBLE_DEVICES
    export @state@_AT="${@state@_AT%% *}" __gpu_leave=" CUDA_VISIBLE_DEVICES ${CUDA_DEVICE_ORDER+CUDA_DEVICE_ORDER }" ;;
@end stands@
esac
__gpu_keep CUDA_VISIBLE_DEVICES "$__gpu_now" "$__gpu_made" "$__gpu_whose"
@end visible@
@each names@
@each plain@
__gpu_keep @name@ "${@name@+=$@name@}" "${@state@_SET_@name@-no}"
@end plain@
@each list@
__gpu_keep_list @name@ "${@name@+=$@name@}" "${@state@_SET_@name@-no}" @value@ @separator@
@end list@
@end names@

@each decided@
case "$__gpu_who" in
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
    export __gpu_leave="$__gpu_leave CUDA_VISIBLE_DEVICES "
@end blind@
@each settings@
@each plain@
@indent@__gpu_keep @name@ "${@name@+=$@name@}" "${@state@_SET_@name@-no}"
@end plain@
@each list@
@indent@__gpu_keep_list @name@ "${@name@+=$@name@}" "${@state@_SET_@name@-no}" @value@ @separator@
@end list@
@each set@
@indent@__gpu_set @name@ @value@
@end set@
@each unset@
@indent@__gpu_set @name@ # unset
@end unset@
@each prepend@
@indent@__gpu_add @name@ "${@state@_OLD_@name@-}" prepend @value@ @separator@
@end prepend@
@each append@
@indent@__gpu_add @name@ "${@state@_OLD_@name@-}" append @value@ @separator@
@end append@
@end settings@
@each end@
    ;;
@end end@
@end branches@
@each decided@
esac
@end decided@
@each visible@
case "$__gpu_leave" in *" CUDA_VISIBLE_DEVICES "*) ;; *) unset -v @state@_SET_CUDA_VISIBLE_DEVICES
  export __CONDA_GPU_VISIBLE="$__gpu_job${CUDA_VISIBLE_DEVICES+=$CUDA_VISIBLE_DEVICES}"
  export @state@_AT="${@state@_AT%% *} gpus$__CONDA_GPU_VISIBLE"@each unsets@; [ "${CUDA_VISIBLE_DEVICES+set}" ] || unset -v __CONDA_GPU_VISIBLE@end unsets@ ;; esac
@end visible@
unset -f __gpu_keep __gpu_set@each lists@ __gpu_keep_list __gpu_add@end lists@
unset -v __gpu_leave __gpu_where@each visible@ __gpu_job __gpu_made __gpu_whose __gpu_now@each mixed@ __gpu_stands@end mixed@@end visible@@each decided@ __gpu_who@end decided@
@each by_host@
  ;;
esac
unset -v __gpu_host
@end by_host@
