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
set -g __gpu_leave
set -g __gpu_where here
test -n "$@state@_AT"; or set -gx @state@_AT "$CONDA_SHLVL"
test -n "$@state@_AT"; or set -gx @state@_AT -
printf %s "$@state@_AT" | read -gz -d ' ' __gpu_at __gpu_visible # ..._AT is the level
if string match -qr '^[0-9]+/[0-9]+$' -- "$__gpu_at/$CONDA_SHLVL" # is this environment active at a lower one?
  if test $__gpu_at -lt $CONDA_SHLVL
    set -g __gpu_where below
  else
    set -g __gpu_at $CONDA_SHLVL
    set -gx @state@_AT "$__gpu_at"
    test -z "$__gpu_visible"; or set -gx @state@_AT "$__gpu_at $__gpu_visible"
  end
end
function __gpu_keep # NAME; for CUDA_VISIBLE_DEVICES: what it became, and whose it was
  set -l set @state@_SET_$argv[1]
  set -l became no
  set -q $set; and set became "$$set"
  set -q argv[2]; and set became "$argv[2]"
  set -l now
  set -q $argv[1]; and set now "=$$argv[1]"
  if contains -- $argv[1] $__gpu_leave; or test "$became" = "$now"
    return
  else if test "$became/$__gpu_where" = no/below # new in the plan of what is active below: it waits
    set -g __gpu_leave $__gpu_leave $argv[1]
  else if contains -- "$became" no new; or test $__gpu_where = here
    set -eg @state@_OLD_$argv[1]
    set -qg $argv[1]; and set -gx @state@_OLD_$argv[1] "$argv[3]$now"
  end
end
@each lists@
function __gpu_has # LIST ELEMENT SEPARATOR
  printf %s "$argv[3]$argv[1]$argv[3]" | read -lz -d "$argv[3]$argv[2]$argv[3]" -a parts
  set -q parts[2]
end
function __gpu_keep_list # NAME; ELEMENT; SEPARATOR: what others changed stays, where ELEMENT is still there
  set -l set @state@_SET_$argv[1]
  if set -q $set; and test "=$$argv[1]" != "$$set"
    __gpu_has "$$argv[1]" $argv[2..3]; and set -g __gpu_leave $__gpu_leave $argv[1]
  end
  __gpu_keep $argv[1]
end
@end lists@
function __gpu_set # NAME; the value, none to unset it
  contains -- $argv[1] $__gpu_leave; and return
  set -l now
  set -eg $argv[1]
  if set -q argv[2]
    set -gx $argv[1] "$argv[2]"
    set now "=$argv[2]"
  end
@each visible@
  if test $argv[1] = CUDA_VISIBLE_DEVICES
    set -eg __CONDA_GPU_VISIBLE
    set -q argv[2]; and set -gx __CONDA_GPU_VISIBLE "$__gpu_job$now"
    set -gx @state@_AT "$__gpu_at gpus$__gpu_job$now"
    return
  end
@end visible@
  set -gx @state@_SET_$argv[1] "$now"
end
@each lists@
function __gpu_add # prepend or append; NAME; ELEMENT; SEPARATOR
  set -l old @state@_OLD_$argv[2]
  printf %s "$$old" | read -lz -d = none value
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

# __CONDA_GPU_VISIBLE is the job and what hooks of ours, of any environment, made of CUDA_VISIBLE_DEVICES last.
set -g __gpu_job ''
for __gpu_id in @job@
  contains -- $__gpu_id / /. /..; or set __gpu_job "$__gpu_job$__gpu_id"
end
set -g __gpu_old
set -q CUDA_VISIBLE_DEVICES; and set __gpu_old "=$CUDA_VISIBLE_DEVICES"
set -g __gpu_set no # what it became, where that was in this job
printf %s "$__gpu_visible" | read -gz -d = __gpu_x __gpu_value
test -z "$__gpu_x"; or set __gpu_set new
if test "$__gpu_x" = "gpus$__gpu_job"; or string match -q '/gpus/*' -- "$__gpu_job/$__gpu_x"
  set __gpu_set ''
  test "$__gpu_visible" = "$__gpu_x"; or set __gpu_set "=$__gpu_value"
end
@each mixed@
set -g __gpu_stands
@each modes@
@else@if @patterns@
  @each in_job@test -z "$__gpu_job"; or set __gpu_stands yes@end in_job@@each if_set@test -n "$__gpu_job"; or set __gpu_stands yes@end if_set@@each always@set __gpu_stands yes@end always@
@end modes@
end
@end mixed@
set __gpu_x
if test -n "$__gpu_old"; and test "$__gpu_job$__gpu_old" = "$__CONDA_GPU_VISIBLE"
  set __gpu_x ours
@each stands@
@each mixed@
else if test -n "$__gpu_stands"; and test -n "$__gpu_old" # others have set it (in_job, if_set)
@end mixed@
@each in_job@
else if test -n "$__gpu_job"; and test -n "$__gpu_old" # the job has set it (in_job: keep)
@end in_job@
@each if_set@
else if test -z "$__gpu_job"; and test -n "$__gpu_old" # it was set (if_set: keep)
@end if_set@
@each always@
else if test -n "$__gpu_old" # it was set (if_set: keep, in_job: keep)
@end always@
  set __gpu_leave CUDA_VISIBLE_DEVICES # it stands, and the order with it
  set -q CUDA_DEVICE_ORDER; and set __gpu_leave CUDA_VISIBLE_DEVICES CUDA_DEVICE_ORDER
  set -gx @state@_AT "$__gpu_at"
  set -eg __CONDA_GPU_VISIBLE
  set -eg @state@_OLD_CUDA_VISIBLE_DEVICES
@end stands@
end
__gpu_keep CUDA_VISIBLE_DEVICES "$__gpu_set" $__gpu_x
@end visible@
@each names@
@each plain@
__gpu_keep @name@
@end plain@
@each list@
__gpu_keep_list @name@ @value@ @separator@
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
@indent@__gpu_keep @name@
@end plain@
@each list@
@indent@__gpu_keep_list @name@ @value@ @separator@
@end list@
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

functions -e __gpu_keep __gpu_set@each lists@ __gpu_has __gpu_keep_list __gpu_add@end lists@
@each visible@
set -eg __gpu_x
set -eg __gpu_old
set -eg __gpu_set
set -eg __gpu_value
set -eg __gpu_job
@end visible@
set -eg __gpu_visible
set -eg __gpu_at
set -eg __gpu_where
set -eg __gpu_leave
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
