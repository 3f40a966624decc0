#!/bin/sh
# Times the embedded network and compares it with ONNX Runtime's CPU provider, with one and with two
# threads. Needs node and npm. Installs onnxruntime-node from the npm registry into .cache/peers
# (about 250 MB). Run by `make bench-peers`.
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
	# The install script of the package would fetch CUDA libraries, which are not needed.
	(cd $dir && npm install --no-fund --no-audit --ignore-scripts --silent onnxruntime-node@1.30.0)
fi
"${GO:-go}" build -o $dir/peers ./internal/tools/peers
for n in 1 2; do
	lp=$n
	[ $n = 1 ] && lp=0 # only the thread that receives commands
	LP_NUM_THREADS=$lp $dir/peers -dir "$PWD/$dir" -threads $n -large-kernels "$@"
done
