# GPU settings of @environment@. Written by conda-gpu @version@ from @source@.
# Puts back what activate.d/@file@ kept in this job at this level; else changes nothing.
# conda-gpu digest @digest@

export __conda_gpu_at="${_CONDOR_JOB_AD-}/${SLURM_JOB_ID-}.${SLURM_STEP_ID-}/${PBS_JOBID-}/${LSB_JOBID-}/${FLUX_JOB_ID-}/${OAR_JOB_ID-}/${CONDA_SHLVL-}"

# Where all were kept here, and set before, all at once; else each by itself.
case "\
@each variables@
${@state@_AT_@name@-}/${@state@_OLD_@name@+1} \
@end variables@
@each former@
${@state@_AT_@name@-}\
@end former@
" in "@each variables@$__conda_gpu_at/1/1 @end variables@")
  export@each variables@ @name@="$@state@_OLD_@name@"@end variables@
  unset -v __conda_gpu_at@each variables@ @state@_AT_@name@ @state@_OLD_@name@@end variables@
  return 0 ;;
esac
@each managed@

case ${@state@_AT_@name@-}/${@state@_OLD_@name@+1} in
  "$__conda_gpu_at"/1/1) export @name@="$@state@_OLD_@name@"; unset -v @state@_AT_@name@ @state@_OLD_@name@ ;;
  "$__conda_gpu_at"/*) unset -v @name@@each visible@ __CONDA_GPU_FREE_JOB@end visible@ @state@_AT_@name@ @state@_OLD_@name@ ;;
esac
@end managed@

unset -v __conda_gpu_at
