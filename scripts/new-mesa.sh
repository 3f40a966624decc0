#!/bin/sh
# Runs the kernels' tests on a newer Mesa than this machine has, whose software driver offers cooperative matrices (8×8×8; Mesa 26.1 does,
# 25.0 does not): the one driver without a GPU on which the kernels that use them can be checked. Takes the driver and the libraries that it
# wants from Debian 13 and its backports into .cache/mesa (130 MB of packages) without installing anything, and starts the test
# binary with them. Says so, and succeeds, where they cannot be had (no Debian, not x86-64, no network).
set -eu
cd "$(dirname "$0")/.."
dir=$PWD/.cache/mesa
root=$dir/root
lib=$root/usr/lib/x86_64-linux-gnu
gone() {
	echo "no newer Mesa here: $1"
	exit 0
}
if [ ! -f "$dir/ready" ]; then
	[ "$(uname -m)" = x86_64 ] && command -v apt-get >/dev/null 2>&1 && command -v dpkg-deb >/dev/null 2>&1 || gone "it is fetched as Debian packages for x86-64"
	rm -rf "$dir"
	mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial" "$root"
	: >"$dir/status"
	cat >"$dir/debian.sources" <<-END
		Types: deb
		URIs: http://deb.debian.org/debian
		Suites: trixie trixie-backports
		Components: main
		Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
	END
	apt() {
		apt-get -qq -o Dir::Etc::sourcelist="$dir/debian.sources" -o Dir::Etc::sourceparts=- -o Dir::State::lists="$dir/lists" \
			-o Dir::State::status="$dir/status" -o Dir::Cache="$dir/cache" -o APT::Architecture=amd64 -o APT::Architectures::=amd64 \
			-o APT::Sandbox::User=root -o APT::Install-Recommends=false "$@" >>"$dir/log" 2>&1
	}
	apt update && apt install -y -d -t trixie-backports mesa-vulkan-drivers libvulkan1 libstdc++6 || gone "its packages could not be fetched ($dir/log)"
	for deb in "$dir"/cache/archives/*.deb; do
		dpkg-deb -x "$deb" "$root"
	done
	rm -rf "$dir/cache" "$dir/lists"
	[ -f "$lib/libvulkan_lvp.so" ] || gone "the packages hold no lavapipe"
	echo "{\"file_format_version\": \"1.0.0\", \"ICD\": {\"library_path\": \"$lib/libvulkan_lvp.so\", \"api_version\": \"1.3.0\"}}" >"$dir/icd.json"
	: >"$dir/ready"
fi
echo "again on a newer Mesa, with cooperative matrices:"
${GO:-go} test -c -o "$dir/compile.test" ./netdef/compile
cd netdef/compile
# The validation layer of this machine belongs to its own C library: the newer one cannot be loaded beside it.
VK_DRIVER_FILES=$dir/icd.json VK_ICD_FILENAMES=$dir/icd.json VFM_TEST_NOVALIDATION=1 \
	"$lib/ld-linux-x86-64.so.2" --library-path "$lib:$root/lib/x86_64-linux-gnu" "$dir/compile.test" -test.v -test.run 'TestMatrix|TestTiled|TestHalf' >"$dir/test.log" 2>&1 || { tail -40 "$dir/test.log"; exit 1; }
if grep -q -- '--- SKIP: TestMatrix' "$dir/test.log"; then
	echo "FAIL: that Mesa has no cooperative matrices"
	exit 1
fi
grep -c -- '--- PASS' "$dir/test.log" | sed 's/$/ tests passed/'
