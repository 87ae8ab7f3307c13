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
# tcsh has no functions and expands $X even behind a condition that does not hold, so eval gets names, never values.
# conda-gpu digest @digest@

if ($?histchars) eval 'set __gpu_histchars = $histchars:q'
unset histchars
set __gpu_quote = $?backslash_quote
unset backslash_quote

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
setenv __gpu_level -
if ($?CONDA_SHLVL) eval 'if (x$CONDA_SHLVL:q != x) setenv __gpu_level $CONDA_SHLVL:q'
if (! $?@state@_AT) setenv @state@_AT $__gpu_level:q
set __gpu_at = ($@state@_AT:x)
set __gpu_tag = "$__gpu_at[2-]"
set __gpu_at = $__gpu_at[1]:q
set __gpu_leave = ''
set __gpu_where = here
if (x$__gpu_at:q$__gpu_level:q !~ x*[^0-9]*) then
  # ..._AT is the level. Is this environment active at a lower one already?
  if ($__gpu_at < $__gpu_level) then
    set __gpu_where = below
  else
    set __gpu_at = $__gpu_level
  endif
endif
@each references@
setenv __gpu_@name@ ''
if ($?@name@) eval 'setenv __gpu_@name@ $@name@:q'
@end references@
@each visible@

# __CONDA_GPU_VISIBLE: the job, and what hooks of ours, of any environment, made of CUDA_VISIBLE_DEVICES last.
setenv __gpu_job ''
@job@
setenv __gpu_old ''
if ($?CUDA_VISIBLE_DEVICES) eval 'setenv __gpu_old =$CUDA_VISIBLE_DEVICES:q'
setenv __gpu_set no
if ($?__CONDA_GPU_VISIBLE) eval 'setenv __gpu_set $__CONDA_GPU_VISIBLE:q'
set __gpu_ours = ''
@each mixed@
set __gpu_stands = 0
switch ($__gpu_who:q)
@each modes@
@patterns@
@each in_job@
  if (x$__gpu_job:q != x) set __gpu_stands = 1
@end in_job@
@each if_set@
  if (x$__gpu_job:q == x) set __gpu_stands = 1
@end if_set@
@each always@
  set __gpu_stands = 1
@end always@
  breaksw
@end modes@
endsw
@end mixed@
if (x$__gpu_old:q != x && x$__gpu_job:q$__gpu_old:q == x$__gpu_set:q) then
  set __gpu_ours = ours
@each stands@
@each mixed@
else if ($__gpu_stands && x$__gpu_old:q != x) then
  # Others have set it: it stands, and the order with it (in_job, if_set).
@end mixed@
@each in_job@
else if (x$__gpu_job:q != x && x$__gpu_old:q != x) then
  # The job has set it: it stands, and the order with it (in_job: keep).
@end in_job@
@each if_set@
else if (x$__gpu_job:q == x && x$__gpu_old:q != x) then
  # It was set: it stands, and the order with it (if_set: keep).
@end if_set@
@each always@
else if (x$__gpu_old:q != x) then
  # It was set: it stands, and the order with it (if_set: keep, in_job: keep).
@end always@
  set __gpu_leave = ' CUDA_VISIBLE_DEVICES '
  if ($?CUDA_DEVICE_ORDER) set __gpu_leave = ' CUDA_VISIBLE_DEVICES CUDA_DEVICE_ORDER '
  set __gpu_tag = ''
  unsetenv __CONDA_GPU_VISIBLE @state@_OLD_CUDA_VISIBLE_DEVICES
@end stands@
endif
if (x$__gpu_leave:q != x) then
else if (x$__gpu_tag:q == xgpus$__gpu_job:q$__gpu_old:q) then
  # Still as it became.
else if ($__gpu_where == below && x$__gpu_tag:q =~ xgpus$__gpu_job:q*) then
  # What is kept is from further out.
else if ($__gpu_where == below && x$__gpu_tag:q == x) then
  # New here, while active further out: it waits.
  set __gpu_leave = ' CUDA_VISIBLE_DEVICES '
else
  unsetenv @state@_OLD_CUDA_VISIBLE_DEVICES
  if (x$__gpu_ours$__gpu_old:q != x) setenv @state@_OLD_CUDA_VISIBLE_DEVICES $__gpu_ours$__gpu_old:q
endif
@end visible@

@each managed@
@each prepend@
if ($?@name@ && $?@state@_SET_@name@) then
  # What others changed stays, where our element is still in it.
  if (x=$@name@:q == x$@state@_SET_@name@:q) then
  else if (@separator@$@name@:q@separator@ =~ *@pattern@*) then
    set __gpu_leave = "$__gpu_leave @name@ "
  endif
