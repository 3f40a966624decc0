package restore

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/compile"
	"github.com/vfmrestore/restore/restore/noise"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/task"
)

// A picture with Levels gives the same as the same picture with floats, rounded, and stays as it is.
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

// The flow map follows the adapter row by row of tiles; everything it reads is there and not yet overwritten.
func TestBand(t *testing.T) {
	rnd := newRand(t)
	for range 300 {
		halo := 8 * (1 + rnd.IntN(5))
		dom := rect{-8 * rnd.IntN(9), -8 * rnd.IntN(9), 64 + 8*rnd.IntN(30), 64 + 8*rnd.IntN(100)}
		side := func(n int) int { return min(n, 2*halo+8*(1+rnd.IntN(12))) }
		lead := byRow(cutRect(dom, side(dom.w), side(dom.h), halo))
		then := following(lead, dom, halo)
		most := bandOf(lead, then, halo)
		h := lead[0][0].at.h
		if len(then) > len(lead) || most > min(dom.h, 2*h) {
			t.Fatalf("%d rows follow %d, in a band of %d", len(then), len(lead), most)
		}
		if late := len(lead) > 1 && then[0][0].own.h < lead[0][0].own.h; late && most != h {
			t.Errorf("a band of %d rows for tiles of %d", most, h)
		}
		made, next, owned := make([]int, most), 0, dom.y // which row of pixels each row of the band holds
		for i := range made {
			made[i] = math.MinInt
		}
		at := func(y int) *int { return &made[(y-dom.y)%most] }
		for _, row := range lead {
			for y := row[0].own.y; y < bottom(row[0].own); y++ {
				*at(y) = y
			}
			for ; next < len(then) && ready(then[next], row, dom, halo); next++ {
				for i, x := range then[next] {
					if x.at.y != then[next][0].at.y || x.own.y != owned || x.own.h != then[next][0].own.h || x.at.h != h || x.at.w != row[i].at.w || x.own.w != row[i].own.w {
						t.Fatalf("tile %+v in a row of %+v", x, then[next][0])
					}
					checkAxis(t, x.at.y, x.at.h, x.own.y, x.own.h, dom.y, bottom(dom), halo)
				}
				x := then[next][0]
				owned = bottom(x.own)
				for y := x.at.y; y < min(owned+halo, bottom(dom)); y++ {
					if *at(y) != y {
						t.Fatalf("domain %v, halo %d: row %d of tiles reads row %d of pixels, and finds %d", dom, halo, next, y, *at(y))
					}
				}
			}
		}
		if next != len(then) || owned != bottom(dom) {
			t.Errorf("%d of %d rows of tiles, which own up to %d of %v", next, len(then), owned, dom)
		}
	}
}

// Memory that runs out when the flow map's turn comes makes the tiles smaller, not the picture wrong.
func TestBandAfterOutOfMemory(t *testing.T) {
	rnd := newRand(t)
	p := randomPicture(rnd, 150, 170)
	req := request(rnd, task.Denoise, p)
	want := restored(t, sharedModel(t, 0, NoMargin), p, req).Picture.Pix
	m := variant(t, sharedModel(t, 0, NoMargin))
	m.engine.Pace.Force(time.Hour, 0, 128*128) // not in one piece
	built, last, of := 0, 0, 0
	compiled := m.engine.Build
	m.engine.Build = func(store *compile.Store, g *netdef.Graph, outs []*netdef.Node, opt compile.Options) (*compile.Program, error) {
		if built++; built == 2 || built == 3 { // the second time with nothing else in memory
			return nil, &gpu.OutOfMemoryError{Size: 1 << 40, Available: -1}
		}
		return compiled(store, g, outs, opt)
	}
	req.Progress = func(done, total int) { last, of = done, total }
	if d := apart(restored(t, m, p, req).Picture.Pix, want); d > 5e-5 || built < 5 || last != of {
		t.Errorf("off by %g, %d programs built, %d of %d tiles", d, built, last, of)
	}
}

// A level that is told for a grey picture, whether its file says that it is grey or not, is luminance's
// alone.
func TestGreyNoiseTold(t *testing.T) {
	rnd := newRand(t)
	p := randomPicture(rnd, 40, 36)
	if got := whiteNoise(p, 20); got != noise.White(task.Sigma(20)) {
		t.Errorf("a picture in colour: %v", got)
	}
	n := p.W * p.H
	for c := 1; c < 3; c++ {
		copy(p.Pix[c*n:(c+1)*n], p.Pix[:n])
	}
	want := noise.Grey(task.Sigma(20))
	if got := whiteNoise(p, 20); got != want {
		t.Errorf("three channels that are the same: %v", got)
	}
	p.Pix[2*n+17] += 0.01
	if got := whiteNoise(p, 20); got == want {
		t.Error("a single pixel with colour does not count")
	}
	p.Gray = true
	if got := whiteNoise(p, 20); got != want {
		t.Errorf("a grey picture: %v", got)
	}
}
