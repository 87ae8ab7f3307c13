#!/usr/bin/env bash
# `make install` and `make uninstall`: what is where, and that nothing of it stays.
set -u
# shellcheck source=tests/support/report.sh
. "$TESTS/support/report.sh"
# The make that runs this test has told what it builds, and how (MAKEFLAGS).
make_it() {
  make --no-print-directory -C "$TESTS/.." "$@" >"$scratch/log" 2>&1 || cat "$scratch/log"
}
tree=$scratch/tree
usr=$tree/usr

check "make install fails" make_it install DESTDIR="$tree" PREFIX=/usr
for file in bin/conda-gpu share/man/man1/conda-gpu.1 share/man/man5/conda-gpu-environment.5 \
  share/bash-completion/completions/conda-gpu share/fish/vendor_completions.d/conda-gpu.fish \
  share/zsh/site-functions/_conda-gpu share/doc/conda-gpu/README.md share/doc/conda-gpu/LICENSE; do
  check "make install does not install $file" test -s "$usr/$file"
done
for shell in bash fish zsh; do
  command -v "$shell" >/dev/null || continue
  check "$shell cannot read its completion" "$shell" -n "$usr"/share/*"$shell"*/*/*conda-gpu*
done
modes() { find "$usr" -type f -printf '%m %P\n' | grep -v '^755 bin/\|^644 share/'; }
check "files have other modes" eval '! modes'
check "the installed program is of another version" \
  grep -qx "conda-gpu $(sed -n 's/^VERSION := //p' "$TESTS/../Makefile")" <("$usr/bin/conda-gpu" version)

# The version stands in the Makefile; what cannot read it there says the same.
version=$("$usr/bin/conda-gpu" version | cut -d ' ' -f 2)
check "CHANGELOG.md begins with another version" \
  test "$(sed -n 's/^## \([0-9.]*\).*/\1/p' "$TESTS/../CHANGELOG.md" | head -n 1)" = "$version"
check "the recipe for conda has another version" \
  grep -qx "  version: \"$version\"" "$TESTS/../packaging/conda/conda-gpu/recipe.yaml"

touch "$usr/share/fish/another"
check "make uninstall fails" make_it uninstall DESTDIR="$tree" PREFIX=/usr
check "make uninstall leaves something, or takes more" \
  diff <(cd "$tree" && find . | sort) <(printf '%s\n' . ./usr ./usr/share ./usr/share/fish ./usr/share/fish/another)
report
