package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"

	"github.com/vfmrestore/restore/gpu"
)

// building tells how far the kernels of a run are, for as long as they are built: at once that it
// begins, then on a terminal a line that is written again, elsewhere a line now and then.
type building struct {
	dev   *gpu.Device
	w     io.Writer
	line  bool          // of a terminal
	pause time.Duration // between words, elsewhere
	told  time.Time
	lines int
}

// watchKernels says that kernels are built and tells how many, until done is called.
func watchKernels(dev *gpu.Device) (done func()) {
	b := &building{dev: dev, w: stdout, line: term.IsTerminal(int(os.Stdout.Fd())) && os.Getenv("TERM") != "dumb", pause: 10 * time.Second}
	return b.begin()
}

func (b *building) begin() (done func()) {
	fmt.Fprintln(b.w, "building kernels, which takes a minute or two where the driver has not seen them")
	b.told = time.Now()
	b.dev.Watch(b.tell)
	return func() {
		b.dev.Watch(nil)
		if b.line {
			fmt.Fprint(b.w, "\r\x1b[K")
		}
	}
}

// tell is called for every kernel, one call at a time.
func (b *building) tell(done, total int) {
	pause := b.pause
	if b.line {
		pause = 100 * time.Millisecond
	} else if b.lines == 0 {
		pause = time.Second // a start that is quick needs no more words
	}
	now := time.Now()
	if now.Sub(b.told) < pause {
		return
	}
	b.told = now
	b.lines++
	if b.line {
		fmt.Fprintf(b.w, "\r%d of %d kernels\x1b[K", done, total)
	} else {
		fmt.Fprintf(b.w, "%d of %d kernels\n", done, total)
	}
}
