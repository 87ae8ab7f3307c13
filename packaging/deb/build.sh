#!/bin/sh
# `make deb`: packs what make install has put below the folder usr of TREE.
#
#   packaging/deb/build.sh TREE VERSION FILE.deb
#
# The libraries that it depends on, and since when, dpkg-shlibdeps tells (package dpkg-dev). Times in
# the package are SOURCE_DATE_EPOCH, so that the same sources make the same package.
set -eu
tree=$1 version=$2 package=$3
here=$(dirname "$0")
for need in dpkg-shlibdeps dpkg-deb strip gzip; do
  command -v "$need" >/dev/null || { echo "make deb needs $need: apt-get install dpkg-dev binutils" >&2 && exit 1; }
done

strip --strip-unneeded "$tree/usr/bin/conda-gpu"
gzip -9n "$tree"/usr/share/man/man?/*.[15] "$tree/usr/share/doc/conda-gpu/CHANGELOG.md"
mv "$tree/usr/share/doc/conda-gpu/CHANGELOG.md.gz" "$tree/usr/share/doc/conda-gpu/changelog.gz"
mv "$tree/usr/share/doc/conda-gpu/LICENSE" "$tree/usr/share/doc/conda-gpu/copyright"
mv "$tree/usr/share/zsh/site-functions" "$tree/usr/share/zsh/vendor-completions" # where Debian's zsh looks

# dpkg-shlibdeps wants to be in a source package.
mkdir -p "$tree.source/debian"
printf 'Source: conda-gpu\n\nPackage: conda-gpu\nArchitecture: any\n' >"$tree.source/debian/control"
depends=$(cd "$tree.source" && dpkg-shlibdeps -O "$tree/usr/bin/conda-gpu" 2>/dev/null | sed 's/^shlibs:Depends=//')

mkdir "$tree/DEBIAN"
sed -e "s/@VERSION@/$version/" -e "s/@ARCHITECTURE@/$(dpkg --print-architecture)/" -e "s/@DEPENDS@/$depends/" \
  -e "s/@SIZE@/$(du -sk "$tree/usr" | cut -f 1)/" "$here/control.in" >"$tree/DEBIAN/control"
(cd "$tree" && find usr -type f | LC_ALL=C sort | xargs md5sum) >"$tree/DEBIAN/md5sums"
chmod -R u=rwX,go=rX "$tree"
dpkg-deb --root-owner-group -Zxz --build "$tree" "$package" >/dev/null
echo "$package"
