# GPU settings of @environment@. Written by conda-gpu @version@ from @source@.
# The counterpart of activate.d/@file@: puts back what each variable was before,
# where that was noted in this job and at this level of activation; else it changes nothing.
# conda-gpu digest @digest@

__conda_gpu_at="${_CONDOR_JOB_AD-}/${SLURM_JOB_ID-}/${PBS_JOBID-}/${LSB_JOBID-}/${FLUX_JOB_ID-}/${OAR_JOB_ID-}/${CONDA_SHLVL-}"
@each managed@

case ${@state@_AT_@name@-}/${@state@_OLD_@name@+set} in
  "$__conda_gpu_at"/set/set) export @name@="$@state@_OLD_@name@"; unset -v @state@_AT_@name@ @state@_OLD_@name@ ;;
  "$__conda_gpu_at"/*) unset -v @name@@each visible@ __CONDA_GPU_FREE_JOB@end visible@ @state@_AT_@name@ @state@_OLD_@name@ ;;
esac
@end managed@

unset -v __conda_gpu_at
