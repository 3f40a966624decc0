#!/bin/sh
# Makes Debian packages in dist/: vfm-restore (the command, and systemd units for folders), libvfm1
# (the C library; the number is the ABI) and libvfm-dev (its header, link, pkg-config and CMake
# files). If GStreamer's development files are installed, also gstreamer1.0-vfm (the element). It
# makes them for this machine, and for arm64 if its C compiler is installed (Debian:
# gcc-aarch64-linux-gnu).
#
#   scripts/deb.sh build    makes all packages; run by `make dist`
#   scripts/deb.sh check    installs those for this machine as root, uses and removes them; run by CI
set -eu
cd "$(dirname "$0")/.."
. scripts/common.sh
go="${GO:-go}"
version="$(git describe --tags --always --dirty 2>/dev/null || echo unknown)"
SOURCE_DATE_EPOCH="$(git log -1 --format=%ct 2>/dev/null || echo 0)"
# Two runs for the same commit give the same bytes.
export SOURCE_DATE_EPOCH
abi="$(abi)"
# The numbers of the tag. A commit without a tag has 0, the ABI and its date.
number="$(version_number "$version")"
number="${number:-0.$abi+git$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y%m%d.%H%M%S)}"
out=dist
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

# package NAME MACHINE DEPENDS DESCRIPTION: makes a package from $work/NAME.
package() {
	root="$work/$1"
	mkdir -p "$root/DEBIAN" "$root/usr/share/doc/$1"
	cp LICENSE "$root/usr/share/doc/$1/copyright"
	cp docs/ATTRIBUTION.csv "$root/usr/share/doc/$1/"
	{
		echo "Package: $1"
		echo "Version: $number"
		echo "Architecture: $2"
		echo "Maintainer: the authors of restore <restore@localhost>"
		echo "Installed-Size: $(du -k -s --apparent-size "$root/usr" | cut -f1)"
		echo "Section: graphics"
		echo "Priority: optional"
		printf '%s\n' "$3"
		printf 'Description: %s\n' "$4"
	} >"$root/DEBIAN/control"
	if [ "$1" = libvfm$abi ]; then echo "activate-noawait ldconfig" >"$root/DEBIAN/triggers"; fi
	chmod -R u=rwX,go=rX "$root"
	dpkg-deb --root-owner-group -Zxz -b "$root" "$out/$1_${number}_$2.deb" >/dev/null
	echo "$out/$1_${number}_$2.deb  $(wc -c <"$out/$1_${number}_$2.deb") bytes"
	rm -rf "$root"
}

