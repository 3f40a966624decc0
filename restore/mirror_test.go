package restore

import (
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/compile"
	"github.com/vfmrestore/restore/restore/motionblur/reference"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/planar"
	"github.com/vfmrestore/restore/restore/task"
)

// Tiles anywhere, within the picture, beyond it, far beyond it, show it continued by reflection.
func TestMirrored(t *testing.T) {
	rnd := newRand(t)
	for range 200 {
		w, h := 1+rnd.IntN(90), 1+rnd.IntN(200)
		p := randomPicture(rnd, w, h)
		src := planes{w: w, h: h, data: p.Pix}
		var outside atomic.Bool
		m := newMirrored(w, h, 3, func(dst []float32, r rect) {
			if r.x < 0 || r.y < 0 || r.x+r.w > w || bottom(r) > h || len(dst) != 3*r.w*r.h {
				outside.Store(true)
				return
			}
			for c := range 3 {
				for y := range r.h {
					src.row(dst[(c*r.h+y)*r.w:][:r.w], c, r.y+y, r.x)
				}
			}
		})
		for range 3 {
			at := rect{rnd.IntN(300) - 150, rnd.IntN(500) - 250, 1 + rnd.IntN(120), 1 + rnd.IntN(180)}
			got := make([]float32, 3*at.w*at.h)
			m.read(at, got)
			if outside.Load() {
				t.Fatalf("%v of %d×%d asks for what is not there", at, w, h)
			}
			for i, v := range got {
				x, y, c := i%at.w, i/at.w%at.h, i/at.w/at.h
				if want := p.Pix[(c*h+planar.Mirror(at.y+y, h))*w+planar.Mirror(at.x+x, w)]; v != want {
					t.Fatalf("%v of %d×%d: %g at (%d, %d), want %g", at, w, h, v, x, y, want)
				}
			}
		}
	}
}

// The guess at any tile is the whole picture's guess, to the bit; of a large picture only some blocks are held.
func TestGuessInTiles(t *testing.T) {
	rnd := newRand(t)
	for _, size := range [][2]int{{40, 30}, {300, 180}, {900, 1500}} {
		w, h := size[0], size[1]
		p := randomPicture(rnd, w, h)
		want := make([]float32, 3*w*h)
		e := reference.NewEstimator(0)
		if err := e.Deblur(t.Context(), want, p.Planar(), 0.04); err != nil {
			t.Fatal(err)
		}
		whole := planes{w: w, h: h, data: want}
		src := planes{w: w, h: h, data: p.Pix}
		if err := e.Begin(t.Context(), w, h, src.row, 0.04); err != nil {
			t.Fatal(err)
		}
		g := newGuess(t.Context(), &estimator{Estimator: e}, w, h)
		m := newMirrored(w, h, 3, func(dst []float32, r rect) {
			for c := range 3 {
				for y := range r.h {
					whole.row(dst[(c*r.h+y)*r.w:][:r.w], c, r.y+y, r.x)
				}
			}
		})
		margin := 8 * rnd.IntN(4)
		dom := rect{-margin, -margin, domainSide(w, 8) + 2*margin, domainSide(h, 8) + 2*margin}
		for _, side := range []int{200, 104} { // begun again with other tiles
			ts := cutRect(dom, min(side, dom.w), min(side, dom.h), 32)
			g.plan(ts)
			most, made := 0, 0
			got, right := make([]float32, 3*side*side), make([]float32, 3*side*side)
			for _, x := range ts {
				before := len(g.blocks)
				if err := g.prepare(x.at); err != nil {
					t.Fatal(err)
				}
				g.fill(x.at, got)
				m.read(x.at, right)
				if n := 3 * x.at.w * x.at.h; !slices.Equal(got[:n], right[:n]) {
					t.Fatalf("%d×%d: another guess at %v", w, h, x.at)
				}
				most, made = max(most, before, len(g.blocks)), made+1
			}
			if h > 3*g.bh && most > 3*g.across || len(g.blocks) > 0 {
				t.Errorf("%d×%d: %d blocks held at a time, %d in the end, rows have %d", w, h, most, len(g.blocks), g.across)
			}
		}
		e.End()
	}
}

