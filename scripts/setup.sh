#!/bin/sh
# Installs what this machine lacks to build and run restore, with the argument "test" also what only
# the tests need. On a terminal it asks first (YES=1: it does not). It uses apt-get on Debian and
# Ubuntu, as root or with sudo; on other systems it says what to install. If nothing is missing it
# ends quickly.
set -eu

say() { printf '%s\n' "setup: $*" >&2; }

if ! command -v go >/dev/null 2>&1; then
	say "Go is not installed (or not in PATH). Get version 1.26 or later from https://go.dev/dl/ and try again."
	exit 1
fi

have_loader() {
	case "$(uname -s)" in
	Darwin) ls /usr/local/lib/libvulkan.1.dylib /opt/homebrew/lib/libvulkan.1.dylib 2>/dev/null | grep -q . ;;
	*)
		PATH="$PATH:/sbin:/usr/sbin" ldconfig -p 2>/dev/null | grep -q 'libvulkan\.so\.1 ' ||
			ls /usr/lib/libvulkan.so.1 /usr/lib64/libvulkan.so.1 /usr/lib/*/libvulkan.so.1 2>/dev/null | grep -q .
		;;
	esac
}

# Mesa's CPU driver gives every machine a device. If there is a GPU with a driver, that is
# preferred.
have_driver() {
	case "$(uname -s)" in
	Darwin)
		ls /usr/local/share/vulkan/icd.d/*.json /opt/homebrew/share/vulkan/icd.d/*.json \
			/opt/homebrew/etc/vulkan/icd.d/*.json 2>/dev/null | grep -q .
		;;
	*)
		ls /usr/share/vulkan/icd.d/lvp_icd*.json /etc/vulkan/icd.d/lvp_icd*.json \
			/usr/local/share/vulkan/icd.d/lvp_icd*.json 2>/dev/null | grep -q .
		;;
	esac
}

compiler="$(go env CC)"
# Words of CC such as "ccache gcc" are split on purpose.
# shellcheck disable=SC2086
have_compiler() { command -v ${compiler%% *} >/dev/null 2>&1; }
# shellcheck disable=SC2086
have_headers() { printf '#include <stdlib.h>\n' | $compiler -E -x c - >/dev/null 2>&1; }
have_layer() {
	ls /usr/share/vulkan/explicit_layer.d/*hronos_validation*.json \
		/etc/vulkan/explicit_layer.d/*hronos_validation*.json \
		/opt/homebrew/share/vulkan/explicit_layer.d/*hronos_validation*.json 2>/dev/null | grep -q .
}
# shellcheck disable=SC2086
have_vulkan_headers() {
	printf '#include <vulkan/vulkan.h>\n' | $compiler -E -x c - >/dev/null 2>&1
}
have_spirv_val() { command -v spirv-val >/dev/null 2>&1; }

lacking=""
have_loader || lacking="$lacking libvulkan1"
have_driver || lacking="$lacking mesa-vulkan-drivers"
have_compiler || lacking="$lacking gcc"
{ have_compiler && have_headers; } || lacking="$lacking libc6-dev"
if [ "${1:-}" = test ]; then
	have_layer || lacking="$lacking vulkan-validationlayers"
	have_spirv_val || lacking="$lacking spirv-tools"
	# A C program of the tests makes a Vulkan device of its own.
	have_vulkan_headers || lacking="$lacking libvulkan-dev"
	# The tests use the installed C library through these.
	command -v pkg-config >/dev/null 2>&1 || lacking="$lacking pkg-config"
	command -v cmake >/dev/null 2>&1 || lacking="$lacking cmake"
fi

have_gstreamer() {
	command -v gst-launch-1.0 >/dev/null 2>&1 && pkg-config gstreamer-app-1.0 2>/dev/null &&
		ls /usr/lib/*/gstreamer-1.0/libgstvideotestsrc.so >/dev/null 2>&1
}

# A browser to check reports, and GStreamer to build the element (50 MB), on Debian only. Without
# them their tests are skipped.
optional=""
if [ "${1:-}" = test ] && [ "$(id -u)" = 0 ] && grep -qs '^ID=debian' /etc/os-release; then
	command -v chromium >/dev/null 2>&1 || optional=" chromium"
	have_gstreamer || optional="$optional libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev \
gstreamer1.0-tools gstreamer1.0-plugins-base"
fi

if [ -z "$lacking$optional" ]; then
	exit 0
fi

if command -v apt-get >/dev/null 2>&1; then
	root=""
	if [ "$(id -u)" != 0 ]; then
		if ! command -v sudo >/dev/null 2>&1; then
			say "lacking:$lacking"
			say "run this as root: apt-get update && apt-get install --no-install-recommends$lacking"
			exit 1
		fi
		root="sudo"
	fi
	# On a terminal it asks. Scripts and CI agree by running this.
	if [ "${YES:-}" != 1 ] && [ -t 0 ] && [ -t 2 ]; then
		printf 'setup: install with %sapt-get:%s? [Y/n] ' "${root:+$root }" "$lacking$optional" >&2
		read -r answer || answer=n # end of input
		case "$answer" in
		"" | [yY]*) ;;
		*)
			say "nothing was installed (YES=1 does not ask)"
			[ -z "$lacking" ] # it is no failure if only optional packages are missing
			exit
			;;
		esac
	fi
	say "installing$lacking$optional"
	# shellcheck disable=SC2086
	install() {
		$root env DEBIAN_FRONTEND=noninteractive \
			apt-get install -y -qq --no-install-recommends $lacking >/dev/null
	}
	# First try without fetching the package lists, which is slow.
	if [ -n "$lacking" ] && ! install 2>/dev/null; then
		if ! $root apt-get update -qq || ! install; then
			say "apt-get could not install$lacking; see above." \
				"Check the network and the package sources, then try again."
			exit 1
		fi
	fi
	if [ -n "$optional" ]; then
		lacking="$optional"
		if ! install 2>/dev/null; then
			for lacking in $optional; do
				install 2>/dev/null ||
					say "$lacking cannot be installed; the tests that need it are skipped"
			done
		fi
	fi
	exit 0
fi

say "missing on this machine (names of Debian packages):$lacking"
case "$(uname -s)" in
Darwin) say "on macOS: xcode-select --install; brew install vulkan-loader molten-vk vulkan-validationlayers spirv-tools" ;;
*)
	say "on Fedora:  dnf install vulkan-loader mesa-vulkan-drivers gcc glibc-devel vulkan-validation-layers spirv-tools"
	say "on Arch:    pacman -S vulkan-icd-loader vulkan-swrast gcc vulkan-validation-layers spirv-tools"
	say "on Alpine:  apk add vulkan-loader mesa-vulkan-swrast gcc musl-dev vulkan-validation-layers spirv-tools"
	say "elsewhere:  the Vulkan loader, a Vulkan driver (Mesa's lavapipe will do) and a C compiler"
	;;
esac
say "then run the same command again"
exit 1
