# GPU settings of @environment@. Written by conda-gpu @version@ from @source@.
# The counterpart of activate.d/@file@: puts back what each variable was before,
# where that was noted in this job and at this level of activation; else it changes nothing.
# conda-gpu digest @digest@

set __conda_gpu_at = ''
if ($?_CONDOR_JOB_AD) then
  set __conda_gpu_at = $__conda_gpu_at:q$_CONDOR_JOB_AD:q
endif
set __conda_gpu_at = $__conda_gpu_at:q/
if ($?SLURM_JOB_ID) then
  set __conda_gpu_at = $__conda_gpu_at:q$SLURM_JOB_ID:q
endif
set __conda_gpu_at = $__conda_gpu_at:q/
if ($?PBS_JOBID) then
  set __conda_gpu_at = $__conda_gpu_at:q$PBS_JOBID:q
endif
set __conda_gpu_at = $__conda_gpu_at:q/
if ($?LSB_JOBID) then
  set __conda_gpu_at = $__conda_gpu_at:q$LSB_JOBID:q
endif
set __conda_gpu_at = $__conda_gpu_at:q/
if ($?FLUX_JOB_ID) then
  set __conda_gpu_at = $__conda_gpu_at:q$FLUX_JOB_ID:q
endif
set __conda_gpu_at = $__conda_gpu_at:q/
if ($?OAR_JOB_ID) then
  set __conda_gpu_at = $__conda_gpu_at:q$OAR_JOB_ID:q
endif
set __conda_gpu_at = $__conda_gpu_at:q/
if ($?CONDA_SHLVL) then
  set __conda_gpu_at = $__conda_gpu_at:q$CONDA_SHLVL:q
endif
@each managed@

if ($?@state@_AT_@name@) then
  if (x$@state@_AT_@name@:h:q == x$__conda_gpu_at:q) then
    if ($?@state@_OLD_@name@ && x$@state@_AT_@name@:t:q == xset) then
      setenv @name@ $@state@_OLD_@name@:q
    else
      unsetenv @name@
@each visible@
      unsetenv __CONDA_GPU_FREE_JOB
@end visible@
    endif
    unsetenv @state@_AT_@name@
    unsetenv @state@_OLD_@name@
  endif
endif
@end managed@

unset __conda_gpu_at
