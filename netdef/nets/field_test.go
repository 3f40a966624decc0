package nets

import (
	"testing"

	"github.com/vfmrestore/restore/netdef"
)

// TestReceptiveField compares Halo with what netdef finds in the graphs.
func TestReceptiveField(t *testing.T) {
	fine := DefaultEdge()
	fine.Fine = 8
	for _, a := range []Architecture{
		DefaultPlain(), DefaultEdge(), fine,
		EdgeConfig{Widths: []int{8, 16, 16}, Blocks: []int{2, 1}, Mid: 3, Gates: []int{1, 1, 3}, Emb: 8, SD: PhotoSD()},
		EdgeConfig{Widths: []int{8}, Mid: 1, Gates: []int{1}, Emb: 8, SD: PhotoSD()},
	} {
		if err := a.Validate(); err != nil {
			t.Fatal(err)
		}
		g := netdef.NewGraph()
		side := 8 * a.Align() / 4
		z := g.Input("z", netdef.Shape{1, side, side, FlowChannels})
		f, err := netdef.ReceptiveField(OneStep(g, a, z), z)
		if err != nil {
			t.Fatal(err)
		}
		if 4*f.Align != max(a.Align(), 4) || f.Num != f.Den || 4*f.Halo != a.Halo(0) {
			t.Errorf("%s %+v: field %+v, but an alignment of %d and a halo of %d", a.Name(), a, f, a.Align(), a.Halo(0))
		}
	}
}
