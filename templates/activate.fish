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

set -l __conda_gpu_job "$_CONDOR_JOB_AD/$SLURM_JOB_ID/$PBS_JOBID/$LSB_JOBID/$FLUX_JOB_ID/$OAR_JOB_ID"
set -l __conda_gpu_at "$__conda_gpu_job/$CONDA_SHLVL"
set -l __conda_gpu_here '^\Q'"$__conda_gpu_job"'\E/'
@each former@

# @name@ is in the plan no more: as it was before.
if test "$@state@_AT_@name@" = "$__conda_gpu_at/set"; and set -q @state@_OLD_@name@
  set -gx @name@ $@state@_OLD_@name@
  set -eg @state@_AT_@name@ @state@_OLD_@name@
else if test "$@state@_AT_@name@" = "$__conda_gpu_at/set" -o "$@state@_AT_@name@" = "$__conda_gpu_at/"
  set -eg @name@ @state@_AT_@name@ @state@_OLD_@name@
end
@end former@
@each variables@

@each visible@
# A job that has not set @name@ leaves it to this environment, and to those stacked on it.
if test "$__conda_gpu_job" != /////; and not set -q @name@
  set -gx __CONDA_GPU_FREE_JOB "$__conda_gpu_job"
end
@end visible@
@each keep@
# A job that has set it has the last word (in_job: keep).
if test "$__conda_gpu_job" = /////; or test "$__CONDA_GPU_FREE_JOB" = "$__conda_gpu_job"
@end keep@
if not string match -qr -- $__conda_gpu_here "$@state@_AT_@name@"
  set -q @name@; and set -gx @state@_AT_@name@ "$__conda_gpu_at/set"; or set -gx @state@_AT_@name@ "$__conda_gpu_at/"
  set -gx @state@_OLD_@name@ $@name@
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
end
@end keep@
@end variables@

true
