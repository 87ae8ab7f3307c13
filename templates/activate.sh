# GPU settings of @environment@@whom@. Written by conda-gpu @version@ from @source@.
# Change that file and run `conda-gpu apply`, which stops at an edit made here.
@each devices@
#   cuda:@ordinal@  GPU @number@  @name@  @memory@  @address@  @uuid@
@end devices@
@each about@
#   @text@
@end about@
# Of each variable X, ..._OLD_X saves what it was (":value"; missing: not set; "hook:value": set by a hook like this),
# ..._SET_X what it becomes; ..._LEVEL is the outermost CONDA_SHLVL. deactivate.d/@file@ undoes what nobody changed since.
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
__gpu_is_inner() { # LEVEL: is it below CONDA_SHLVL? Then the environment is active there already.
  case ":$1:${CONDA_SHLVL-}:" in *::* | *[!0-9:]*) return 1 ;; *) [ "$1" -lt "$CONDA_SHLVL" ] ;; esac
}
# A plain unset of a readonly NAME would end dash, and this file in zsh.
if [ -n "${ZSH_VERSION-}" ]; then __gpu_unset() { eval 'unset -v "$1"'; }; else __gpu_unset() { command unset -v "$1"; }; fi
__gpu_set() { # $1: NAME; $2: ":value", or nothing to unset it; $3: what it is; $4: what an earlier activation made of it, or "none"
@each visible@
  case "$__gpu_stays" in *" $1 "*) return 0 ;; esac
@end visible@
  if [ "$__gpu_inner" = no ] && [ "${3#hook}" != "$4" ]; then # not set by us yet, or changed by others since: save it
    unset -v "@state@_OLD_$1"
    if [ -n "$3" ]; then export "@state@_OLD_$1=$3"; fi
  elif [ "$4" = none ]; then
    return 0 # not set by the outermost activation, which alone is undone
  fi
  __gpu_unset "$1" || return 0 # unset first: an integer would evaluate its value
  export "@state@_SET_$1=$2"
  case "$2" in :*) export "$1=${2#:}" ;; esac
@each visible@
  if [ "$1" = CUDA_VISIBLE_DEVICES ]; then export __CONDA_GPU_VISIBLE="$__gpu_job$2"; fi
@end visible@
}
@each lists@
__gpu_has() { # LIST, or ":LIST"; ELEMENT; SEPARATOR: is it in there? (bash's nocasematch changes case, and not this)
  set -- "$3${1#:}$3" "$3$2$3"
  [ "${1#*"$2"}" != "$1" ]
}
__gpu_add() { # $1: NAME; $2: prepend or append; $3: ELEMENT; $4: SEPARATOR; $5, $6: as $3, $4 of __gpu_set; $7: what it was before $6
  if [ "$5" != "$6" ] && [ "$6" != none ] && __gpu_has "$5" "$3" "$4"; then
    return 0 # others have changed it since, and left our element there
  fi
  if [ "$5" != "$6" ] && [ "$__gpu_inner" = no ]; then set -- "$1" "$2" "$3" "$4" "$5" "$6" "$5"; fi
  if __gpu_has "$7" "$3" "$4"; then set -- "$@" ":${7#:}"
  elif [ -z "${7#:}" ]; then set -- "$@" ":$3"
  elif [ "$2" = append ]; then set -- "$@" ":${7#:}$4$3"
  else set -- "$@" ":$3$4${7#:}"; fi
  __gpu_set "$1" "$8" "$5" "$6"
}
@end lists@

export __gpu_inner=yes@each visible@ __gpu_stays=''@end visible@ # unset at the end; exported, or zsh may warn
__gpu_is_inner "${@state@_LEVEL-}" || export __gpu_inner=no @state@_LEVEL="${CONDA_SHLVL:--}"
@each visible@
@job@
# __CONDA_GPU_VISIBLE: the job, and what a conda-gpu hook of any environment last made of CUDA_VISIBLE_DEVICES in it.
export __gpu_now="${CUDA_VISIBLE_DEVICES+:$CUDA_VISIBLE_DEVICES}" __gpu_by=
@each mixed@
export __gpu_stands=
case "$__gpu_who" in # whether a value of others stands: in_job, if_set
@each modes@
  @patterns@)@each in_job@ [ -z "$__gpu_job" ] || export __gpu_stands=yes@end in_job@@each if_set@ [ -n "$__gpu_job" ] || export __gpu_stands=yes@end if_set@@each always@ export __gpu_stands=yes@end always@ ;;
