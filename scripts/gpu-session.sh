#!/bin/sh
# Runs tests, benchmarks and training on a second machine that has a GPU, but no Go and no network.
#
# On this machine:
#   scripts/gpu-session.sh prepare PICTURES [CHECKPOINT]
#       builds test binaries, restore and trainhost into .gpu/, and copies the pictures
# On the GPU machine:
#   scripts/gpu-session.sh check OUT
#       runs the test suite, about a minute
#   scripts/gpu-session.sh bench OUT
#       runs restore bench, as text, for docs/BENCHMARKS.md
#   scripts/gpu-session.sh train OUT SECONDS [flags]
#       continues .gpu/run.ckpt; the result is split into parts of 15 MiB
# On this machine:
#   scripts/gpu-session.sh join OUT FILE.ckpt
#       joins the parts
set -eu
cd "$(dirname "$0")/.."
dir=.gpu
what="${1:-}"
[ $# -gt 0 ] && shift

case "$what" in
prepare)
	pictures="$1"
	rm -rf $dir
	mkdir -p $dir/data
	for p in gpu netdef/compile trainhost restore; do
		"${GO:-go}" test -c -o "$dir/$(echo $p | tr / -).test" "./$p"
	done
	"${GO:-go}" build -trimpath -o $dir/ ./cmd/restore ./cmd/trainhost
	find "$pictures" -maxdepth 1 -name '*.jpg' -exec cp {} $dir/data/ \;
	[ -n "${2:-}" ] && cp "$2" $dir/run.ckpt
	du -sh $dir
	;;
check)
	out="$1"
	for t in gpu netdef-compile trainhost restore; do
		echo "== $t"
		binary="$PWD/$dir/$t.test"
		if (cd "$(echo $t | tr - /)" && timeout 240 "$binary" -test.short) >"$out/$t.log" 2>&1; then
			echo pass
		else
			echo FAIL
			tail -20 "$out/$t.log"
		fi
	done
	$dir/restore devices
	;;
bench)
	$dir/restore bench -size 256 | tee "$1/bench-256.txt"
	for p in fp32 fp16; do
		$dir/restore bench -size 1024 -precision $p -train=false | tee "$1/bench-1024-$p.txt"
	done
	;;
train)
	out="$1"
	seconds="$2"
	shift 2
	from=""
	[ -f $dir/run.ckpt ] && from="-from $dir/run.ckpt"
	# shellcheck disable=SC2086
	$dir/trainhost train -data $dir/data -out $dir/new.ckpt $from -crop 128 -csv "$out/train.csv" \
		-time "${seconds}s" "$@" | tee "$out/train.log" | tail -5
	split -b 15728640 $dir/new.ckpt "$out/new.ckpt.part-"
	;;
join)
	cat "$1"/new.ckpt.part-* >"$2"
	;;
*)
	sed -n '2,17p' "$0"
	exit 2
	;;
esac
