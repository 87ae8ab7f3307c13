#!/usr/bin/env bash
# `make pictures` draws both pictures, and they are XML, those that are committed too. Whether these
# are of today is not asked: any message that changes would have to draw them again.
set -u
# shellcheck source=tests/support/report.sh
. "$TESTS/support/report.sh"
docs=$TESTS/../docs

check "make pictures fails" bash "$docs/pictures.sh" "$scratch"
# shellcheck disable=SC2016 # what is typed in them
for shown in 'apply (pt) $ echo $CUDA_VISIBLE_DEVICES' 'apply >1,3<' 'apply >unset<' 'status $ conda-gpu status --all' 'status >1<'; do
  check "$shown is not to be seen" grep -qF -- "${shown#* }" "$scratch/${shown%% *}.svg"
done
if have python3 "the pictures' XML"; then
  check "a picture is no XML" python3 -c 'import sys, xml.dom.minidom
for name in sys.argv[1:]: xml.dom.minidom.parse(name)' "$scratch"/*.svg "$docs"/*.svg
fi
report
