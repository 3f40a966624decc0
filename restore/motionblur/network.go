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

// NetworkPriorWeight times PriorPower is added to E|K|² whatever the kernel network says: no blur
// kernel is ever certain, and no picture has the mean spectrum that the network is trained for. In
// its training the weight is smaller (package trainhost). With the training's 0.02 or with 0.1
// here, the estimates of 30 photographs are 0.24 or 0.12 dB worse.
const NetworkPriorWeight = 0.05

// Network returns the parameters of the embedded kernel network. A store that programs of kind Maps
// are compiled with must hold them. It fails with the errors of weights.Kernels, and if the file
// does not fit the network.
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

// Parameters are the parameters of the kernel network: nodes, and values by the nodes' names.
type Parameters struct {
	Nodes  []*netdef.Node
	Values map[string][]float32
}

// NetworkFromFile reads a kernel network from a weights file. It fails if a parameter is missing,
// has another shape, or is not one of the network's.
func NetworkFromFile(f *weights.File) (Parameters, error) {
	if name := f.Meta[weights.KeyNetwork]; name != NetworkName {
		return Parameters{}, fmt.Errorf("the weights are for a network %q, not %q", name, NetworkName)
	}
	g := netdef.NewGraph()
	p := Parameters{netdef.Params(KernelMaps(g, viewsInput(g))), f.Params()}
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

// viewsInput is the input of the kernel network.
func viewsInput(g *netdef.Graph) *netdef.Node {
	return g.Input(inViews, netdef.Shape{1, mapSide, mapSide, nets.KernelViews})
}

// KernelMaps are the maps M_i [B,64,64,8] that the kernel network makes of views [B,64,64,8]
// (Estimator.Views), for E|K|² = Σ_i |M_i|². The library's mean blur kernel is added to the first
// map, which is E[k].
func KernelMaps(g *netdef.Graph, views *netdef.Node) *netdef.Node {
	mean := make([]float32, nets.KernelViews)
	mean[viewMean] = 1. / viewMeanScale
	return g.Add(nets.KernelMaps(g, views), g.Mul(views, g.Const("mean", netdef.Shape{1, 1, 1, nets.KernelViews}, mean)))
}

// buildMaps is the kernel network and the moments of its maps. From the transforms M_i of the maps
// come E[K], the real part of the first (as the half-turn is equally likely, only the even part
// counts), and E|K|², Σ|M_i|² plus the weighted prior.
func buildMaps(g *netdef.Graph) []*netdef.Node {
	maps := KernelMaps(g, viewsInput(g))
	planes := g.Reshape(g.Transpose(g.Reshape(maps, netdef.Shape{1, 1, mapSide * mapSide, nets.KernelParts})), netdef.Shape{nets.KernelParts, 1, mapSide, mapSide})
	w := newWaves(g, "maps", mapSide, quarterSide, func(i, k int) float64 { return windowAngle(i-mapHalf, k) }, inside(mapSide, WindowSide/2+1))
	c, s := g.Transpose(g.MatMul(planes, w.cos)), g.Transpose(g.MatMul(planes, w.sin))
	cc, cs, sc, ss := g.MatMul(c, w.cos), g.MatMul(c, w.sin), g.MatMul(s, w.cos), g.MatMul(s, w.sin)
	outs := []*netdef.Node{maps}
	var powers []*netdef.Node
	for sign, t := range [2][2]*netdef.Node{{g.Sub(cc, ss), g.Add(cs, sc)}, {g.Add(cc, ss), g.Sub(cs, sc)}} {
		prior := matrix(g, "prior", quarterSide, quarterSide, func(x, y int) float64 {
			if x > WindowSide/2 || y > WindowSide/2 {
				return 0
			}
			return NetworkPriorWeight * PriorPower(x, y*(1-2*sign))
		})
		outs = append(outs, g.Slice(t[0], 0, 0, 1))
		powers = append(powers, g.Add(g.Sum(g.Add(g.Square(t[0]), g.Square(t[1])), netdef.AxB), prior))
	}
	return append(outs, powers...)
}
