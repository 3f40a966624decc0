#!/bin/sh
# For CI: looks for known vulnerabilities in the code that is called, with govulncheck. Exit status 1 if there are
# some. Where the tool cannot be had from the module proxy, or its data base (vuln.go.dev, or $GOVULNDB) be
# reached, it says that this was skipped, and why.
set -eu
cd "$(dirname "$0")/.."
go="${GO:-go}"
skip() { echo "vulncheck: skipped: $*"; exit 0; }

dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
# Not a tool of go.mod: its dependencies are none of the project's.
GOBIN="$dir" GOFLAGS= timeout 900 "$go" install golang.org/x/vuln/cmd/govulncheck@latest >"$dir/log" 2>&1 ||
	skip "govulncheck could not be had: $(tail -n 1 "$dir/log")"
status=0
timeout 7200 "$dir/govulncheck" ${GOVULNDB:+-db "$GOVULNDB"} ./... >"$dir/log" 2>&1 || status=$?
case $status in
0) tail -n 1 "$dir/log" ;;
3) # what it gives when it has found some
	cat "$dir/log"
	exit 1
	;;
124)
	echo "vulncheck: it did not end in two hours"
	exit 1
	;;
*) skip "it could not look: $(tail -n 1 "$dir/log")" ;;
esac
