# GPU settings of @environment@. Written by conda-gpu @version@ from @source@.
# Puts back what activate.d/@file@ kept in this job at this level; without that, changes nothing.
# conda-gpu digest @digest@

if ($?CONDA_SHLVL@each variables@ && $?@state@_AT_@name@@end variables@ && ! ($?_CONDOR_JOB_AD || $?SLURM_JOB_ID || $?SLURM_STEP_ID || $?PBS_JOBID || $?LSB_JOBID || $?FLUX_JOB_ID || $?OAR_JOB_ID)) then
  # Usual: all were kept here, and none was set.
  if (x@each variables@/$@state@_AT_@name@:q@end variables@ == x@each variables@//./////$CONDA_SHLVL:q/0@end variables@) unsetenv@each variables@ @name@@each visible@ __CONDA_GPU_FREE_JOB@end visible@ @state@_AT_@name@ @state@_OLD_@name@@end variables@
endif

if (0@each managed@ || $?@state@_AT_@name@@end managed@) then
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
  endif
  if ($?CONDA_SHLVL) then
    setenv __conda_gpu_at $__conda_gpu_at:q/$CONDA_SHLVL:q
  else
    setenv __conda_gpu_at $__conda_gpu_at:q/
  endif
@each managed@
  if ($?@state@_AT_@name@ && $?@state@_OLD_@name@) then
    if (x$@state@_AT_@name@:q == x$__conda_gpu_at:q/1) setenv @name@ $@state@_OLD_@name@:q
    if (x$@state@_AT_@name@:h:q == x$__conda_gpu_at:q && x$@state@_AT_@name@:t:q != x1) unsetenv @name@@each visible@ __CONDA_GPU_FREE_JOB@end visible@
    if (x$@state@_AT_@name@:h:q == x$__conda_gpu_at:q) unsetenv @state@_AT_@name@ @state@_OLD_@name@
  else if ($?@state@_AT_@name@) then
    if (x$@state@_AT_@name@:h:q == x$__conda_gpu_at:q) unsetenv @name@@each visible@ __CONDA_GPU_FREE_JOB@end visible@ @state@_AT_@name@
  endif
@end managed@

  unsetenv __conda_gpu_at
endif