@end modes@
esac
@end mixed@
if [ "$__gpu_job$__gpu_now" = "${__CONDA_GPU_VISIBLE-none}" ]; then
  export __gpu_by=hook
@each nowhere@
elif [ -n "$__gpu_job" ]; then # no hook made it in this job: what was saved is void
@end nowhere@
@each in_job@
elif [ -n "$__gpu_job" ]; then # no hook made it in this job: what was saved is void
@end in_job@
@each if_set@
elif [ -n "$__gpu_job$__gpu_now" ]; then # no hook made it: what was saved is void
@end if_set@
@each always@
elif [ -n "$__gpu_job$__gpu_now" ]; then # no hook made it: what was saved is void
@end always@
@each mixed@
elif [ -n "$__gpu_job${__gpu_stands:+$__gpu_now}" ]; then # no hook made it: what was saved is void
@end mixed@
  unset -v __CONDA_GPU_VISIBLE @state@_SET_CUDA_VISIBLE_DEVICES @state@_OLD_CUDA_VISIBLE_DEVICES
@each in_job@
  if [ -n "$__gpu_now" ]; then export __gpu_stays=" CUDA_VISIBLE_DEVICES ${CUDA_DEVICE_ORDER+CUDA_DEVICE_ORDER }"; fi # stays as the job set it (in_job: keep)
@end in_job@
@each if_set@
  if [ -z "$__gpu_job" ]; then export __gpu_stays=" CUDA_VISIBLE_DEVICES ${CUDA_DEVICE_ORDER+CUDA_DEVICE_ORDER }"; fi # stays as it was set (if_set: keep)
@end if_set@
@each always@
  if [ -n "$__gpu_now" ]; then export __gpu_stays=" CUDA_VISIBLE_DEVICES ${CUDA_DEVICE_ORDER+CUDA_DEVICE_ORDER }"; fi # stays as it was set (in_job, if_set: keep)
@end always@
@each mixed@
  if [ -n "${__gpu_stands:+$__gpu_now}" ]; then export __gpu_stays=" CUDA_VISIBLE_DEVICES ${CUDA_DEVICE_ORDER+CUDA_DEVICE_ORDER }"; fi # stays as it was set (in_job, if_set)
@end mixed@
fi
@end visible@

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
@each settings@
@each set@
@indent@__gpu_set @name@ :@value@@break@"@each is_visible@$__gpu_by@end is_visible@${@name@+:$@name@}" "${@state@_SET_@name@-none}"
@end set@
@each unset@
@indent@__gpu_set @name@ ''@break@"@each is_visible@$__gpu_by@end is_visible@${@name@+:$@name@}" "${@state@_SET_@name@-none}" # unset
@end unset@
@each prepend@
@indent@__gpu_add @name@ prepend @value@ @separator@ \
@indent@  "${@name@+:$@name@}" "${@state@_SET_@name@-none}"@break@"${@state@_OLD_@name@-}"
@end prepend@
@each append@
@indent@__gpu_add @name@ append @value@ @separator@ \
@indent@  "${@name@+:$@name@}" "${@state@_SET_@name@-none}"@break@"${@state@_OLD_@name@-}"
@end append@
@end settings@
@each end@
    ;;
@end end@
@end branches@
@each decided@
esac
@end decided@
unset -f __gpu_is_inner __gpu_unset __gpu_set@each lists@ __gpu_has __gpu_add@end lists@
unset -v __gpu_inner@each visible@ __gpu_stays __gpu_job __gpu_now __gpu_by@each mixed@ __gpu_stands@end mixed@@end visible@@each decided@ __gpu_who@end decided@
@each by_host@
  ;;
esac
unset -v __gpu_host
@end by_host@
