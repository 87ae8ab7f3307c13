# GPU settings of @environment@. Written by conda-gpu @version@ from @source@.
# Takes back what activate.d/@file@ did, which says what is kept, where nobody has changed it since.
# conda-gpu digest @digest@

if ($?histchars) eval 'set __conda_gpu_histchars = $histchars:q'
unset histchars
set __conda_gpu_quote = $?backslash_quote
unset backslash_quote

setenv __conda_gpu_level -
if ($?CONDA_SHLVL) eval 'if (x$CONDA_SHLVL:q != x) setenv __conda_gpu_level $CONDA_SHLVL:q'
set __conda_gpu_mine = $?@state@_AT
set __conda_gpu_at = ''
if ($__conda_gpu_mine) eval 'set __conda_gpu_at = ($@state@_AT:x)'
set __conda_gpu_at = $__conda_gpu_at[1]:q
if (x$__conda_gpu_at:q$__conda_gpu_level:q !~ x*[^0-9]* && $__conda_gpu_mine) then
  # Only what was kept at this level, or above: in a parent shell.
  if ($__conda_gpu_at < $__conda_gpu_level) set __conda_gpu_mine = 0
endif
if ($__conda_gpu_mine) then
@each shown@
  setenv __conda_gpu_job ''
@job@
  if (x$@state@_AT:q =~ x*' visible'*) unsetenv __CONDA_GPU_VISIBLE
  setenv __conda_gpu_now ''
  if ($?CUDA_VISIBLE_DEVICES) eval 'setenv __conda_gpu_now =$CUDA_VISIBLE_DEVICES:q'
  setenv __conda_gpu_old ''
  if ($?@state@_OLD_CUDA_VISIBLE_DEVICES) eval 'setenv __conda_gpu_old $@state@_OLD_CUDA_VISIBLE_DEVICES:q'
  unsetenv @state@_OLD_CUDA_VISIBLE_DEVICES
  set __conda_gpu_is = 0
  if (x$__conda_gpu_job:q == x && x$@state@_AT:q =~ x*' visible/'*$__conda_gpu_now:q) set __conda_gpu_is = 1
  if ($__conda_gpu_is || x$@state@_AT:q == x$__conda_gpu_at:q' visible'$__conda_gpu_job:q$__conda_gpu_now:q) then
    unsetenv CUDA_VISIBLE_DEVICES
    # By hooks of ours, too: then it is theirs again.
    if (x$__conda_gpu_old:q =~ xours*) setenv __CONDA_GPU_VISIBLE $__conda_gpu_job:q$__conda_gpu_old:s/ours//:q
    if (x$__conda_gpu_old:q =~ x*=*) setenv CUDA_VISIBLE_DEVICES $__conda_gpu_old:s/ours//:s/=//:q
  endif
@end shown@
  foreach __conda_gpu_undo (@managed_names@)
    setenv __conda_gpu_now ''
    eval 'set __conda_gpu_is = $?'$__conda_gpu_undo
    if ($__conda_gpu_is) eval 'setenv __conda_gpu_now =$'$__conda_gpu_undo':q'
    setenv __conda_gpu_set no
    eval 'set __conda_gpu_is = $?@state@_SET_'$__conda_gpu_undo
    if ($__conda_gpu_is) eval 'setenv __conda_gpu_set $@state@_SET_'$__conda_gpu_undo':q'
    eval 'set __conda_gpu_is = $?@state@_OLD_'$__conda_gpu_undo
    if (x$__conda_gpu_now:q == x$__conda_gpu_set:q) then
      unsetenv $__conda_gpu_undo
      if ($__conda_gpu_is) eval 'setenv '$__conda_gpu_undo' $@state@_OLD_'$__conda_gpu_undo':s/=//:q'
    endif
    unsetenv @state@_SET_$__conda_gpu_undo @state@_OLD_$__conda_gpu_undo
  end
  unsetenv @state@_AT
endif

unsetenv __conda_gpu_*
if ($__conda_gpu_quote) set backslash_quote
if ($?__conda_gpu_histchars) eval 'set histchars = $__conda_gpu_histchars:q'
unset __conda_gpu_*
