package main

import (
	"strings"
	"testing"
	"time"
)

// A terminal gets one line that is written again, a file a line now and then; the first word of how
// many comes a second after building began.
func TestBuilding(t *testing.T) {
	var file, line strings.Builder
	for _, b := range []*building{{w: &file, pause: time.Hour}, {w: &line, line: true}} {
		b.told = time.Now().Add(-2 * time.Second)
		b.tell(3, 40)
		b.told = time.Now().Add(-2 * time.Second)
		b.tell(5, 40)
	}
	if file.String() != "3 of 40 kernels\n" {
		t.Errorf("a file gets %q", file.String())
	}
	if line.String() != "\r3 of 40 kernels\x1b[K\r5 of 40 kernels\x1b[K" {
		t.Errorf("a terminal gets %q", line.String())
	}
}
