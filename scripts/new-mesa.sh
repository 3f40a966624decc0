#!/bin/sh
# Runs the tests of the kernels on a newer Mesa than that of this machine. Its software driver has
# cooperative matrices (8×8×8; Mesa 26.1 has them, 25.0 does not), so the kernels that use them can
# be checked without a GPU. It fetches the driver and its libraries from Debian 13 and its backports
# into .cache/mesa (130 MB of packages), installs nothing, and runs the test binary with them. If
# they cannot be fetched (no Debian, not x86-64, no network), it says so and succeeds.
set -eu
cd "$(dirname "$0")/.."
dir=$PWD/.cache/mesa
root=$dir/root
lib=$root/usr/lib/x86_64-linux-gnu
skip() {
	echo "no newer Mesa here: $1"
	exit 0
}
if [ ! -f "$dir/ready" ]; then
	[ "$(uname -m)" = x86_64 ] && command -v apt-get >/dev/null 2>&1 &&
		command -v dpkg-deb >/dev/null 2>&1 || skip "it needs Debian packages for x86-64"
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
		apt-get -qq -o Dir::Etc::sourcelist="$dir/debian.sources" -o Dir::Etc::sourceparts=- \
			-o Dir::State::lists="$dir/lists" -o Dir::State::status="$dir/status" \
			-o Dir::Cache="$dir/cache" -o APT::Architecture=amd64 -o APT::Architectures::=amd64 \
			-o APT::Sandbox::User=root -o APT::Install-Recommends=false "$@" >>"$dir/log" 2>&1
	}
	apt update &&
		apt install -y -d -t trixie-backports mesa-vulkan-drivers libvulkan1 libstdc++6 ||
		skip "its packages could not be fetched ($dir/log)"
	for deb in "$dir"/cache/archives/*.deb; do
		dpkg-deb -x "$deb" "$root"
	done
	rm -rf "$dir/cache" "$dir/lists"
	[ -f "$lib/libvulkan_lvp.so" ] || skip "the packages hold no lavapipe"
	icd="{\"library_path\": \"$lib/libvulkan_lvp.so\", \"api_version\": \"1.3.0\"}"
	echo "{\"file_format_version\": \"1.0.0\", \"ICD\": $icd}" >"$dir/icd.json"
	: >"$dir/ready"
fi
echo "again on a newer Mesa, with cooperative matrices:"
${GO:-go} test -c -o "$dir/compile.test" ./netdef/compile
cd netdef/compile
# The validation layer of this machine needs its C library, and cannot be loaded with the newer one.
if ! VK_DRIVER_FILES=$dir/icd.json VK_ICD_FILENAMES=$dir/icd.json VFM_TEST_NOVALIDATION=1 \
	"$lib/ld-linux-x86-64.so.2" --library-path "$lib:$root/lib/x86_64-linux-gnu" "$dir/compile.test" \
	-test.v -test.run 'TestMatrix|TestTiled|TestHalf' >"$dir/test.log" 2>&1; then
	tail -40 "$dir/test.log"
	exit 1
fi
if grep -q -- '--- SKIP: TestMatrix' "$dir/test.log"; then
	echo "FAIL: that Mesa has no cooperative matrices"
	exit 1
fi
grep -c -- '--- PASS' "$dir/test.log" | sed 's/$/ tests passed/'
