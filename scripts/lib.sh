#!/bin/sh
# Builds the C library into a folder: libvfm.so.1 with the link libvfm.so and vfm.h (on macOS libvfm.1.dylib, on Windows vfm.dll). Only vfm_* can be seen from outside.
#
#   scripts/lib.sh build FOLDER            (VERSION: what vfm_version says)
#   scripts/lib.sh install FOLDER          what is in FOLDER, under $DESTDIR$PREFIX (default /usr/local): lib (LIBDIR), include, pkg-config, CMake
set -eu
cd "$(dirname "$0")/.."
go="${GO:-go}"
abi="$(sed -n 's/^#define VFM_ABI //p' cmd/libvfm/vfm.h)"
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
		# The list of symbols is that of the header.
		sed -n 's/^[a-z].*[ *]\(vfm_[a-z_]*\)(.*/_\1/p' cmd/libvfm/vfm.h >"$dir/vfm.symbols"
		link_flags="-Wl,-install_name,@rpath/$name -Wl,-exported_symbols_list,$(cd "$dir" && pwd)/vfm.symbols"
		;;
	windows) link_flags="" ;;
	*) link_flags="-Wl,-soname,$name -Wl,--version-script,$PWD/cmd/libvfm/vfm.map" ;;
	esac
	"$go" build -trimpath -buildmode=c-shared -ldflags "-s -w -X main.version=$version -extldflags '$link_flags'" -o "$dir/$name" ./cmd/libvfm
	rm -f "$dir/vfm.symbols" "$dir/${name%.*}.h" "$dir/libvfm.so.h" # cgo's own header, which vfm.h replaces
	if [ -n "$link" ]; then ln -sf "$name" "$dir/$link"; fi
	cp cmd/libvfm/vfm.h "$dir/"
}

install_all() {
	prefix="${PREFIX:-/usr/local}"
	lib="${LIBDIR:-$prefix/lib}"
	case "$prefix$lib" in /*) ;; *)
		echo "lib: PREFIX and LIBDIR must be absolute paths, not $prefix and $lib" >&2
		exit 1
		;;
	esac
	root="${DESTDIR:-}"
	# As a version of numbers: of v1.2.3-4-gabcdef its first three, of a commit's hash 0 and the ABI.
	number="$(printf '%s\n' "$version" | sed -n 's/^v\{0,1\}\([0-9][0-9]*\(\.[0-9][0-9]*\)\{1,2\}\).*/\1/p')"
	number="${number:-0.$abi}"
	mkdir -p "$root$lib/pkgconfig" "$root$lib/cmake/vfm" "$root$prefix/include"
	# A new file under a new name first: programs that run have the old one mapped.
	cp "$dir/$name" "$root$lib/.$name.new"
	chmod 755 "$root$lib/.$name.new"
	mv -f "$root$lib/.$name.new" "$root$lib/$name"
	if [ -n "$link" ]; then ln -sf "$name" "$root$lib/$link"; fi
	cp cmd/libvfm/vfm.h "$root$prefix/include/vfm.h"
	chmod 644 "$root$prefix/include/vfm.h"
	fill() {
		sed -e "s|@PREFIX@|$prefix|g" -e "s|@LIBDIR@|$lib|g" -e "s|@VERSION@|$number|g" -e "s|@ABI@|$abi|g" -e "s|@FILE@|$name|g" "cmd/libvfm/$1.in" >"$root$2/$1"
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
	echo "lib: build or install, not $1" >&2
	exit 2
	;;
esac
