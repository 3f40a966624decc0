package nets

import (
	"math"
	"testing"

	"github.com/vfmrestore/restore/netdef"
)

// Before training, the level of 2×2 blocks has in its first 12 channels the coefficients of each of
// its blocks.
func TestUnhaarOnce(t *testing.T) {
	const h, w, width = 2, 4, 16
	g := netdef.NewGraph()
	p := g.Input("p", netdef.Shape{1, 3, 4 * h, 4 * w})
	m := g.Const("m", netdef.Shape{1, 1, FlowChannels, 4 * width}, unhaarOnce(width))
	fine := g.DepthToSpace(g.Conv2D(Haar(g, g.Patchify(p)), m, 1), 2)
	pic := randomTensor(newRand(t), p.Shape, 1)
	got := run(t, map[string]*netdef.Tensor{"p": pic}, nil, fine)[0]
	at := func(c, y, x int) float64 { return pic.Data[(c*4*h+y)*4*w+x] }
	colours := [3][3]float64{{1 / math.Sqrt(3), 1 / math.Sqrt(3), 1 / math.Sqrt(3)}, {math.Sqrt(0.5), -math.Sqrt(0.5), 0}, {1 / math.Sqrt(6), 1 / math.Sqrt(6), -2 / math.Sqrt(6)}}
	for y := range 2 * h {
		for x := range 2 * w {
			for ch := range width {
				want := 0.0
				for c := range 3 {
					a, b, d, e := at(c, 2*y, 2*x), at(c, 2*y, 2*x+1), at(c, 2*y+1, 2*x), at(c, 2*y+1, 2*x+1)
					if ch < 12 {
						want += colours[ch%3][c] * []float64{a + b + d + e, a - b + d - e, a + b - d - e, a - b - d + e}[ch/3] / 2
					}
				}
				if v := got.Data[(y*2*w+x)*width+ch]; math.Abs(v-want) > 1e-6 {
					t.Fatalf("block (%d,%d), channel %d: %g, want %g", y, x, ch, v, want)
				}
			}
		}
	}
}
