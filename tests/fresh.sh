#!/usr/bin/env bash
# `make check-fresh`: what somebody who has just installed a system sees. Makes Debian 11, 12, 13 and
# unstable with git and make and nothing else, copies what is committed here into each, and runs there
# what README.md begins with, as root and then as an ordinary user. Prints a table; fails if anything
# in it did.
#
#   FRESH=FOLDER        where the systems are made (/var/tmp/conda-gpu-fresh): 1 GB each, removed at
#                       the end but for an archive of each bare system, which the next run begins with
#   SYSTEMS="trixie"    only these
#   MIRROR=URL          where their packages come from; that of this machine's apt
#
# It needs root and debootstrap, and takes about 5 minutes a system. Processes of a system are in a
# process and mount namespace of their own, so that nothing goes on running after it.
set -u

fresh=${FRESH:-/var/tmp/conda-gpu-fresh}
systems=${SYSTEMS:-bullseye bookworm trixie sid}
# shellcheck disable=SC2016 # for apt
mirror=${MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' 2>/dev/null | grep -m 1 '/debian/\?$')}
mirror=${mirror:-http://deb.debian.org/debian}

[ "$(id -u)" = 0 ] || { echo "make check-fresh makes whole systems, for which it must be root" >&2 && exit 1; }
command -v debootstrap >/dev/null || { echo "install debootstrap first: apt-get install debootstrap" >&2 && exit 1; }
mkdir -p "$fresh" || exit
[ -z "$(git status --porcelain)" ] || echo "note: only what is committed is tried; there are changes that are not"

# bare SYSTEM: an archive of it.
bare() {
  [ -e "$fresh/$1.tar" ] && return
  echo "making a bare $1"
  rm -rf "${fresh:?}/$1"
  debootstrap --variant=minbase --include=git,make,ca-certificates "$1" "$fresh/$1" "$mirror" \
    >"$fresh/$1.bootstrap.log" 2>&1 || { tail -n 5 "$fresh/$1.bootstrap.log" && return 1; }
  chroot "$fresh/$1" useradd -m -s /bin/bash user
  tar -C "$fresh" -cf "$fresh/$1.tar.new" "$1" && mv "$fresh/$1.tar.new" "$fresh/$1.tar"
}

# in_system SYSTEM WHO COMMAND: run in the home of root or user.
in_system() {
  local root=$fresh/$1 home=/root
  [ "$2" = root ] || home=/home/$2
  # shellcheck disable=SC2016 # the inner shells expand it
  env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 TERM=dumb \
    ${http_proxy:+http_proxy="$http_proxy"} HOME="$home" \
    unshare --mount --pid --fork --kill-child sh -c '
      mount -t proc proc "$0/proc" && mount -t tmpfs -o mode=1777 tmpfs "$0/dev/shm" &&
        mount -t devpts -o newinstance,ptmxmode=666 devpts "$0/dev/pts" &&
        exec chroot "$0" setpriv --reuid "$1" --regid "$1" --init-groups sh -c "cd; $2"' \
    "$root" "$2" "$3" </dev/null
}

packages() {
  chroot "$fresh/$1" dpkg-query -W | wc -l
}

megabytes() {
  du -smx "$fresh/$1" | cut -f 1
}

# What is in the system but comes from no package, from no installing of packages and not from us.
strays() { # SYSTEM
  chroot "$fresh/$1" find / -xdev \( -path /proc -o -path /dev -o -path '/home/user/conda-gpu' \
    -o -path /root/conda-gpu -o -path /var/lib/dpkg -o -path /var/lib/apt -o -path /var/cache \
    -o -path /var/log -o -path /etc/alternatives -o -name __pycache__ -o -name 'ld.so.cache*' -o -name '*-pkg-config' -o -lname '/etc/alternatives/*' \) -prune \
    -o -print | sed -E 's,^/usr/(bin|sbin|lib|lib64)/,/\1/,' | sort
}
owned() { # SYSTEM
  cat "$fresh/$1"/var/lib/dpkg/info/*.list | sed -E 's,^/usr/(bin|sbin|lib|lib64)/,/\1/,' | sort -u
}

row='%-10s %-5s %-6s %12s %12s %9s %11s  %s\n'
table=$fresh/table
failed=0
# shellcheck disable=SC2059 # the format of the table's rows
printf "$row" system who bare demo check packages MB "left behind" >"$table"

# step SYSTEM WHO NAME COMMAND: sets `said` to how it ended and how long it took.
step() {
  local start=$SECONDS log=$fresh/$1.$2.$3.log
  if in_system "$1" "$2" "$4" >"$log" 2>&1; then
    said="ok $((SECONDS - start)) s"
  else
    said="FAILED $((SECONDS - start)) s" failed=1
    echo "--- $1, $2, $3:"
    tail -n 30 "$log"
  fi
}

try() {
  local system=$1 before_packages before_size who demo check told left
  bare "$system" || { failed=1 && echo "$system could not be made" >>"$table" && return; }
  echo "unpacking $system"
  rm -rf "${fresh:?}/$system"
  tar -C "$fresh" -xf "$fresh/$system.tar"
  for who in root home/user; do
    git clone -q --no-hardlinks "$PWD" "$fresh/$system/$who/conda-gpu"
  done
  chroot "$fresh/$system" chown -R user:user /home/user/conda-gpu
  before_packages=$(packages "$system")
  before_size=$(megabytes "$system")
  strays "$system" >"$fresh/$system.before"

  # Somebody who may not install is told what to ask for.
  in_system "$system" user 'cd conda-gpu && make demo' >"$fresh/$system.user.bare.log" 2>&1 \
    && told=- || told=told
  grep -q 'apt-get install' "$fresh/$system.user.bare.log" || { told=SILENT && failed=1; }

  for who in root user; do
    step "$system" $who demo 'cd conda-gpu && make demo'
    demo=$said
    step "$system" $who check 'cd conda-gpu && make check'
    check=$said
    strays "$system" | comm -13 "$fresh/$system.before" - | comm -23 - <(owned "$system") \
      >"$fresh/$system.$who.left"
    left=$(wc -l <"$fresh/$system.$who.left")
    [ "$left" = 0 ] && left=nothing || left="$left: $(head -n 3 "$fresh/$system.$who.left" | xargs)"
    # shellcheck disable=SC2059
    printf "$row" "$system" $who "$([ $who = user ] && echo "$told")" "$demo" "$check" \
      "+$(($(packages "$system") - before_packages))" "$before_size+$(($(megabytes "$system") - before_size))" "$left" \
      >>"$table"
    tail -n 1 "$table"
    tail -n 1 "$fresh/$system.$who.check.log"
  done
  rm -rf "${fresh:?}/$system"
}

for system in $systems; do
  try "$system"
done
echo
cat "$table"
exit $failed
