package tile

import (
	"sync/atomic"
	"testing"

	"github.com/vfmrestore/restore/restore/planar"
)

// Tiles in the picture, partly outside and far outside show the picture continued by reflection.
func TestMirrored(t *testing.T) {
	rnd := newRand(t)
	for range 200 {
		w, h := 1+rnd.IntN(90), 1+rnd.IntN(200)
		src := Planes{W: w, H: h, Data: make([]float32, 3*w*h)}
		for i := range src.Data {
			src.Data[i] = rnd.Float32()
		}
		var outside atomic.Bool
		m := NewMirrorReader(w, h, 3, func(dst []float32, r Rect) {
			if r.X < 0 || r.Y < 0 || r.X+r.W > w || r.Bottom() > h || len(dst) != 3*r.W*r.H {
				outside.Store(true)
				return
			}
			src.Read(dst, r)
		})
		for range 3 {
			at := Rect{rnd.IntN(300) - 150, rnd.IntN(500) - 250, 1 + rnd.IntN(120), 1 + rnd.IntN(180)}
			got := make([]float32, 3*at.W*at.H)
			m.Read(at, got)
			if outside.Load() {
				t.Fatalf("%v of %d×%d asks for what is not there", at, w, h)
			}
			for i, v := range got {
				x, y, c := i%at.W, i/at.W%at.H, i/at.W/at.H
				if want := src.Data[(c*h+planar.Mirror(at.Y+y, h))*w+planar.Mirror(at.X+x, w)]; v != want {
					t.Fatalf("%v of %d×%d: %g at (%d, %d), want %g", at, w, h, v, x, y, want)
				}
			}
		}
	}
}
