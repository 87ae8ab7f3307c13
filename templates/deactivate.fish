# GPU settings of @environment@. Written by conda-gpu @version@ from @source@.
# Puts back what activate.d/@file@ kept in this job at this level; without that, changes nothing.
# conda-gpu digest @digest@

set -l __conda_gpu_at "$_CONDOR_JOB_AD/$SLURM_JOB_ID.$SLURM_STEP_ID/$PBS_JOBID/$LSB_JOBID/$FLUX_JOB_ID/$OAR_JOB_ID/$CONDA_SHLVL"
if test "@each variables@$@state@_AT_@name@ @end variables@@each former@$@state@_AT_@name@@end former@" = "@each variables@$__conda_gpu_at/0 @end variables@"
  # Usual: all were kept here, and none was set.
  set -eg@each variables@ @name@@each visible@ __CONDA_GPU_FREE_JOB@end visible@ @state@_AT_@name@ @state@_OLD_@name@@end variables@
else
  set -l __conda_gpu_x
  for __conda_gpu_x in@each managed@ @name@@end managed@
    set -l __conda_gpu_at_x @state@_AT_$__conda_gpu_x
    set -l __conda_gpu_old_x @state@_OLD_$__conda_gpu_x
    if test "$$__conda_gpu_at_x" = "$__conda_gpu_at/1"; and set -q $__conda_gpu_old_x
      set -gx $__conda_gpu_x $$__conda_gpu_old_x
      set -eg $__conda_gpu_at_x $__conda_gpu_old_x
    else if contains -- "$$__conda_gpu_at_x" "$__conda_gpu_at/"{,0,1}
      set -eg $__conda_gpu_x $__conda_gpu_at_x $__conda_gpu_old_x
      test $__conda_gpu_x != CUDA_VISIBLE_DEVICES; or set -eg __CONDA_GPU_FREE_JOB
    end
  end
end
true
