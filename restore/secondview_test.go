package restore

import (
	"slices"
	"testing"

	"github.com/vfmrestore/restore/restore/internal/tile"
	"github.com/vfmrestore/restore/restore/motionblur/reference"
)

// The second view of any tile is that of the whole picture, bit for bit. Only some blocks of a
// large picture are in memory.
func TestSecondViewInTiles(t *testing.T) {
	rnd := newRand(t)
	for _, size := range [][2]int{{40, 30}, {300, 180}, {900, 1500}} {
		w, h := size[0], size[1]
		p := randomPicture(rnd, w, h)
		want := make([]float32, 3*w*h)
		e := reference.NewEstimator(0)
		if err := e.Deblur(t.Context(), want, p.Planar(), 0.04); err != nil {
			t.Fatal(err)
		}
		whole := tile.Planes{W: w, H: h, Data: want}
		src := tile.Planes{W: w, H: h, Data: p.Pix}
		if err := e.Begin(t.Context(), w, h, src.Row, 0.04); err != nil {
			t.Fatal(err)
		}
		g := newSecondView(t.Context(), &deviceEstimator{Estimator: e}, w, h)
		m := tile.NewMirrorReader(w, h, 3, func(dst []float32, r tile.Rect) {
			for c := range 3 {
				for y := range r.H {
					whole.Row(dst[(c*r.H+y)*r.W:][:r.W], c, r.Y+y, r.X)
				}
			}
		})
		margin := 8 * rnd.IntN(4)
		dom := tile.Rect{X: -margin, Y: -margin, W: tile.DomainSide(w, 8) + 2*margin, H: tile.DomainSide(h, 8) + 2*margin}
		for _, side := range []int{200, 104} { // begun again with other tiles
			ts := tile.Cut(dom, min(side, dom.W), min(side, dom.H), 32)
			g.planTiles(ts)
			most, made := 0, 0
			got, right := make([]float32, 3*side*side), make([]float32, 3*side*side)
			for _, x := range ts {
				before := len(g.blocks)
				if err := g.prepareTile(x.At); err != nil {
					t.Fatal(err)
				}
				g.readTile(x.At, got)
				m.Read(x.At, right)
				if n := 3 * x.At.W * x.At.H; !slices.Equal(got[:n], right[:n]) {
					t.Fatalf("%d×%d: another guess at %v", w, h, x.At)
				}
				most, made = max(most, before, len(g.blocks)), made+1
			}
			if h > 3*g.blockH && most > 3*g.perRow || len(g.blocks) > 0 {
				t.Errorf("%d×%d: %d blocks held at a time, %d in the end, rows have %d", w, h, most, len(g.blocks), g.perRow)
			}
		}
		e.End()
	}
}
