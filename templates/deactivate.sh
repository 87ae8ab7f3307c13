# GPU settings of @environment@. Written by conda-gpu @version@ from @source@.
# The counterpart of activate.d/@file@: puts back what each variable was before,
# where that was noted in this job and at this level of activation; else it changes nothing.
# conda-gpu digest @digest@

__conda_gpu_at="${SLURM_JOB_ID-}/${PBS_JOBID-}/${LSB_JOBID-}/${FLUX_JOB_ID-}/${OAR_JOB_ID-}/${_CONDOR_JOB_AD-}/${CONDA_SHLVL-}"
@each managed@

if [ "${@state@_AT_@name@-}" = "$__conda_gpu_at" ]; then
  export @name@="${@state@_OLD_@name@-}"
  [ "${@state@_OLD_@name@+set}" ] || unset -v @name@@each visible@ __CONDA_GPU_FREE_JOB@end visible@
  unset -v @state@_AT_@name@ @state@_OLD_@name@
fi
@end managed@

unset -v __conda_gpu_at
