package restore

import (
	"math"
	"slices"
	"testing"

	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/task"
)

// A picture with Levels gives the same as the picture with floats, rounded, and is not changed.
func TestRestoresLevels(t *testing.T) {
	rnd := newRand(t)
	for _, what := range task.All() {
		for _, depth := range []int{8, 16} {
			packed := randomPicture(rnd, 70, 45)
			packed.Depth, packed.Gray = depth, what == task.GaussianDeblur
			packed.Levels = picture.NewLevels(depth, len(packed.Pix))
			packed.Levels.Write(0, packed.Pix)
			packed.Pix = nil
			if packed.Gray {
				n := 70 * 45
				for i := range n {
					packed.Levels.Write(n+i, packed.Crop(i%70, i/70, 1, 1).Pix[:1])
					packed.Levels.Write(2*n+i, packed.Crop(i%70, i/70, 1, 1).Pix[:1])
				}
			}
			plain := packed.Unpacked()
			req := request(rnd, what, plain)
			if what == task.InpaintRandom {
				req.Noise = NoNoise // known pixels are kept
			}
			if what == task.Denoise {
				req.Noise = 0 // estimated
			}
			want := restored(t, sharedModel(t, 0, NoMargin), plain, req)
			for _, tile := range []int{0, 16} {
				before := *packed.Levels
				before.B8, before.B16 = slices.Clone(before.B8), slices.Clone(before.B16)
				got := restored(t, sharedModel(t, tile, NoMargin), packed, req)
				if !slices.Equal(before.B8, packed.Levels.B8) || !slices.Equal(before.B16, packed.Levels.B16) {
					t.Fatal("the levels given were changed")
				}
				if got.Picture.Levels == nil || got.Picture.Pix != nil || got.Picture.Depth != depth || got.Noise != want.Noise {
					t.Fatalf("%v, %d bits: the result has no levels, or another noise (%g, %g)", what, depth, got.Noise, want.Noise)
				}
				step := 2 / (math.Pow(2, float64(depth)) - 1)
				if d := apart(got.Picture.Unpacked().Pix, want.Picture.Pix); !(d < 0.51*step+1e-4) {
					t.Errorf("%v, %d bits, tile %d: off by %g, a level is %g", what, depth, tile, d, step)
				}
			}
			req.Samples = 2
			if r := restored(t, sharedModel(t, 0, NoMargin), packed, req); r.Picture.Levels != nil || apart(r.Picture.Pix, want.Picture.Pix) > 5e-5 {
				t.Errorf("%v: with samples, the result is another picture", what)
			}
		}
	}
}
