# GPU settings of @environment@@whom@. Written by conda-gpu @version@ from @source@.
# Change that file and run `conda-gpu apply`, which stops at an edit made here.
@each devices@
#   cuda:@ordinal@  GPU @number@  @name@  @memory@  @address@  @uuid@
@end devices@
@each about@
#   @text@
@end about@
# Of each variable X set here, ..._OLD_X saves what it was (":value"; nothing: not set; "ours:value": a conda-gpu hook's),
# ..._SET_X what it becomes; ..._LEVEL is CONDA_SHLVL. deactivate.d/@file@ undoes what nobody has changed since.
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
export __gpu_outer=no __gpu_untouched='' # in some shells, functions need export for this; all of it goes at the end
__gpu_is_outer() { # LEVEL: is it below CONDA_SHLVL? Then the environment is active further out, too.
  case ":$1:${CONDA_SHLVL-}:" in *::* | *[!0-9:]*) return 1 ;; esac
  [ "$1" -lt "$CONDA_SHLVL" ]
}
__gpu_save() { # NAME; what it is; what an earlier activation made of it, or "none"@each visible@; "ours" if a conda-gpu hook made it@end visible@
  case "$__gpu_untouched" in *" $1 "*) return 0 ;; esac
  if [ "$2" = "$3" ]; then
    return 0 # nobody has changed it since: what was saved then stays
  elif [ "$__gpu_outer" = no ]; then
    unset -v "@state@_OLD_$1"
    if [ -n "${4-}$2" ]; then export "@state@_OLD_$1=${4-}$2"; fi
  elif [ "$3" = none ]; then
    export __gpu_untouched="$__gpu_untouched $1 " # not set further out, so nothing would undo it there
  fi
}
@each lists@
__gpu_save_list() { # NAME; what it is; what it became; ELEMENT; SEPARATOR: what others changed stays, if ELEMENT is there
  [ "$3" = none ] || [ "$3" = "$2" ] || case "$5${2#:}$5" in *"$5$4$5"*) export __gpu_untouched="$__gpu_untouched $1 " ;; esac
  __gpu_save "$1" "$2" "$3"
}
@end lists@
# __gpu_unset NAME: fails where NAME is readonly, without an end to the shell.
if [ -n "${ZSH_VERSION-}" ]; then __gpu_unset() { eval 'unset -v "$1"'; }; else __gpu_unset() { command unset -v "$1"; }; fi
__gpu_set() { # NAME VALUE@each unsets@; unsets it without VALUE@end unsets@
  case "$__gpu_untouched" in *" $1 "*) return 0 ;; esac
  __gpu_unset "$1" || return 0
  export "@state@_SET_$1=${2+:$2}"
  if [ $# = 2 ]; then export "$1=$2"; fi
}
@each lists@
__gpu_add() { # NAME; what it was; prepend or append; ELEMENT; SEPARATOR
  case "$5${2#:}$5" in *"$5$4$5"*) __gpu_set "$1" "${2#:}" ;; # it is there
    "$5$5") __gpu_set "$1" "$4" ;;
    *) [ "$3" = append ] && __gpu_set "$1" "${2#:}$5$4" || __gpu_set "$1" "$4$5${2#:}" ;;
  esac
}
@end lists@

if __gpu_is_outer "${@state@_LEVEL-}"; then export __gpu_outer=yes; else export @state@_LEVEL="${CONDA_SHLVL:--}"; fi
@each visible@
@job@
# __CONDA_GPU_VISIBLE: the job, and what a conda-gpu hook of any environment last made of CUDA_VISIBLE_DEVICES in it.
export __gpu_now="${CUDA_VISIBLE_DEVICES+:$CUDA_VISIBLE_DEVICES}" __gpu_whose=
@each mixed@
export __gpu_stands=
case "$__gpu_who" in # whether a value of others stands: in_job, if_set
@each modes@
  @patterns@)@each in_job@ [ -z "$__gpu_job" ] || export __gpu_stands=yes@end in_job@@each if_set@ [ -n "$__gpu_job" ] || export __gpu_stands=yes@end if_set@@each always@ export __gpu_stands=yes@end always@ ;;
