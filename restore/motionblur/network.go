package motionblur

import (
	"fmt"
	"slices"
	"sync"

	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/weights"
)

// NetworkName is the value of weights.KeyNetwork of the kernel network (nets.KernelMaps).
const NetworkName = "kernels"

// Network gives the parameters of the embedded kernel network, nodes and values: a store that Programs of kind Maps are compiled with must hold them.
// Errors are those of weights.Kernels, and it fails if the file does not fit the network.
var Network = sync.OnceValues(func() (Parameters, error) {
	f, err := weights.Kernels()
	if err != nil {
		return Parameters{}, err
	}
	p, err := NetworkFromFile(f)
	if err != nil {
		err = fmt.Errorf("embedded %s: %w", weights.KernelsName, err)
	}
	return p, err
})

// Parameters are those of the kernel network.
type Parameters struct {
	Nodes  []*netdef.Node
	Values map[string][]float32
}

// NetworkFromFile reads a kernel network out of a weights file, and fails if a parameter is missing, of another shape or too many.
func NetworkFromFile(f *weights.File) (Parameters, error) {
	if name := f.Meta[weights.KeyNetwork]; name != NetworkName {
		return Parameters{}, fmt.Errorf("the weights are for a network %q, not %q", name, NetworkName)
	}
	g := netdef.NewGraph()
	p := Parameters{netdef.Params(KernelMaps(g, viewsOf(g))), f.Params()}
	for _, n := range p.Nodes {
		if t := f.Find(n.Name); t == nil || !slices.Equal(t.Shape, n.Shape[:]) {
			return Parameters{}, fmt.Errorf("the weights do not fit the kernel network: %q should have shape %v", n.Name, n.Shape)
		}
	}
	if len(p.Values) != len(p.Nodes) {
		return Parameters{}, fmt.Errorf("the weights do not fit the kernel network: %d parameters instead of %d", len(p.Values), len(p.Nodes))
	}
	return p, nil
}

// viewsOf is the kernel network's input.
func viewsOf(g *netdef.Graph) *netdef.Node {
	return g.Input(inViews, netdef.Shape{1, side, side, nets.KernelViews})
}

// KernelMaps are the network's maps [B,64,64,8] of views (Estimator.Views), the first with what it is added to: E[k].
func KernelMaps(g *netdef.Graph, views *netdef.Node) *netdef.Node {
	mean := make([]float32, nets.KernelViews)
	mean[viewMean] = 1. / viewMeanScale
	return g.Add(nets.KernelMaps(g, views), g.Mul(views, g.Const("mean", netdef.Shape{1, 1, 1, nets.KernelViews}, mean)))
}

// buildMaps is the kernel network and what follows from its maps: their transforms M_i, of the first the real part (half-turns are as likely: what is even),
// and Σ|M_i|² with the law's share.
func buildMaps(g *netdef.Graph) []*netdef.Node {
	maps := KernelMaps(g, viewsOf(g))
	planes := g.Reshape(g.Transpose(g.Reshape(maps, netdef.Shape{1, 1, side * side, nets.KernelParts})), netdef.Shape{nets.KernelParts, 1, side, side})
	w := newWaves(g, "maps", side, quarter, func(i, k int) float64 { return windowAngle(i-half, k) }, inside(side, window/2+1))
	c, s := g.Transpose(g.MatMul(planes, w.cos)), g.Transpose(g.MatMul(planes, w.sin))
	cc, cs, sc, ss := g.MatMul(c, w.cos), g.MatMul(c, w.sin), g.MatMul(s, w.cos), g.MatMul(s, w.sin)
	outs := []*netdef.Node{maps}
	var powers []*netdef.Node
	for sign, t := range [2][2]*netdef.Node{{g.Sub(cc, ss), g.Add(cs, sc)}, {g.Add(cc, ss), g.Sub(cs, sc)}} {
		share := matrix(g, "law", quarter, quarter, func(x, y int) float64 {
			if x > window/2 || y > window/2 {
				return 0
			}
			return lawShare * LawPower(x, y*(1-2*sign))
		})
		outs = append(outs, g.Slice(t[0], 0, 0, 1))
		powers = append(powers, g.Add(g.Sum(g.Add(g.Square(t[0]), g.Square(t[1])), netdef.AxB), share))
	}
	return append(outs, powers...)
}
