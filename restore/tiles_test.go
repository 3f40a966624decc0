package restore

import (
	"testing"

	"github.com/vfmrestore/restore/restore/task"
)

// TestTileSizeDoesNotMatter compares pictures restored whole with the same in tiles, for both kinds of margin.
func TestTileSizeDoesNotMatter(t *testing.T) {
	rnd := newRand(t)
	tasks := append(task.All(), task.Inpaint)
	const allowed = 5e-5 // of a range of 2: a 150th of an 8-bit level
	worst := 0.0
	for _, margin := range []int{FullMargin, NoMargin} {
		for i, size := range [][2]int{{1, 1}, {3, 5}, {37, 61}, {130, 70}} {
			w, h := size[0], size[1]
			what := tasks[rnd.IntN(len(tasks))]
			if i == 1 {
				what = task.SuperResolve
			}
			p := randomPicture(rnd, w, h)
			req := request(rnd, what, p)
			if i == 2 {
				req.Samples = 2
			}
			want := restored(t, sharedModel(t, 0, margin), p, req)
			for _, tile := range []int{16, 48} {
				tiles := 0
				req.Progress = func(done, total int) { tiles = done }
				got := restored(t, sharedModel(t, tile, margin), p, req)
				d := apart(got.Picture.Pix, want.Picture.Pix)
				for k := range got.Samples {
					d = max(d, apart(got.Samples[k].Pix, want.Samples[k].Pix))
				}
				worst = max(worst, d)
				if !(d <= allowed) {
					t.Errorf("%v, %d×%d pixels, margin %d: %d tiles of %d differ by %g from the whole", what, w, h, margin, tiles, tile, d)
				}
				if (margin == FullMargin || w > 64) && tiles < 8 {
					t.Errorf("%d×%d pixels in tiles of %d were only %d tiles", w, h, tile, tiles)
				}
			}
		}
	}
	t.Logf("largest difference %.2g", worst)

	// The comparison would notice a halo that is too small.
	m := variant(t, sharedModel(t, 16, NoMargin))
	m.net.halo = 16
	p := randomPicture(rnd, 130, 70)
	req := request(rnd, task.Denoise, p)
	half := restored(t, m, p, req)
	d := apart(half.Picture.Pix, restored(t, sharedModel(t, 0, NoMargin), p, req).Picture.Pix)
	if !(d > 10*allowed) {
		t.Errorf("half a halo makes a difference of only %g", d)
	}
}

// TestCut checks that tiles own everything once, at the right distance from their ends.
func TestCut(t *testing.T) {
	rnd := newRand(t)
	for range 500 {
		align := 8 << rnd.IntN(2)
		halo := align * rnd.IntN(9)
		dom := rect{-align * rnd.IntN(40), -align * rnd.IntN(40), align * (1 + rnd.IntN(100)), align * (1 + rnd.IntN(100))}
		til := tiling{halo: halo, align: align, inner: rnd.IntN(2) * (1 + rnd.IntN(600)), limit: 1 << (8 + rnd.IntN(16))}
		w, h, ok := til.choose(dom)
		if ok != (w*h <= til.limit) {
			t.Fatalf("%+v of %+v: %d×%d, ok %v", til, dom, w, h, ok)
		}
		ts := cutRect(dom, w, h, halo)
		if n := countAxis(dom.w, w, halo) * countAxis(dom.h, h, halo); n != len(ts) {
			t.Fatalf("%d tiles, counted %d", len(ts), n)
		}
		area := 0
		for i, a := range ts {
			area += a.own.w * a.own.h
			for _, v := range []int{a.at.x - dom.x, a.at.y - dom.y, a.own.x - dom.x, a.own.y - dom.y, a.at.w, a.at.h, a.own.w, a.own.h} {
				if v%align != 0 || v < 0 {
					t.Fatalf("%+v of %+v with %+v", a, dom, til)
				}
			}
			checkAxis(t, a.at.x, a.at.w, a.own.x, a.own.w, dom.x, dom.x+dom.w, halo)
			checkAxis(t, a.at.y, a.at.h, a.own.y, a.own.h, dom.y, dom.y+dom.h, halo)
			for _, b := range ts[:min(i, 100)] {
				if a.own.x < b.own.x+b.own.w && b.own.x < a.own.x+a.own.w && a.own.y < b.own.y+b.own.h && b.own.y < a.own.y+a.own.h {
					t.Fatalf("%+v and %+v overlap", a, b)
				}
			}
		}
		if area != dom.w*dom.h {
			t.Fatalf("tiles own %d of %d pixels", area, dom.w*dom.h)
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
		dom := rect{0, 0, size[0], size[1]}
		w, h, ok := tiling{halo: halo, align: align, limit: tilePixels}.choose(dom)
		n := len(cutRect(dom, w, h, halo))
		overhead := float64(n*w*h) / float64(dom.w*dom.h)
		t.Logf("%v: %d tiles of %d×%d, %.2f times the work", size, n, w, h, overhead)
		if !ok || overhead > 1.7 {
			t.Errorf("%v: %d tiles of %d×%d, %.2f times the work, ok %v", size, n, w, h, overhead, ok)
		}
	}
}
