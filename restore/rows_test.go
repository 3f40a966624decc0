package restore

import (
	"slices"
	"testing"
	"time"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/compile"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/task"
)

// Rows are final when Request.Rows reports them. All rows are reported, in order, also if memory
// runs short.
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
			var last *picture.Picture
			var rows []int
			reported := make([]float32, 3*16*p.W*p.H) // of every row when it was reported
			req.Rows = func(q *picture.Picture, n int) {
				from := 0
				if len(rows) > 0 {
					from = rows[len(rows)-1]
				}
				for c := range 3 {
					for y := from; y < n; y++ {
						at := (c*q.H + y) * q.W
						if q.Levels != nil {
							q.Levels.Read(reported[at:at+q.W], at)
						} else {
							copy(reported[at:at+q.W], q.Pix[at:])
						}
					}
				}
				last, rows = q, append(rows, n)
			}
			r := restored(t, sharedModel(t, 16, NoMargin), p, req)
			pix := r.Picture.Unpacked().Pix
			if last != r.Picture || !slices.IsSorted(rows) || rows[len(rows)-1] != r.Picture.H || len(rows) < 3 || !slices.Equal(reported[:len(pix)], pix) {
				t.Errorf("%v: rows %v of %d are reported, or other rows", what, rows, r.Picture.H)
			}
		}
	}

	// If memory runs short after some rows are reported, smaller tiles begin again, and the
	// reported rows stay the same.
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
	var reported []float32
	var rows []int
	req.Rows = func(q *picture.Picture, n int) {
		if rows == nil {
			fail = 2 // the second time with nothing else in memory
			dropAll(t, m)
			for c := range 3 {
				reported = append(reported, q.Pix[c*q.W*q.H:][:n*q.W]...)
			}
		}
		rows = append(rows, n)
	}
	got := restored(t, m, p, req).Picture
	for c := range 3 {
		n := rows[0] * p.W
		if !slices.Equal(reported[c*n:(c+1)*n], got.Pix[c*p.W*p.H:][:n]) {
			t.Error("reported rows have changed")
		}
	}
	if d := apart(got.Pix, want); d > 5e-5 || fail > 0 || !slices.IsSorted(rows) || rows[len(rows)-1] != p.H || rows[0] == p.H {
		t.Errorf("off by %g, rows %v, memory ran short: %v", d, rows, fail == 0)
	}

	p = randomPicture(rnd, 40, 40)
	req = request(rnd, task.GaussianDeblur, p)
	req.Project, req.Rows = true, func(*picture.Picture, int) { t.Error("rows are reported before the projection") }
	restored(t, sharedModel(t, 16, NoMargin), p, req)
}
