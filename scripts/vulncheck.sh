#!/bin/sh
# For CI: checks the code for known vulnerabilities with govulncheck. The exit status is 1 if there
# are any. If the tool cannot be installed, or its database (vuln.go.dev, or $GOVULNDB) cannot be
# reached, it says that the check was skipped, and why.
set -eu
cd "$(dirname "$0")/.."
go="${GO:-go}"
skip() { echo "vulncheck: skipped: $*"; exit 0; }

dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
# It is not a tool in go.mod, so its dependencies do not become the project's.
GOBIN="$dir" GOFLAGS= timeout 900 "$go" install golang.org/x/vuln/cmd/govulncheck@latest >"$dir/log" 2>&1 ||
	skip "govulncheck could not be installed: $(tail -n 1 "$dir/log")"
status=0
timeout 7200 "$dir/govulncheck" ${GOVULNDB:+-db "$GOVULNDB"} ./... >"$dir/log" 2>&1 || status=$?
case $status in
0) tail -n 1 "$dir/log" ;;
3) # vulnerabilities found
	cat "$dir/log"
	exit 1
	;;
124)
	echo "vulncheck: govulncheck did not finish within two hours"
	exit 1
	;;
*) skip "govulncheck failed: $(tail -n 1 "$dir/log")" ;;
esac
