# GPU settings of @environment@. Written by conda-gpu @version@ from @source@.
# Undoes what activate.d/@file@ did, where nobody changed it since; it says what is kept.
# conda-gpu digest @digest@

if ($?histchars) eval 'set __gpu_histchars = $histchars:q'
unset histchars
set __gpu_quote = $?backslash_quote
unset backslash_quote

setenv __gpu_level -
if ($?CONDA_SHLVL) eval 'if (x$CONDA_SHLVL:q != x) setenv __gpu_level $CONDA_SHLVL:q'
set __gpu_mine = $?@state@_AT
set __gpu_at = ''
if ($__gpu_mine) eval 'set __gpu_at = ($@state@_AT:x)'
set __gpu_at = $__gpu_at[1]:q
if (x$__gpu_at:q$__gpu_level:q !~ x*[^0-9]* && $__gpu_mine) then
  # Only what was kept at this level, or above: in a parent shell.
  if ($__gpu_at < $__gpu_level) set __gpu_mine = 0
endif
if ($__gpu_mine) then
@each shown@
  setenv __gpu_job ''
@job@
  if (x$@state@_AT:q =~ x*' gpus'*) unsetenv __CONDA_GPU_VISIBLE
  setenv __gpu_now ''
  if ($?CUDA_VISIBLE_DEVICES) eval 'setenv __gpu_now =$CUDA_VISIBLE_DEVICES:q'
  setenv __gpu_old ''
  if ($?@state@_OLD_CUDA_VISIBLE_DEVICES) eval 'setenv __gpu_old $@state@_OLD_CUDA_VISIBLE_DEVICES:q'
  unsetenv @state@_OLD_CUDA_VISIBLE_DEVICES
  set __gpu_is = 0
  if (x$__gpu_job:q == x && x$@state@_AT:q =~ x*' gpus/'*$__gpu_now:q) set __gpu_is = 1
  if ($__gpu_is || x$@state@_AT:q == x$__gpu_at:q' gpus'$__gpu_job:q$__gpu_now:q) then
    unsetenv CUDA_VISIBLE_DEVICES
    # By hooks of ours, too: then it is theirs again.
    if (x$__gpu_old:q =~ xours*) setenv __CONDA_GPU_VISIBLE $__gpu_job:q$__gpu_old:s/ours//:q
    if (x$__gpu_old:q =~ x*=*) setenv CUDA_VISIBLE_DEVICES $__gpu_old:s/ours//:s/=//:q
  endif
@end shown@
  foreach __gpu_undo (@managed_names@)
    setenv __gpu_now ''
    eval 'set __gpu_is = $?'$__gpu_undo
    if ($__gpu_is) eval 'setenv __gpu_now =$'$__gpu_undo':q'
    setenv __gpu_set no
    eval 'set __gpu_is = $?@state@_SET_'$__gpu_undo
    if ($__gpu_is) eval 'setenv __gpu_set $@state@_SET_'$__gpu_undo':q'
    eval 'set __gpu_is = $?@state@_OLD_'$__gpu_undo
    if (x$__gpu_now:q == x$__gpu_set:q) then
      unsetenv $__gpu_undo
      if ($__gpu_is) eval 'setenv '$__gpu_undo' $@state@_OLD_'$__gpu_undo':s/=//:q'
    endif
    unsetenv @state@_SET_$__gpu_undo @state@_OLD_$__gpu_undo
  end
  unsetenv @state@_AT
endif

unsetenv __gpu_*
if ($__gpu_quote) set backslash_quote
if ($?__gpu_histchars) eval 'set histchars = $__gpu_histchars:q'
unset __gpu_*
