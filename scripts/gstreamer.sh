#!/bin/sh
# Builds the GStreamer element vfmrestore as FOLDER/gstreamer-1.0/libgstvfm.so. FOLDER must already
# hold the C library (lib.sh). The element finds the library in the parent of its own folder.
#
#   scripts/gstreamer.sh available         succeeds if what it needs to build is installed
#   scripts/gstreamer.sh build FOLDER      (VERSION: its version; CC, CFLAGS)
#   scripts/gstreamer.sh install FOLDER    to $DESTDIR$LIBDIR/gstreamer-1.0
#                                          (default of LIBDIR: $PREFIX/lib, of PREFIX: /usr/local)
set -eu
cd "$(dirname "$0")/.."
. scripts/common.sh

available() {
	[ "$(uname -s)" = Linux ] && command -v pkg-config >/dev/null 2>&1 &&
		pkg-config gstreamer-video-1.0 2>/dev/null
}

build() {
	if ! available; then
		echo "gstreamer: GStreamer's development files are not installed (Debian: apt-get install" \
			"pkg-config libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev)" >&2
		exit 1
	fi
	mkdir -p "$1/gstreamer-1.0"
	# Flags of pkg-config and of the caller, and words of CC, are split on purpose.
	# shellcheck disable=SC2046,SC2086
	${CC:-cc} -std=gnu11 -O2 -Wall -Wextra ${CFLAGS:-} -fPIC -fvisibility=hidden -shared \
		-DVFM_VERSION="\"${VERSION:-unknown}\"" -Icmd/libvfm \
		-o "$1/gstreamer-1.0/libgstvfm.so" cmd/libvfm/gstreamer/*.c \
		$(pkg-config --cflags gstreamer-video-1.0) \
		-L"$1" -lvfm $(pkg-config --libs gstreamer-video-1.0) -Wl,-z,defs -Wl,-rpath,'$ORIGIN/..'
}

install_all() {
	prefix="${PREFIX:-/usr/local}"
	to="${LIBDIR:-$prefix/lib}/gstreamer-1.0"
	absolute gstreamer "$to"
	mkdir -p "${DESTDIR:-}$to"
	install_file "$1/gstreamer-1.0/libgstvfm.so" "${DESTDIR:-}$to/libgstvfm.so" 644
	echo "installed $to/libgstvfm.so"
	if [ "$to" != "$(pkg-config --variable=pluginsdir gstreamer-1.0 2>/dev/null)" ]; then
		echo "GStreamer finds it with GST_PLUGIN_PATH=$to"
	fi
}

case "${1:-}" in
available) available ;;
build) build "$2" ;;
install) install_all "$2" ;;
*)
	echo "gstreamer: the command must be available, build or install, not '${1:-}'" >&2
	exit 2
	;;
esac
