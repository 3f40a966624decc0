#!/bin/sh
# Builds the archives of a release, and Debian packages (deb.sh), into dist/: restore, trainhost, licences and attributions, for this machine's Linux, and for linux/arm64 and
# windows/amd64 where their C compilers are there (Debian: gcc-aarch64-linux-gnu, gcc-mingw-w64-x86-64). Two runs of one commit with the same
# compilers give the same bytes: no paths, no times, no order of a file system.
set -eu
cd "$(dirname "$0")/.."
go="${GO:-go}"
version="$(git describe --tags --always --dirty 2>/dev/null || echo unknown)"
stamp="$(git log -1 --format=%ct 2>/dev/null || echo 0)"
rm -rf dist
mkdir -p dist/licences

# The licences of all that is linked in, by module.
cp LICENSE dist/licences/restore.txt
"$go" list -deps -f '{{with .Module}}{{if not .Main}}{{.Path}} {{.Dir}}{{end}}{{end}}' ./cmd/restore ./cmd/trainhost ./cmd/libvfm | sort -u | while read -r path dir; do
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
		CGO_ENABLED=1 CC="$3" GOOS="$1" GOARCH="$2" "$go" build -trimpath -buildvcs=false -ldflags "-s -w -buildid= -X main.version=$version" -o "$dir/$cmd$end" "./cmd/$cmd"
	done
	cp -r README.md docs dist/licences "$dir/"
	find "$dir" -exec touch -h -d "@$stamp" {} +
	tar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$stamp" -C dist -cf - "$name" | gzip -9n > "dist/$name.tar.gz"
	echo "dist/$name.tar.gz  $(wc -c < "dist/$name.tar.gz") bytes"
}

archive "$("$go" env GOOS)" "$("$go" env GOARCH)" "$("$go" env CC)"
[ "$("$go" env GOARCH)" = arm64 ] || { command -v aarch64-linux-gnu-gcc >/dev/null && archive linux arm64 aarch64-linux-gnu-gcc; } || echo "dist: no aarch64-linux-gnu-gcc, so nothing for linux/arm64"
for cc in x86_64-w64-mingw32-gcc x86_64-w64-mingw32-gcc-posix ""; do
	if [ -z "$cc" ]; then
		echo "dist: no x86_64-w64-mingw32-gcc, so nothing for windows/amd64"
	elif command -v "$cc" >/dev/null; then
		archive windows amd64 "$cc"
		break
	fi
done
scripts/deb.sh build
(cd dist && sha256sum ./*.tar.gz ./*.deb > SHA256SUMS)
