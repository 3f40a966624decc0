package engine

import (
	"math"
	"testing"
	"time"

	"github.com/vfmrestore/restore/gpu"
)

func TestPace(t *testing.T) {
	p := newPace(gpu.Discrete)
	if p.Most() != math.MaxInt {
		t.Errorf("a discrete GPU begins with %d pixels", p.Most())
	}
	// 0.1 of 4 s is twice the limit: half the pixels, once it has happened twice.
	p.note(1000, 0.1, 4*time.Second, true)
	if p.Most() != math.MaxInt {
		t.Error("one slow run counts")
	}
	p.note(1000, 0.1, 9*time.Second, false) // at most this long: says nothing
	p.note(1000, 0.1, time.Second, true)    // a fast one between
	p.note(1000, 0.1, 4*time.Second, true)
	if p.Most() != math.MaxInt || !p.Allows(1000) {
		t.Error("slow runs count that do not follow each other")
	}
	p.note(1000, 0.1, 4*time.Second, true)
	if p.Most() != 500 || p.Allows(501) || !p.Allows(500) {
		t.Errorf("after two slow runs tiles may have %d pixels, want 500", p.Most())
	}
	for range 10 { // never larger again: every size costs programs of its own
		p.note(500, 0.1, time.Second, true)
	}
	if p.Most() != 500 {
		t.Errorf("grown to %d", p.Most())
	}
	for _, d := range []gpu.DeviceType{gpu.Integrated, gpu.Virtual, gpu.Other} {
		p := newPace(d)
		if p.Most() != firstPixels || !p.Allows(1<<30) {
			t.Errorf("%v: the first tile may have %d pixels", d, p.Most())
		}
		if p.note(firstPixels, 0.1, time.Millisecond, true); p.Most() != math.MaxInt {
			t.Errorf("%v: fast, yet %d pixels", d, p.Most())
		}
	}
}
