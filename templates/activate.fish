# GPU settings of @environment@. Written by conda-gpu @version@ from @source@.
# Change that file and run `conda-gpu apply`; an edit made here is noticed, not kept.
@each devices@
#   cuda:@ordinal@  GPU @number@  @name@  @memory@  @address@  @uuid@
@end devices@
@each no_devices@
#   no GPU: CUDA_VISIBLE_DEVICES=-1 hides them all.
@end no_devices@
# ..._OLD_X keeps what X was; ..._AT_X says in which job, at which level, and 1 if it was set.
# conda-gpu digest @digest@

set -l __conda_gpu_job "$_CONDOR_JOB_AD/$SLURM_JOB_ID.$SLURM_STEP_ID/$PBS_JOBID/$LSB_JOBID/$FLUX_JOB_ID/$OAR_JOB_ID"
set -l __conda_gpu_at "$__conda_gpu_job/$CONDA_SHLVL"
if test "$__conda_gpu_job" != /.////; and not set -q CUDA_VISIBLE_DEVICES
  # What a job has set stays (in_job: keep); else it is ours to set.
  set -gx __CONDA_GPU_FREE_JOB "$__conda_gpu_job"
end
@each former@

# @name@ is in the plan no more: as it was before.
if test "$@state@_AT_@name@" = "$__conda_gpu_at/1"; and set -q @state@_OLD_@name@
  set -gx @name@ $@state@_OLD_@name@
  set -eg @state@_AT_@name@ @state@_OLD_@name@
else if contains -- "$@state@_AT_@name@" "$__conda_gpu_at/"{,0,1}
  set -eg @name@ @state@_AT_@name@ @state@_OLD_@name@
end
@end former@
@each variables@

@each keep@
if contains -- "$__conda_gpu_job" /.//// "$__CONDA_GPU_FREE_JOB"
@end keep@
if not set -q @state@_AT_@name@; or not contains -- "$@state@_AT_@name@" "$__conda_gpu_job"/{,1,2,3,4,5,6,7,8,9}{,0,1,2,3,4,5,6,7,8,9}/{,0,1}
  set -gx @state@_OLD_@name@ $@name@
  not set -q @name@
  set -gx @state@_AT_@name@ "$__conda_gpu_at/$status"
end
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
@each keep@
else if test "$@state@_AT_@name@" = "$__conda_gpu_at/1"; and set -q @state@_OLD_@name@
  set -gx @name@ $@state@_OLD_@name@
  set -eg @state@_AT_@name@ @state@_OLD_@name@
else if contains -- "$@state@_AT_@name@" "$__conda_gpu_at/"{,0,1}
  set -eg @name@ @state@_AT_@name@ @state@_OLD_@name@
end
@end keep@
@end variables@

true
