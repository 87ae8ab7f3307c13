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
set -g __gpu_host
test -r /proc/sys/kernel/hostname; and read -g __gpu_host </proc/sys/kernel/hostname
if @hosts@
@end by_host@
@each decided@
set -g __gpu_who
@end decided@
@each by_user@
set __gpu_who "$USER"
test -n "$__gpu_who"; or set __gpu_who (id -un 2>/dev/null)
@end by_user@
@each joined@
set __gpu_who "$__gpu_who@at@$__gpu_host"
@end joined@
set -g __gpu_inner no
if string match -qr '^[0-9]+/[0-9]+$' -- "$@state@_LEVEL/$CONDA_SHLVL"; and test $@state@_LEVEL -lt $CONDA_SHLVL
  set __gpu_inner yes # the environment is active there already
else
  set -gx @state@_LEVEL "$CONDA_SHLVL"
  test -n "$CONDA_SHLVL"; or set @state@_LEVEL -
end
function __gpu_set # NAME; the value, none to unset it
  set -l made @state@_SET_$argv[1]
  set -l now
  set -q $argv[1]; and set now ":$$argv[1]"
@each visible@
  contains -- $argv[1] $__gpu_stays; and return
@end visible@
  if set -q $made; and test "$$made" = "$now" # nobody has changed it since: what was saved then stays
  else if test $__gpu_inner = no
    set -eg @state@_OLD_$argv[1]
    set -qg $argv[1]; or set now # a universal variable shows through again by itself
@each visible@
    test $argv[1] = CUDA_VISIBLE_DEVICES; and set now "$__gpu_by$now"
@end visible@
    test -z "$now"; or set -gx @state@_OLD_$argv[1] "$now"
  else if not set -q $made
    return # not set by the outermost activation, which alone is undone
  end
  set -eg $argv[1]
  set -gx $made
  if set -q argv[2]
    set -gx $argv[1] "$argv[2]"
    set $made ":$argv[2]"
  end
@each visible@
  test $argv[1] = CUDA_VISIBLE_DEVICES; and set -gx __CONDA_GPU_VISIBLE "$__gpu_job$$made"
@end visible@
end
@each lists@
function __gpu_has # LIST ELEMENT SEPARATOR
  string split -q -m 1 -- "$argv[3]$argv[2]$argv[3]" "$argv[3]$argv[1]$argv[3]"
end
function __gpu_add # prepend or append; NAME; ELEMENT; SEPARATOR
  set -l made @state@_SET_$argv[2]
  set -l old @state@_OLD_$argv[2]
  set -l now
  set -q $argv[2]; and set now ":$$argv[2]"
  set -l value
  if set -q $made; and test "$now" != "$$made" # others have changed it since; that stays, where ELEMENT is still there
    __gpu_has "$$argv[2]" $argv[3..4]; and return
  end
  if set -q $made; and test "$now" = "$$made"; or test $__gpu_inner = yes
    set -l --path kept "$$old" # cut at each ":", and joined again within quotes
    set -q kept[2]; and set value "$kept[2..-1]"
  else
    set -qg $argv[2]; and set value "$$argv[2]"
  end
  if test -z "$value"
    set value "$argv[3]"
  else if __gpu_has "$value" $argv[3..4] # it is there
  else if test $argv[1] = prepend
    set value "$argv[3]$argv[4]$value"
  else
    set value "$value$argv[4]$argv[3]"
  end
  __gpu_set $argv[2] "$value"
end
@end lists@
@each visible@

@job@
# __CONDA_GPU_VISIBLE: the job, and what a conda-gpu hook of any environment last made of CUDA_VISIBLE_DEVICES in it.
set -g __gpu_now
set -q CUDA_VISIBLE_DEVICES; and set __gpu_now ":$CUDA_VISIBLE_DEVICES"
set -g __gpu_by
set -g __gpu_stays
@each mixed@
set -g __gpu_stands # whether a value of others stands: in_job, if_set
@each modes@
@else@if @patterns@
  @each in_job@test -z "$__gpu_job"; or set __gpu_stands yes@end in_job@@each if_set@test -n "$__gpu_job"; or set __gpu_stands yes@end if_set@@each always@set __gpu_stands yes@end always@
@end modes@
end
@end mixed@
if set -q __CONDA_GPU_VISIBLE; and test "$__CONDA_GPU_VISIBLE" = "$__gpu_job$__gpu_now"
  set __gpu_by hook
@each nowhere@
else if test -n "$__gpu_job" # it is the job's: what was saved outside of it does not count
@end nowhere@
@each in_job@
else if test -n "$__gpu_job" # it is the job's: what was saved outside of it does not count
@end in_job@
@each if_set@
else if test -n "$__gpu_job$__gpu_now" # it is somebody else's: what was saved does not count
@end if_set@
@each always@
else if test -n "$__gpu_job$__gpu_now" # it is somebody else's: what was saved does not count
@end always@
@each mixed@
else if test -n "$__gpu_job"; or begin test -n "$__gpu_stands"; and test -n "$__gpu_now"; end # it is somebody else's
@end mixed@
  set -eg __CONDA_GPU_VISIBLE
  set -eg @state@_SET_CUDA_VISIBLE_DEVICES
  set -eg @state@_OLD_CUDA_VISIBLE_DEVICES
@each in_job@
  # If it is set, it stands, and a CUDA_DEVICE_ORDER with it (in_job: keep).
  if test -n "$__gpu_now"
@end in_job@
@each if_set@
  # Outside of jobs it stands, and a CUDA_DEVICE_ORDER with it (if_set: keep).
  if test -z "$__gpu_job"
@end if_set@
@each always@
  # If it is set, it stands, and a CUDA_DEVICE_ORDER with it (in_job: keep, if_set: keep).
  if test -n "$__gpu_now"
@end always@
@each mixed@
  # If it is to stand, it does, and a CUDA_DEVICE_ORDER with it (in_job, if_set).
  if test -n "$__gpu_stands"; and test -n "$__gpu_now"
@end mixed@
@each stands@
    set __gpu_stays CUDA_VISIBLE_DEVICES
    set -q CUDA_DEVICE_ORDER; and set __gpu_stays CUDA_VISIBLE_DEVICES CUDA_DEVICE_ORDER
  end
@end stands@
end
@end visible@

@each branches@
@each case@
@else@if @patterns@ # @lines@
@each devices@
    # cuda:@ordinal@  GPU @number@  @name@  @memory@  @address@  @uuid@
@end devices@
@each about@
    # @text@
@end about@
@end case@
@each settings@
@each set@
@indent@__gpu_set @name@ @value@
@end set@
@each unset@
@indent@__gpu_set @name@
@end unset@
@each prepend@
@indent@__gpu_add prepend @name@ @value@ @separator@
@end prepend@
@each append@
@indent@__gpu_add append @name@ @value@ @separator@
@end append@
@end settings@
@end branches@
@each decided@
end
@end decided@
functions -e __gpu_set@each lists@ __gpu_has __gpu_add@end lists@
@each visible@
set -eg __gpu_job
set -eg __gpu_now
set -eg __gpu_by
set -eg __gpu_stays
@end visible@
set -eg __gpu_inner
@each decided@
set -eg __gpu_who
@end decided@
@each visible@
@each mixed@
set -eg __gpu_stands
@end mixed@
@end visible@
@each by_host@
end
set -eg __gpu_host
@end by_host@
true
