#!/bin/sh
# Makes docs/pictures/before-after.jpg and camera-noise.jpg with the embedded weights. A row shows a
# rendered picture, the same degraded by a task or a camera, and the restored one. Prints the PSNR
# before and after. Run by `make pictures`.
set -eu
cd "$(dirname "$0")/.."
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"${GO:-go}" build -o "$dir/" ./internal/tools/render ./internal/tools/montage
psnr() { bin/restore compare "$1" "$2" | awk '/^PSNR/ { print $2 }'; }

# row TASK SEED DEGRADE-FLAGS RESTORE-FLAGS
row() {
	name="$dir/$1"
	"$dir/render" -seed "$2" -size 256x192 "$name-clean.png"
	# shellcheck disable=SC2086
	bin/restore degrade -task "$1" -seed "$2" $3 "$name-clean.png" "$name-bad.png"
	# shellcheck disable=SC2086
	bin/restore -task "$1" $4 "$name-bad.png" "$name-good.png"
	before=$(psnr "$name-clean.png" "$name-bad.png" 2>/dev/null || true)
	echo "$1: ${before:-–} dB → $(psnr "$name-clean.png" "$name-good.png") dB"
	list="$list $name-clean.png $name-bad.png $name-good.png"
}

list=""
row motion-deblur 1 "-scale 0.4" "-noise 6.375"
row gaussian-deblur 2 "" "-noise 6.375"
row denoise 3 "-noise 25" "-noise 25"
row inpaint-random 4 "-mask-out $dir/random.png" "-mask $dir/random.png -noise 6.375"
row inpaint-box 6 "-mask-out $dir/box.png" "-mask $dir/box.png -noise 6.375"
row super-resolve 5 "" "-noise 6.375"
# shellcheck disable=SC2086
"$dir/montage" -columns 3 docs/pictures/before-after.jpg $list

# camera SPEC SEED
camera() {
	name="$dir/camera-$2"
	"$dir/render" -seed "$2" -size 320x240 "$name-scene.png"
	bin/restore degrade -task denoise -seed "$2" -camera "$1" -clean-out "$name-clean.png" \
		"$name-scene.png" "$name-bad.png"
	bin/restore -task denoise "$name-bad.png" "$name-good.png"
	before=$(psnr "$name-clean.png" "$name-bad.png")
	echo "$1: $before dB → $(psnr "$name-clean.png" "$name-good.png") dB"
	list="$list $name-clean.png $name-bad.png $name-good.png"
}

list=""
camera iso=6400,jpeg=92 11
camera iso=12800,coarse=1,chroma=4:0.9,sharpen=0.5,jpeg=90 12
camera iso=25600,demosaic=bilinear,chroma=3:0.8,jpeg=85 13
camera white=25,subsampling=420 14
camera jpeg=15 15
# shellcheck disable=SC2086
"$dir/montage" -columns 3 docs/pictures/camera-noise.jpg $list
