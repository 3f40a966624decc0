#!/bin/sh
# Compares denoising with programs in Debian: OpenCV's non-local means and filters of GraphicsMagick
# and G'MIC, each with its default and with other strengths. It uses pairs NAME_real.* and
# NAME_mean.* in the folder PAIRS, or makes pairs from synthetic scenes and the camera model. Prints
# a Markdown table of PSNR and of seconds per picture. Run by `make bench-quality`.
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
	for camera in iso=1600,jpeg=95 iso=3200,jpeg=85 iso=6400,jpeg=90,chroma=2:0.7 \
		iso=3200,luma=12:0.6,chroma=3:0.8,sharpen=0.8,jpeg=92 \
		iso=12800,demosaic=bilinear,jpeg=80 white=15 white=25,subsampling=420 jpeg=20; do
		i=$((i + 1))
		$dir/render -seed $i -size 512x384 $dir/scene.png
		bin/restore degrade -task denoise -camera $camera -seed $i \
			-clean-out "$pairs/${i}_mean.png" $dir/scene.png "$pairs/${i}_real.png"
	done
fi
# Programs that cannot be installed are left out of the table.
install() {
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}
for package in python3-opencv graphicsmagick gmic; do
	if ! dpkg -s $package >/dev/null 2>&1; then
		echo "bench-quality: installing $package" >&2
		install $package 2>/dev/null ||
			echo "bench-quality: $package cannot be installed and is left out" >&2
	fi
done
if ! /usr/bin/python3 -c 'import numpy, PIL' 2>/dev/null; then
	install python3-numpy python3-pil
fi
/usr/bin/python3 scripts/bench-quality.py bin/restore "$pairs"