endif
@end prepend@
@each append@
if ($?@name@ && $?@state@_SET_@name@) then
  # What others changed stays, where our element is still in it.
  if (x=$@name@:q == x$@state@_SET_@name@:q) then
  else if (@separator@$@name@:q@separator@ =~ *@pattern@*) then
    set __gpu_leave = "$__gpu_leave @name@ "
  endif
endif
@end append@
@each either@
@each prepend@
if ($?@name@ && $?@state@_SET_@name@) then
  # What others changed stays, where our element is still in it.
  if (x=$@name@:q == x$@state@_SET_@name@:q) then
  else if (@separator@$@name@:q@separator@ =~ *@pattern@*) then
    set __gpu_leave = "$__gpu_leave @name@ "
  endif
endif
@end prepend@
@each append@
if ($?@name@ && $?@state@_SET_@name@) then
  # What others changed stays, where our element is still in it.
  if (x=$@name@:q == x$@state@_SET_@name@:q) then
  else if (@separator@$@name@:q@separator@ =~ *@pattern@*) then
    set __gpu_leave = "$__gpu_leave @name@ "
  endif
endif
@end append@
@end either@
@end managed@
foreach __gpu_x (@names@)
  if ("$__gpu_leave" =~ *" $__gpu_x "*) continue
  setenv __gpu_now ''
  eval 'set __gpu_is = $?'$__gpu_x
  if ($__gpu_is) eval 'setenv __gpu_now =$'$__gpu_x':q'
  setenv __gpu_set no
  eval 'set __gpu_is = $?@state@_SET_'$__gpu_x
  if ($__gpu_is) eval 'setenv __gpu_set $@state@_SET_'$__gpu_x':q'
  if (! $__gpu_is && $__gpu_where == below) then
    # New in a plan that is active below: it waits.
    set __gpu_leave = "$__gpu_leave $__gpu_x "
  else if (! $__gpu_is || ($__gpu_where == here && x$__gpu_now:q != x$__gpu_set:q)) then
    unsetenv @state@_OLD_$__gpu_x
    if (x$__gpu_now:q != x) setenv @state@_OLD_$__gpu_x $__gpu_now:q
  endif
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
@each spares@
set __gpu_leave = "$__gpu_leave@spared@"
@end spares@
@each settings@
@each set@
if ("$__gpu_leave" !~ *' @name@ '*) setenv @name@ @value@
@end set@
@each unset@
if ("$__gpu_leave" !~ *' @name@ '*) unsetenv @name@
@end unset@
@each prepend@
if ("$__gpu_leave" !~ *' @name@ '*) then
  setenv __gpu_old ''
  if ($?@state@_OLD_@name@) eval 'setenv __gpu_old $@state@_OLD_@name@:s/=//:q'
  if (x$__gpu_old:q == x) then
    setenv @name@ @value@
  else if (@separator@$__gpu_old:q@separator@ =~ *@pattern@*) then
    setenv @name@ $__gpu_old:q
  else
    setenv @name@ @value@@separator@$__gpu_old:q
  endif
endif
@end prepend@
@each append@
if ("$__gpu_leave" !~ *' @name@ '*) then
  setenv __gpu_old ''
  if ($?@state@_OLD_@name@) eval 'setenv __gpu_old $@state@_OLD_@name@:s/=//:q'
  if (x$__gpu_old:q == x) then
    setenv @name@ @value@
  else if (@separator@$__gpu_old:q@separator@ =~ *@pattern@*) then
    setenv @name@ $__gpu_old:q
  else
    setenv @name@ $__gpu_old:q@separator@@value@
  endif
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

@each visible@
if ("$__gpu_leave" !~ *' CUDA_VISIBLE_DEVICES '*) then
  unsetenv __CONDA_GPU_VISIBLE
  if ($?CUDA_VISIBLE_DEVICES) eval 'setenv __CONDA_GPU_VISIBLE $__gpu_job:q=$CUDA_VISIBLE_DEVICES:q'
  set __gpu_tag = gpus$__gpu_job:q
  if ($?CUDA_VISIBLE_DEVICES) eval 'set __gpu_tag = $__gpu_tag:q=$CUDA_VISIBLE_DEVICES:q'
endif
@end visible@
setenv @state@_AT $__gpu_at:q
if (x$__gpu_tag:q != x) setenv @state@_AT "$__gpu_at:q $__gpu_tag:q"
foreach __gpu_x (@names@)
  if ("$__gpu_leave" =~ *" $__gpu_x "*) continue
  setenv @state@_SET_$__gpu_x ''
  eval 'set __gpu_is = $?'$__gpu_x
  if ($__gpu_is) eval 'setenv @state@_SET_'$__gpu_x' =$'$__gpu_x':q'
end

@each by_host@
endif
@end by_host@
unsetenv __gpu_*
if ($__gpu_quote) set backslash_quote
if ($?__gpu_histchars) eval 'set histchars = $__gpu_histchars:q'
unset __gpu_*
