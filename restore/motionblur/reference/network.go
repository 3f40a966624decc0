package reference

import (
	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/netdef/reference"
	"github.com/vfmrestore/restore/restore/motionblur"
)

// KernelNetwork returns the embedded kernel network, computed in float64. It takes seconds for a
// picture. It fails as motionblur.Network does.
func KernelNetwork() (Network, error) {
	network, err := motionblur.Network()
	if err != nil {
		return nil, err
	}
	params := map[string]*netdef.Tensor{}
	for _, n := range network.Nodes {
		if params[n.Name], err = netdef.FromFloat32(n.Shape, network.Values[n.Name]); err != nil {
			return nil, err
		}
	}
	g := netdef.NewGraph()
	shape := netdef.Shape{1, mapSide, mapSide, nets.KernelViews}
	out := motionblur.KernelMaps(g, g.Input("views", shape))
	return func(views, maps []float32) error {
		in, err := netdef.FromFloat32(shape, views)
		if err != nil {
			return err
		}
		got, err := reference.Run([]*netdef.Node{out}, map[string]*netdef.Tensor{"views": in}, params)
		if err != nil {
			return err
		}
		for i, v := range got[0].Data {
			maps[i] = float32(v)
		}
		return nil
	}, nil
}
