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
#   @state@_OLD_NAME  its value; absent if it was unset
#   @state@_AT_NAME   in which job and at which level of activation that was noted
# conda-gpu digest @digest@

__conda_gpu_job="${SLURM_JOB_ID-}/${PBS_JOBID-}/${LSB_JOBID-}/${FLUX_JOB_ID-}/${OAR_JOB_ID-}/${_CONDOR_JOB_AD-}"
__conda_gpu_at="$__conda_gpu_job/${CONDA_SHLVL-}"
@each former@

# @name@ is in the plan no more: as it was before.
if [ "${@state@_AT_@name@-}" = "$__conda_gpu_at" ]; then
  export @name@="${@state@_OLD_@name@-}"
  [ "${@state@_OLD_@name@+set}" ] || unset -v @name@
  unset -v @state@_AT_@name@ @state@_OLD_@name@
fi
@end former@
@each variables@

@each visible@
# A job that has not set @name@ leaves it to this environment, and to those stacked on it.
if [ "$__conda_gpu_job" != ///// ] && [ -z "${@name@+set}" ]; then
  export __CONDA_GPU_FREE_JOB="$__conda_gpu_job"
fi
@end visible@
@each keep@
# A job that has set it has the last word (in_job: keep).
if [ "$__conda_gpu_job" = ///// ] || [ "${__CONDA_GPU_FREE_JOB-}" = "$__conda_gpu_job" ]; then
@end keep@
case ${@state@_AT_@name@-} in "$__conda_gpu_job"/*) ;; *)
  export @state@_AT_@name@="$__conda_gpu_at"
  export @state@_OLD_@name@="${@name@-}"
  [ "${@name@+set}" ] || unset -v @state@_OLD_@name@ ;;
esac
@each set@
export @name@=@value@
@end set@
@each unset@
unset -v @name@
@end unset@
@each prepend@
@name@=@value@
[ -z "${@state@_OLD_@name@-}" ] || @name@="$@name@"@separator@"$@state@_OLD_@name@"
export @name@
@end prepend@
@each append@
@name@=@value@
[ -z "${@state@_OLD_@name@-}" ] || @name@="$@state@_OLD_@name@"@separator@"$@name@"
export @name@
@end append@
@each keep@
fi
@end keep@
@end variables@

unset -v __conda_gpu_job __conda_gpu_at
