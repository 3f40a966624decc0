package nets

import (
	"testing"

	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/reference"
)

// TestHalo changes one column of sites after another and measures how far from an aligned tile a
// change still affects the tile.
func TestHalo(t *testing.T) {
	rnd := newRand(t)
	for _, c := range []Architecture{
		PlainConfig{Width: 8, Blocks: 0, Emb: 8, SD: PhotoSD()},
		PlainConfig{Width: 8, Blocks: 2, Emb: 8, SD: PhotoSD()},
		EdgeConfig{Widths: []int{8}, Mid: 1, Emb: 8, SD: PhotoSD()},
		EdgeConfig{Widths: []int{8, 8}, Blocks: []int{1}, Mid: 1, Emb: 8, SD: PhotoSD()},
		EdgeConfig{Widths: []int{8, 8, 8}, Blocks: []int{0, 1}, Mid: 1, Emb: 8, SD: PhotoSD()},
		EdgeConfig{Widths: []int{8, 8}, Blocks: []int{1}, Mid: 1, Gates: []int{3, 3}, Emb: 8, SD: PhotoSD()},
		EdgeConfig{Widths: []int{8, 8}, Blocks: []int{0}, Up: []int{2}, Mid: 1, Emb: 8, SD: PhotoSD()},
		EdgeConfig{Widths: []int{8}, Mid: 1, Fine: 8, Emb: 8, SD: PhotoSD()},
		EdgeConfig{Widths: []int{8, 8}, Blocks: []int{1}, Mid: 1, Fine: 16, Emb: 8, SD: PhotoSD()},
	} {
		n := c.Align() / 4
		margin := (c.Halo(1)/4/n + 2) * n // one group of sites more than needed
		w := 2*margin + 2*n               // the tile is two groups wide
		g := netdef.NewGraph()
		s := netdef.Shape{1, n, w, FlowChannels}
		y := g.Input("y", s)
		mu, logvar := Adapter(g, c, AdapterInput{
			Y: y, Mask: g.Input("mask", netdef.Shape{1, n, w, MaskChannels}), Task: g.Input("task", netdef.Shape{1, 1, 1, Tasks}),
			Sigma: g.Input("sigma", netdef.Scalar),
		})
		out := OneStep(g, c, g.Add(mu, g.Exp(logvar)))
		reach := 0 // farthest column outside the tile that changes the tile
		// The effect of the farthest column is sometimes lost in rounding. A second or third
		// network then shows it.
		for try := 0; try < 3 && 4*reach < c.Halo(1); try++ {
			params := reference.InitialParams(rnd.Uint64(), out)
			for _, p := range netdef.Params(out) {
				for i := range params[p.Name].Data {
					params[p.Name].Data[i] += 0.15 * rnd.NormFloat64()
				}
			}
			in := map[string]*netdef.Tensor{"y": randomTensor(rnd, s, 1), "mask": netdef.NewTensor(netdef.Shape{1, n, w, MaskChannels}),
				"task": randomTensor(rnd, netdef.Shape{1, 1, 1, Tasks}, 1), "sigma": {Shape: netdef.Scalar, Data: []float64{0.1}}}
			base := run(t, in, params, out)[0]
			for col := range w {
				away := max(margin-col, col-(margin+2*n-1))
				if away <= 0 {
					continue
				}
				moved := netdef.NewTensor(s)
				copy(moved.Data, in["y"].Data)
				for row := range n {
					for ch := range FlowChannels {
						moved.Data[(row*w+col)*FlowChannels+ch] += 0.2 * rnd.NormFloat64()
					}
				}
				in2 := map[string]*netdef.Tensor{"y": moved, "mask": in["mask"], "task": in["task"], "sigma": in["sigma"]}
				got := run(t, in2, params, out)[0]
				for i, v := range got.Data {
					if x := i / FlowChannels % w; v != base.Data[i] && x >= margin && x < margin+2*n {
						reach = max(reach, away)
					}
				}
			}
		}
		if 4*reach != c.Halo(1) {
			t.Errorf("%v: a change reaches the tile from %d pixels, Halo says %d", c.Describe(), 4*reach, c.Halo(1))
		}
	}
	if DefaultEdge().Halo(2) <= DefaultEdge().Halo(1) {
		t.Error("more steps do not need more surroundings")
	}
}
