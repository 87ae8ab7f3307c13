# GPU settings of @environment@. Written by conda-gpu @version@ from @source@.
# Puts back what activate.d/@file@ kept in this job at this level; without that, changes nothing.
# conda-gpu digest @digest@

set -l __conda_gpu_at "$_CONDOR_JOB_AD/$SLURM_JOB_ID.$SLURM_STEP_ID/$PBS_JOBID/$LSB_JOBID/$FLUX_JOB_ID/$OAR_JOB_ID/$CONDA_SHLVL"
@each managed@

if test "$@state@_AT_@name@" = "$__conda_gpu_at/1"; and set -q @state@_OLD_@name@
  set -gx @name@ $@state@_OLD_@name@
  set -eg @state@_AT_@name@ @state@_OLD_@name@
else if contains -- "$@state@_AT_@name@" "$__conda_gpu_at/"{,0,1}
  set -eg @name@@each visible@ __CONDA_GPU_FREE_JOB@end visible@ @state@_AT_@name@ @state@_OLD_@name@
end
@end managed@

true
