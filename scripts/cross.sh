#!/bin/sh
# For CI: installs the cross compilers with apt-get, builds for linux/arm64 and windows/amd64, and
# runs the arm64 program with qemu. There it checks what needs no driver: version, help, degrading
# and comparing a picture, and the error for a machine without Vulkan.
set -eu
cd "$(dirname "$0")/.."
go="${GO:-go}"
need=""
command -v aarch64-linux-gnu-gcc >/dev/null || need="$need gcc-aarch64-linux-gnu libc6-dev-arm64-cross"
command -v x86_64-w64-mingw32-gcc >/dev/null || need="$need gcc-mingw-w64-x86-64-posix"
command -v qemu-aarch64 >/dev/null || need="$need qemu-user"
if [ -n "$need" ]; then
	echo "cross: installing$need"
	# shellcheck disable=SC2086
	install() {
		DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $need >/dev/null
	}
	install 2>/dev/null || { apt-get update -qq && install; }
fi
out="$(mktemp -d)"
trap 'rm -rf "$out"' EXIT
export CGO_ENABLED=1
GOOS=linux GOARCH=arm64 CC=aarch64-linux-gnu-gcc \
	"$go" build -o "$out/" ./cmd/restore ./cmd/trainhost
GOOS=windows GOARCH=amd64 CC=x86_64-w64-mingw32-gcc-posix \
	"$go" build -o "$out/" ./cmd/restore ./cmd/trainhost
ls -l "$out"

arm() { qemu-aarch64 -L /usr/aarch64-linux-gnu "$out/restore" "$@"; }
arm version | grep 'linux/arm64'
arm help | grep -q motion-deblur
"$go" run ./internal/tools/render -size 64x48 "$out/clean.png"
arm degrade -task denoise -noise 20 "$out/clean.png" "$out/bad.png"
arm compare "$out/clean.png" "$out/bad.png"
arm weights verify
status=0
arm -task denoise "$out/bad.png" "$out/good.png" 2> "$out/err" || status=$?
cat "$out/err"
if [ "$status" != 3 ] || [ -e "$out/good.png" ] || [ "$(wc -l < "$out/err")" != 1 ]; then
	echo "cross: without Vulkan the exit status is $status; it must be 3, with one line of error" >&2
	exit 1
fi
echo "cross: linux/arm64 and windows/amd64 build, arm64 runs"
