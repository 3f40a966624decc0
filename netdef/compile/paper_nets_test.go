package compile

import (
	"slices"
	"strings"
	"testing"

	"github.com/vfmrestore/restore/internal/gputest"
	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/nets"
)

// The paper's networks in small, with the gradient of a loss on each and the total derivative of
// the transformer's velocity, agree with the float64 reference in both lowerings.
func TestPaperNetworks(t *testing.T) {
	gradients := func(g *netdef.Graph, y *netdef.Node) []*netdef.Node {
		// The gradient of the first weights needs the whole reverse pass. Each kind of gradient of
		// weights is tested by itself; for those of a whole network the driver would build hundreds
		// of kernels.
		wrt := netdef.Params(y)
		wrt = slices.DeleteFunc(wrt, func(n *netdef.Node) bool { return !strings.HasSuffix(n.Name, "/w") })
		wrt = []*netdef.Node{wrt[0], wrt[len(wrt)/2], wrt[len(wrt)-1]}
		grads, err := g.Gradient(g.Mean(g.Mul(y, g.Input("weight", y.Shape)), netdef.AxAll), wrt)
		if err != nil {
			t.Fatal(err)
		}
		return append([]*netdef.Node{y}, grads...)
	}
	for name, build := range map[string]func(g *netdef.Graph) []*netdef.Node{
		"transformer": func(g *netdef.Graph) []*netdef.Node {
			c := nets.TransformerConfig{Width: 64, Depth: 2, Heads: 2, Patch: 2, Encoder: 1, Classes: 9}
			x, s := g.Input("x", S{2, 4, 4, c.PatchChannels()}), S{2, 1, 1, 1}
			at := g.Input("+t", s)
			u := c.Velocity(g, x, g.Input("+r", s), at, g.Input("label", S{2, 1, 1, c.Labels()}))
			du, err := nets.TotalDerivative(g, u, x, at, g.Input("v", x.Shape))
			if err != nil {
				t.Fatal(err)
			}
			return append(gradients(g, u), du)
		},
		"adapter": func(g *netdef.Graph) []*netdef.Node {
			c := nets.LatentAdapterConfig{Widths: []int{64, 96}, Blocks: 1, Emb: 16, Classes: 6}
			y := nets.ColourSites(g, g.Input("y", S{2, 3, 8, 16}))
			return gradients(g, nets.LatentPatches(g, c.Posterior(g, y, g.Input("class", S{2, 1, 1, c.Labels()})), 2, 4))
		},
		"encoder": func(g *netdef.Graph) []*netdef.Node {
			c := nets.AutoencoderConfig{Widths: []int{64, 96}, Blocks: 1}
			return gradients(g, c.Encode(g, nets.ColourSites(g, g.Input("x", S{1, 3, 8, 16}))))
		},
		"decoder": func(g *netdef.Graph) []*netdef.Node {
			c := nets.AutoencoderConfig{Widths: []int{64, 96}, Blocks: 1}
			return gradients(g, nets.ColourPlanes(g, c.Decode(g, nets.LatentSites(g, g.Input("z", S{1, 2, 4, 16}), 2))))
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := netdef.NewGraph()
			outs := build(g)
			if err := g.Err(); err != nil {
				t.Fatal(err)
			}
			opts := map[string]Options{"portable": {Portable: true}}
			if !onlyPortable() {
				opts["best"] = Options{Tuning: Tuning{MaxFMA: SingleRun(1)}}
			}
			for kind, opt := range opts {
				if e := compare(t, g, outs, opt); !(e <= 1e-4) {
					t.Errorf("%s: relative error %.3g", kind, e)
				}
			}
		})
	}
}

// One block of DMFT-B/2 at its full size, 256 tokens, agrees with the float64 reference.
func TestFullBlock(t *testing.T) {
	if !gputest.Long() {
		t.Skip("takes a minute; VFM_TEST_LONG=1 runs it")
	}
	c := nets.DMFTB2()
	c.Depth, c.Encoder = 1, 0
	g := netdef.NewGraph()
	s := netdef.Scalar
	u := c.Velocity(g, g.Input("x", S{1, 16, 16, c.PatchChannels()}), g.Input("+r", s), g.Input("+t", s), g.Input("label", S{1, 1, 1, c.Labels()}))
	check(t, g, []*netdef.Node{u}, 1e-5)
}
