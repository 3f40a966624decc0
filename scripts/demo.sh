#!/bin/sh
# Renders a picture, adds motion blur, restores it, and prints the PSNR before and after. Run by
# `make demo` after the build.
set -eu
cd "$(dirname "$0")/.."
mkdir -p demo

step() {
	printf '\n$ %s\n' "$*"
	"$@"
}

psnr() { bin/restore compare "$@" | awk '/^PSNR/ { print $2 " " $3 }'; }

step "${GO:-go}" run ./internal/tools/render -seed "${SEED:-3}" -size 512x384 demo/clean.png
step bin/restore degrade -task motion-deblur -scale 0.25 -noise 1 -seed "${SEED:-3}" demo/clean.png demo/blurred.png
step bin/restore -task motion-deblur -v -kernel-out demo/kernel.png demo/blurred.png demo/restored.png

printf '\nPSNR to the clean picture:  before %s,  after %s\n' \
	"$(psnr demo/clean.png demo/blurred.png)" "$(psnr demo/clean.png demo/restored.png)"
printf 'Pictures: demo/clean.png  demo/blurred.png  demo/restored.png, %s\n' \
	'and the estimated blur kernel: demo/kernel.png'
