# GPU settings of @environment@@whom@. Written by conda-gpu @version@ from @source@.
# Change that file and run `conda-gpu apply`, which stops at an edit made here.
@each devices@
#   cuda:@ordinal@  GPU @number@  @name@  @memory@  @address@  @uuid@
@end devices@
@each about@
#   @text@
@end about@
# What is kept of each variable, the .sh file beside this one says.
# tcsh has no functions and expands $X even behind a condition that does not hold, so eval gets names, never values.
# conda-gpu digest @digest@

if ($?histchars) eval 'set __gpu_histchars = $histchars:q; unset histchars'
if ($?backslash_quote) eval 'set __gpu_quote; unset backslash_quote'

@each by_host@
# Only on the machines that apply has served: on any other, nothing changes. tcsh sets HOST as it starts.
set __gpu_host = ''
if ($?HOST) eval 'set __gpu_host = $HOST:q'
set __gpu_is = 0
switch ($__gpu_host:q)
@hosts@
  set __gpu_is = 1
endsw
if ($__gpu_is) then
@end by_host@
@each decided@
set __gpu_who = ''
@end decided@
@each by_user@
if ($?USER) eval 'set __gpu_who = $USER:q'
if (x$__gpu_who:q == x) set __gpu_who = `id -un`
@end by_user@
@each joined@
set __gpu_who = $__gpu_who:q@at@$__gpu_host:q
@end joined@
@each picks@
# Which number below.
switch ($__gpu_host:q)
@each machines@
case @host@:
  switch ($__gpu_who:q)
@each users@
@patterns@
    set __gpu_who = @number@
    breaksw
@end users@
  endsw
  breaksw
@end machines@
endsw
@end picks@
set __gpu_stays = '' __gpu_inner = 0 __gpu_at = - __gpu_level = -
if ($?@state@_LEVEL) eval 'if (x$@state@_LEVEL:q != x) set __gpu_at = $@state@_LEVEL:q'
if ($?CONDA_SHLVL) eval 'if (x$CONDA_SHLVL:q != x) set __gpu_level = $CONDA_SHLVL:q'
if (x$__gpu_at:q$__gpu_level:q !~ x*[^0-9]*) then
  # Is the environment active at that level already?
  if ($__gpu_at < $__gpu_level) set __gpu_inner = 1
endif
if (! $__gpu_inner) setenv @state@_LEVEL $__gpu_level:q
@each references@
set __gpu_@name@ = ''
if ($?@name@) eval 'set __gpu_@name@ = $@name@:q'
@end references@
@each visible@

@job@
# __CONDA_GPU_VISIBLE: the job, and what a conda-gpu hook of any environment last made of CUDA_VISIBLE_DEVICES in it.
set __gpu_by = '' __gpu_now = '' __gpu_made = no
if ($?CUDA_VISIBLE_DEVICES) eval 'set __gpu_now = :$CUDA_VISIBLE_DEVICES:q'
if ($?__CONDA_GPU_VISIBLE) eval 'set __gpu_made = $__CONDA_GPU_VISIBLE:q'
@each mixed@
set __gpu_stands = 0
switch ($__gpu_who:q)
@each modes@
@patterns@
  # Whether a value of others stands: in_job, if_set.
@each in_job@
  if (x$__gpu_job:q != x && x$__gpu_now:q != x) set __gpu_stands = 1
@end in_job@
@each if_set@
  if (x$__gpu_job:q == x && x$__gpu_now:q != x) set __gpu_stands = 1
@end if_set@
@each always@
  if (x$__gpu_now:q != x) set __gpu_stands = 1
@end always@
  breaksw
@end modes@
endsw
@end mixed@
if (x$__gpu_made:q == x$__gpu_job:q$__gpu_now:q) then
  set __gpu_by = hook
@each nowhere@
else if (x$__gpu_job:q != x) then
  # It is the job's: what was saved outside of it does not count.
@end nowhere@
@each in_job@
else if (x$__gpu_job:q != x) then
  # It is the job's: what was saved outside of it does not count.
@end in_job@
@each if_set@
else if (x$__gpu_job:q$__gpu_now:q != x) then
  # It is somebody else's: what was saved does not count.
@end if_set@
@each always@
else if (x$__gpu_job:q$__gpu_now:q != x) then
  # It is somebody else's: what was saved does not count.
@end always@
@each mixed@
else if (x$__gpu_job:q != x || $__gpu_stands) then
  # It is somebody else's: what was saved does not count.
@end mixed@
  unsetenv __CONDA_GPU_VISIBLE @state@_SET_CUDA_VISIBLE_DEVICES @state@_OLD_CUDA_VISIBLE_DEVICES
@each in_job@
  # If it is set, it stands, and a CUDA_DEVICE_ORDER with it (in_job: keep).
  if (x$__gpu_now:q != x) then
@end in_job@
@each if_set@
  # Outside of jobs it stands, and a CUDA_DEVICE_ORDER with it (if_set: keep).
  if (x$__gpu_job:q == x) then
