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
# conda-gpu digest @digest@

# Usual: no job, and nothing is kept yet.
case "${_CONDOR_JOB_AD-}/${SLURM_JOB_ID-}.${SLURM_STEP_ID-}/${PBS_JOBID-}/${LSB_JOBID-}/${FLUX_JOB_ID-}/${OAR_JOB_ID-}\
@each managed@
${@state@_AT_@name@-}\
@end managed@
" in /.////)
@each variables@
  export @state@_AT_@name@="/./////${CONDA_SHLVL-}/${@name@+1}" @state@_OLD_@name@="${@name@-}"@each set@ @name@=@value@@end set@@each prepend@ @name@=@value@${@name@:+@separator@"$@name@"}@end prepend@@each append@ @name@=${@name@:+"$@name@"@separator@}@value@@end append@
@each unset@
  unset -v @name@
@end unset@
@end variables@
  return 0 ;;
esac

# Else each by itself. ..._OLD_X keeps what X was; ..._AT_X says in which job, at which level, and 1 if it was set.
export __conda_gpu_job="${_CONDOR_JOB_AD-}/${SLURM_JOB_ID-}.${SLURM_STEP_ID-}/${PBS_JOBID-}/${LSB_JOBID-}/${FLUX_JOB_ID-}/${OAR_JOB_ID-}"
export __conda_gpu_at="$__conda_gpu_job/${CONDA_SHLVL-}"
@each former@

# @name@ is in the plan no more: as it was before.
case ${@state@_AT_@name@-}/${@state@_OLD_@name@+1} in
  "$__conda_gpu_at"/1/1) export @name@="$@state@_OLD_@name@"; unset -v @state@_AT_@name@ @state@_OLD_@name@ ;;
  "$__conda_gpu_at"/*) unset -v @name@ @state@_AT_@name@ @state@_OLD_@name@ ;;
esac
@end former@
@each variables@

@each visible@
# What a job has set stays (in_job: keep); else it is ours to set.
case $__conda_gpu_job/${@name@+1} in /.///// | */1) ;; *)
  export __CONDA_GPU_FREE_JOB="$__conda_gpu_job" ;;
esac
@end visible@
@each keep@
case $__conda_gpu_job in /.//// | "${__CONDA_GPU_FREE_JOB-}")
@end keep@
case ${@state@_AT_@name@-} in "$__conda_gpu_job"/*) ;; *)
  export @state@_AT_@name@="$__conda_gpu_at/${@name@+1}" @state@_OLD_@name@="${@name@-}" ;;
esac
@each set@
export @name@=@value@
@end set@
@each unset@
unset -v @name@
@end unset@
@each prepend@
export @name@=@value@${@state@_OLD_@name@:+@separator@"$@state@_OLD_@name@"}
@end prepend@
@each append@
export @name@=${@state@_OLD_@name@:+"$@state@_OLD_@name@"@separator@}@value@
@end append@
@each keep@
;; *) case ${@state@_AT_@name@-} in "$__conda_gpu_at"/1)
  export @name@="${@state@_OLD_@name@-}"; unset -v @state@_AT_@name@ @state@_OLD_@name@ ;;
esac ;; esac
@end keep@
@end variables@

unset -v __conda_gpu_job __conda_gpu_at
