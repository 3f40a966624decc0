package restore

import (
	"math"
	"testing"

	"github.com/vfmrestore/restore/restore/internal/tile"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/task"
)

// A network with Traits.Coarse restores the half of a picture, and of that the half, with the same
// network and the noise that is left there. Its second view is the picture plus the enlarged change.
func TestHalves(t *testing.T) {
	rnd := newRand(t)
	cfg := tinyConfig()
	cfg.Noise, cfg.Coarse = true, 2
	net := tinyNetwork(t, cfg, sharedSeed+2)
	net.SetMovement()
	p := randomPicture(rnd, 141, 130)
	req := Request{Task: task.Denoise, Noise: 2, byMovementNetwork: true}
	for _, side := range []int{0, 48} {
		m := open(t, Config{Network: tinyNetwork(t, tinyConfig(), sharedSeed), Special: []*Network{net}, Margin: 8, Tile: side})
		result := restored(t, m, p, req)
		j, err := m.newCheckedJob(p, req)
		if err == nil {
			err = m.prepareViews(t.Context(), j)
		}
		if err != nil {
			t.Fatal(err)
		}
		off, moved := apart(result.Picture.Pix, oracle(t, m, net, j, 0, 0)), apart(result.Picture.Pix, p.Pix)
		if !(off < 2e-4) || moved < 0.05 {
			t.Errorf("tiles of %d: off by %g from the reference; the network moved pixels by %g", side, off, moved)
		}

		// The same, from the definition.
		half := meansOf4(p)
		below := req
		below.Noise, below.halvings = 1, 1 // means of four pixels have half the noise
		change := restored(t, m, half, below).Picture
		for i := range change.Pix {
			change.Pix[i] -= half.Pix[i]
		}
		guess := make([]float32, 3*p.W*p.H)
		j.secondReader.Read(tile.Rect{W: p.W, H: p.H}, guess)
		size := 0.0
		for i, got := range guess {
			c, y, x := i/(p.W*p.H), i/p.W%p.H, i%p.W
			change := between(change, c, x, y)
			size = max(size, math.Abs(change))
			if want := float64(p.Pix[i]) + change; math.Abs(float64(got)-want) > 1e-3 {
				t.Fatalf("tiles of %d: the second view of channel %d at (%d, %d) is %g, want %g", side, c, x, y, got, want)
			}
		}
		if size < 0.02 {
			t.Errorf("the half is changed by %g at most", size)
		}
		m.Close()
	}
}

// meansOf4 is half of a picture.
func meansOf4(p *picture.Picture) *picture.Picture {
	w, h := (p.W+1)/2, (p.H+1)/2
	half := picture.New(w, h, make([]float32, 3*w*h))
	for i := range half.Pix {
		c, y, x := i/(w*h), i/w%h, i%w
		sum := float32(0)
		for k := range 4 {
			sum += p.Pix[(c*p.H+min(2*y+k/2, p.H-1))*p.W+min(2*x+k%2, p.W-1)]
		}
		half.Pix[i] = sum / 4
	}
	return half
}

// between interpolates in a half at the place of a pixel of the whole.
func between(half *picture.Picture, c, x, y int) float64 {
	at := func(x, y int) float64 {
		return float64(half.Pix[(c*half.H+min(max(y, 0), half.H-1))*half.W+min(max(x, 0), half.W-1)])
	}
	u, v := (float64(x)-0.5)/2, (float64(y)-0.5)/2
	i, k := math.Floor(u), math.Floor(v)
	u, v = u-i, v-k
	a, b := int(i), int(k)
	return (1-v)*((1-u)*at(a, b)+u*at(a+1, b)) + v*((1-u)*at(a, b+1)+u*at(a+1, b+1))
}

// When a picture, or its half, is too small to be halved, the network works without.
func TestSmallHalves(t *testing.T) {
	cfg := tinyConfig()
	cfg.Coarse = 2
	net := tinyNetwork(t, cfg, sharedSeed+2)
	net.SetMovement()
	m := open(t, Config{Network: tinyNetwork(t, tinyConfig(), sharedSeed), Special: []*Network{net}, Margin: 8})
	defer m.Close()
	rnd := newRand(t)
	for _, c := range []struct {
		w, h, halvings int
		want           bool
	}{{64, 64, 0, true}, {64, 64, 1, true}, {64, 64, 2, false}, {63, 200, 0, false}, {1, 1, 0, false}} {
		req := Request{Task: task.Denoise, Noise: 2, byMovementNetwork: true, halvings: c.halvings}
		p := randomPicture(rnd, c.w, c.h)
		j, err := m.newCheckedJob(p, req)
		if err != nil || j.hasSecondView != c.want {
			t.Errorf("%+v: a second view: %v, %v", c, j.hasSecondView, err)
		}
		restored(t, m, p, req)
	}
}
