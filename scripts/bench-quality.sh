#!/bin/sh
# Compares denoising with what Debian has: OpenCV's non-local means, GraphicsMagick's and G'MIC's filters, each at its default and at
# other strengths. Run by `make bench-quality`; takes pairs NAME_real.* and NAME_mean.* from the folder PAIRS, or makes its own: the
# project's scenes as the camera model shows them. Prints a Markdown table of PSNR and of seconds per picture.
set -eu
cd "$(dirname "$0")/.."
dir=.cache/quality
mkdir -p $dir
pairs=${PAIRS:-}
if [ -z "$pairs" ]; then
	pairs=$dir/pairs
	rm -rf $pairs
	mkdir -p $pairs
	"${GO:-go}" build -o $dir/render ./internal/tools/render
	i=0
	for camera in iso=1600,jpeg=95 iso=3200,jpeg=85 iso=6400,jpeg=90,chroma=2:0.7 iso=3200,luma=12:0.6,chroma=3:0.8,sharpen=0.8,jpeg=92 \
		iso=12800,demosaic=bilinear,jpeg=80 white=15 white=25,subsampling=420 jpeg=20; do
		i=$((i + 1))
		$dir/render -seed $i -size 512x384 $dir/scene.png
		bin/restore degrade -task denoise -camera $camera -seed $i -clean-out "$pairs/${i}_mean.png" $dir/scene.png "$pairs/${i}_real.png"
	done
fi
# What can be installed is; what cannot is left out of the table.
for package in python3-opencv graphicsmagick gmic; do
	if ! dpkg -s $package >/dev/null 2>&1; then
		echo "bench-quality: installing $package" >&2
		DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $package >/dev/null 2>&1 || echo "bench-quality: $package cannot be had and is left out" >&2
	fi
done
if ! /usr/bin/python3 -c 'import numpy, PIL' 2>/dev/null; then
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-numpy python3-pil >/dev/null
fi
/usr/bin/python3 scripts/bench-quality.py bin/restore "$pairs"