# packages MACHINE TRIPLET COMPILER: makes all packages for a machine.
packages() {
	lib="/usr/lib/$2"
	CGO_ENABLED=1 CC="$3" GOOS=linux GOARCH="$1" "$go" build -trimpath -buildvcs=false \
		-ldflags "-s -w -buildid= -X main.version=$version" \
		-o "$work/vfm-restore/usr/bin/restore" ./cmd/restore
	mkdir -p "$work/vfm-restore/usr/share/doc/vfm-restore"
	cp README.md docs/*.md "$work/vfm-restore/usr/share/doc/vfm-restore/"
	mkdir -p "$work/vfm-restore/usr/lib/systemd/system" "$work/vfm-restore/usr/lib/sysusers.d"
	# The package does not enable these units.
	cp scripts/systemd/restore-folder@.* "$work/vfm-restore/usr/lib/systemd/system/"
	cp scripts/systemd/vfm-restore.conf "$work/vfm-restore/usr/lib/sysusers.d/"
	CGO_ENABLED=1 CC="$3" GOOS=linux GOARCH="$1" VERSION="$version" scripts/lib.sh build "$work/lib"
	CGO_ENABLED=1 CC="$3" GOOS=linux GOARCH="$1" VERSION="$version" \
		DESTDIR="$work/libvfm-dev" PREFIX=/usr LIBDIR="$lib" scripts/lib.sh install "$work/lib" >/dev/null
	mkdir -p "$work/libvfm$abi$lib"
	mv "$work/libvfm-dev$lib/libvfm.so.$abi" "$work/libvfm$abi$lib/"
	if [ "$1" = "$machine" ] && scripts/gstreamer.sh available; then
		CC="$3" VERSION="$version" scripts/gstreamer.sh build "$work/lib"
		DESTDIR="$work/gstreamer1.0-vfm" PREFIX=/usr LIBDIR="$lib" \
			scripts/gstreamer.sh install "$work/lib" >/dev/null
	fi
	rm -rf "$work/lib"
	libc="libc6 (>= $(libc_needed "$work/vfm-restore/usr/bin/restore" "$work/libvfm$abi$lib/libvfm.so.$abi"))"
	vulkan="Recommends: libvulkan1, mesa-vulkan-drivers"
	package vfm-restore "$1" "Depends: $libc
$vulkan" "repairs photographs in one network step on any GPU with Vulkan
 Motion blur, defocus, noise, missing regions and low resolution. Shaders and
 weights are inside."
	package libvfm$abi "$1" "Depends: $libc
$vulkan" "repairs photographs and frames of cameras: C library
 What vfm-restore does, for pictures and streams of frames in memory."
	package libvfm-dev "$1" "Depends: libvfm$abi (= $number)" "repairs photographs and frames of cameras: for programs that use the C library
 The header, and files for pkg-config and CMake."
	if [ -d "$work/gstreamer1.0-vfm" ]; then
		package gstreamer1.0-vfm "$1" "Depends: libvfm$abi (= $number), libgstreamer-plugins-base1.0-0 (>= $(pkg-config --modversion gstreamer-video-1.0))" "repairs video: GStreamer element
 vfmrestore removes noise or blur, or enlarges, frame by frame."
	else
		echo "deb: no gstreamer1.0-vfm for $1, as GStreamer's development files are not installed"
	fi
}

# libc_needed FILES: the newest version of the C library that they need.
libc_needed() {
	cat "$@" | grep -a -o 'GLIBC_2\.[0-9]*' | sed 's/GLIBC_//' | sort -u -V | tail -n 1
}

build() {
	mkdir -p "$out"
	machine="$("$go" env GOARCH)"
	case "$machine" in
	amd64) packages amd64 x86_64-linux-gnu "$("$go" env CC)" ;;
	arm64) packages arm64 aarch64-linux-gnu "$("$go" env CC)" ;;
	*) echo "deb: no packages for $machine" ;;
	esac
	if [ "$machine" = arm64 ]; then return 0; fi
	if command -v aarch64-linux-gnu-gcc >/dev/null; then
		packages arm64 aarch64-linux-gnu aarch64-linux-gnu-gcc
	else
		echo "deb: no packages for arm64, as aarch64-linux-gnu-gcc is not installed"
	fi
}

# check installs the packages, uses the command and the library, and removes the packages.
check() {
	out="$work/out"
	if ! command -v dpkg-deb >/dev/null; then
		echo "deb: nothing is checked, as dpkg-deb is not installed"
		return 0
	fi
	build
	if [ "$(id -u)" != 0 ]; then
		echo "deb: built, but not installed, because only root can do that"
		return 0
	fi
	for name in vfm-restore libvfm$abi libvfm-dev gstreamer1.0-vfm; do
		if dpkg -s "$name" >/dev/null 2>&1; then
			echo "deb: $name is already installed, so nothing is checked" >&2
			return 0
		fi
	done
	dpkg -i "$out"/*_"$(dpkg --print-architecture)".deb >/dev/null
	status=0
	use || status=$?
	if dpkg -s gstreamer1.0-vfm >/dev/null 2>&1; then dpkg -r gstreamer1.0-vfm >/dev/null; fi
	dpkg -r libvfm-dev libvfm$abi vfm-restore >/dev/null
	for left in /usr/bin/restore /usr/include/vfm.h "/usr/lib/systemd/system/restore-folder@.timer"; do
		if [ -e "$left" ]; then
			echo "deb: $left is left after removing the packages" >&2
			status=1
		fi
	done
	[ "$status" = 0 ] && echo "deb: the packages can be installed, used and removed"
	return "$status"
}

use() {
	/usr/bin/restore version | grep -q "$version" || return 1
	for file in systemd/system/restore-folder@.service systemd/system/restore-folder@.timer sysusers.d/vfm-restore.conf; do
		[ -f "/usr/lib/$file" ] || return 1
	done
	cat >"$work/version.c" <<-'C'
		#include <stdio.h>
		#include <vfm.h>
		int main(void) { return puts(vfm_version()) < 0; }
	C
	# shellcheck disable=SC2046
	cc -o "$work/version" "$work/version.c" $(pkg-config --cflags --libs vfm) || return 1
	"$work/version" | grep -q "$version" || return 1
	if dpkg -s gstreamer1.0-vfm >/dev/null 2>&1 && command -v gst-inspect-1.0 >/dev/null; then
		GST_REGISTRY="$work/registry" gst-inspect-1.0 vfmrestore | grep -q "$version" || return 1
	fi
}

case "${1:-build}" in
build) build ;;
check) check ;;
*)
	echo "deb: the command must be build or check, not $1" >&2
	exit 2
	;;
esac
