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
set -g __conda_gpu_host
test -r /proc/sys/kernel/hostname; and read -g __conda_gpu_host </proc/sys/kernel/hostname
if @hosts@
@end by_host@
@each decided@
set -g __conda_gpu_who
@end decided@
@each by_user@
set __conda_gpu_who "$USER"
test -n "$__conda_gpu_who"; or set __conda_gpu_who (id -un 2>/dev/null)
@end by_user@
@each by_host@
set __conda_gpu_who "$__conda_gpu_who@at@$__conda_gpu_host"
@end by_host@
set -g __conda_gpu_leave
set -g __conda_gpu_where here
test -n "$@state@_AT"; or set -gx @state@_AT "$CONDA_SHLVL"
test -n "$@state@_AT"; or set -gx @state@_AT -
printf %s "$@state@_AT" | read -gz -d ' ' __conda_gpu_at __conda_gpu_visible # ..._AT is the level
if string match -qr '^[0-9]+/[0-9]+$' -- "$__conda_gpu_at/$CONDA_SHLVL" # is this environment active at a lower one?
  if test $__conda_gpu_at -lt $CONDA_SHLVL
    set -g __conda_gpu_where below
  else
    set -g __conda_gpu_at $CONDA_SHLVL
    set -gx @state@_AT "$__conda_gpu_at"
    test -z "$__conda_gpu_visible"; or set -gx @state@_AT "$__conda_gpu_at $__conda_gpu_visible"
  end
end
function __conda_gpu_keep # NAME; for CUDA_VISIBLE_DEVICES: what it became ("new": not in this job), and whose it is
  set -l set @state@_SET_$argv[1]
  set -l became no
  set -q $set; and set became "$$set"
  set -q argv[2]; and set became "$argv[2]"
  set -l now
  set -q $argv[1]; and set now "=$$argv[1]"
  if contains -- $argv[1] $__conda_gpu_leave; or test "$became" = "$now"
    return
  else if test "$became/$__conda_gpu_where" = no/below # new in the plan of what is active below: it waits
    set -g __conda_gpu_leave $__conda_gpu_leave $argv[1]
  else if contains -- "$became" no new; or test $__conda_gpu_where = here
    set -eg @state@_OLD_$argv[1]
    set -qg $argv[1]; and set -gx @state@_OLD_$argv[1] "$argv[3]$now"
  end
end
@each lists@
function __conda_gpu_has # LIST ELEMENT SEPARATOR
  printf %s "$argv[3]$argv[1]$argv[3]" | read -lz -d "$argv[3]$argv[2]$argv[3]" -a parts
  set -q parts[2]
end
function __conda_gpu_keep_list # NAME; ELEMENT; SEPARATOR: what others changed stays, where ELEMENT is still there
  set -l set @state@_SET_$argv[1]
  if set -q $set; and test "=$$argv[1]" != "$$set"
    __conda_gpu_has "$$argv[1]" $argv[2..3]; and set -g __conda_gpu_leave $__conda_gpu_leave $argv[1]
  end
  __conda_gpu_keep $argv[1]
end
@end lists@
function __conda_gpu_set # NAME; the value, none to unset it
  contains -- $argv[1] $__conda_gpu_leave; and return
  set -l now
  set -eg $argv[1]
  if set -q argv[2]
    set -gx $argv[1] "$argv[2]"
    set now "=$argv[2]"
  end
@each visible@
  if test $argv[1] = CUDA_VISIBLE_DEVICES
    set -gx __CONDA_GPU_VISIBLE "$__conda_gpu_job$now"
    set -gx @state@_AT "$__conda_gpu_at visible$__conda_gpu_job$now"
    return
  end
@end visible@
  set -gx @state@_SET_$argv[1] "$now"
end
@each lists@
function __conda_gpu_add # prepend or append; NAME; ELEMENT; SEPARATOR
  set -l old @state@_OLD_$argv[2]
  printf %s "$$old" | read -lz -d = none value
  if test -z "$value"
    set value "$argv[3]"
  else if __conda_gpu_has "$value" $argv[3..4] # it is there
  else if test $argv[1] = prepend
    set value "$argv[3]$argv[4]$value"
  else
    set value "$value$argv[4]$argv[3]"
  end
  __conda_gpu_set $argv[2] "$value"
end
@end lists@
@each visible@

