# GPU settings of @environment@. Written by conda-gpu @version@ from @source@.
# Change that file and run `conda-gpu apply`; an edit made here is noticed, not kept.
@each devices@
#   cuda:@ordinal@  GPU @number@  @name@  @memory@  @address@  @uuid@
@end devices@
@each unconfirmed@
#   CUDA_VISIBLE_DEVICES=@visible@, which no driver has confirmed: there was none.
@end unconfirmed@
@each all_devices@
#   all GPUs of this machine: CUDA_VISIBLE_DEVICES is unset.
@end all_devices@
@each no_devices@
#   no GPU: CUDA_VISIBLE_DEVICES=-1 hides them all.
@end no_devices@
# ..._OLD_X keeps what X was; ..._AT_X says in which job, at which level, and 1 if it was set.
# conda-gpu digest @digest@

if ($?CONDA_SHLVL && ! ($?_CONDOR_JOB_AD || $?SLURM_JOB_ID || $?SLURM_STEP_ID || $?PBS_JOBID || $?LSB_JOBID || $?FLUX_JOB_ID || $?OAR_JOB_ID@each variables@ || $?@name@@end variables@@each managed@ || $?@state@_AT_@name@@end managed@)) then
  # Usual: none of them was set, no job, and nothing is kept yet.
@each variables@
  setenv @state@_AT_@name@ /./////$CONDA_SHLVL:q/0
@each keep@
  setenv @name@@each set@ @value@@end set@
@end keep@
@end variables@
else
  setenv __conda_gpu_at /.////
  if ($?_CONDOR_JOB_AD || $?SLURM_JOB_ID || $?SLURM_STEP_ID || $?PBS_JOBID || $?LSB_JOBID || $?FLUX_JOB_ID || $?OAR_JOB_ID) then
    if (! $?_CONDOR_JOB_AD) set _CONDOR_JOB_AD
    if (! $?SLURM_JOB_ID) set SLURM_JOB_ID
    if (! $?SLURM_STEP_ID) set SLURM_STEP_ID
    if (! $?PBS_JOBID) set PBS_JOBID
    if (! $?LSB_JOBID) set LSB_JOBID
    if (! $?FLUX_JOB_ID) set FLUX_JOB_ID
    if (! $?OAR_JOB_ID) set OAR_JOB_ID
    setenv __conda_gpu_at $_CONDOR_JOB_AD:q/$SLURM_JOB_ID:q.$SLURM_STEP_ID:q/$PBS_JOBID:q/$LSB_JOBID:q/$FLUX_JOB_ID:q/$OAR_JOB_ID:q
    unset _CONDOR_JOB_AD SLURM_JOB_ID SLURM_STEP_ID PBS_JOBID LSB_JOBID FLUX_JOB_ID OAR_JOB_ID
    # What a job has set stays (in_job: keep); else it is ours to set.
    if (! $?CUDA_VISIBLE_DEVICES) setenv __CONDA_GPU_FREE_JOB $__conda_gpu_at:q
@each keep@
    setenv __conda_gpu_keep
    if ($?__CONDA_GPU_FREE_JOB) then
      if (x$__CONDA_GPU_FREE_JOB:q == x$__conda_gpu_at:q) unsetenv __conda_gpu_keep
    endif
@end keep@
  endif
  if ($?CONDA_SHLVL) then
    setenv __conda_gpu_at $__conda_gpu_at:q/$CONDA_SHLVL:q
  else
    setenv __conda_gpu_at $__conda_gpu_at:q/
  endif
@each former@

  # @name@ is in the plan no more: as it was before.
  if ($?@state@_AT_@name@ && $?@state@_OLD_@name@) then
    if (x$@state@_AT_@name@:q == x$__conda_gpu_at:q/1) setenv @name@ $@state@_OLD_@name@:q
    if (x$@state@_AT_@name@:h:q == x$__conda_gpu_at:q && x$@state@_AT_@name@:t:q != x1) unsetenv @name@
    if (x$@state@_AT_@name@:h:q == x$__conda_gpu_at:q) unsetenv @state@_AT_@name@ @state@_OLD_@name@
  else if ($?@state@_AT_@name@) then
    if (x$@state@_AT_@name@:h:q == x$__conda_gpu_at:q) unsetenv @name@ @state@_AT_@name@
  endif
@end former@
@each variables@

@each keep@
  if (! $?__conda_gpu_keep) then
@end keep@
  if ($?@state@_AT_@name@) then
    if (x$@state@_AT_@name@:h:h:q != x$__conda_gpu_at:h:q) unsetenv @state@_AT_@name@
  endif
  if (! $?@state@_AT_@name@) then
    setenv @state@_AT_@name@ $__conda_gpu_at:q/$?@name@
    if ($?@name@) then
      setenv @state@_OLD_@name@ $@name@:q
    endif
  endif
@each keep@
    setenv @name@@each set@ @value@@end set@
  else
    if ($?@state@_AT_@name@ && $?@state@_OLD_@name@) then
      if (x$@state@_AT_@name@:q == x$__conda_gpu_at:q/1) setenv @name@ $@state@_OLD_@name@:q
      if (x$@state@_AT_@name@:h:q == x$__conda_gpu_at:q && x$@state@_AT_@name@:t:q != x1) unsetenv @name@
      if (x$@state@_AT_@name@:h:q == x$__conda_gpu_at:q) unsetenv @state@_AT_@name@ @state@_OLD_@name@
    else if ($?@state@_AT_@name@) then
      if (x$@state@_AT_@name@:h:q == x$__conda_gpu_at:q) unsetenv @name@ @state@_AT_@name@
    endif
  endif
@end keep@
@end variables@

@each keep@
  unsetenv __conda_gpu_keep
@end keep@
  unsetenv __conda_gpu_at
endif

@each variables@
@each always@
@each set@
setenv @name@ @value@
@end set@
@each unset@
unsetenv @name@
@end unset@
@each prepend@
setenv @name@ @value@
if (x$@state@_AT_@name@:t:q == x1 && $?@state@_OLD_@name@) then
  if (x$@state@_OLD_@name@:q != x) then
    setenv @name@ @value@@separator@$@state@_OLD_@name@:q
  endif
endif
@end prepend@
@each append@
setenv @name@ @value@
if (x$@state@_AT_@name@:t:q == x1 && $?@state@_OLD_@name@) then
  if (x$@state@_OLD_@name@:q != x) then
    setenv @name@ $@state@_OLD_@name@:q@separator@@value@
  endif
endif
@end append@
@end always@
@end variables@
