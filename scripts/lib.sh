#!/bin/sh
# Builds the C library into a folder: libvfm.so.1, the link libvfm.so and vfm.h (on macOS
# libvfm.1.dylib, on Windows vfm.dll). It exports only vfm_*.
#
#   scripts/lib.sh build FOLDER      (VERSION: the result of vfm_version)
#   scripts/lib.sh install FOLDER    to $DESTDIR$PREFIX (default /usr/local): lib (LIBDIR), include,
#                                    files for pkg-config and CMake
set -eu
cd "$(dirname "$0")/.."
. scripts/common.sh
go="${GO:-go}"
abi="$(abi)"
version="${VERSION:-unknown}"
dir="$2"
os="$("$go" env GOOS)"
case "$os" in
darwin) name="libvfm.$abi.dylib" link=libvfm.dylib ;;
windows) name=vfm.dll link= ;;
*) name="libvfm.so.$abi" link=libvfm.so ;;
esac

build() {
	mkdir -p "$dir"
	case "$os" in
	darwin)
		# The list of symbols comes from the header.
		sed -n 's/^[a-z].*[ *]\(vfm_[a-z_]*\)(.*/_\1/p' cmd/libvfm/vfm.h >"$dir/vfm.symbols"
		symbols="$(cd "$dir" && pwd)/vfm.symbols"
		link_flags="-Wl,-install_name,@rpath/$name -Wl,-exported_symbols_list,$symbols"
		;;
	windows) link_flags="" ;;
	*) link_flags="-Wl,-soname,$name -Wl,--version-script,$PWD/cmd/libvfm/vfm.map" ;;
	esac
	"$go" build -trimpath -buildmode=c-shared \
		-ldflags "-s -w -X main.version=$version -extldflags '$link_flags'" -o "$dir/$name" ./cmd/libvfm
	# vfm.h replaces the header that cgo makes.
	rm -f "$dir/vfm.symbols" "$dir/${name%.*}.h" "$dir/libvfm.so.h"
	if [ -n "$link" ]; then ln -sf "$name" "$dir/$link"; fi
	cp cmd/libvfm/vfm.h "$dir/"
}

install_all() {
	prefix="${PREFIX:-/usr/local}"
	lib="${LIBDIR:-$prefix/lib}"
	absolute lib "$prefix" "$lib"
	root="${DESTDIR:-}"
	# A commit without a tag has version 0.ABI.
	number="$(version_number "$version")"
	number="${number:-0.$abi}"
	mkdir -p "$root$lib/pkgconfig" "$root$lib/cmake/vfm" "$root$prefix/include"
	install_file "$dir/$name" "$root$lib/$name" 755
	if [ -n "$link" ]; then ln -sf "$name" "$root$lib/$link"; fi
	cp cmd/libvfm/vfm.h "$root$prefix/include/vfm.h"
	chmod 644 "$root$prefix/include/vfm.h"
	fill() {
		sed -e "s|@PREFIX@|$prefix|g" -e "s|@LIBDIR@|$lib|g" -e "s|@VERSION@|$number|g" \
			-e "s|@ABI@|$abi|g" -e "s|@FILE@|$name|g" "cmd/libvfm/$1.in" >"$root$2/$1"
		chmod 644 "$root$2/$1"
	}
	fill vfm.pc "$lib/pkgconfig"
	fill vfm-config.cmake "$lib/cmake/vfm"
	fill vfm-config-version.cmake "$lib/cmake/vfm"
	echo "installed $lib/$name and $prefix/include/vfm.h"
	if [ "$os" = linux ] && [ -z "$root" ] && [ "$(id -u)" = 0 ]; then
		PATH="$PATH:/sbin:/usr/sbin" ldconfig 2>/dev/null || true
	fi
}

case "$1" in
build) build ;;
install) install_all ;;
*)
	echo "lib: the command must be build or install, not '$1'" >&2
	exit 2
	;;
esac
