#!/bin/sh
# `make install-conda-plugin` and `make uninstall-conda-plugin`: puts the plugin into the installation
# that CONDA belongs to, as a Python distribution that conda finds by its entry point, or takes it out.
#
#   packaging/conda-plugin/install.sh install|uninstall CONDA VERSION
set -eu
action=$1 conda=$2 version=$3
here=$(dirname "$0")

if ! command -v "$conda" >/dev/null; then
  echo "there is no '$conda'; which conda is meant? make $action-conda-plugin CONDA=/opt/conda/bin/conda" >&2
  exit 1
fi
base=$("$conda" info --base)
packages=$("$base/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
found=$("$conda" --version | sed 's/^conda //')
case $found in
  [0-9].* | 1*.* | 22.* | 23.[1-6].*) echo "$conda is conda $found; the plugin is for 23.7 and later" >&2 && exit 1 ;;
esac

rm -rf "$packages"/conda_gpu-*.dist-info "$packages/conda_gpu_plugin.py" "$packages"/__pycache__/conda_gpu_plugin.*
if [ "$action" = install ]; then
  info=$packages/conda_gpu-$version.dist-info
  install -d "$info"
  install -m 644 "$here/conda_gpu_plugin.py" "$packages"
  printf 'Metadata-Version: 2.1\nName: conda-gpu\nVersion: %s\n' "$version" >"$info/METADATA"
  printf '[conda]\nconda-gpu = conda_gpu_plugin\n' >"$info/entry_points.txt"
  echo conda-gpu >"$info/INSTALLER"
fi
echo "${action}ed in $packages, for conda $found"
