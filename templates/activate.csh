# GPU settings of @environment@. Written by conda-gpu @version@ from @source@.
# Change that file and run `conda-gpu apply`; an edit made here is noticed, not kept.
@each devices@
#   cuda:@ordinal@  GPU @number@  @name@  @memory@  @address@  @uuid@
@end devices@
@each no_devices@
#   no GPU: CUDA_VISIBLE_DEVICES=-1 hides them all.
@end no_devices@
#
# conda sources this file at activation. It keeps what a variable was before in two exported ones,
# for deactivate.d/@file@ to put back:
#   @state@_OLD_NAME  its value
#   @state@_AT_NAME   in which job, at which level, and whether it was set
# conda-gpu digest @digest@

set __conda_gpu_job = ''
if ($?_CONDOR_JOB_AD) then
  set __conda_gpu_job = $__conda_gpu_job:q$_CONDOR_JOB_AD:q
endif
set __conda_gpu_job = $__conda_gpu_job:q/
if ($?SLURM_JOB_ID) then
  set __conda_gpu_job = $__conda_gpu_job:q$SLURM_JOB_ID:q
endif
set __conda_gpu_job = $__conda_gpu_job:q/
if ($?PBS_JOBID) then
  set __conda_gpu_job = $__conda_gpu_job:q$PBS_JOBID:q
endif
set __conda_gpu_job = $__conda_gpu_job:q/
if ($?LSB_JOBID) then
  set __conda_gpu_job = $__conda_gpu_job:q$LSB_JOBID:q
endif
set __conda_gpu_job = $__conda_gpu_job:q/
if ($?FLUX_JOB_ID) then
  set __conda_gpu_job = $__conda_gpu_job:q$FLUX_JOB_ID:q
endif
set __conda_gpu_job = $__conda_gpu_job:q/
if ($?OAR_JOB_ID) then
  set __conda_gpu_job = $__conda_gpu_job:q$OAR_JOB_ID:q
endif
set __conda_gpu_at = $__conda_gpu_job:q/
if ($?CONDA_SHLVL) then
  set __conda_gpu_at = $__conda_gpu_at:q$CONDA_SHLVL:q
endif
@each former@

# @name@ is in the plan no more: as it was before.
if ($?@state@_AT_@name@) then
  if (x$@state@_AT_@name@:h:q == x$__conda_gpu_at:q) then
    if ($?@state@_OLD_@name@ && x$@state@_AT_@name@:t:q == xset) then
      setenv @name@ $@state@_OLD_@name@:q
    else
      unsetenv @name@
    endif
    unsetenv @state@_AT_@name@
    unsetenv @state@_OLD_@name@
  endif
endif
@end former@
@each variables@

@each visible@
# A job that has not set @name@ leaves it to this environment, and to those stacked on it.
if (x$__conda_gpu_job:q != x/////) then
  if (! $?@name@) then
    setenv __CONDA_GPU_FREE_JOB $__conda_gpu_job:q
  endif
endif
@end visible@
@each keep@
# A job that has set it has the last word (in_job: keep).
set __conda_gpu_ours = 0
if (x$__conda_gpu_job:q == x/////) then
  set __conda_gpu_ours = 1
else if ($?__CONDA_GPU_FREE_JOB) then
  if (x$__CONDA_GPU_FREE_JOB:q == x$__conda_gpu_job:q) set __conda_gpu_ours = 1
endif
if ($__conda_gpu_ours) then
@end keep@
if (! $?@state@_AT_@name@) setenv @state@_AT_@name@ ''
if (x$@state@_AT_@name@:h:h:q != x$__conda_gpu_job:q) then
  if ($?@name@) then
    setenv @state@_AT_@name@ $__conda_gpu_at:q/set
    setenv @state@_OLD_@name@ $@name@:q
  else
    setenv @state@_AT_@name@ $__conda_gpu_at:q/
    setenv @state@_OLD_@name@ ''
  endif
endif
@each set@
setenv @name@ @value@
@end set@
@each unset@
unsetenv @name@
@end unset@
@each prepend@
setenv @name@ @value@
if ($?@state@_OLD_@name@) then
  if (x$@state@_OLD_@name@:q != x) then
    setenv @name@ $@name@:q@separator@$@state@_OLD_@name@:q
  endif
endif
@end prepend@
@each append@
setenv @name@ @value@
if ($?@state@_OLD_@name@) then
  if (x$@state@_OLD_@name@:q != x) then
    setenv @name@ $@state@_OLD_@name@:q@separator@$@name@:q
  endif
endif
@end append@
@each keep@
endif
unset __conda_gpu_ours
@end keep@
@end variables@

unset __conda_gpu_job __conda_gpu_at