@end modes@
esac
@end mixed@
if [ "$__gpu_job$__gpu_now" = "${__CONDA_GPU_VISIBLE-none}" ]; then
  export __gpu_whose=ours
@each nowhere@
elif [ -n "$__gpu_job" ]; then # not by us in this job: what was saved does not count
@end nowhere@
@each in_job@
elif [ -n "$__gpu_job" ]; then # not by us in this job: what was saved does not count; if the job has set it, it stands (in_job: keep)
@end in_job@
@each if_set@
elif [ -n "$__gpu_job$__gpu_now" ]; then # not by us: what was saved does not count; outside of jobs it stands (if_set: keep)
@end if_set@
@each always@
elif [ -n "$__gpu_job$__gpu_now" ]; then # not by us: what was saved does not count; if set, it stands (in_job, if_set: keep)
@end always@
@each mixed@
elif [ -n "$__gpu_job${__gpu_stands:+$__gpu_now}" ]; then # not by us: what was saved does not count; it may stand (in_job, if_set)
@end mixed@
  unset -v __CONDA_GPU_VISIBLE @state@_SET_CUDA_VISIBLE_DEVICES @state@_OLD_CUDA_VISIBLE_DEVICES
@each in_job@
  if [ -n "$__gpu_now" ]; then export __gpu_untouched=" CUDA_VISIBLE_DEVICES ${CUDA_DEVICE_ORDER+CUDA_DEVICE_ORDER }"; fi
@end in_job@
@each if_set@
  if [ -z "$__gpu_job" ]; then export __gpu_untouched=" CUDA_VISIBLE_DEVICES ${CUDA_DEVICE_ORDER+CUDA_DEVICE_ORDER }"; fi
@end if_set@
@each always@
  if [ -n "$__gpu_now" ]; then export __gpu_untouched=" CUDA_VISIBLE_DEVICES ${CUDA_DEVICE_ORDER+CUDA_DEVICE_ORDER }"; fi
@end always@
@each mixed@
  if [ -n "${__gpu_stands:+$__gpu_now}" ]; then export __gpu_untouched=" CUDA_VISIBLE_DEVICES ${CUDA_DEVICE_ORDER+CUDA_DEVICE_ORDER }"; fi
@end mixed@
fi
__gpu_save CUDA_VISIBLE_DEVICES "$__gpu_now" "${@state@_SET_CUDA_VISIBLE_DEVICES-none}" "$__gpu_whose"
@end visible@
@each names@
@each plain@
__gpu_save @name@ "${@name@+:$@name@}" "${@state@_SET_@name@-none}"
@end plain@
@each list@
__gpu_save_list @name@ "${@name@+:$@name@}" "${@state@_SET_@name@-none}" @value@ @separator@
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
    export __gpu_untouched="$__gpu_untouched CUDA_VISIBLE_DEVICES "
@end blind@
@each settings@
@each plain@
@indent@__gpu_save @name@ "${@name@+:$@name@}" "${@state@_SET_@name@-none}"
@end plain@
@each list@
@indent@__gpu_save_list @name@ "${@name@+:$@name@}" "${@state@_SET_@name@-none}" @value@ @separator@
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
if [ -n "${@state@_SET_CUDA_VISIBLE_DEVICES+set}" ]; then
  export __CONDA_GPU_VISIBLE="$__gpu_job$@state@_SET_CUDA_VISIBLE_DEVICES"
fi
@end visible@
unset -f __gpu_is_outer __gpu_save __gpu_unset __gpu_set@each lists@ __gpu_save_list __gpu_add@end lists@
unset -v __gpu_untouched __gpu_outer@each visible@ __gpu_job __gpu_now __gpu_whose@each mixed@ __gpu_stands@end mixed@@end visible@@each decided@ __gpu_who@end decided@
@each by_host@
  ;;
esac
unset -v __gpu_host
@end by_host@
