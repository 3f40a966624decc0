#!/bin/sh
# Builds the archives of a release and Debian packages (deb.sh) into dist/: restore, trainhost,
# licences and attributions. It builds for this machine, and for linux/arm64 and windows/amd64 if
# their C compilers are installed (Debian: gcc-aarch64-linux-gnu, gcc-mingw-w64-x86-64). Two runs
# for the same commit with the same compilers give the same bytes: the archives hold no paths of
# this machine, no times, and files in sorted order.
set -eu
cd "$(dirname "$0")/.."
go="${GO:-go}"
version="$(git describe --tags --always --dirty 2>/dev/null || echo unknown)"
stamp="$(git log -1 --format=%ct 2>/dev/null || echo 0)"
rm -rf dist
mkdir -p dist/licences

# The licences of all linked modules.
cp LICENSE dist/licences/restore.txt
"$go" list -deps -f '{{with .Module}}{{if not .Main}}{{.Path}} {{.Dir}}{{end}}{{end}}' \
	./cmd/restore ./cmd/trainhost ./cmd/libvfm | sort -u | while read -r path dir; do
	for f in "$dir"/LICENSE* "$dir"/LICENCE* "$dir"/COPYING*; do
		if [ -f "$f" ]; then cat "$f"; fi
	done > "dist/licences/$(echo "$path" | tr / _).txt"
done
cp "$("$go" env GOROOT)/LICENSE" dist/licences/go.txt
empty="$(find dist/licences -empty)"
if [ -n "$empty" ]; then
	echo "dist: no licence found for: $empty" >&2
	exit 1
fi

archive() { # system machine compiler
	name="restore-$version-$1-$2"
	dir="dist/$name"
	mkdir -p "$dir"
	end=""
	[ "$1" = windows ] && end=.exe
	for cmd in restore trainhost; do
		CGO_ENABLED=1 CC="$3" GOOS="$1" GOARCH="$2" "$go" build -trimpath -buildvcs=false \
			-ldflags "-s -w -buildid= -X main.version=$version" -o "$dir/$cmd$end" "./cmd/$cmd"
	done
	cp -r README.md docs dist/licences "$dir/"
	find "$dir" -exec touch -h -d "@$stamp" {} +
	tar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$stamp" -C dist -cf - "$name" |
		gzip -9n >"dist/$name.tar.gz"
	echo "dist/$name.tar.gz  $(wc -c < "dist/$name.tar.gz") bytes"
}

archive "$("$go" env GOOS)" "$("$go" env GOARCH)" "$("$go" env CC)"
if [ "$("$go" env GOARCH)" != arm64 ]; then
	if command -v aarch64-linux-gnu-gcc >/dev/null; then
		archive linux arm64 aarch64-linux-gnu-gcc
	else
		echo "dist: nothing for linux/arm64, as aarch64-linux-gnu-gcc is not installed"
	fi
fi
for cc in x86_64-w64-mingw32-gcc x86_64-w64-mingw32-gcc-posix ""; do
	if [ -z "$cc" ]; then
		echo "dist: nothing for windows/amd64, as x86_64-w64-mingw32-gcc is not installed"
	elif command -v "$cc" >/dev/null; then
		archive windows amd64 "$cc"
		break
	fi
done
scripts/deb.sh build
(cd dist && sha256sum ./*.tar.gz ./*.deb > SHA256SUMS)
