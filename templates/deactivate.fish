# GPU settings of @environment@. Written by conda-gpu @version@ from @source@.
# Undoes what activate.d/@file@ did, and leaves what others have changed since; that file explains the rest.
# conda-gpu digest @digest@

function __gpu_undo # NAME@each lists@; of a list also prepend or append, ELEMENT, SEPARATOR@end lists@
  set -l set @state@_SET_$argv[1]
  set -l old @state@_OLD_$argv[1]
  set -l now
  set -q $argv[1]; and set now ":$$argv[1]"
  set -l --path kept "$$old" # cut at each ":", and joined again within quotes
  if set -q $set; and test "$now" = "$$set"
    set -eg $argv[1]
    set -q kept[2]; and set -gx $argv[1] "$kept[2..-1]"
@each shown@
    if test "$kept[1]" = hook # again what a hook made
      set -gx __CONDA_GPU_VISIBLE "$__gpu_job"
      set -q kept[2]; and set __CONDA_GPU_VISIBLE "$__gpu_job:$kept[2..-1]"
    end
@end shown@
@each lists@
  else if set -q $set; and set -q argv[4]
    __gpu_take_out $argv "$$old"
@end lists@
  end
  set -eg $set
  set -eg $old
end
@each lists@
function __gpu_has # ":LIST", or nothing; ELEMENT; SEPARATOR
  set -l --path kept "$argv[1]"
  set -q kept[2]; and string split -q -m 1 -- "$argv[3]$argv[2]$argv[3]" "$argv[3]$kept[2..-1]$argv[3]"
end
function __gpu_take_out # NAME; prepend or append; ELEMENT; SEPARATOR; what it was
  set -l ours "$argv[4]$argv[3]$argv[4]"
  __gpu_has "$argv[5]" $argv[3..4]; and return # it was there before us
  printf %s "$argv[4]$$argv[1]$argv[4]" | read -lz -d $ours -a parts
  set -q parts[2]; or return
  printf %s "$argv[4]$$argv[1]$argv[4]" | read -lz -d $ours before after
  if test $argv[2] = append
    set before $parts[1]
    set after $parts[-1]
    set -e parts[-1]
    set -e parts[1]
    for part in $parts
      set before "$before$ours$part"
    end
  end
  printf %s "$after" | read -lz -d $argv[4] -a parts
  set -e parts[-1]
  for part in $parts
    set before "$before$argv[4]$part"
  end
  printf %s "$before" | read -lz -d $argv[4] none value
  set -eg $argv[1]
  test -z "$value" -a "$argv[5]" != :; or set -gx $argv[1] "$value"
end
@end lists@
@each several@
function __gpu_undo_either # the same, of an element that may be another's: only if activation put in this one
  set -l set @state@_SET_$argv[1]
  set -l old @state@_OLD_$argv[1]
  __gpu_has "$$set" $argv[3..4]; or return
  __gpu_has "$$old" $argv[3..4]; or __gpu_undo $argv
end
@end several@
@each shown@
@job@
@end shown@
if test -z "$@state@_LEVEL"
else if string match -qr '^[0-9]+/[0-9]+$' -- "$@state@_LEVEL/$CONDA_SHLVL"; and test $@state@_LEVEL -lt $CONDA_SHLVL
  # It stays active at a lower level.
else
@each shown@
  set -g __gpu_now
  set -q CUDA_VISIBLE_DEVICES; and set __gpu_now ":$CUDA_VISIBLE_DEVICES"
  if test -n "$__gpu_job"; and test "$__CONDA_GPU_VISIBLE" != "$__gpu_job$__gpu_now" # it is the job's
    set -eg __CONDA_GPU_VISIBLE
    set -eg @state@_SET_CUDA_VISIBLE_DEVICES
    set -eg @state@_OLD_CUDA_VISIBLE_DEVICES
  end
  set -q @state@_SET_CUDA_VISIBLE_DEVICES; and set -eg __CONDA_GPU_VISIBLE
  __gpu_undo CUDA_VISIBLE_DEVICES
@end shown@
@each managed@
@each either@
  __gpu_undo_either @name@@each prepend@ prepend @value@ @separator@@end prepend@@each append@ append @value@ @separator@@end append@
@end either@
  __gpu_undo @name@@each prepend@ prepend @value@ @separator@@end prepend@@each append@ append @value@ @separator@@end append@
@end managed@
  set -eg @state@_LEVEL
end
functions -e __gpu_undo@each several@ __gpu_undo_either@end several@@each lists@ __gpu_take_out __gpu_has@end lists@
@each shown@
set -eg __gpu_job
set -eg __gpu_now
@end shown@
true
