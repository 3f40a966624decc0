package main

import (
	"strings"
	"testing"
	"time"
)

// A terminal gets one line that is rewritten, a file gets a line from time to time. The first
// number comes a second after the start.
func TestBuildProgress(t *testing.T) {
	var file, line strings.Builder
	for _, b := range []*buildProgress{{w: &file, pause: time.Hour}, {w: &line, terminal: true}} {
		b.last = time.Now().Add(-2 * time.Second)
		b.report(3, 40)
		b.last = time.Now().Add(-2 * time.Second)
		b.report(5, 40)
	}
	if file.String() != "3 of 40 kernels\n" {
		t.Errorf("a file gets %q", file.String())
	}
	if line.String() != "\r3 of 40 kernels\x1b[K\r5 of 40 kernels\x1b[K" {
		t.Errorf("a terminal gets %q", line.String())
	}
}
