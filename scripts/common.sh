# Functions of the scripts that install and package. Sourced, not run.

# absolute NAME PATH...: fails unless the paths are absolute.
absolute() {
	script="$1"
	shift
	for path in "$@"; do
		case "$path" in /*) ;; *)
			echo "$script: PREFIX and LIBDIR must be absolute paths; $path is not" >&2
			exit 1
			;;
		esac
	done
}

# install_file FROM TO MODE: replaces TO by a rename, because running programs have the old file
# mapped.
install_file() {
	new="$(dirname "$2")/.$(basename "$2").new"
	cp "$1" "$new"
	chmod "$3" "$new"
	mv -f "$new" "$2"
}

# version_number VERSION: the numbers of a tag (1.2.3 of v1.2.3-4-gabcdef), or nothing.
version_number() {
	printf '%s\n' "$1" | sed -n 's/^v\{0,1\}\([0-9][0-9]*\(\.[0-9][0-9]*\)\{1,2\}\).*/\1/p'
}

# abi: the ABI number of the C library.
abi() {
	sed -n 's/^#define VFM_ABI //p' cmd/libvfm/vfm.h
}
