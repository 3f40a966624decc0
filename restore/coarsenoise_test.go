package restore

import (
	"math"
	"slices"
	"testing"

	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/restore/internal/tile"
	"github.com/vfmrestore/restore/restore/task"
)

// Coarse noise has the variance that is asked for at every site, varies slowly, and does not depend
// on the tile.
func TestSmoothNoise(t *testing.T) {
	shares := []float32{0.5, 0, 2}
	const w, h = 48, 40
	whole := tile.Rect{X: -16, Y: -8, W: 4 * w, H: 4 * h}
	square, step, n := 0.0, 0.0, 0.0
	for sample := range 60 {
		key := netdef.Key{Seed: 9, Sample: uint32(sample)}
		all := make([]float32, w*h*nets.FlowChannels)
		for i := range all {
			all[i] = float32(math.NaN())
		}
		smoothNoise(key, shares, whole, all)
		part := tile.Rect{X: 20, Y: 12, W: 40, H: 24}
		some := make([]float32, part.W/4*part.H/4*nets.FlowChannels)
		smoothNoise(key, shares, part, some)
		for y := range part.H / 4 {
			for x := range part.W / 4 {
				a := all[((y+(part.Y-whole.Y)/4)*w+x+(part.X-whole.X)/4)*nets.FlowChannels:][:nets.FlowChannels]
				if b := some[(y*(part.W/4)+x)*nets.FlowChannels:][:nets.FlowChannels]; !slices.Equal(a, b) {
					t.Fatalf("site (%d, %d) of a tile is %v, of the whole %v", x, y, b[:4], a[:4])
				}
				for c, v := range a {
					if nets.Channels[c].Band != nets.LL2 && v != 0 {
						t.Fatalf("channel %d is %g", c, v)
					}
				}
			}
		}
		for i := 0; i+nets.FlowChannels < len(all); i += nets.FlowChannels {
			if (i/nets.FlowChannels+1)%w == 0 {
				continue
			}
			for c := range 3 {
				v, d := float64(all[i+c]), float64(all[i+c]-all[i+nets.FlowChannels+c])
				square, step, n = square+v*v, step+d*d, n+1
			}
		}
	}
	// The seed is fixed, so the result is always the same.
	want := 0.25 + 4.0
	if square/n < 0.9*want || square/n > 1.1*want {
		t.Errorf("variance %g, want %g", square/n, want)
	}
	if step/n > 0.2*want {
		t.Errorf("neighbours differ by a variance of %g", step/n)
	}
}

// With weight 1 for white noise alone, samples are as without scales. Coarse weights move blocks
// together, and tiles do not show. z = μ, other tasks and the prior do not change.
func TestSamplesInScales(t *testing.T) {
	rnd := newRand(t)
	p := randomPicture(rnd, 90, 70)
	req := request(rnd, task.Denoise, p)
	req.Samples = 3
	with := func(tile int, scales [][]float32) *Model {
		n := tinyNetwork(t, tinyConfig(), sharedSeed)
		n.Config = n.Config.WithScales(scales)
		m := open(t, Config{Network: n, Tile: tile, Margin: FullMargin})
		t.Cleanup(func() { m.Close() })
		return m
	}
	plain, white, coarse := with(0, nil), with(0, [][]float32{{1, 0}}), with(0, [][]float32{{0.5, 0, 0, 3}})
	a, b, c := restored(t, plain, p, req), restored(t, white, p, req), restored(t, coarse, p, req)
	for i := range a.Samples {
		if d := apart(a.Samples[i].Pix, b.Samples[i].Pix); d > 1e-5 {
			t.Errorf("sample %d of white noise in scales is off by %g", i, d)
		}
		if slices.Equal(a.Samples[i].Pix, c.Samples[i].Pix) {
			t.Errorf("sample %d is the same with coarse noise", i)
		}
	}
	if !slices.Equal(a.Picture.Pix, c.Picture.Pix) {
		t.Error("z = μ is another one with coarse noise")
	}
	tiles := restored(t, with(32, [][]float32{{0.5, 0, 0, 3}}), p, req)
	for i := range c.Samples {
		if d := apart(c.Samples[i].Pix, tiles.Samples[i].Pix); d > 1e-4 {
			t.Errorf("sample %d in tiles is off by %g", i, d)
		}
	}
	other := request(rnd, task.SuperResolve, p)
	other.Samples = 1
	if x, y := restored(t, plain, p, other), restored(t, coarse, p, other); !slices.Equal(x.Samples[0].Pix, y.Samples[0].Pix) {
		t.Error("another class has changed")
	}
	prior := SampleRequest{W: 32, H: 32, Samples: 1, Temperature: 1, Seed: 3}
	x, err := plain.Sample(t.Context(), prior)
	if err != nil {
		t.Fatal(err)
	}
	y, err := coarse.Sample(t.Context(), prior)
	if err != nil || !slices.Equal(x[0].Pix, y[0].Pix) {
		t.Errorf("the prior has changed (%v)", err)
	}
}
