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

set -q@each variables@ @name@@end variables@
if test "$status $_CONDOR_JOB_AD/$SLURM_JOB_ID.$SLURM_STEP_ID/$PBS_JOBID/$LSB_JOBID/$FLUX_JOB_ID/$OAR_JOB_ID@each managed@$@state@_AT_@name@@end managed@" = "@count@ /.////"
  # Usual: none of them was set, no job, and nothing is kept yet.
@each variables@
  set -gx @state@_AT_@name@ "/./////$CONDA_SHLVL/0"
@each keep@
  set -gx @name@@each set@ @value@@end set@
@end keep@
@end variables@
else
  set -l __conda_gpu_job "$_CONDOR_JOB_AD/$SLURM_JOB_ID.$SLURM_STEP_ID/$PBS_JOBID/$LSB_JOBID/$FLUX_JOB_ID/$OAR_JOB_ID"
  set -l __conda_gpu_at "$__conda_gpu_job/$CONDA_SHLVL"
  set -l __conda_gpu_back@each former@ @name@@end former@
  set -l __conda_gpu_x

  if test "$__conda_gpu_job" != /.////; and not set -q CUDA_VISIBLE_DEVICES
    set -gx __CONDA_GPU_FREE_JOB "$__conda_gpu_job"
  end
@each keep@
  # What a job has set stays (in_job: keep); else it is ours to set.
  contains -- "$__conda_gpu_job" /.//// "$__CONDA_GPU_FREE_JOB"; or set __conda_gpu_back $__conda_gpu_back CUDA_VISIBLE_DEVICES
@end keep@

  # Keeps what each was, once in a job; what is not ours, or not in the plan any more, is put back.
  for __conda_gpu_x in@each managed@ @name@@end managed@
    set -l __conda_gpu_at_x @state@_AT_$__conda_gpu_x
    set -l __conda_gpu_old_x @state@_OLD_$__conda_gpu_x
    if not contains -- $__conda_gpu_x $__conda_gpu_back
      if not set -q $__conda_gpu_at_x; or not contains -- "$$__conda_gpu_at_x" "$__conda_gpu_job"/{,1,2,3,4,5,6,7,8,9}{,0,1,2,3,4,5,6,7,8,9}/{,0,1}
        set -gx $__conda_gpu_old_x $$__conda_gpu_x
        not set -q $__conda_gpu_x
        set -gx $__conda_gpu_at_x "$__conda_gpu_at/$status"
      end
    else if test "$$__conda_gpu_at_x" = "$__conda_gpu_at/1"; and set -q $__conda_gpu_old_x
      set -gx $__conda_gpu_x $$__conda_gpu_old_x
      set -eg $__conda_gpu_at_x $__conda_gpu_old_x
    else if contains -- "$$__conda_gpu_at_x" "$__conda_gpu_at/"{,0,1}
      set -eg $__conda_gpu_x $__conda_gpu_at_x $__conda_gpu_old_x
    end
  end
@each variables@
@each keep@
  contains -- @name@ $__conda_gpu_back; or set -gx @name@@each set@ @value@@end set@
@end keep@
@end variables@
end

@each variables@
@each always@
@each set@
set -gx @name@ @value@
@end set@
@each unset@
set -eg @name@
@end unset@
@each prepend@
set -gx @name@ @value@
test -z "$@state@_OLD_@name@"; or set -gx @name@ "$@name@"@separator@"$@state@_OLD_@name@"
@end prepend@
@each append@
set -gx @name@ @value@
test -z "$@state@_OLD_@name@"; or set -gx @name@ "$@state@_OLD_@name@"@separator@"$@name@"
@end append@
@end always@
@end variables@
true
