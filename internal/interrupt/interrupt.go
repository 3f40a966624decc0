// Package interrupt ends programs by signals: the first signal lets a program end in order, the
// second ends it at once.
package interrupt

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// Context gives a context that the first of Signals cancels. Then the signals have their default
// effect again, so a second one ends the program at once. first, if not nil, is called before the
// context is cancelled. stop cancels the context and stops listening.
func Context(first func()) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	got := make(chan os.Signal, 1)
	signal.Notify(got, Signals()...)
	go func() {
		select {
		case <-got:
		case <-ctx.Done():
			return
		}
		signal.Stop(got)
		if first != nil {
			first()
		}
		cancel()
	}()
	return ctx, func() {
		signal.Stop(got)
		cancel()
	}
}

// Signals gives the signals that end a program in order. It leaves out those that the program was
// started to ignore (nohup, background jobs of a shell).
func Signals() []os.Signal {
	var list []os.Signal
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(s) {
			list = append(list, s)
		}
	}
	return list
}
