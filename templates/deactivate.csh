# GPU settings of @environment@. Written by conda-gpu @version@ from @source@.
# Undoes what activate.d/@file@ did, and leaves what others have changed since; that file explains the rest.
# conda-gpu digest @digest@

if ($?histchars) eval 'set __gpu_histchars = $histchars:q; unset histchars'
if ($?backslash_quote) eval 'set __gpu_quote; unset backslash_quote'

set __gpu_at = '' __gpu_level = -
if ($?CONDA_SHLVL) eval 'if (x$CONDA_SHLVL:q != x) set __gpu_level = $CONDA_SHLVL:q'
if ($?@state@_LEVEL) eval 'set __gpu_at = $@state@_LEVEL:q'
if (x$__gpu_at:q != x && x$__gpu_at:q$__gpu_level:q !~ x*[^0-9]*) then
  # Does the environment stay active at a lower level?
  if ($__gpu_at < $__gpu_level) set __gpu_at = ''
endif
@each shown@

@job@

@end shown@
if (x$__gpu_at:q != x) then
@each shown@
  set __gpu_now = '' __gpu_made = no
  if ($?CUDA_VISIBLE_DEVICES) eval 'set __gpu_now = :$CUDA_VISIBLE_DEVICES:q'
  if ($?__CONDA_GPU_VISIBLE) eval 'set __gpu_made = $__CONDA_GPU_VISIBLE:q'
  if (x$__gpu_job:q != x && x$__gpu_made:q != x$__gpu_job:q$__gpu_now:q) then
    # It is the job's.
    unsetenv __CONDA_GPU_VISIBLE @state@_SET_CUDA_VISIBLE_DEVICES @state@_OLD_CUDA_VISIBLE_DEVICES
  endif
  if ($?@state@_SET_CUDA_VISIBLE_DEVICES) unsetenv __CONDA_GPU_VISIBLE
@end shown@
  # What is as it became goes back to what it was; that is "hook" where a conda-gpu hook had made it.
  foreach __gpu_undo (@each shown@CUDA_VISIBLE_DEVICES @end shown@@managed_names@)
    eval 'set __gpu_is = ($?'$__gpu_undo' $?@state@_SET_'$__gpu_undo' $?@state@_OLD_'$__gpu_undo')'
    set __gpu_now = '' __gpu_made = no __gpu_old = ''
    if ($__gpu_is[1]) eval 'set __gpu_now = :$'$__gpu_undo':q'
    if ($__gpu_is[2]) eval 'set __gpu_made = $@state@_SET_'$__gpu_undo':q'
    if (x$__gpu_now:q == x$__gpu_made:q) then
      if ($__gpu_is[3]) eval 'set __gpu_old = $@state@_OLD_'$__gpu_undo':q'
@each shown@
      if (x$__gpu_old:q =~ xhook*) then
        set __gpu_old = $__gpu_old:s/hook//:q
        setenv __CONDA_GPU_VISIBLE $__gpu_job:q$__gpu_old:q
      endif
@end shown@
      if (x$__gpu_old:q == x) then
        unsetenv $__gpu_undo
      else
        setenv $__gpu_undo $__gpu_old:s/://:q
      endif
    endif
    unsetenv @state@_SET_$__gpu_undo @state@_OLD_$__gpu_undo
  end
  unsetenv @state@_LEVEL
endif

if ($?__gpu_quote) set backslash_quote
if ($?__gpu_histchars) eval 'set histchars = $__gpu_histchars:q'
unset __gpu_*
