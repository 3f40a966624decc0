package restore

import (
	"bytes"
	"image"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/vfmrestore/restore/internal/dctref"
	"github.com/vfmrestore/restore/restore/internal/tile"
	"github.com/vfmrestore/restore/restore/noise"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/picture/jpegcodec"
	"github.com/vfmrestore/restore/restore/task"
)

// jpegOf writes a smooth picture with a textured part to a JPEG file of a quality, and reads it as
// the program does. No value is so near to black or white that it would be clipped.
func jpegOf(t *testing.T, rnd *rand.Rand, w, h, quality int) *picture.Picture {
	t.Helper()
	var file bytes.Buffer
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for i := range w * h {
		x, y := i%w, i/w
		v := 120 + 30*math.Sin(float64(x)/9) + 20*math.Cos(float64(y)/7)
		if x > w/2 && y > h/2 {
			v += 25 * rnd.NormFloat64()
		}
		for c := range 3 {
			m.Pix[4*i+c] = uint8(min(max(v+float64(10*c), 40), 215))
		}
		m.Pix[4*i+3] = 255
	}
	if err := jpegcodec.Encode(&file, m, jpegcodec.Options{Quality: quality, Subsampling: jpegcodec.Sub420}); err != nil {
		t.Fatal(err)
	}
	p, err := picture.Decode(&file, picture.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// The result of denoising a JPEG picture lies within the intervals of its file, if all values are
// inside their range. So do samples. Rows are reported only when they are final, in one tile and in
// several. If the noise is given, or the picture does not come from a file, the network's result is
// not changed.
func TestWithinJPEG(t *testing.T) {
	rnd := newRand(t)
	p := jpegOf(t, rnd, 83, 61, 30)
	if p.Blocks == nil {
		t.Fatal("the file tells nothing of its blocks")
	}
	whole, tiled := sharedModel(t, 0, 8), sharedModel(t, 48, 8)
	req := Request{Task: task.Denoise, Samples: 2, Profile: foundNoise(2, 2)}
	got := restored(t, whole, p, req)
	bare := *p
	bare.Blocks = nil
	free := restored(t, whole, &bare, req)
	if slices.Equal(got.Picture.Pix, free.Picture.Pix) {
		t.Error("the file's bounds change nothing")
	}
	outside := func(r *picture.Picture) float64 { return outsideCells(p, r) }
	if a, b := outside(got.Picture), outside(free.Picture); !(a < 0.95*b) {
		t.Errorf("%.3f steps outside of the cells in the mean, %.3f without bounds", a, b)
	}
	// A sample of this network is noisy, so the bounds change it little.
	if a, b := outside(got.Samples[0]), outside(free.Samples[0]); !(a < b+0.002) || slices.Equal(got.Samples[0].Pix, free.Samples[0].Pix) {
		t.Errorf("samples: %.3f steps outside of the cells in the mean, %.3f without bounds", a, b)
	}
	last := 0
	req.Samples = 0
	var early []float32
	req.Rows = func(q *picture.Picture, rows int) {
		if rows <= last && rows < q.H {
			t.Errorf("%d rows are reported after %d", rows, last)
		}
		last = rows
		early = append(early[:0], q.Pix[:rows*q.W]...)
	}
	inTiles := restored(t, tiled, p, req)
	if last != p.H || !slices.Equal(early, inTiles.Picture.Pix[:p.W*p.H]) {
		t.Errorf("%d of %d rows are reported", last, p.H)
	}
	for i, v := range inTiles.Picture.Pix {
		if math.Abs(float64(v-got.Picture.Pix[i])) > 2e-3 {
			t.Fatalf("value %d is %v in tiles, %v at once", i, v, got.Picture.Pix[i])
		}
	}
	given := Request{Task: task.Denoise, Noise: 5}
	if !slices.Equal(restored(t, whole, p, given).Picture.Pix, restored(t, whole, &bare, given).Picture.Pix) {
		t.Error("the bounds of the file are applied although the noise is given")
	}
}

// foundNoise is the profile of noise as if it had been found: white, but of another level in the
// detail of 8×8 blocks. Both are in 8-bit levels.
func foundNoise(level, coarse float64) *noise.Profile {
	n := noise.White(task.Sigma(level))
	n.Luma[noise.Coarse], n.Found = task.Sigma(coarse), true
	return &n
}

// A file with coarse noise sets no bounds, and from quality 70 on the network for noise denoises it,
// in an ensemble too.
func TestCoarseNoiseOfFile(t *testing.T) {
	rnd := newRand(t)
	special := tinyNetwork(t, otherForm(), sharedSeed+2)
	special.SetCompression()
	both := open(t, Config{Network: tinyNetwork(t, tinyConfig(), sharedSeed), Special: []*Network{special}, Margin: 8})
	defer both.Close()
	alone := sharedModel(t, 0, 8)
	for _, c := range []struct {
		quality       int
		level, coarse float64
		bounds        bool // the bounds change something: those of high quality are too wide
		byCompression bool
	}{
		{95, 3, 9, false, false},
		{72, 3, 9, false, false},
		{72, 3, 4, false, true},
		{72, 0.5, 1.5, false, true}, // coarse, but weak
		{60, 3, 9, false, true},
		{30, 3, 9, false, true},
		{30, 3, 4, true, true},
	} {
		p := jpegOf(t, rnd, 83, 61, c.quality)
		bare := *p
		bare.Blocks = nil
		for _, ensemble := range []int{1, 4} {
			req := Request{Task: task.Denoise, Profile: foundNoise(c.level, c.coarse), Ensemble: ensemble}
			same := func(m *Model, a, b *picture.Picture) bool {
				return slices.Equal(restored(t, m, a, req).Picture.Pix, restored(t, alone, b, req).Picture.Pix)
			}
			if got := !same(alone, p, &bare); got != c.bounds {
				t.Errorf("%+v, ensemble of %d: bounds %v", c, ensemble, got)
			}
			if got := !same(both, p, p); got != c.byCompression {
				t.Errorf("%+v, ensemble of %d: by the network for compression %v", c, ensemble, got)
			}
		}
	}
}

// outsideCells is how far the coefficients of a restoration's luminance lie outside of their file's
// intervals, in quantisation steps, on average.
func outsideCells(p, r *picture.Picture) float64 {
	var sum float64
	n := 0
	for y0 := 0; y0+8 <= p.H; y0 += 8 {
		for x0 := 0; x0+8 <= p.W; x0 += 8 {
			for i, q := range p.Blocks.Steps {
				if q < 4 {
					continue
				}
				of := func(m *picture.Picture) float64 {
					return dctref.Luminance(m.Pix, m.W, m.H, x0, y0, i) / float64(q)
				}
				sum += max(math.Abs(of(r)-math.RoundToEven(of(p)))-0.5, 0)
				n++
			}
		}
	}
	return sum / float64(n)
}

// Grain is added after the bounds: a grain of 1 gives the given picture.
func TestWithinJPEGGrain(t *testing.T) {
	rnd := newRand(t)
	p := jpegOf(t, rnd, 64, 40, 30)
	for _, ensemble := range []int{1, 2} {
		req := Request{Task: task.Denoise, Grain: [2]float64{1, 1}, Ensemble: ensemble}
		got := restored(t, sharedModel(t, 0, 8), p, req).Picture.Pix
		for i, v := range got {
			if math.Abs(float64(v-p.Pix[i])) > 1e-5 {
				t.Fatalf("ensemble of %d: value %d is %v, not %v", ensemble, i, v, p.Pix[i])
			}
		}
	}
}

// A network for compression denoises files of low quality, and does nothing else.
func TestCompression(t *testing.T) {
	rnd := newRand(t)
	special := tinyNetwork(t, otherForm(), sharedSeed+2)
	special.SetCompression()
	both := open(t, Config{Network: tinyNetwork(t, tinyConfig(), sharedSeed), Special: []*Network{special}, Margin: 8})
	defer both.Close()
	if !slices.Equal(both.Tasks(), task.All()) {
		t.Errorf("tasks are %v", both.Tasks())
	}
	alone := sharedModel(t, 0, 8)
	low, high := jpegOf(t, rnd, 64, 48, 20), jpegOf(t, rnd, 64, 48, 95)
	differs := func(p *picture.Picture, req Request) bool {
		t.Helper()
		return !slices.Equal(restored(t, both, p, req).Picture.Pix, restored(t, alone, p, req).Picture.Pix)
	}
	if !differs(low, Request{Task: task.Denoise}) {
		t.Error("a picture of quality 20 is not done by the network for compression")
	}
	for name, other := range map[string]bool{
		"quality 95":           differs(high, Request{Task: task.Denoise}),
		"given noise":          differs(low, Request{Task: task.Denoise, Noise: 5}),
		"a picture of no file": differs(picture.New(low.W, low.H, low.Pix), Request{Task: task.Denoise}),
		"super-resolve":        differs(low, Request{Task: task.SuperResolve}),
	} {
		if other {
			t.Errorf("%s: done by the network for compression", name)
		}
	}
}

// An ensemble of a picture of low quality uses the network for compression in all orientations. In
// each of them the blocks begin at the corner.
func TestCompressionEnsemble(t *testing.T) {
	rnd := newRand(t)
	special := tinyNetwork(t, tinyConfig(), sharedSeed+3)
	alone := open(t, Config{Network: special, Margin: 8})
	defer alone.Close()
	named := &Network{Config: special.Config, Params: special.Params}
	named.SetCompression()
	both := open(t, Config{Network: tinyNetwork(t, tinyConfig(), sharedSeed), Special: []*Network{named}, Margin: 8})
	defer both.Close()
	p := jpegOf(t, rnd, 45, 38, 20)
	got := restored(t, both, p, Request{Task: task.Denoise, Ensemble: 8})

	const w, h = 48, 48 // multiples of 16
	whole := picture.New(w, h, make([]float32, 3*w*h))
	for i := range whole.Pix {
		c, y, x := i/(w*h), i/w%h, i%w
		if x >= p.W {
			x = 2*(p.W-1) - x
		}
		if y >= p.H {
			y = 2*(p.H-1) - y
		}
		whole.Pix[i] = p.Pix[(c*p.H+y)*p.W+x]
	}
	want := make([]float32, len(p.Pix))
	for o := range orientation(orientations) {
		from, turned := whole, o
		if o == 0 { // the picture itself
			from = picture.New(p.W, p.H, p.Pix)
		}
		r := restored(t, alone, turned.picture(from), Request{Task: task.Denoise, Profile: &got.Profile}).Picture
		turned.each(from.W, from.H, func(after, before int) {
			if x, y := before%from.W, before/from.W; x < p.W && y < p.H {
				for c := range 3 {
					want[(c*p.H+y)*p.W+x] += r.Pix[c*r.W*r.H+after] / orientations
				}
			}
		})
	}
	j, err := both.newCheckedJob(p, Request{Task: task.Denoise, Profile: &got.Profile})
	if err != nil {
		t.Fatal(err)
	}
	j.finishRows(&resultCanvas{Planes: tile.Planes{W: p.W, H: p.H, Data: want}}, p.H)
	if off := apart(got.Picture.Pix, want); off > 1e-3 {
		t.Errorf("off by %g", off)
	}
}
