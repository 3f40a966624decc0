package nets

import "github.com/vfmrestore/restore/netdef"

// TotalDerivative appends d/dt u(x_t, r, t) = ∂u/∂x · v + ∂u/∂t, the total derivative along the
// path dx_t/dt = v (eq. 17) for fixed r. u is the output of FlowMap, x [B,h,w,48] and t [B,1,1,1]
// are the nodes it was built from, and v has the shape of x. The result has the shape of u. It uses
// the nodes of u, so one run gives both.
func TotalDerivative(g *netdef.Graph, u, x, t, v *netdef.Node) (*netdef.Node, error) {
	one := g.BroadcastTo(g.Const("1", netdef.Scalar, []float32{1}), t.Shape)
	d, err := g.Tangent([]*netdef.Node{u}, []*netdef.Node{x, t}, []*netdef.Node{v, one})
	if err != nil {
		return nil, err
	}
	return d[0], nil
}
