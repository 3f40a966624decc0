package tile

import (
	"math/rand/v2"
	"testing"
	"time"
)

// TestCut checks that the own parts cover the domain once, at the right distance from the tiles'
// ends.
func TestCut(t *testing.T) {
	rnd := newRand(t)
	for range 500 {
		align := 8 << rnd.IntN(2)
		halo := align * rnd.IntN(9)
		dom := Rect{-align * rnd.IntN(40), -align * rnd.IntN(40), align * (1 + rnd.IntN(100)), align * (1 + rnd.IntN(100))}
		til := Tiling{Halo: halo, Align: align, MaxOwn: rnd.IntN(2) * (1 + rnd.IntN(600)), MaxPixels: 1 << (8 + rnd.IntN(16))}
		w, h, ok := til.Size(dom)
		if ok != (w*h <= til.MaxPixels) {
			t.Fatalf("%+v of %+v: %d×%d, ok %v", til, dom, w, h, ok)
		}
		ts := Cut(dom, w, h, halo)
		if n := countAxis(dom.W, w, halo) * countAxis(dom.H, h, halo); n != len(ts) {
			t.Fatalf("%d tiles, counted %d", len(ts), n)
		}
		area := 0
		for i, a := range ts {
			area += a.Own.W * a.Own.H
			for _, v := range []int{a.At.X - dom.X, a.At.Y - dom.Y, a.Own.X - dom.X, a.Own.Y - dom.Y, a.At.W, a.At.H, a.Own.W, a.Own.H} {
				if v%align != 0 || v < 0 {
					t.Fatalf("%+v of %+v with %+v", a, dom, til)
				}
			}
			checkAxis(t, a.At.X, a.At.W, a.Own.X, a.Own.W, dom.X, dom.X+dom.W, halo)
			checkAxis(t, a.At.Y, a.At.H, a.Own.Y, a.Own.H, dom.Y, dom.Y+dom.H, halo)
			for _, b := range ts[:min(i, 100)] {
				if a.Own.X < b.Own.X+b.Own.W && b.Own.X < a.Own.X+a.Own.W && a.Own.Y < b.Own.Y+b.Own.H && b.Own.Y < a.Own.Y+a.Own.H {
					t.Fatalf("%+v and %+v overlap", a, b)
				}
			}
		}
		if area != dom.W*dom.H {
			t.Fatalf("tiles own %d of %d pixels", area, dom.W*dom.H)
		}
	}
}

func checkAxis(t *testing.T, at, n, own, ownN, from, end, halo int) {
	t.Helper()
	if at+n > end || own < at || own+ownN > at+n ||
		at > from && own-at < halo || at+n < end && at+n-own-ownN < halo {
		t.Fatalf("tile %d..%d owns %d..%d of %d..%d with halo %d", at, at+n, own, own+ownN, from, end, halo)
	}
}

// TestChosenTiles checks the automatic choice at sizes of cameras.
func TestChosenTiles(t *testing.T) {
	const halo, align = 128, 16
	for _, size := range [][2]int{{1024, 1024}, {4032, 3008}, {6016, 4032}, {20032, 1024}} {
		dom := Rect{0, 0, size[0], size[1]}
		w, h, ok := Tiling{Halo: halo, Align: align, MaxPixels: MaxPixels}.Size(dom)
		n := len(Cut(dom, w, h, halo))
		overhead := float64(n*w*h) / float64(dom.W*dom.H)
		t.Logf("%v: %d tiles of %d×%d, %.2f times the work", size, n, w, h, overhead)
		if !ok || overhead > 1.7 {
			t.Errorf("%v: %d tiles of %d×%d, %.2f times the work, ok %v", size, n, w, h, overhead, ok)
		}
	}
}

func newRand(t *testing.T) *rand.Rand {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 1))
}
