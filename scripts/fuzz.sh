#!/bin/sh
# Runs every fuzz target for a number of executions (default 1,500,000 each, more than thirteen
# million in all). It stops at the first finding, which Go stores under testdata/fuzz of the
# package. `scripts/fuzz.sh 1000` is a quick run.
set -eu
cd "$(dirname "$0")/.."
n="${1:-1500000}"
total=0
for target in weights:FuzzDecode weights:FuzzDecodePlain restore/picture:FuzzDecode \
	restore/picture:FuzzMask restore/picture:FuzzEXIF restore/raw:FuzzDNG restore/raw:FuzzLossless \
	restore/y4m:FuzzReader netdef/onnx:FuzzRead cmd/restore:FuzzCommandLine; do
	echo "== $target, $n executions"
	"${GO:-go}" test -run '^$' -fuzz "^${target#*:}\$" -fuzztime "${n}x" "./${target%%:*}"
	total=$((total + n))
done
echo "no finding in $total executions"