// What is told of rows is true: they are as in the result, and stay so; every row comes, in order, also if memory runs short.
func TestRows(t *testing.T) {
	rnd := newRand(t)
	for i, what := range append(task.All(), task.Inpaint) {
		for _, pack := range []bool{false, true} {
			p := randomPicture(rnd, 90, 75)
			if what == task.SuperResolve {
				p = randomPicture(rnd, 21, 17)
			}
			if i%2 == 0 {
				p.Gray = true
				n := p.W * p.H
				copy(p.Pix[n:2*n], p.Pix[:n])
				copy(p.Pix[2*n:], p.Pix[:n])
			}
			req := request(rnd, what, p)
			if what.Masked() {
				req.Noise = NoNoise
			}
			if i%3 == 0 {
				req.Steps = 2
			}
			if pack {
				q := *p
				q.Levels = picture.NewLevels(8, len(p.Pix))
				q.Levels.Write(0, p.Pix)
				q.Pix, p = nil, &q
			}
			var seen *picture.Picture
			var rows []int
			told := make([]float32, 3*16*p.W*p.H) // of every row when it was told
			req.Rows = func(q *picture.Picture, n int) {
				from := 0
				if len(rows) > 0 {
					from = rows[len(rows)-1]
				}
				for c := range 3 {
					for y := from; y < n; y++ {
						at := (c*q.H + y) * q.W
						if q.Levels != nil {
							q.Levels.Read(told[at:at+q.W], at)
						} else {
							copy(told[at:at+q.W], q.Pix[at:])
						}
					}
				}
				seen, rows = q, append(rows, n)
			}
			r := restored(t, sharedModel(t, 16, NoMargin), p, req)
			pix := r.Picture.Unpacked().Pix
			if seen != r.Picture || !slices.IsSorted(rows) || rows[len(rows)-1] != r.Picture.H || len(rows) < 3 || !slices.Equal(told[:len(pix)], pix) {
				t.Errorf("%v: rows %v of %d are told, or other rows", what, rows, r.Picture.H)
			}
		}
	}

	// Memory that runs short after some rows are told: smaller tiles begin again, and what was told stays.
	p := randomPicture(rnd, 150, 400)
	req := request(rnd, task.Denoise, p)
	want := restored(t, sharedModel(t, 0, NoMargin), p, req).Picture.Pix
	m := variant(t, sharedModel(t, 0, NoMargin))
	m.engine.Pace.Force(time.Hour, 0, 192*128)
	fail := 0
	compiled := m.engine.Build
	m.engine.Build = func(store *compile.Store, g *netdef.Graph, outs []*netdef.Node, opt compile.Options) (*compile.Program, error) {
		if fail > 0 {
			fail--
			return nil, &gpu.OutOfMemoryError{Size: 1 << 40, Available: -1}
		}
		return compiled(store, g, outs, opt)
	}
	var told []float32
	var rows []int
	req.Rows = func(q *picture.Picture, n int) {
		if rows == nil {
			fail = 2 // the second time with nothing else in memory
			dropAll(t, m)
			for c := range 3 {
				told = append(told, q.Pix[c*q.W*q.H:][:n*q.W]...)
			}
		}
		rows = append(rows, n)
	}
	got := restored(t, m, p, req).Picture
	for c := range 3 {
		n := rows[0] * p.W
		if !slices.Equal(told[c*n:(c+1)*n], got.Pix[c*p.W*p.H:][:n]) {
			t.Error("rows that were told have changed")
		}
	}
	if d := apart(got.Pix, want); d > 5e-5 || fail > 0 || !slices.IsSorted(rows) || rows[len(rows)-1] != p.H || rows[0] == p.H {
		t.Errorf("off by %g, rows %v, memory ran short: %v", d, rows, fail == 0)
	}

	p = randomPicture(rnd, 40, 40)
	req = request(rnd, task.GaussianDeblur, p)
	req.Project, req.Rows = true, func(*picture.Picture, int) { t.Error("rows are told before the projection") }
	restored(t, sharedModel(t, 16, NoMargin), p, req)
}
