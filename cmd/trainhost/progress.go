package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"

	"github.com/vfmrestore/restore/gpu"
)

// buildProgress prints how many kernels of a run are built. On a terminal it rewrites one line,
// elsewhere it prints a line from time to time.
type buildProgress struct {
	dev      *gpu.Device
	w        io.Writer
	terminal bool
	pause    time.Duration // between lines, if this is not a terminal
	last     time.Time     // of the last line
	lines    int
}

// watchKernels prints that kernels are being built, and how many, until done is called.
func watchKernels(dev *gpu.Device) (done func()) {
	b := &buildProgress{dev: dev, w: stdout, terminal: term.IsTerminal(int(os.Stdout.Fd())) && os.Getenv("TERM") != "dumb", pause: 10 * time.Second}
	return b.begin()
}

// begin prints the first line.
func (b *buildProgress) begin() (done func()) {
	fmt.Fprintln(b.w, "building kernels, which takes a minute or two if the driver has not cached them")
	b.last = time.Now()
	b.dev.Watch(b.report)
	return func() {
		b.dev.Watch(nil)
		if b.terminal {
			fmt.Fprint(b.w, "\r\x1b[K")
		}
	}
}

// report is called for every kernel, one call at a time.
func (b *buildProgress) report(done, total int) {
	pause := b.pause
	if b.terminal {
		pause = 100 * time.Millisecond
	} else if b.lines == 0 {
		pause = time.Second // after a quick start no more lines are needed
	}
	now := time.Now()
	if now.Sub(b.last) < pause {
		return
	}
	b.last = now
	b.lines++
	if b.terminal {
		fmt.Fprintf(b.w, "\r%d of %d kernels\x1b[K", done, total)
	} else {
		fmt.Fprintf(b.w, "%d of %d kernels\n", done, total)
	}
}
