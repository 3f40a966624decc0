#!/bin/sh
# Builds the GStreamer element vfmrestore over the C library (lib.sh), which is in FOLDER already, as
# FOLDER/gstreamer-1.0/libgstvfm.so. It finds the library in the folder above its own.
#
#   scripts/gstreamer.sh there             is what it is built with there?
#   scripts/gstreamer.sh build FOLDER      (VERSION: its version; CC, CFLAGS)
#   scripts/gstreamer.sh install FOLDER    to $DESTDIR$LIBDIR/gstreamer-1.0 (default of LIBDIR: /usr/local/lib)
set -eu
cd "$(dirname "$0")/.."

there() {
	[ "$(uname -s)" = Linux ] && command -v pkg-config >/dev/null 2>&1 && pkg-config gstreamer-video-1.0 2>/dev/null
}

build() {
	if ! there; then
		echo "gstreamer: GStreamer's development files are not here (Debian: apt-get install pkg-config libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev)" >&2
		exit 1
	fi
	mkdir -p "$1/gstreamer-1.0"
	# Flags of pkg-config and of the caller, and words of CC, are split on purpose.
	# shellcheck disable=SC2046,SC2086
	${CC:-cc} -std=gnu11 -O2 -Wall -Wextra ${CFLAGS:-} -fPIC -fvisibility=hidden -shared -DVFM_VERSION="\"${VERSION:-unknown}\"" -Icmd/libvfm \
		-o "$1/gstreamer-1.0/libgstvfm.so" cmd/libvfm/gstreamer/*.c $(pkg-config --cflags gstreamer-video-1.0) \
		-L"$1" -lvfm $(pkg-config --libs gstreamer-video-1.0) -Wl,-z,defs -Wl,-rpath,'$ORIGIN/..'
}

install_all() {
	prefix="${PREFIX:-/usr/local}"
	to="${LIBDIR:-$prefix/lib}/gstreamer-1.0"
	case "$to" in /*) ;; *)
		echo "gstreamer: PREFIX and LIBDIR must be absolute paths; $to is not" >&2
		exit 1
		;;
	esac
	mkdir -p "${DESTDIR:-}$to"
	# A new file under a new name first: programs that run have the old one mapped.
	cp "$1/gstreamer-1.0/libgstvfm.so" "${DESTDIR:-}$to/.libgstvfm.so.new"
	chmod 644 "${DESTDIR:-}$to/.libgstvfm.so.new"
	mv -f "${DESTDIR:-}$to/.libgstvfm.so.new" "${DESTDIR:-}$to/libgstvfm.so"
	echo "installed $to/libgstvfm.so"
	if [ "$to" != "$(pkg-config --variable=pluginsdir gstreamer-1.0 2>/dev/null)" ]; then
		echo "GStreamer finds it with GST_PLUGIN_PATH=$to"
	fi
}

case "$1" in
there) there ;;
build) build "$2" ;;
install) install_all "$2" ;;
*)
	echo "gstreamer: there, build or install, not $1" >&2
	exit 2
	;;
esac
