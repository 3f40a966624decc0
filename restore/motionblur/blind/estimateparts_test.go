package blind

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
)

// The parts of a small picture show a blur kernel that they share. They show none if the picture's
// halves moved differently, if it is sharp, or if the blur kernel is longer than its window.
func TestEstimateInParts(t *testing.T) {
	if testing.Short() {
		t.Skip("-short")
	}
	k := path(rand.New(rand.NewPCG(7, 8))).scaled(1.6, 21)
	o := Options{Windows: []int{25}, Workers: 2}
	long := fromTask(bar(41, 39, false))
	for name, c := range map[string]struct {
		left, right *kernel
		found       bool
	}{
		"one kernel":  {k, k, true},
		"two kernels": {fromTask(bar(21, 15, false)), fromTask(bar(21, 15, true)), false},
		"too long":    {long, long, false},
		"sharp":       {delta(3), delta(3), false},
	} {
		y := joined(rand.New(rand.NewPCG(7, 9)), 300, 280, c.left, c.right)
		f, err := EstimateInParts(t.Context(), y, o)
		if err != nil || (f != nil) != c.found {
			t.Errorf("%s: %+v, %v", name, f, err)
			continue
		}
		if f == nil {
			continue
		}
		if f.W != y.W || f.H != y.H || !f.Shared || f.Verdict() != Blurred || f.Best() == nil {
			t.Errorf("%s: %+v", name, f)
		}
		if s := similarity(fromTask(f.Best().Kernel), k); s < 0.8 {
			t.Errorf("similarity to the true blur kernel %g", s)
		}
	}
}

// Pictures that are too small or that have windows are not searched in parts, and a search can be
// cancelled.
func TestHasParts(t *testing.T) {
	rng := fresh(t)
	for _, c := range []struct {
		w, h int
		want bool
	}{{109, 200, false}, {110, 200, true}, {320, 320, true}, {321, 321, false}, {321, 300, true}} {
		if HasParts(c.w, c.h) != c.want {
			t.Errorf("%d×%d: %v", c.w, c.h, !c.want)
		}
		if c.want {
			continue
		}
		if f, err := EstimateInParts(t.Context(), scene(rng, c.w, c.h), Options{}); f != nil || err != nil {
			t.Errorf("%d×%d: %v, %v", c.w, c.h, f, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := EstimateInParts(ctx, scene(rng, 200, 200), Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if _, err := EstimateInParts(t.Context(), &Plane{W: 200, H: 200}, Options{}); err == nil {
		t.Error("no error for a plane without pixels")
	}
}

// The parts of a pair are the corners across from each other. All lie in the picture and cover it.
func TestCorners(t *testing.T) {
	const w, h = 231, 190
	parts := corners(w, h)
	seen := make([]bool, w*h)
	for i, p := range parts {
		if p.X < 0 || p.Y < 0 || p.X+p.W > w || p.Y+p.H > h {
			t.Errorf("part %d: %+v", i, p)
		}
		for y := p.Y; y < p.Y+p.H; y++ {
			for x := p.X; x < p.X+p.W; x++ {
				seen[y*w+x] = true
			}
		}
		for k, q := range parts[:i] {
			across := p.X != q.X && p.Y != q.Y
			if (pairOf[i] == pairOf[k]) != across {
				t.Errorf("parts %d and %d", k, i)
			}
		}
	}
	for i, s := range seen {
		if !s {
			t.Fatalf("pixel %d is in no part", i)
		}
	}
}
