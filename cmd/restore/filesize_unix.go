//go:build unix

package main

import (
	"os/signal"
	"syscall"
)

// ignoreFileSizeSignal turns the signal for a file that exceeds `ulimit -f` into an error of the
// write, as on a full disk. Otherwise the signal would end the program with a stack trace and leave
// a temporary file behind.
func ignoreFileSizeSignal() { signal.Ignore(syscall.SIGXFSZ) }
