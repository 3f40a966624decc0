#!/bin/sh
# Prints the path of the manifest of SwiftShader's Vulkan driver. If necessary it fetches Debian's
# chromium-common (32 MB) into .cache/. If that is not possible it prints nothing, and the tests run
# only on the default driver.
set -eu
cd "$(dirname "$0")/.."
dir=.cache/swiftshader
json="$dir/usr/lib/chromium/vk_swiftshader_icd.json"
if [ ! -f "$json" ]; then
	command -v apt-get >/dev/null 2>&1 && command -v dpkg-deb >/dev/null 2>&1 || exit 0
	mkdir -p "$dir"
	(
		cd "$dir"
		fetch() { apt-get download chromium-common >/dev/null 2>&1; }
		fetch || { apt-get update -qq >/dev/null 2>&1 && fetch; } || exit 1
		dpkg-deb -x chromium-common_*.deb x
		mkdir -p usr/lib/chromium
		mv x/usr/lib/chromium/libvk_swiftshader.so x/usr/lib/chromium/vk_swiftshader_icd.json usr/lib/chromium/
		rm -rf x chromium-common_*.deb
	) || exit 0
fi
[ -f "$json" ] && echo "$PWD/$json"
