package compile

import (
	"math/rand/v2"
	"testing"

	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/nets"
)

// edgeForward builds the shipped network, from the observation to the picture, in flow space.
func edgeForward(side int) (g *netdef.Graph, outs []*netdef.Node) {
	cfg := nets.DefaultEdge()
	g = netdef.NewGraph()
	y := g.Input("y", S{1, side, side, nets.FlowChannels})
	mu, logvar := nets.Adapter(g, cfg, nets.AdapterInput{
		Y: y, Mask: g.Input("mask", S{1, side, side, nets.MaskChannels}), Task: g.Input("task", S{1, 1, 1, nets.Tasks}),
		Sigma: g.Input("+sigma", S{1, 1, 1, 1}), Guess: g.Input("guess", y.Shape),
	})
	return g, []*netdef.Node{mu, logvar, nets.OneStep(g, cfg, mu)}
}

// With float16 tensors the network agrees with the reference up to the rounding of the stored
// values, and takes half the memory.
func TestHalf(t *testing.T) {
	if !testDev.Info().Caps.Storage16 {
		t.Skip("the device has no 16-bit storage")
	}
	g, outs := edgeForward(8)
	var full, half int64
	precise := compareWith(t, g, outs, Options{Portable: true}, func(p *Program) { full = p.WorkBytes() })
	rough := compareWith(t, g, outs, Options{Portable: true, Half: true}, func(p *Program) {
		half = p.WorkBytes()
		stored := 0
		for _, s := range p.steps {
			if s.mod != nil && s.mod.Half != 0 {
				stored++
			}
		}
		if stored < len(p.steps)/2 {
			t.Errorf("%d of %d steps touch float16", stored, len(p.steps))
		}
	})
	// float16 has 11 bits. A rounding changes a value by at most 2⁻¹², and there are more than a
	// hundred roundings in sequence.
	if !(precise < 1e-5) || !(rough < 1e-2) || rough < 1e-5 {
		t.Errorf("relative error %.2g, with float16 %.2g", precise, rough)
	}
	if half > full*6/10 {
		t.Errorf("float16 takes %d bytes, float32 %d", half, full)
	}
}

// Tiled convolutions with float16 tensors and weights.
func TestHalfConv(t *testing.T) {
	if !testDev.Info().Caps.Storage16 {
		t.Skip("the device has no 16-bit storage")
	}
	rng := rand.New(rand.NewPCG(rand.Uint64(), 2))
	for range 12 {
		g, y, name := randomConv(rng, 8)
		n := y.Shape[3]
		z := g.Conv2D(y, g.Param("w2", S{3, 3, n, 16}, netdef.Zeros), 1)
		if e := compare(t, g, []*netdef.Node{z}, Options{Portable: true, Half: true}); !(e < 2e-3) {
			t.Errorf("%s: relative error %.2g", name, e)
		}
	}
}
