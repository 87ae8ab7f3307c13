# GPU settings of @environment@. Written by conda-gpu @version@ from @source@.
# Undoes what activate.d/@file@ did, where nobody changed it since; it says what is kept.
# conda-gpu digest @digest@

function __gpu_undo # NAME@each lists@; of a list also prepend or append, ELEMENT, SEPARATOR@end lists@
  set -l set @state@_SET_$argv[1]
  set -l old @state@_OLD_$argv[1]
  set -l now
  set -q $argv[1]; and set now "=$$argv[1]"
  printf %s "$$old" | read -lz -d = ours value
  if set -q $set; and test "$now" = "$$set"
    set -eg $argv[1]
    test "$$old" = "$ours"; or set -gx $argv[1] "$value"
@each lists@
  else if set -q $set; and set -q argv[4]
    __gpu_take_out $argv "$$old" "$value"
@end lists@
  end
  set -eg $set
  set -eg $old
end
@each lists@
function __gpu_take_out # NAME; prepend or append; ELEMENT; SEPARATOR; OLD; its value
  set -l ours "$argv[4]$argv[3]$argv[4]"
  printf %s "$argv[4]$argv[6]$argv[4]" | read -lz -d $ours -a parts
  set -q parts[2]; and return # it was there before us
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
  test -z "$value" -a "$argv[5]" != =; or set -gx $argv[1] "$value"
end
@end lists@
@each several@
function __gpu_undo_either # the same, of an element that may be another's: only if activation put in this one
  set -l set @state@_SET_$argv[1]
  set -l old @state@_OLD_$argv[1]
  set -l ours "$argv[4]$argv[3]$argv[4]"
  printf %s "$$set" | read -lz -d = none is
  printf %s "$$old" | read -lz -d = none was
  printf %s "$argv[4]$is$argv[4]" | read -lz -d $ours -a parts
  set -q parts[2]; or return
  printf %s "$argv[4]$was$argv[4]" | read -lz -d $ours -a parts
  set -q parts[2]; or __gpu_undo $argv
end
@end several@
printf %s "$@state@_AT" | read -gz -d ' ' __gpu_at __gpu_visible
if string match -qr '^[0-9]+/[0-9]+$' -- "$__gpu_at/$CONDA_SHLVL" # only of this level, or above, of a parent shell
  test $__gpu_at -ge $CONDA_SHLVL; or set __gpu_at
end
if test -n "$__gpu_at"
@each shown@
  set -g __gpu_job ''
  for __gpu_id in @job@
    contains -- $__gpu_id / /. /..; or set __gpu_job "$__gpu_job$__gpu_id"
  end
  test -z "$__gpu_visible"; or set -eg __CONDA_GPU_VISIBLE
  printf %s "$__gpu_visible" | read -gz -d = __gpu_x __gpu_value
  if test "$__gpu_x" = "gpus$__gpu_job"; or string match -q '/gpus/*' -- "$__gpu_job/$__gpu_x"
    # It is ours in this job. What it was may be of hooks of ours, too: then it is theirs again.
    set -gx @state@_SET_CUDA_VISIBLE_DEVICES
    test "$__gpu_visible" = "$__gpu_x"; or set @state@_SET_CUDA_VISIBLE_DEVICES "=$__gpu_value"
    printf %s "$@state@_OLD_CUDA_VISIBLE_DEVICES" | read -gz -d = __gpu_x __gpu_value
    set -g __gpu_now
    set -q CUDA_VISIBLE_DEVICES; and set __gpu_now "=$CUDA_VISIBLE_DEVICES"
    if test "$__gpu_x" = ours; and test "$__gpu_now" = "$@state@_SET_CUDA_VISIBLE_DEVICES"
      set -gx __CONDA_GPU_VISIBLE "$__gpu_job=$__gpu_value"
    end
  end
  __gpu_undo CUDA_VISIBLE_DEVICES
@end shown@
@each managed@
@each either@
  __gpu_undo_either @name@@each prepend@ prepend @value@ @separator@@end prepend@@each append@ append @value@ @separator@@end append@
@end either@
  __gpu_undo @name@@each prepend@ prepend @value@ @separator@@end prepend@@each append@ append @value@ @separator@@end append@
@end managed@
  set -eg @state@_AT
end
functions -e __gpu_undo@each several@ __gpu_undo_either@end several@@each lists@ __gpu_take_out@end lists@
@each shown@
set -eg __gpu_x
set -eg __gpu_value
set -eg __gpu_now
set -eg __gpu_job
@end shown@
set -eg __gpu_visible
set -eg __gpu_at
true
