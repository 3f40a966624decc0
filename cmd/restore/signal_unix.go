//go:build unix

package main

import (
	"os/signal"
	"syscall"
)

// survivable turns the signal for a file that grows past `ulimit -f` into an error of the write, as on a full disk; it would
// otherwise end the program with a stack trace and leave a temporary file behind.
func survivable() { signal.Ignore(syscall.SIGXFSZ) }
