// Package interrupt ends programs by signals: the first asks them to end in order, the second ends
// them at once.
package interrupt

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// Context gives a context that is cancelled by the first of Signals. From then on they do what they
// do to programs that do not listen: a second one ends the program at once. first, if not nil, is
// called between the two. stop frees what Context uses, and cancels.
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

// Signals are those that end a program in order. Those that it was started to ignore (nohup, a
// shell's background) it ignores.
func Signals() []os.Signal {
	var list []os.Signal
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(s) {
			list = append(list, s)
		}
	}
	return list
}
