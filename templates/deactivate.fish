# GPU settings of @environment@. Written by conda-gpu @version@ from @source@.
# The counterpart of activate.d/@file@: puts back what each variable was before,
# where that was noted in this job and at this level of activation; else it changes nothing.
# conda-gpu digest @digest@

set -l __conda_gpu_at "$SLURM_JOB_ID/$PBS_JOBID/$LSB_JOBID/$FLUX_JOB_ID/$OAR_JOB_ID/$_CONDOR_JOB_AD/$CONDA_SHLVL"
@each managed@

if test "$@state@_AT_@name@" = "$__conda_gpu_at"
  set -gx @name@ $@state@_OLD_@name@
  set -q @state@_OLD_@name@; or set -eg @name@@each visible@ __CONDA_GPU_FREE_JOB@end visible@
  set -eg @state@_AT_@name@ @state@_OLD_@name@
end
@end managed@

true