# __CONDA_GPU_VISIBLE is the job and what hooks of ours, of any environment, made of CUDA_VISIBLE_DEVICES last.
set -g __conda_gpu_job ''
for __conda_gpu_id in @job@
  contains -- $__conda_gpu_id / /. /..; or set __conda_gpu_job "$__conda_gpu_job$__conda_gpu_id"
end
set -g __conda_gpu_old
set -q CUDA_VISIBLE_DEVICES; and set __conda_gpu_old "=$CUDA_VISIBLE_DEVICES"
set -g __conda_gpu_set new # what it became, where that was in this job
printf %s "$__conda_gpu_visible" | read -gz -d = __conda_gpu_x __conda_gpu_value
if test "$__conda_gpu_x" = "visible$__conda_gpu_job"; or string match -q '/visible/*' -- "$__conda_gpu_job/$__conda_gpu_x"
  set __conda_gpu_set ''
  test "$__conda_gpu_visible" = "$__conda_gpu_x"; or set __conda_gpu_set "=$__conda_gpu_value"
end
@each mixed@
set -g __conda_gpu_stands
@each modes@
@else@if @patterns@
  @each in_job@test -z "$__conda_gpu_job"; or set __conda_gpu_stands yes@end in_job@@each if_set@test -n "$__conda_gpu_job"; or set __conda_gpu_stands yes@end if_set@@each always@set __conda_gpu_stands yes@end always@
@end modes@
end
@end mixed@
set __conda_gpu_x
if test -n "$__conda_gpu_old"; and test "$__conda_gpu_job$__conda_gpu_old" = "$__CONDA_GPU_VISIBLE"
  set __conda_gpu_x ours
@each stands@
@each mixed@
else if test -n "$__conda_gpu_stands"; and test -n "$__conda_gpu_old" # others have set it (in_job, if_set)
@end mixed@
@each in_job@
else if test -n "$__conda_gpu_job"; and test -n "$__conda_gpu_old" # the job has set it (in_job: keep)
@end in_job@
@each if_set@
else if test -z "$__conda_gpu_job"; and test -n "$__conda_gpu_old" # it was set (if_set: keep)
@end if_set@
@each always@
else if test -n "$__conda_gpu_old" # it was set (if_set: keep, in_job: keep)
@end always@
  set __conda_gpu_leave CUDA_VISIBLE_DEVICES # it stands, and the order with it
  set -q CUDA_DEVICE_ORDER; and set __conda_gpu_leave CUDA_VISIBLE_DEVICES CUDA_DEVICE_ORDER
  set -gx @state@_AT "$__conda_gpu_at"
  set -eg __CONDA_GPU_VISIBLE
  set -eg @state@_OLD_CUDA_VISIBLE_DEVICES
@end stands@
end
__conda_gpu_keep CUDA_VISIBLE_DEVICES "$__conda_gpu_set" $__conda_gpu_x
@end visible@
@each names@
@each plain@
__conda_gpu_keep @name@
@end plain@
@each list@
__conda_gpu_keep_list @name@ @value@ @separator@
@end list@
@end names@

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
@each plain@
@indent@__conda_gpu_keep @name@
@end plain@
@each list@
@indent@__conda_gpu_keep_list @name@ @value@ @separator@
@end list@
@each set@
@indent@__conda_gpu_set @name@ @value@
@end set@
@each unset@
@indent@__conda_gpu_set @name@
@end unset@
@each prepend@
@indent@__conda_gpu_add prepend @name@ @value@ @separator@
@end prepend@
@each append@
@indent@__conda_gpu_add append @name@ @value@ @separator@
@end append@
@end settings@
@end branches@
@each decided@
end
@end decided@

functions -e __conda_gpu_keep __conda_gpu_set@each lists@ __conda_gpu_has __conda_gpu_keep_list __conda_gpu_add@end lists@
@each visible@
set -eg __conda_gpu_x
set -eg __conda_gpu_old
set -eg __conda_gpu_set
set -eg __conda_gpu_value
set -eg __conda_gpu_job
@end visible@
set -eg __conda_gpu_visible
set -eg __conda_gpu_at
set -eg __conda_gpu_where
set -eg __conda_gpu_leave
@each decided@
set -eg __conda_gpu_who
@end decided@
@each visible@
@each mixed@
set -eg __conda_gpu_stands
@end mixed@
@end visible@
@each by_host@
end
set -eg __conda_gpu_host
@end by_host@
true
