# shellcheck shell=bash
# Machines of other names, for tests of what is shared between several.

# Whether a command can be given another one: the name is the kernel's, in a namespace of its own.
machines_allowed() {
  unshare -u true 2>/dev/null
}

# on HOST COMMAND...: runs it on a machine of that name.
on() {
  # shellcheck disable=SC2016 # words for the inner shell
  unshare -u sh -c 'echo "$1" >/proc/sys/kernel/hostname && shift && exec "$@"' - "$@"
}
