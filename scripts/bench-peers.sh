#!/bin/sh
# Times the shipped network beside ONNX Runtime's CPU provider, with one and with two threads, and compares the results. Needs node and npm;
# onnxruntime-node comes from the npm registry into .cache/peers (about 250 MB). Run by `make bench-peers`.
set -eu
cd "$(dirname "$0")/.."
command -v node >/dev/null && command -v npm >/dev/null || {
	echo "bench-peers: node and npm are needed (Debian: apt-get install nodejs npm)" >&2
	exit 1
}
dir=.cache/peers
mkdir -p $dir
cp internal/tools/peers/run.mjs $dir/
if [ ! -d $dir/node_modules/onnxruntime-node ]; then
	# Its install script would fetch CUDA libraries; the CPU provider is in the package.
	(cd $dir && npm install --no-fund --no-audit --ignore-scripts --silent onnxruntime-node@1.30.0)
fi
"${GO:-go}" build -o $dir/peers ./internal/tools/peers
for n in 1 2; do
	lp=$n
	[ $n = 1 ] && lp=0 # one thread is the one that takes the commands: no other to hand each dispatch to
	LP_NUM_THREADS=$lp $dir/peers -dir "$PWD/$dir" -threads $n -large-kernels "$@"
done