@end if_set@
@each always@
  # If it is set, it stands, and a CUDA_DEVICE_ORDER with it (in_job: keep, if_set: keep).
  if (x$__gpu_now:q != x) then
@end always@
@each mixed@
  # If it is to stand, it does, and a CUDA_DEVICE_ORDER with it (in_job, if_set).
  if ($__gpu_stands) then
@end mixed@
@each stands@
    set __gpu_stays = ' CUDA_VISIBLE_DEVICES '
    if ($?CUDA_DEVICE_ORDER) set __gpu_stays = ' CUDA_VISIBLE_DEVICES CUDA_DEVICE_ORDER '
  endif
@end stands@
endif
@end visible@

@each managed@
@each element@
if ($?@name@ && $?@state@_SET_@name@) then
  # What others changed stays, where our element is still in it.
  if (x:$@name@:q != x$@state@_SET_@name@:q && @separator@$@name@:q@separator@ =~ *@pattern@*) \
    set __gpu_stays = "$__gpu_stays @name@ "
endif
@end element@
@each either@
@each element@
if ($?@name@ && $?@state@_SET_@name@) then
  # What others changed stays, where our element is still in it.
  if (x:$@name@:q != x$@state@_SET_@name@:q && @separator@$@name@:q@separator@ =~ *@pattern@*) \
    set __gpu_stays = "$__gpu_stays @name@ "
endif
@end element@
@end either@
@end managed@
# Save what each is, unless an earlier activation made it so. What the outermost activation has not set stays as it is.
foreach __gpu_x (@each visible@CUDA_VISIBLE_DEVICES @end visible@@names@)
  if ("$__gpu_stays" =~ *" $__gpu_x "*) continue
  eval 'set __gpu_is = ($?'$__gpu_x' $?@state@_SET_'$__gpu_x')'
  set __gpu_now = '' __gpu_made = no
  if ($__gpu_is[1]) eval 'set __gpu_now = :$'$__gpu_x':q'
  if ($__gpu_is[2]) eval 'set __gpu_made = $@state@_SET_'$__gpu_x':q'
  if (x$__gpu_now:q == x$__gpu_made:q) continue
  if ($__gpu_inner) then
    if (! $__gpu_is[2]) set __gpu_stays = "$__gpu_stays $__gpu_x "
    continue
  endif
@each visible@
  if ($__gpu_x == CUDA_VISIBLE_DEVICES) set __gpu_now = $__gpu_by$__gpu_now:q
@end visible@
  unsetenv @state@_OLD_$__gpu_x
  if (x$__gpu_now:q != x) setenv @state@_OLD_$__gpu_x $__gpu_now:q
end

@each decided@
switch ($__gpu_who:q)
@end decided@
@each branches@
@each case@
# @lines@
@each devices@
#   cuda:@ordinal@  GPU @number@  @name@  @memory@  @address@  @uuid@
@end devices@
@each about@
#   @text@
@end about@
@patterns@
@end case@
@each settings@
@each set@
if ("$__gpu_stays" !~ *' @name@ '*) then
  setenv @name@ @value@
  setenv @state@_SET_@name@ :@value@
@each is_visible@
  setenv __CONDA_GPU_VISIBLE $__gpu_job:q$@state@_SET_@name@:q
@end is_visible@
endif
@end set@
@each unset@
if ("$__gpu_stays" !~ *' @name@ '*) then
  unsetenv @name@
  setenv @state@_SET_@name@ ''
@each is_visible@
  setenv __CONDA_GPU_VISIBLE $__gpu_job:q
@end is_visible@
endif
@end unset@
@each prepend@
if ("$__gpu_stays" !~ *' @name@ '*) then
  set __gpu_old = ''
  if ($?@state@_OLD_@name@) eval 'set __gpu_old = $@state@_OLD_@name@:s/://:q'
  if (x$__gpu_old:q == x) then
    setenv @name@ @value@
  else if (@separator@$__gpu_old:q@separator@ =~ *@pattern@*) then
    setenv @name@ $__gpu_old:q
  else
    setenv @name@ @value@@separator@$__gpu_old:q
  endif
  setenv @state@_SET_@name@ :$@name@:q
endif
@end prepend@
@each append@
if ("$__gpu_stays" !~ *' @name@ '*) then
  set __gpu_old = ''
  if ($?@state@_OLD_@name@) eval 'set __gpu_old = $@state@_OLD_@name@:s/://:q'
  if (x$__gpu_old:q == x) then
    setenv @name@ @value@
  else if (@separator@$__gpu_old:q@separator@ =~ *@pattern@*) then
    setenv @name@ $__gpu_old:q
  else
    setenv @name@ $__gpu_old:q@separator@@value@
  endif
  setenv @state@_SET_@name@ :$@name@:q
endif
@end append@
@end settings@
@each end@
breaksw
@end end@
@end branches@
@each decided@
endsw
@end decided@

@each by_host@
endif
@end by_host@
if ($?__gpu_quote) set backslash_quote
if ($?__gpu_histchars) eval 'set histchars = $__gpu_histchars:q'
unset __gpu_*
