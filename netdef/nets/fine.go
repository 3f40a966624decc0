package nets

import "github.com/vfmrestore/restore/netdef"

// fineName is the scope of the level of 2×2 pixel blocks.
const fineName = "fine"

// addFine adds the output of the level of 2×2 pixel blocks, if there is one, to the output
// [B,h,w,48] of a network. The level has cfg.Fine channels at twice the resolution. It reads the
// features at the end of the network and the network's input x [B,h,w,48], because the features
// have fewer channels and cannot hold all of x. Before training it adds zero.
func addFine(g *netdef.Graph, cfg EdgeConfig, out, features, x *netdef.Node, f *film) *netdef.Node {
	if cfg.Fine == 0 {
		return out
	}
	defer g.Scope(fineName)()
	see := g.Conv2D(x, g.Param("see/w", netdef.Shape{1, 1, FlowChannels, 4 * cfg.Fine}, netdef.Data{Values: unhaarOnce(cfg.Fine)}), 1)
	h := g.DepthToSpace(g.Add(see, linear(g, "up", features, 4*cfg.Fine, netdef.HeNormal{Gain: 0.5})), 2)
	h = resBlock(g, "block0", h, f, 1)
	return g.Add(out, convTo(g, "out", h, FlowChannels, 2, 2, netdef.Zeros))
}

// unhaarOnce returns weights [48][4·width] that undo the second level of the Haar transform. They
// give each of the four 2×2 blocks its own coefficients: three colours of LL, H, V and D in its
// first 12 channels (as far as width allows), in the order that DepthToSpace expects. So the level
// reads the same from a block wherever it is in its site.
func unhaarOnce(width int) []float32 {
	w := make([]float32, FlowChannels*4*width)
	for i, c := range Channels {
		for block := range 4 {
			set := func(kind int, v float64) {
				if to := 3*kind + c.Colour; to < width {
					w[i*4*width+block*width+to] = float32(v)
				}
			}
			y, x := block/2, block%2
			if c.Band < H1 {
				set(0, 2*haarValue(c, 2*y, 2*x)) // half, and the sign of the quarter
			} else if c.DY == y && c.DX == x {
				set(int(c.Band-H1)+1, 1)
			}
		}
	}
	return w
}
