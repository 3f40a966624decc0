package task

import (
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/vfmrestore/restore/restore/planar"
)

func sourceOf(m *planar.Image) Source {
	return func(dst []float32, c, y, x int) { copy(dst, m.Pix[(c*m.H+y)*m.W+x:]) }
}

// holes are random pixels, boxes, or nearly everything.
func holes(rng *rand.Rand, w, h int) []bool {
	missing := make([]bool, w*h)
	share := []float64{0, 0.3, 0.9, 0.999, 1}[rng.IntN(5)]
	for i := range missing {
		missing[i] = rng.Float64() < share
	}
	x0, y0 := rng.IntN(w), rng.IntN(h)
	for y := y0; y < min(h, y0+h/2); y++ {
		for x := x0; x < min(w, x0+w/2); x++ {
			missing[y*w+x] = true
		}
	}
	return missing
}

// Every rectangle of a view is the whole view's, to the bit.
func TestPieces(t *testing.T) {
	rng := fresh(t)
	side := func() int {
		if rng.IntN(3) == 0 {
			return 1 + rng.IntN(9)
		}
		return 1 + rng.IntN(150)
	}
	for range 60 {
		for _, what := range append(All(), Inpaint) {
			w, h := side(), side()
			y := randomImage(rng, w, h)
			missing := holes(rng, w, h)
			known := make([]float32, w*h)
			for i, m := range missing {
				if !m {
					known[i] = 1
				}
			}
			want, _, err := View(what, y, known)
			if err != nil {
				t.Fatal(err)
			}
			p, err := NewPieces(what, w, h, missing, sourceOf(y))
			if err != nil {
				t.Fatal(err)
			}
			if pw, ph := p.Size(); pw != want.W || ph != want.H {
				t.Fatalf("%v: %d×%d", what, pw, ph)
			}
			var wait sync.WaitGroup
			for i := range 6 {
				rw, rh := 1+rng.IntN(want.W), 1+rng.IntN(want.H)
				if i == 0 {
					rw, rh = want.W, want.H
				}
				x0, y0 := rng.IntN(want.W-rw+1), rng.IntN(want.H-rh+1)
				wait.Go(func() {
					got := make([]float32, 3*rw*rh)
					p.Read(got, x0, y0, rw, rh)
					for c := range 3 {
						for v := range rh {
							if !slices.Equal(got[(c*rh+v)*rw:][:rw], want.Pix[(c*want.H+y0+v)*want.W+x0:][:rw]) {
								t.Errorf("%v of %d×%d pixels: the piece of %d×%d at (%d, %d) is another", what, w, h, rw, rh, x0, y0)
								return
							}
						}
					}
				})
			}
			wait.Wait()
		}
	}
}

func TestPiecesMisuse(t *testing.T) {
	var size *SizeError
	var unknown *UnknownTaskError
	var missing *MissingError
	if _, err := NewPieces(Denoise, 0, 5, nil, nil); !errors.As(err, &size) {
		t.Error(err)
	}
	if _, err := NewPieces(Inpaint, 4, 5, make([]bool, 19), nil); !errors.As(err, &size) {
		t.Error(err)
	}
	if _, err := NewPieces(Task(77), 4, 5, nil, nil); !errors.As(err, &unknown) {
		t.Error(err)
	}
	if _, err := NewPieces(InpaintBox, 4, 5, nil, nil); !errors.As(err, &missing) {
		t.Error(err)
	}
}
